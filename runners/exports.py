"""The files people meet: warnings.jsonl, scores.csv and run.json, written from the store and the directory."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from alerts.sentences import reasons, sentence
from alerts.store import Store
from pipeline.assessment import Level
from pipeline.frame import Frame
from pipeline.rules import FoldRules
from runners.log_sqlite import LOGS, Logs

_LEVEL_NAMES: dict[int, str | None] = {0: None, 1: "blue", 2: "yellow", 3: "orange", 4: "red"}
_HEADER = "subject,kind,target,at,score,probability,label,label_known_at,office,category,share"
_UNIT = 65_536
_TOLD = 6
"""Reasons of an assessment that a line of warnings.jsonl gives; `forewarn explain` gives all."""


class Names:
    """Readable names of codes and subjects, from the directory of a log and the names its settings give to ids."""

    def __init__(self, logs: Logs, settings: Mapping[str, Any] | None = None) -> None:
        self._logs = logs
        self._names = logs.names()
        self._called: dict[str, tuple[str, str]] = {}
        for part in ("places", "offices", "categories"):
            for item in (settings or {}).get(part, ()):
                if item["name_zh"] or item["name_en"]:
                    self._called[item["id"]] = (item["name_zh"] or item["id"], item["name_en"] or item["id"])

    @property
    def has_languages(self) -> bool:
        """Whether anything is called otherwise than by its id."""
        return bool(self._called)

    def of(self, code: int) -> str:
        """Id of a code; '' for none."""
        return self._names.get(code, "") if code else ""

    def zh(self, code: int) -> str:
        """Chinese name of a code, else its id."""
        return self._said(code, 0)

    def en(self, code: int) -> str:
        """English name of a code, else its id."""
        return self._said(code, 1)

    def _said(self, code: int, language: int) -> str:
        name = self.of(code)
        # "grid/point": a point within a place that has a name.
        head, _, point = name.partition("/")
        called = self._called.get(head)
        if called is None:
            return name
        return f"{called[language]}{' ' if language else ''}{point}" if point else called[language]

    def subject(self, key: bytes) -> str:
        """Readable id of a matter, else the key in hexadecimal."""
        found = self._logs.matter(key)
        return found[1].partition("/")[2] if found else key.hex()


def rfc3339(us: int) -> str:
    """UTC with a fraction only where there is one."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC)
    fraction = us % 1_000_000
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction:06d}" if fraction else "") + "Z"


def readable(transition: dict[str, Any], names: Names, rules: FoldRules) -> dict[str, Any]:
    """A transition as people and other programs read it: names, colours, sentences, reasons."""
    governing = _governing(transition)
    target = governing.get("target", -1) if governing else -1
    shift = _shift(rules)
    targets = [each.name for each in rules.targets]
    zh, en = sentence(transition, names.zh, zone_offset=shift, target_names=targets)
    if names.has_languages:
        en = sentence(transition, names.en, zone_offset=shift, target_names=targets)[1]
    return {
        "warning": transition["warning"],
        "number": transition["number"],
        "at": rfc3339(transition["at"]),
        "subject": _subject(transition, names),
        "kind": governing["kind"] if governing else transition["kind"],
        "target": targets[target] if 0 <= target < len(targets) else None,
        "office": names.of(transition["office"]),
        "place": names.of(transition["place"]),
        "category": names.of(transition["category"]),
        "from": _LEVEL_NAMES[transition["from"]],
        "to": _LEVEL_NAMES[transition["to"]],
        "proposed": _LEVEL_NAMES[transition["proposed"]],
        "confirmed": _LEVEL_NAMES[transition["confirmed"]],
        "state": transition["state"],
        "cause": transition["cause"],
        "sentence": {"zh": zh, "en": en},
        "reasons": reasons(transition, names.of, zone_offset=shift, target_names=targets, most=_TOLD),
        "probability": governing.get("probability", 0) / 10_000 if governing else None,
        "cutoff": transition["cutoff"],
        "versions": transition["versions"],
    }


