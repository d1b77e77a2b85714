"""Two back-tests side by side: figures on the subjects both judged, and the transitions only one of them made."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from console.reports.evaluation import CALIBRATED, RANKED, WHOLE, Figure, figure_of, headline
from console.reports.intervals import ranking, weeks_of
from console.reports.run_note import read_run_note
from console.reports.scores import Scores, read_scores
from console.reports.suppress import Row
from console.reports.transitions import LEVELS, Transitions, read_transitions

EXAMPLES = 20


def compare(folder_a: Path, folder_b: Path) -> dict[str, Any]:
    """Figures (a, b, b - a with its 95 % interval) and transitions of two back-test folders. Raises CorruptData.

    Figures are on the rows both runs judged: the same subjects for matters, the same (subject, at) for series. The
    weeks of a resample are the same for both, so the interval is that of the paired difference.
    """
    a, b = read_scores(folder_a), read_scores(folder_b)
    note_a, note_b = read_run_note(folder_a), read_run_note(folder_b)
    shared = [task for task in a.tasks() if task in b.tasks()]
    return {
        "digests": {"a": dict(note_a.digests), "b": dict(note_b.digests), "equal": note_a.digests == note_b.digests},
        "tasks": [_task(a, b, kind, target) for kind, target in shared],
        "only_a": [list(task) for task in a.tasks() if task not in shared],
        "only_b": [list(task) for task in b.tasks() if task not in shared],
        "transitions": _transitions(read_transitions(folder_a), read_transitions(folder_b)),
    }


def as_text(compared: dict[str, Any]) -> str:
    """The comparison as a table for a terminal."""
    lines = []
    for task in compared["tasks"]:
        lines.append(f"{task['kind']} {task['target']}: {task['n']} rows in both, {task['positives']} positives")
        lines.append(f"  {'':26}{'a':>9}{'b':>9}{'b - a':>10}   95 %")
        for row in task["metrics"]:
            if row["a"] is None:
                lines.append(f"  {row['name']:26}{'fewer than 10, not shown':>28}")
                continue
            cells = f"{row['a']:9.4f}{row['b']:9.4f}{row['difference']:+10.4f}"
            lines.append(f"  {row['name']:26}{cells}   [{row['low']:+.4f}, {row['high']:+.4f}]")
    lines.append(f"{'transitions to':28}{'in both':>9}{'only a':>9}{'only b':>10}")
    lines.extend(
        f"  {row['level']:26}{row['both']:9}{row['only_a']:9}{row['only_b']:10}"
        for row in compared["transitions"]["levels"]
    )
    lines.append("digests: " + ("equal" if compared["digests"]["equal"] else "different"))
    return "\n".join(lines) + "\n"


def _task(a: Scores, b: Scores, kind: str, target: str) -> Row:
    ours, theirs = (scores.of(kind=kind, target=target) for scores in (a, b))
    if kind in WHOLE:
        ours, theirs = (rows.take(rows.label >= 0) for rows in (ours, theirs))
    else:
        ours, theirs = headline(ours), headline(theirs)
    ours, theirs = _paired(ours, theirs, by_moment=kind in WHOLE)
    return {
        "kind": kind,
        "target": target,
        "n": len(ours),
        "positives": int((ours.label == 1).sum()),
        "metrics": _metrics(ours, theirs),
    }


def _paired(a: Scores, b: Scores, *, by_moment: bool) -> tuple[Scores, Scores]:
    """The rows of both that are about the same thing, in the order of `a`."""
    names = b.names["subject"]
    keys = zip(b.subject.tolist(), b.at.tolist(), strict=True)
    places = {(names[code], at if by_moment else 0): row for row, (code, at) in enumerate(keys)}
    names = a.names["subject"]
    pairs = [
        (row, place)
        for row, (code, at) in enumerate(zip(a.subject.tolist(), a.at.tolist(), strict=True))
        if (place := places.get((names[code], at if by_moment else 0))) is not None
    ]
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return a.take(found[:, 0]), b.take(found[:, 1])


def _metrics(a: Scores, b: Scores) -> list[Row]:
    weeks = weeks_of(a.at)
    rank_a, rank_b = ranking(weeks, a.score, a.label), ranking(weeks, b.score, b.label)
    rows = []
    for name, (point, draws) in RANKED.items():
        before, after = point(a.score, a.label), point(b.score, b.label)
        rows.append(_row(before, figure_of(name, after - before, draws(rank_b) - draws(rank_a), a.label)))
    if not np.isnan(a.probability).any() and not np.isnan(b.probability).any():
        for name, (sure, drawn) in CALIBRATED.items():
            before, after = sure(a.probability, a.label), sure(b.probability, b.label)
            gain = drawn(weeks, b.probability, b.label) - drawn(weeks, a.probability, a.label)
            rows.append(_row(before, figure_of(name, after - before, gain, a.label)))
    return rows


def _row(before: float, gain: Figure) -> Row:
    if np.isnan(gain.value):
        return {"name": gain.name, "a": None, "b": None, "difference": None, "low": None, "high": None}
    after = before + gain.value
    return {
        "name": gain.name,
        "a": before,
        "b": after,
        "difference": gain.value,
        "low": gain.low,
        "high": gain.high,
    }


def _transitions(a: Transitions, b: Transitions) -> dict[str, Any]:
    in_a, in_b = Counter(_keys(a)), Counter(_keys(b))
    only_a, only_b = in_a - in_b, in_b - in_a
    levels = [
        {
            "level": level,
            "both": _at_level(in_a & in_b, level),
            "only_a": _at_level(only_a, level),
            "only_b": _at_level(only_b, level),
        }
        for level in ("none", *LEVELS)
    ]
    return {"levels": levels, "only_a": _examples(only_a), "only_b": _examples(only_b)}


def _keys(told: Transitions) -> list[tuple[int, str, str, str, str, str]]:
    names = ("none", *LEVELS)
    moves = ((names[was], names[now]) for was, now in zip(told.before.tolist(), told.level.tolist(), strict=True))
    keys = zip(told.at.tolist(), told.subject, told.kind, told.target, moves, strict=True)
    return [(at, subject, kind, target, was, now) for at, subject, kind, target, (was, now) in keys]


def _at_level(counted: Counter[tuple[int, str, str, str, str, str]], level: str) -> int:
    return sum(count for key, count in counted.items() if key[5] == level)


def _examples(counted: Counter[tuple[int, str, str, str, str, str]]) -> list[Row]:
    """The earliest few, enough to look one up with `explain`."""
    return [
        {
            "at": str(np.datetime_as_string(np.datetime64(at, "us"), timezone="UTC")),
            "subject": subject,
            "kind": kind,
            "target": target,
            "from": was,
            "to": now,
        }
        for at, subject, kind, target, was, now in sorted(counted)[:EXAMPLES]
    ]
