"""What people meet: transitions in words, and scores.csv, from the store and the directory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alerts.names import LEVEL_NAMES, Names, governing, rfc3339, zone_offset
from alerts.sentences import reasons, sentence
from alerts.store import Store
from pipeline.assessment import Level
from pipeline.frame import Frame
from pipeline.rules import FoldRules
from runners.explain.frames_by_key import KeptFrames
from runners.log_sqlite import Logs

_HEADER = "subject,kind,target,at,score,probability,label,label_known_at,office,category,share"
_UNIT = 65_536
_TOLD = 6
"""Reasons of an assessment that a line of warnings.jsonl gives; `forewarn explain` gives all."""


def readable(transition: dict[str, Any], names: Names, rules: FoldRules) -> dict[str, Any]:
    """A transition as people and other programs read it: names, colours, sentences, reasons."""
    ruling = governing(transition)
    target = ruling.get("target", -1) if ruling else -1
    shift = zone_offset(rules)
    targets = [each.name for each in rules.targets]
    english = names.en if names.has_languages else None
    zh, en = sentence(transition, names.zh, zone_offset=shift, target_names=targets, english=english)
    return {
        "warning": transition["warning"],
        "number": transition["number"],
        "at": rfc3339(transition["at"]),
        "subject": names.subject_of(transition),
        "kind": ruling["kind"] if ruling else transition["kind"],
        "target": targets[target] if 0 <= target < len(targets) else None,
        "office": names.of(transition["office"]),
        "place": names.of(transition["place"]),
        "category": names.of(transition["category"]),
        "from": LEVEL_NAMES[transition["from"]],
        "to": LEVEL_NAMES[transition["to"]],
        "proposed": LEVEL_NAMES[transition["proposed"]],
        "confirmed": LEVEL_NAMES[transition["confirmed"]],
        "state": transition["state"],
        "cause": transition["cause"],
        "sentence": {"zh": zh, "en": en},
        "reasons": reasons(transition, names.zh, zone_offset=shift, target_names=targets, english=english, most=_TOLD),
        "probability": ruling.get("probability", 0) / 10_000 if ruling else None,
        "cutoff": transition["cutoff"],
        "versions": transition["versions"],
    }


def genesis_settings(logs: KeptFrames) -> Mapping[str, Any]:
    """Settings of the log's first entry; empty where it has none."""
    body = logs.frame("signals", 0, 0) or logs.frame("site", 0, 0)
    others = Frame.from_bytes(body, 0).others if body else ()
    return dict(others[0].get("settings") or {}) if others else {}


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


def level_name(level: int) -> str:
    """blue, yellow, orange, red; '' for none."""
    return Level(level).name.lower() if level else ""


__all__ = ["Names", "genesis_settings", "level_name", "readable", "rfc3339", "write_scores"]
