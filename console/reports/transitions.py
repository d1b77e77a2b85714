"""`warnings.jsonl` as columns: every change of a level, in order, with what it was before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from console.reports.scores import parse_times
from pipeline.errors import CorruptData

LEVELS = ("blue", "yellow", "orange", "red")
"""From the lowest up; a level's height is its place here plus one, no level is 0."""


_WORDS = frozenset({"reasons", "sentence", "versions", "cutoff"})


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
    lines: list[dict[str, Any]] = []
    if path.is_file():
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    if line.strip():
                        told = orjson.loads(line)
                        # Nine tenths of a line are words and reasons, which no figure is made of.
                        lines.append({name: told[name] for name in told if name not in _WORDS})
                except ValueError as error:
                    raise CorruptData(f"{path}: line {number}: {error}") from error
    return transitions(lines)


def transitions(lines: Sequence[dict[str, Any]]) -> Transitions:
    """Columns of decoded lines; a warning's earlier line says what it was before, its first one says it itself."""
    level = np.array([_level(line) for line in lines], np.int8)
    before = np.zeros(len(lines), np.int8)
    last: dict[str, int] = {}
    for row, line in enumerate(lines):
        before[row] = last.get(line["warning"], height_of(line.get("from")))
        last[line["warning"]] = int(level[row])
    return Transitions(
        warning=[str(line["warning"]) for line in lines],
        subject=[str(line.get("subject") or "") for line in lines],
        kind=[str(line.get("kind") or "") for line in lines],
        target=[str(line.get("target") or "") for line in lines],
        office=[str(line.get("office") or "") for line in lines],
        at=parse_times([str(line["at"]) for line in lines]),
        level=level,
        before=before,
    )


def _level(line: dict[str, Any]) -> int:
    proposed = line.get("proposed", line.get("to"))
    return height_of(proposed) if proposed is None or proposed in LEVELS else height_of(line.get("to"))
