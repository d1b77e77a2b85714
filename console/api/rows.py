"""A warning as a row of the list: rendered once per change, both languages, and kept."""

from collections.abc import Mapping
from typing import Any

from alerts.names import LEVEL_NAMES, Names, governing, rfc3339, zone_offset
from alerts.sentences import reasons, sentence
from pipeline.rules import FoldRules

_KEPT = 20_000
_HOUR_US = 3_600_000_000
_NOTHING = {"zh": "", "en": ""}


class Rows:
    """Renders under one configuration.

    What depends on the moment of looking (share of the clock) or on others (linked) is put in by `finished`.
    """

    def __init__(self, names: Names, rules: FoldRules) -> None:
        self.names, self.rules = names, rules
        self.offset = zone_offset(rules)
        self.targets = [target.name for target in rules.targets]
        self._kept: dict[tuple[str, int], dict[str, Any]] = {}

    def kept(self, warning: str, number: int) -> dict[str, Any] | None:
        """A row that was rendered before."""
        return self._kept.get((warning, number))

    def render(self, transition: Mapping[str, Any], since: int, taker: str | None) -> dict[str, Any]:
        """The lasting part of a row. `since`: µs of the first change; `taker`: who took it."""
        key = (transition["warning"], transition["number"])
        ruling = governing(transition)
        target = ruling["target"] if ruling else -1
        told = self.reasons(transition, most=1)
        row: dict[str, Any] = {
            "id": transition["warning"],
            "number": transition["number"],
            "level": LEVEL_NAMES[transition["to"]],
            "proposed": LEVEL_NAMES[transition["proposed"]],
            "confirmed": LEVEL_NAMES[transition["confirmed"]],
            "awaiting": transition["awaiting"],
            "state": transition["state"],
            "kind": transition["kind"],
            "target": self.targets[target] if 0 <= target < len(self.targets) else None,
            "subject": self.names.subject_of(transition),
            "sentence": self.case(transition),
            "reason": {"zh": told[0]["zh"], "en": told[0]["en"]} if told else _NOTHING,
            "office": self.named(transition["office"]),
            "place": self.named(transition["place"]),
            "category": self.named(transition["category"]),
            "probability": ruling["probability"] / 10_000 if ruling and ruling["kind"] == "risk" else None,
            "horizon_h": round(ruling["horizon"] / _HOUR_US, 1) if ruling and ruling["horizon"] > 0 else None,
            "recurrence_days": ruling["recurrence"] if ruling and ruling["kind"] == "surge" else None,
            "since": rfc3339(since),
            "at": rfc3339(transition["at"]),
            "taken_by": taker if transition.get("next_update_by") else None,
            "next_update_by": rfc3339(transition["next_update_by"]) if transition.get("next_update_by") else None,
            "outcome": transition.get("outcome") or None,
            "past_budget": any(each["past_budget"] for each in transition["assessments"]),
            # For `finished`; not sent.
            "_place": transition["place"],
            "_category": transition["category"],
            "_due": transition["due"],
            "_from": transition["registered"] or since,
            "_until": transition["at"] if transition["state"] in ("closed", "ended") else 0,
        }
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[key] = row
        return row

    def finished(self, row: Mapping[str, Any], now: int, linked: int) -> dict[str, Any]:
        """The row as it is sent at `now`."""
        out = {name: value for name, value in row.items() if name[0] != "_"}
        out["linked"] = linked
        out["clock"] = clock_of(row["_from"], row["_due"], row["_until"] or now)
        return out

    def case(self, transition: Mapping[str, Any]) -> dict[str, str]:
        """What is the case and who is asked for what, whatever was done to the warning last."""
        if transition["state"] not in ("closed", "ended") and transition["to"]:
            transition = {**transition, "cause": "raised"}
        return self.sentence(transition)

    def sentence(self, transition: Mapping[str, Any]) -> dict[str, str]:
        """The change in words."""
        names = self.names
        zh, en = sentence(transition, names.zh, zone_offset=self.offset, target_names=self.targets)
        if names.has_languages:
            en = sentence(transition, names.en, zone_offset=self.offset, target_names=self.targets)[1]
        return {"zh": zh, "en": en}

    def reasons(self, transition: Mapping[str, Any], most: int | None = None) -> list[dict[str, Any]]:
        """Why, in words of both languages; `most` of each assessment."""
        names = self.names
        told = reasons(transition, names.zh, zone_offset=self.offset, target_names=self.targets, most=most)
        if names.has_languages:
            english = reasons(transition, names.en, zone_offset=self.offset, target_names=self.targets, most=most)
            told = [{**zh, "en": en["en"]} for zh, en in zip(told, english, strict=True)]
        return told

    def named(self, code: int) -> dict[str, str] | None:
        """A place, office or category with its names; None for none."""
        id = self.names.of(code)
        return {"id": id, "zh": self.names.zh(code), "en": self.names.en(code)} if id else None


def clock_of(begin: int, due: int, now: int) -> dict[str, Any] | None:
    """Share of a deadline that is used at `now`; None where there is no deadline."""
    if not due:
        return None
    share = round((now - begin) / (due - begin), 4) if due > begin else None
    return {"share": share, "due": rfc3339(due), "overdue": now > due}


def cursor_text(cursor: Mapping[str, int]) -> str:
    """A cursor as the id of an event: `signals-0:1234,site-0:56`."""
    return ",".join(f"{partition}:{number}" for partition, number in sorted(cursor.items()))


def cursor_of(text: str) -> dict[str, int] | None:
    """The cursor that `cursor_text` wrote; None for anything else."""
    out = {}
    for part in text.split(",") if text else ():
        partition, _, number = part.rpartition(":")
        log, _, digits = partition.rpartition("-")
        if log not in ("signals", "site") or not (digits + number).isascii() or not (digits + number).isdigit():
            return None
        if len(digits) > 6 or not 0 < len(number) <= 15 or not digits:
            return None
        out[partition] = int(number)
    return out
