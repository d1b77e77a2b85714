"""A transition in words, Chinese and English: the fact, why, by when, whose duty.

>>> CAPTION_ZH
'内部关注级，非法定预警'
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.sentences_en import EN
from alerts.sentences_zh import ZH
from alerts.words import ATTRIBUTE, Words
from pipeline.ids import code64

CAPTION_ZH = ZH.parts["caption"]
CAPTION_EN = EN.parts["caption"]
NOT_FOR_RANKING_ZH = ZH.parts["not_for_ranking"]
NOT_FOR_RANKING_EN = EN.parts["not_for_ranking"]

Names = Callable[[int], str]
Offset = Callable[[int], int]

_HOUR = 3_600_000_000
_HALF_HOUR = _HOUR // 2
ANSWER_US = (72 * _HOUR, 72 * _HOUR, 24 * _HOUR, 4 * _HOUR, 2 * _HOUR)
"""How long an office has for its first answer, by visible level; never past the due time of the matter."""
ROOT = "root"
"""Name of the built-in place above all others; it, or a place the directory has no name for, is not worth a word."""
TOP = 2
"""Reasons named in the sentence."""

_ASK = {
    "overdue": "late",
    "listed_overdue": "late",
    "idle": "progress",
    "handed_over": "holder",
    "returned": "holder",
    "vague_reply": "elements",
    "emergency": "at_once",
    "hazard": "at_once",
    "surge": "cause",
    "stuck": "restore",
    "missing": "restore",
    "silent_source": "restore",
}
_TARGETS = {
    "breach": "late",
    "overdue": "late",
    "deadline_missed": "late",
    "handed_over": "handed_over",
    "handed_over_twice": "handed_over",
    "bounced": "returned",
    "reopened": "reopened",
    "repeated": "repeated",
    "unsatisfied": "unsatisfied",
    "called_out": "called_out",
}
_OTHER = {"handed_over": "returns", "returned": "handovers"}
"""The count beside the one that speaks; at nought it is left out."""
_HOURS = frozenset({"allowed_h", "age_h", "idle_h", "spot_idle_h"})
_NAMED = frozenset({"category", "place", "office"})


def sentence(
    transition: Mapping[str, Any],
    names: Names,
    *,
    zone_offset: Offset,
    target_names: Sequence[str] = (),
    english: Names | None = None,
) -> tuple[str, str]:
    """One sentence in Chinese and one in English.

    Parameters
    ----------
    names : name of a code, "" for none; `english` where English has names of its own. zone_offset : µs to add to a
    time for the local one. target_names : by index.
    """
    zh = _Saying(transition, names, zone_offset, target_names, ZH)
    en = _Saying(transition, english or names, zone_offset, target_names, EN, zh)
    return zh.sentence(), en.sentence()


def reasons(
    transition: Mapping[str, Any],
    names: Names,
    *,
    zone_offset: Offset,
    target_names: Sequence[str] = (),
    english: Names | None = None,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Why, the governing assessment first, then the heaviest: `code, zh, en, weight` (logit), `share`, `target`.

    `most`: so many of each assessment at the most; `forewarn explain` tells all.

    `share` is the signed part of all that moved this probability; a rule has weight and share 0.
    """
    zh = _Saying(transition, names, zone_offset, target_names, ZH)
    en = _Saying(transition, english or names, zone_offset, target_names, EN)
    return [
        {
            "code": ground.get("feature") or ground["why"],
            "why": ground["why"],
            "zh": zh.reason(assessment, ground, share),
            "en": en.reason(assessment, ground, share),
            "weight": round(ground.get("weight", 0) / 65_536, 6),
            "share": round(share, 4),
            "target": zh.target_name(assessment),
        }
        for assessment in zh.ranked()
        for ground, share in _shares(assessment)[:most]
    ]


def _shares(assessment: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float]]:
    """Grounds with their part of all movement, heaviest first; the base is no reason."""
    grounds = [each for each in assessment["grounds"] if each["why"] != "base"]
    weights = [each.get("weight", 0) for each in grounds]
    sizes = list(map(abs, weights))
    total = sum(sizes) or 1
    heaviest = sorted(range(len(grounds)), key=sizes.__getitem__, reverse=True)
    return [(grounds[index], weights[index] / total) for index in heaviest]


