"""`forewarn verify`: a program of its own that looks at what two runs left behind. Nothing lost, nothing twice.

It opens files read-only and trusts nothing that a run says of itself: it decodes every frame, walks every warning's
transitions, and folds the log again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from alerts.store import Store
from pipeline.errors import ForewarnError
from pipeline.frame import Frame, Kind
from runners.log_sqlite import Logs
from runners.replay import replay


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and what came of it."""

    check: str
    ok: bool
    detail: str


def verify(left: Path, right: Path | None = None) -> list[Finding]:
    """Compare two data directories, or one with a fresh replay of its own log."""
    findings: list[Finding] = []
    for data in (left, right):
        if data is not None:
            findings += _until_broken(f"{data.name}: can be read", _whole(data))
    if right is not None:
        findings += _until_broken("logs can be compared", _same_log(left, right))
        findings += _until_broken("stores can be compared", _same_store(left, right))
    return findings


def _until_broken(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """What was found until something could not be read at all, which is a finding too."""
    try:
        yield from findings
    except (ForewarnError, LookupError, ValueError) as error:
        yield Finding(check, False, str(error))


def _whole(data: Path) -> Iterator[Finding]:
    """What must hold of one directory by itself."""
    name = data.name
    signals, ids = _ids(data)
    yield Finding(f"{name}: log", True, f"{signals} signals in the log, every frame decodes, no gap between offsets")
    again = replay(data)
    yield Finding(
        f"{name}: store = fresh replay of its log",
        again.is_equal and not again.only_replay and not again.only_stored,
        f"{again.stored_transitions} transitions stored, {again.transitions} replayed;"
        f" digests {'equal' if again.is_equal else 'DIFFER'}",
    )
    store = Store(data / "store.db", readonly=True)
    broken = _broken_chains(store.transitions())
    yield Finding(f"{name}: transitions are numbered without a gap", not broken, f"{len(broken)} warnings with gaps")
    tallies = store.tallies().get("signals", {})
    store.close()
    handled = sum(tallies.get(key, 0) for key in _HANDLED)
    pending = sum(len(fold.county.held) for fold in again.folds.values())
    yield Finding(
        f"{name}: accepted = applied + duplicate + rejected + pending",
        signals == handled,
        f"{signals} = {handled - pending} + {pending} pending",
    )
    repeated = sum(count - 1 for count in ids.values())
    known = tallies.get("duplicate", 0) + tallies.get("conflicting_duplicate", 0)
    yield Finding(
        f"{name}: nothing applied twice", repeated >= known, f"{repeated} repeated ids in the log, {known} set aside"
    )


def _same_log(left: Path, right: Path) -> Iterator[Finding]:
    a, b = Logs(left / "log.db", readonly=True), Logs(right / "log.db", readonly=True)
    for log, number in sorted({*a.partitions(), *b.partitions()}):
        differing = 0
        frames = 0
        for (_, mine), (_, theirs) in zip_longest(a.read(log, number), b.read(log, number), fillvalue=(-1, b"")):
            frames += 1
            differing += not _equal_frames(mine, theirs)
        yield Finding(f"{log}-{number}: the same entries", not differing, f"{frames} frames, {differing} differ")
    yield Finding("sources were read equally far", _cursors(a) == _cursors(b), f"{_cursors(a)} and {_cursors(b)}")
    mine_letters, theirs_letters = a.deadletters(), b.deadletters()
    same = [_letter(x) for x in mine_letters] == [_letter(x) for x in theirs_letters]
    yield Finding("dead letters are the same", same, f"{len(mine_letters)} and {len(theirs_letters)}")
    yield Finding("edge counts are the same", a.tallies() == b.tallies(), "")
    a.close()
    b.close()


def _same_store(left: Path, right: Path) -> Iterator[Finding]:
    a, b = Store(left / "store.db", readonly=True), Store(right / "store.db", readonly=True)
    for log, number in _partitions(left, right):
        mine, theirs = a.applied(log, number), b.applied(log, number)
        yield Finding(
            f"{log}-{number}: digests and offsets are equal", mine == theirs, f"offset {mine.offset if mine else None}"
        )
    pairs = zip_longest(a.transitions(), b.transitions())
    differing = [number for number, (x, y) in enumerate(pairs) if x != y]
    yield Finding("transitions are equal", not differing, f"{len(differing)} differ")
    yield Finding("labels are equal", bool(np.array_equal(a.labels(), b.labels())), f"{len(a.labels())} labels")
    yield Finding("tallies are equal", a.tallies() == b.tallies(), "")
    yield Finding("lessons are equal", a.lessons() == b.lessons(), f"{len(a.lessons())} lessons")
    a.close()
    b.close()


def _partitions(*folders: Path) -> list[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for data in folders:
        with Logs(data / "log.db", readonly=True) as logs:
            found.update(logs.partitions())
    return sorted(found)


def _ids(data: Path) -> tuple[int, Counter[bytes]]:
    logs = Logs(data / "log.db", readonly=True)
    ids: Counter[bytes] = Counter()
    for log, number in logs.partitions():
        for offset, body in logs.read(log, number) if log == "signals" else ():
            frame = Frame.from_bytes(body, offset)
            assert int((frame.kinds == Kind.SIGNAL).sum()) == len(frame.signals)
            ids.update(frame.signals["id"].tolist())
    logs.close()
    return sum(ids.values()), ids


_HANDLED = ("applied", "pending", "duplicate", "conflicting_duplicate", "bad_time", "internal")


def _broken_chains(transitions: Iterator[dict[str, Any]]) -> list[str]:
    last: dict[str, int] = {}
    broken = []
    for transition in transitions:
        if transition["number"] != last.get(transition["warning"], 0) + 1:
            broken.append(transition["warning"])
        last[transition["warning"]] = transition["number"]
    return broken


def _equal_frames(mine: bytes, theirs: bytes) -> bool:
    """Equal but for content hashes and text indices, which are keyed by each directory's own secret."""
    if mine == theirs:
        return True
    if not mine or not theirs:
        return False
    a, b = Frame.from_bytes(mine, 0), Frame.from_bytes(theirs, 0)
    same = np.array_equal(a.kinds, b.kinds) and np.array_equal(a.now, b.now) and list(a.others) == list(b.others)
    if not same or len(a.signals) != len(b.signals):
        return False
    plain = [name for name in a.signals.dtype.names or () if name != "content"]
    return all(a.signals[name].tobytes() == b.signals[name].tobytes() for name in plain)


def _cursors(logs: Logs) -> dict[str, int]:
    return dict(logs.db.execute("SELECT source, position FROM cursors ORDER BY source"))


def _letter(letter: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(value for name, value in letter.items() if name != "id")
