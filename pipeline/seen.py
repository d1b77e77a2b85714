"""Which signal ids were seen in the last days, and with what content: a small log-structured set of 64-bit hashes.

New ids lie in a dict; full ones become sorted arrays, and arrays of similar size are merged, so a frame asks few of
them at once. Whether an id counts as seen depends on its day alone, never on when arrays were merged.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEEN = np.dtype([("id", "<u8"), ("content", "<u8"), ("day", "<i4")], align=False)
_RECENT = 1 << 15


class Seen:
    """Remembers id -> content for `days` days; 20 bytes an id once it has left the dict."""

    def __init__(self, days: int = 30) -> None:
        self.days = days
        self.recent: dict[int, tuple[int, int]] = {}
        self.runs: list[NDArray[Any]] = []

    def before(self, ids: NDArray[np.uint64]) -> dict[int, tuple[int, int]]:
        """id -> (content, day) for those of `ids` that older arrays hold; a whole frame is asked at once."""
        found: dict[int, tuple[int, int]] = {}
        for run in self.runs:
            keys = run["id"]
            place = np.searchsorted(keys, ids)
            place[place == len(keys)] = 0
            hits = np.flatnonzero(keys[place] == ids)
            for hit in hits.tolist():
                row = run[place[hit]]
                found[int(row["id"])] = (int(row["content"]), int(row["day"]))
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
        fresh = np.fromiter(((i, c, d) for i, (c, d) in self.recent.items()), SEEN, len(self.recent))
        self.recent = {}
        while self.runs and len(self.runs[-1]) < 2 * len(fresh):
            fresh = np.concatenate([self.runs.pop(), fresh])
        fresh = fresh[fresh["day"] > today - self.days]
        # The newest of equal ids stands: an id may come again once its days are over.
        fresh = fresh[np.lexsort((fresh["day"], fresh["id"]))]
        last = np.ones(len(fresh), np.bool_)
        last[:-1] = fresh["id"][1:] != fresh["id"][:-1]
        if len(fresh):
            self.runs.append(fresh[last])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as two arrays."""
        recent = np.fromiter(((i, c, d) for i, (c, d) in self.recent.items()), SEEN, len(self.recent))
        sizes = np.array([len(run) for run in self.runs], np.int64)
        runs = np.concatenate(self.runs) if self.runs else np.zeros(0, SEEN)
        return {"recent": recent, "runs": runs, "sizes": sizes}

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_arrays` returned."""
        self.recent = {i: (c, d) for i, c, d in arrays["recent"].tolist()}
        self.runs = []
        start = 0
        for size in arrays["sizes"].tolist():
            self.runs.append(np.array(arrays["runs"][start : start + size]))
            start += size
