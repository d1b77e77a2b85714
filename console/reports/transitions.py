"""`warnings.jsonl` as columns: every change of a level, in order, with what it was before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from console.reports.scores import parse_times
from pipeline.errors import CorruptData

LEVELS = ("blue", "yellow", "orange", "red")
"""From the lowest up; a level's height is its place here plus one, no level is 0."""


_AT_ONCE = 5_000
"""Lines that are held decoded at a time."""


@dataclass(frozen=True, slots=True)
class Transitions:
    """All lines of one `warnings.jsonl`; `level` and `before` are heights, `at` microseconds UTC.

    The level is the proposed one where the line tells it (a history has nobody to confirm), else `to`.
    """

    warning: list[str]
    subject: list[str]
    kind: list[str]
    target: list[str]
    office: list[str]
    at: NDArray[np.int64]
    level: NDArray[np.int8]
    before: NDArray[np.int8]

    def __len__(self) -> int:
        """Number of transitions."""
        return len(self.at)

    def raises(self) -> NDArray[np.bool_]:
        """Transitions to a higher level than before."""
        return np.asarray(self.level > self.before)

    def first_raises(self, height: int, *, exact: bool = False) -> NDArray[np.intp]:
        """Positions of each warning's first raise to `height` or above (to exactly `height` where `exact`)."""
        reached = self.level == height if exact else self.level >= height
        seen: set[str] = set()
        rows = []
        for row in np.flatnonzero(self.raises() & reached).tolist():
            if self.warning[row] not in seen:
                seen.add(self.warning[row])
                rows.append(row)
        return np.array(rows, np.intp)


def height_of(level: object) -> int:
    """1 for blue to 4 for red, 0 for none."""
    return LEVELS.index(level) + 1 if isinstance(level, str) and level in LEVELS else 0


def read_transitions(folder: Path) -> Transitions:
    """`warnings.jsonl` of a back-test folder; none where the file is missing. Raises CorruptData with the line."""
    path = folder / "warnings.jsonl"
    parts: list[Transitions] = []
    lines: list[dict[str, Any]] = []
    last: dict[str, int] = {}
    if path.is_file():
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    if line.strip():
                        lines.append(orjson.loads(line))
                except ValueError as error:
                    raise CorruptData(f"{path}: line {number}: {error}") from error
                # Nine tenths of a line are words and reasons, which no figure is made of: few are held at a time.
                if len(lines) == _AT_ONCE:
                    parts.append(transitions(lines, last))
                    lines = []
    parts.append(transitions(lines, last))
    return _joined(parts)


def transitions(lines: Sequence[dict[str, Any]], last: dict[str, int] | None = None) -> Transitions:
    """Columns of decoded lines; a warning's earlier line says what it was before, its first one says it itself.

    `last`: the level of each warning so far, moved on here.
    """
    last = {} if last is None else last
    level = np.array([_level(line) for line in lines], np.int8)
    before = np.zeros(len(lines), np.int8)
    for row, line in enumerate(lines):
        warning = intern(str(line["warning"]))
        before[row] = last.get(warning, height_of(line.get("from")))
        last[warning] = int(level[row])
    return Transitions(
        warning=[intern(str(line["warning"])) for line in lines],
        subject=[intern(str(line.get("subject") or "")) for line in lines],
        kind=[intern(str(line.get("kind") or "")) for line in lines],
        target=[intern(str(line.get("target") or "")) for line in lines],
        office=[intern(str(line.get("office") or "")) for line in lines],
        at=parse_times([str(line["at"]) for line in lines]),
        level=level,
        before=before,
    )


def _joined(parts: Sequence[Transitions]) -> Transitions:
    def every(name: str) -> list[str]:
        return [text for part in parts for text in getattr(part, name)]

    return Transitions(
        warning=every("warning"),
        subject=every("subject"),
        kind=every("kind"),
        target=every("target"),
        office=every("office"),
        at=np.concatenate([part.at for part in parts]),
        level=np.concatenate([part.level for part in parts]),
        before=np.concatenate([part.before for part in parts]),
    )


def _level(line: dict[str, Any]) -> int:
    proposed = line.get("proposed", line.get("to"))
    return height_of(proposed) if proposed is None or proposed in LEVELS else height_of(line.get("to"))
