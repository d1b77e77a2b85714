"""Which signal ids were seen in the last days, and with what content: a small log-structured set of 64-bit hashes.

New ids lie in a dict; full ones become sorted arrays, and arrays of similar size are merged, so a frame asks few of
them at once. Whether an id counts as seen depends on its day alone, never on when arrays were merged.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CONTENT = (1 << 32) - 1
"""Bits of a content hash that are kept: two contents under one id look alike once in four milliards."""
_RECENT = 1 << 14
_LARGEST = 1 << 19
"""An array of as many ids is merged no further: that would take long, and much memory beside it."""


class Run(NamedTuple):
    """Ids in ascending order with content and day. Columns, because a search in a column of rows copies all of it."""

    id: NDArray[np.uint64]
    content: NDArray[np.uint32]
    day: NDArray[np.int32]

    def take(self, index: NDArray[Any]) -> "Run":
        """The entries at `index`."""
        return Run(self.id[index], self.content[index], self.day[index])


class Seen:
    """Remembers id -> content for `days` days; 16 bytes an id once it has left the dict; `content` below 2**32."""

    def __init__(self, days: int = 30) -> None:
        self.days = days
        self.recent: dict[int, tuple[int, int]] = {}
        self.runs: list[Run] = []
        self._settled: list[Run] | None = None

    def before(self, ids: NDArray[np.uint64]) -> dict[int, tuple[int, int]]:
        """id -> (content, day) for those of `ids` that older arrays hold; a whole frame is asked at once."""
        found: dict[int, tuple[int, int]] = {}
        for run in self.runs:
            place = np.searchsorted(run.id, ids)
            place[place == len(run.id)] = 0
            hits = place[run.id[place] == ids]
            if len(hits):
                entries = zip(run.content[hits].tolist(), run.day[hits].tolist(), strict=True)
                found.update(zip(run.id[hits].tolist(), entries, strict=True))
        return found

    def content(self, id: int, today: int, older: Mapping[int, tuple[int, int]]) -> int | None:
        """Content under which an id was seen in the last days, or None; `older` is what `before` said of its frame."""
        entry = self.recent.get(id) or older.get(id)
        return entry[0] if entry is not None and entry[1] > today - self.days else None

    def remember(self, id: int, content: int, day: int) -> None:
        """Keep an id that was not seen."""
        self.recent[id] = (content, day)

    def settle(self, today: int) -> None:
        """Turn a full dict into an array and merge arrays of similar size; between frames only."""
        if len(self.recent) < _RECENT:
            return
        fresh = self._recent()
        self.recent = {}
        if self._settled is not None:
            self._settled.append(fresh)
        merged = [fresh]
        size = len(fresh.id)
        self.runs = [run for run in self.runs if run.day.max() > today - self.days]
        while self.runs and len(self.runs[-1].id) < min(2 * size, _LARGEST):
            merged.append(self.runs.pop())
            size += len(merged[-1].id)
        fresh = _joined(merged[::-1])
        fresh = fresh.take(np.flatnonzero(fresh.day > today - self.days))
        # The newest of equal ids stands: an id may come again once its days are over. Older runs come first, and a
        # stable sort of runs that are in order merges them.
        fresh = fresh.take(np.argsort(fresh.id, kind="stable"))
        last = np.ones(len(fresh.id), np.bool_)
        last[:-1] = fresh.id[1:] != fresh.id[:-1]
        if len(fresh.id):
            self.runs.append(fresh.take(last))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays; from now on what leaves the dict is kept for `to_delta`."""
        self._settled = []
        return self._arrays(self.runs)

    def to_delta(self) -> dict[str, NDArray[Any]]:
        """The dict, and what left it since the last `to_arrays` or `to_delta`."""
        settled, self._settled = self._settled or [], []
        return self._arrays(settled)

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_arrays` returned."""
        self.runs = []
        self.patch(arrays)

    def patch(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Apply what `to_delta` returned."""
        entries = zip(arrays["recent.content"].tolist(), arrays["recent.day"].tolist(), strict=True)
        self.recent = dict(zip(arrays["recent.id"].tolist(), entries, strict=True))
        runs = Run(arrays["runs.id"], arrays["runs.content"], arrays["runs.day"])
        start = 0
        for size in arrays["sizes"].tolist():
            # copies, lest a few ids keep the bytes of the whole checkpoint in memory
            run = runs.take(np.arange(start, start + size))
            # What left the dict since a base was written as it lay there; a base's own arrays are in order.
            self.runs.append(run if (run.id[1:] > run.id[:-1]).all() else run.take(np.argsort(run.id, kind="stable")))
            start += size

    def _arrays(self, runs: Sequence[Run]) -> dict[str, NDArray[Any]]:
        recent = {f"recent.{name}": column for name, column in self._recent()._asdict().items()}
        joined = {f"runs.{name}": column for name, column in _joined(runs)._asdict().items()}
        return recent | joined | {"sizes": np.array([len(run.id) for run in runs], np.int64)}

    def _recent(self) -> Run:
        count = len(self.recent)
        entries = self.recent.values()
        return Run(
            np.fromiter(self.recent, np.uint64, count),
            np.fromiter(map(itemgetter(0), entries), np.uint32, count),
            np.fromiter(map(itemgetter(1), entries), np.int32, count),
        )


_NONE = Run(np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.int32))


def _joined(runs: Sequence[Run]) -> Run:
    return Run(*(np.concatenate(columns) for columns in zip(_NONE, *runs, strict=True)))