class _Saying:
    """One transition in one language."""

    def __init__(
        self,
        transition: Mapping[str, Any],
        names: Names,
        offset: Offset,
        targets: Sequence[str],
        words: Words,
        like: "_Saying | None" = None,
    ) -> None:
        # What raises an assessment is the same in both languages, and costs more to find than to say.
        self._raising: dict[int, list[Mapping[str, Any]]] = {} if like is None else like._raising
        self.transition, self.names, self.offset, self.targets, self.words = transition, names, offset, targets, words
        self.at = int(transition["at"])
        self.due = int(transition.get("due", 0))
        place = names(transition["place"])
        parts = words.parts
        self.what = names(transition["category"]) or parts["no_category"]
        self.office = names(transition["office"]) or parts["no_office"]
        self.is_owned = bool(names(transition["office"]))
        if place in ("", ROOT) and transition.get("kind") == "surge":
            self.where = parts["whole_site"]
        elif place in ("", ROOT):
            self.where = "" if transition["place"] else parts["no_place"]
        else:
            self.where = parts["place"].format(place=place)

    def sentence(self) -> str:
        """Fact and request, or what became of the warning."""
        transition, words = self.transition, self.words
        cause = transition["cause"]
        if not transition["to"] and cause != "closed":
            cause = "ended"
        ranked = self.ranked()
        slots = {
            "fact": self._fact(ranked[0] if ranked else None),
            "ask": self._ask(ranked[0] if ranked else None),
            "awaiting": self._awaiting(),
            "from": words.levels[transition["from"]],
            "to": words.levels[transition["to"]],
            "what": self.what,
            "where": self.where,
            "office": self.office,
            "reason": transition.get("reason") or words.parts["unknown"],
            "remark": transition.get("remark") or words.parts["unknown"],
            "outcome": words.outcomes[transition.get("outcome", "")],
            "next_update": self._moment(transition.get("next_update_by", self.at)),
        }
        return words.finished(words.lives[cause].format_map(slots))

    def reason(self, assessment: Mapping[str, Any], ground: Mapping[str, Any], share: float) -> str:
        """One reason; of a model with its direction and part."""
        finished = self.words.finished
        if ground["why"] != "feature":
            return finished(self._fact({**assessment, "grounds": [ground]}))
        key = "up" if share >= 0 else "down"
        part = self.words.percent(round(abs(share) * 10_000))
        return finished(self.words.parts[key].format(reason=self._feature(ground), share=part))

    def ranked(self) -> list[Mapping[str, Any]]:
        """The governing assessment, then the others as they came."""
        assessments = list(self.transition["assessments"])
        governing = self.transition.get("governing", -1)
        if 0 <= governing < len(assessments):
            assessments.insert(0, assessments.pop(governing))
        return assessments

    def target_name(self, assessment: Mapping[str, Any]) -> str:
        """Name of the outcome that an assessment speaks of; "" for rules."""
        target = assessment["target"]
        return self.targets[target] if 0 <= target < len(self.targets) else ""

    def _fact(self, assessment: Mapping[str, Any] | None) -> str:
        facts = self.words.facts
        if assessment is None:
            return facts["nothing"].format(where=self.where, what=self.what)
        why = assessment["kind"] if assessment["kind"] == "risk" else self._why(assessment)
        slots = self._slots(assessment)
        if slots.get(_OTHER.get(why, "")) == "0":
            why += "_only"
        try:
            return facts.get(why, facts["rule"]).format_map(slots)
        except KeyError:
            # A fact that this kind of reason should bring is not there: name the rule rather than say half a sentence.
            return facts["rule"].format_map(slots)

    def _why(self, assessment: Mapping[str, Any]) -> str:
        grounds = assessment["grounds"]
        return str(grounds[0]["why"] if grounds else assessment["kind"])

    def _ask(self, assessment: Mapping[str, Any] | None) -> str:
        why = self._why(assessment) if assessment else ""
        level = self.transition["to"]
        by = -(-(self.at + ANSWER_US[level]) // _HALF_HOUR) * _HALF_HOUR
        if self.at + _HALF_HOUR < self.due < by:
            by = self.due
        key = _ASK.get(why, "plan") if self.is_owned else "designate"
        return self.words.asks[key].format(office=self.office, by=self._moment(by))

    def _awaiting(self) -> str:
        awaiting = self.transition.get("awaiting", 0)
        if not awaiting:
            return ""
        key = "orange" if self.transition["proposed"] == 3 else "red_two" if awaiting == 2 else "red_one"
        return self.words.parts[key]

    def _slots(self, assessment: Mapping[str, Any]) -> "_Slots":
        """Everything that a fact may name, as far as it is known; found when a template asks for it."""
        words, now = self.words, self.at
        facts = dict(assessment["grounds"][0].get("facts") or {}) if assessment["grounds"] else {}
        registered = int(self.transition.get("registered", 0))
        due = int(facts.get("due", self.due))
        told = {name: _number(value) if isinstance(value, int | float) else value for name, value in facts.items()}
        found: dict[str, Callable[[], str]] = {
            "where": lambda: self.where,
            "what": lambda: self.what,
            "rule": lambda: words.rules.get(self._why(assessment), self._why(assessment)),
            "clock": lambda: self._clock(registered),
            "chance": lambda: words.percent(assessment["probability"]),
            "outcome": lambda: self._outcome(assessment),
            "horizon": lambda: self._horizon(assessment["horizon"]),
            "because": lambda: self._because(assessment),
            "deadline": lambda: words.parts["deadline"].format(due=self._moment(due)) if due > now else "",
            "registered": lambda: self._moment(registered) if registered else words.parts["unknown"],
        }
        if due:
            found |= {
                "due": lambda: self._moment(due),
                "late": lambda: words.span(now - due),
                "left": lambda: words.span(due - now),
            }
            if due > registered:
                used = max(0, min(10_000, (now - registered) * 10_000 // (due - registered)))
                found["share"] = lambda: words.percent(used)
        if "since" in facts:
            found["since"] = lambda: self._moment(int(facts["since"]))
        for name in ("silent", "interval", "window"):
            if f"{name}_us" in facts:
                told[name] = words.span(int(facts[f"{name}_us"]))
        if facts.get("expected") and "count" in facts:
            told["times"] = _number(round(float(facts["count"]) / float(facts["expected"]), 1))
        return _Slots(told, found)

    def _horizon(self, horizon: int) -> str:
        return self.words.parts["horizon"].format(span=self.words.span(horizon)) if horizon > 0 else ""

    def _clock(self, registered: int) -> str:
        parts, span = self.words.parts, self.words.span
        if not self.due:
            return parts["no_clock"].format(age=span(self.at - registered) if registered else parts["unknown"])
        key = "left" if self.due > self.at else "over"
        return parts[key].format(
            due=self._moment(self.due), left=span(self.due - self.at), late=span(self.at - self.due)
        )

    def _outcome(self, assessment: Mapping[str, Any]) -> str:
        target = self.target_name(assessment)
        return self.words.targets[_TARGETS.get(target, "other")].format(target=target)

    def _because(self, assessment: Mapping[str, Any]) -> str:
        raising = self._raising.get(id(assessment))
        if raising is None:
            told = [ground for ground, share in _shares(assessment) if share > 0 and ground["why"] == "feature"]
            raising = self._raising[id(assessment)] = told[:TOP]
        if not raising:
            return ""
        return self.words.parts["because"].format(reasons=self.words.between.join(map(self._feature, raising)))

    def _feature(self, ground: Mapping[str, Any]) -> str:
        """What a feature says, with its value where one can be shown."""
        name, texts = ground["feature"], self.words.features
        value = ground.get("value", dict(ground.get("facts") or {}).get("value"))
        if name in _NAMED:
            code = {"category": self.what, "place": self.names(self.transition["place"]), "office": self.office}[name]
            return texts[name].format(value=code or self.words.parts["unknown"])
        if name not in texts:
            # A declared attribute: its codes are hashes, so only a number can be written out.
            key = "attribute" if isinstance(value, float) else "attribute_plain"
            called = self.names(code64(ATTRIBUTE + name)) or name
            return texts[key].format(attribute=called, value=_number(value))
        if "{value}" not in texts[name]:
            return texts[name]
        if value is None:
            return self.words.absent[name]
        return texts[name].format(value=self._value(name, value))

    def _value(self, name: str, value: float) -> str:
        if name in _HOURS:
            return self.words.span(int(value * _HOUR))
        if name == "share":
            return self.words.percent(round(value * 10_000))
        if name == "weekday":
            return self.words.weekdays[int(value) % 7]
        return _number(value)

    def _moment(self, us: int) -> str:
        return self.words.moment(self._local(us), self._local(self.at))

    def _local(self, us: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us + self.offset(us))


class _Slots(dict[str, str]):
    """Slots by name: what is `told` as it is, what can be `found` once somebody asks."""

    def __init__(self, told: Mapping[str, str], found: Mapping[str, Callable[[], str]]) -> None:
        super().__init__({name: text for name, text in told.items() if name not in found})
        self._found = found

    def __missing__(self, name: str) -> str:
        text = self[name] = self._found[name]()
        return text


def _number(value: Any) -> str:
    """Without false digits: whole numbers as they are, others to three places that count."""
    if not isinstance(value, float):
        return str(value)
    return str(round(value)) if value == round(value) or abs(value) >= 100 else f"{value:.3g}"