def genesis_settings(logs: Logs) -> Mapping[str, Any]:
    """Settings of the log's first entry; empty where it has none."""
    body = logs.frame("signals", 0, 0) or logs.frame("site", 0, 0)
    others = Frame.from_bytes(body, 0).others if body else ()
    return dict(others[0].get("settings") or {}) if others else {}


def _subject(transition: dict[str, Any], names: Names) -> str:
    known = names.subject(bytes.fromhex(transition["subject"]))
    if transition["kind"] == "surge" and known == transition["subject"]:
        return f"{names.of(transition['category'])}@{names.of(transition['place']) or 'site'}"
    return known


def write_warnings(path: Path, store: Store, logs: Logs, rules: FoldRules) -> int:
    """Every transition in order, one JSON object a line; how many."""
    names = Names(logs, genesis_settings(logs))
    count = 0
    with path.open("wb") as file:
        # Each log's transitions are in order of time; together they are merged by it, signals before site.
        logs_apart = [store.transitions(log=log) for log in LOGS]
        for transition in heapq.merge(*logs_apart, key=itemgetter("at")):
            file.write(orjson.dumps(readable(transition, names, rules)) + b"\n")
            count += 1
    return count


def write_scores(path: Path, store: Store, logs: Logs, rules: FoldRules) -> int:
    """Decisions joined with the labels that came later, one row per target that was undecided; how many."""
    names = Names(logs)
    labels = {
        (row["subject"].tobytes(), int(row["target"])): (int(row["y"]), rfc3339(int(row["known_at"])))
        for row in store.labels()
    }
    subjects: dict[bytes, str] = {key: _quoted(name.partition("/")[2]) for key, name in logs.matters()}
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_HEADER + "\n")
        for lines in _score_lines(store, names, subjects, labels, [target.name for target in rules.targets]):
            file.write("".join(lines))
            count += len(lines)
    return count


def _score_lines(
    store: Store,
    names: Names,
    subjects: dict[bytes, str],
    labels: dict[tuple[bytes, int], tuple[int, str]],
    targets: Sequence[str],
) -> Iterator[list[str]]:
    nothing = ("", "")
    offices: dict[int, str] = {}
    for _, block in store.decisions():
        keys, times, opens = block.heads["subject"].tolist(), block.heads["at"].tolist(), block.heads["open"].tolist()
        shares = block.share.tolist()
        lines = []
        for row, (key, at, open_bits) in enumerate(zip(keys, times, opens, strict=True)):
            moment = rfc3339(at)
            office, category = int(block.office[row]), int(block.category[row])
            for code in (office, category):
                if code not in offices:
                    offices[code] = _quoted(names.of(code))
            share = shares[row]
            tail = f"{offices[office]},{offices[category]},{'' if share != share else round(share, 4)}"
            for target, name in enumerate(targets):
                if open_bits >> target & 1:
                    y, known = labels.get((key, target), nothing)
                    raw, probability = block.raw[row, target] / _UNIT, block.probability[row, target] / 10_000
                    subject = subjects.get(key) or key.hex()
                    lines.append(f"{subject},risk,{name},{moment},{raw:.5f},{probability:.4f},{y},{known},{tail}\n")
        yield lines


def _quoted(name: str) -> str:
    """A CSV cell; what a spreadsheet would run as a formula is quoted with an apostrophe."""
    if name[:1] in ("=", "+", "-", "@", "\t", "\r"):
        name = "'" + name
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"\n\r') else name


def _governing(transition: dict[str, Any]) -> dict[str, Any] | None:
    every: list[dict[str, Any]] = transition["assessments"]
    return every[transition["governing"]] if every else None


def _shift(rules: FoldRules) -> Any:
    def offset(us: int) -> int:
        day = rules.calendar.day_of(us)
        start = rules.calendar.start_of(day)
        return day * 86_400_000_000 - start

    return offset


def level_name(level: int) -> str:
    """blue, yellow, orange, red; '' for none."""
    return Level(level).name.lower() if level else ""
