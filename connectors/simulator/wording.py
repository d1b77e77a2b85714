"""Texts by the grammar: what a complaint, a dispatch, a return or a reply says, with the flaws of real writing.

Twelve in a hundred complaints carry synthetic contact details, so that redaction has something to find. Their spans are
handed back for the ground truth. Telephone numbers use prefixes that no operator has been given.
"""

from dataclasses import dataclass
from typing import Any

from connectors.simulator.dice import Dice
from connectors.simulator.vocabulary import Category, Vocabulary
from connectors.simulator.working_time import HOUR, ZONE, civil, day_of

CONTACTS = 0.12
UNASSIGNED = ("142", "143", "154", "160", "161", "163", "164", "168", "169", "179")
FACT_SPREAD = 0.62
"""How much the fact itself tells of the difficulty: the first of a category's facts so much less, the last more."""
_MONTHS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


@dataclass(frozen=True, slots=True)
class Identifier:
    """Where a synthetic contact detail stands in a text: kind (phone, name, door) and characters [start, end)."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """A reported fact: its words, which of the category's facts it is, and where contact details stand."""

    text: str
    fact: int
    urgent: bool
    identifiers: tuple[Identifier, ...] = ()


class Wording:
    """Writes sentences from the word lists with one source of chance, which the caller may lay anew for each text."""

    def __init__(self, words: Vocabulary, dice: Dice) -> None:
        self._phrases = words.phrases
        self._dice = dice
        self._categories = list(words.phrases["facts"])

    def complaint(
        self,
        category: Category,
        channel: str,
        town: str,
        office: str,
        *,
        fact: int,
        again: bool,
        urgent: bool | None = None,
        several: bool | None = None,
        contact: bool | None = None,
        month: int = 0,
    ) -> Complaint:
        """What is reported; `fact` -1 draws one of the category's facts, `again` adds what was promised before.

        What is None is drawn; `month` (1 to 12) lets a report speak of the season.
        """
        dice, phrases = self._dice, self._phrases
        facts = phrases["facts"][category.key]
        fact = dice.below(len(facts)) if fact < 0 else fact
        if urgent is None:
            urgent = category.key in phrases["danger"] and dice.happens(0.2 if category.hazard else 0.04)
        if channel in ("grid", "sensor"):
            report = self._report(facts[fact], channel, office)
            return Complaint(report + ("，" + self._danger(category) if urgent else ""), fact, urgent)
        parts = [self._opening(category, town, facts[fact], month)]
        is_shared = category.scene != "other"
        if several is None:
            several = is_shared and dice.happens(0.22)
        if several:
            parts.append(dice.pick(phrases["scope"]))
        if urgent:
            parts.append(self._danger(category))
        elif is_shared and dice.happens(0.6):
            parts.append(dice.pick(phrases["impacts"]))
        if again:
            history = dice.pick(phrases["histories"])
            parts.append(history.format(times=dice.pick(phrases["times"]), promise=dice.pick(phrases["promises"])))
        if dice.happens(0.03):
            other = dice.pick(self._categories)
            parts.append("另外" + dice.pick(phrases["facts"][other]))
        if dice.happens(0.75):
            parts.append(dice.pick(phrases["requests"]))
        text, identifiers = self._with_contacts(
            self._flawed("，".join(parts)), dice.happens(CONTACTS) if contact is None else contact
        )
        return Complaint(text, fact, urgent, identifiers)

    def routing(self, category: Category, office: str, rival: str, due: int, *, urgent: bool) -> str:
        """The dispatcher's words."""
        template = self._phrases["urgent_routing"] if urgent else self._dice.pick(self._phrases["routing"])
        return str(template).format(category=category.zh, office=office, rival=rival, due=moment(due))

    def line(self, name: str, /, **slots: object) -> str:
        """One of the sentences of a list, its slots filled."""
        template = self._phrases[name]
        sentence: str = template if isinstance(template, str) else self._dice.pick(template)
        return sentence.format(**slots) if slots else sentence

    def reply(self, category: Category, office: str, at: int, *, vague: bool) -> str:
        """The office's answer: with the six elements, or without."""
        if vague:
            return self.line("vague")
        remedies: dict[str, Any] = self._phrases["remedies"]
        cause, measure, result, rest = self._dice.pick(remedies.get(category.key, remedies["default"]))
        finish = day_text(at + (2 + self._dice.below(6)) * 24 * HOUR)
        slots = {"cause": cause, "measure": measure, "result": result, "rest": rest, "finish": finish}
        return self.line("concrete", date=moment(at), office=office, **slots)

    def _opening(self, category: Category, town: str, fact: str, month: int) -> str:
        dice, phrases = self._dice, self._phrases
        scene = "bare" if dice.happens(0.05) else category.scene
        return str(dice.pick(phrases["openings"][scene])).format(
            town=town,
            road=dice.pick(phrases["roads"]),
            estate=dice.pick(phrases["estates"]),
            point=dice.pick(phrases["estate_points" if scene == "estate" else "road_points"]),
            since=self._since(month),
            fact=fact,
        )

    def _since(self, month: int) -> str:
        since: str = self._dice.pick(self._phrases["since"])
        if month and self._dice.happens(0.15):
            return f"进入{_MONTHS[month - 1]}月以来"
        return since

    def _danger(self, category: Category) -> str:
        danger: str = self._dice.pick(self._phrases["danger"][category.key])
        return f"现在{danger}，{self._dice.pick(self._phrases['people'])}"

    def _report(self, fact: str, channel: str, office: str) -> str:
        dice = self._dice
        if channel == "sensor":
            return self.line("sensor_report", device=1000 + dice.below(9000), minutes=5 + dice.below(55), fact=fact)
        where = dice.pick(self._phrases["roads"]) + dice.pick(self._phrases["road_points"])
        return self.line("grid_report", where=where, fact=fact, office=office)

    def _flawed(self, text: str) -> str:
        chance = self._dice.unit()
        if chance < 0.05:
            for right, wrong in self._phrases["typos"].items():
                if right in text:
                    return text.replace(right, wrong, 1)
        if chance < 0.15:
            return text.replace("，", "").replace("。", "")
        if chance < 0.23:
            return self.line("colloquial").format(text) + "。"
        return text + "。"

    def _with_contacts(self, text: str, has_contact: bool) -> tuple[str, tuple[Identifier, ...]]:
        dice = self._dice
        if not has_contact:
            return text, ()
        surname = dice.pick(self._phrases["surnames"])
        details = {
            "phone": dice.pick(UNASSIGNED) + f"{dice.below(10**8):08d}",
            "name": surname + dice.pick(self._phrases["titles"]),
            "door": f"{1 + dice.below(30)}号楼{1 + dice.below(6)}单元{1 + dice.below(18)}0{1 + dice.below(4)}室",
        }
        sentence = self.line("contact", phone=details["phone"], name=details["name"], surname=surname)
        if dice.happens(0.5):
            sentence = f"{self.line('home', door=details['door'])}，{sentence}"
        text = f"{text}{sentence}。"
        spans = ((kind, text.rfind(value), len(value)) for kind, value in details.items())
        return text, tuple(Identifier(kind, start, start + size) for kind, start, size in spans if start >= 0)


def day_text(at: int) -> str:
    """A day as the texts write it: 11月26日."""
    day = civil(day_of(at))
    return f"{day.month}月{day.day}日"


def moment(at: int) -> str:
    """A day and minute as the texts write them: 11月26日17:30; the end of a day is its 24:00."""
    clock = (at + ZONE) % (24 * HOUR)
    if clock == 0:
        return f"{day_text(at - 1)}24:00"
    return f"{day_text(at)}{clock // HOUR:02d}:{clock % HOUR // 60:02d}"
