"""The rows of all sensors of a partition: found by code, grown, kept in checkpoints. 144 bytes a sensor and its index.

A row is gathered and put back once a frame: of a million sensors that take turns each costs one or two cache misses,
where a column for each field would cost one per field.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.sensor import STATE
from pipeline.code_index import EMPTY, CodeIndex
from pipeline.stages.reading import EPISODES
from pipeline.state import NEVER

SENSOR = np.dtype(
    [("code", "<i8"), ("at", "<i8"), ("due", "<i8"), ("seen", "<i8"), ("since", "<i8"), *STATE, *EPISODES]
)
"""code64, last `at`, when it will count as missing (0: never), offset of its last frame, offset at which the oldest
open episode began; then what models.sensor and pipeline.stages.reading keep."""
_BLOCK = np.dtype((np.void, SENSOR.itemsize))
"""A row as one block: numpy copies structured rows field by field, which takes fifteen times as long."""
BLOCK = 1024
"""Rows that share one bound on their due times."""
LONG_AGO = np.iinfo(np.int64).min


def copied(rows: NDArray[Any]) -> NDArray[Any]:
    """A copy of rows."""
    return rows.view(_BLOCK).copy().view(SENSOR)


class SensorRows:
    """SENSOR rows by slot; slots follow the order of first readings and are never given back."""

    def __init__(self) -> None:
        self.rows: NDArray[Any] = np.zeros(1024, SENSOR)
        self._index = CodeIndex()
        self._touched = np.zeros(len(self.rows), np.bool_)
        self._soonest = np.full(len(self.rows) // BLOCK + 1, NEVER)
        self.earliest = int(NEVER)

    def __len__(self) -> int:
        """Number of sensors."""
        return self._index.size

    @property
    def known(self) -> NDArray[Any]:
        """All rows in use; a view."""
        return self.rows[: self._index.size]

    def strangers(self, codes: NDArray[np.int64]) -> list[int]:
        """Those of these codes that were never seen, each once."""
        strange = codes[self._index.find(codes, self.rows["code"]) == EMPTY]
        return list(dict.fromkeys(strange.tolist()))

    def slots(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The slot of each code, and the slots that were added for codes never seen before."""
        found = self._index.find(codes, self.rows["code"])
        missing = found == EMPTY
        if not missing.any():
            return found, found[:0]
        strange, first, which = np.unique(codes[missing], return_index=True, return_inverse=True)
        # slots follow the order of arrival, not of codes: equal logs give equal slots either way, this reads better
        rank = np.empty(len(strange), np.int64)
        rank[np.argsort(first)] = np.arange(len(strange))
        fresh = np.empty_like(strange)
        fresh[rank] = strange
        added = self._index.insert(fresh, self.rows["code"])
        while self._index.size > len(self.rows):
            self._grow()
        self.rows["code"][added], self.rows["at"][added] = fresh, LONG_AGO
        found[missing] = added[rank[which]]
        return found, added

    def take(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        """A copy of these rows."""
        return self.rows.view(_BLOCK).take(slots).view(SENSOR)

    def put(self, slots: NDArray[np.int64], rows: NDArray[Any]) -> None:
        """Replace rows."""
        self.rows.view(_BLOCK)[slots] = rows.view(_BLOCK)
        self._touched[slots] = True
        due = np.where(rows["due"] > 0, rows["due"], NEVER)
        np.minimum.at(self._soonest, slots // BLOCK, due)
        self.earliest = min(self.earliest, int(due.min(initial=NEVER)))

    def due_by(self, now: int) -> NDArray[np.int64]:
        """Slots whose due time has come.

        A due time is mostly put off before it comes, which leaves the bounds of its block too early, never too late.
        Looking at a block again when its bound comes costs a thousand rows; of a million sensors that speak at random
        one or two blocks a frame.
        """
        gone = [np.zeros(0, np.int64)]
        if now >= self.earliest:
            for block in np.flatnonzero(self._soonest <= now).tolist():
                due = self.known["due"][block * BLOCK : (block + 1) * BLOCK]
                gone.append(block * BLOCK + np.flatnonzero((due > 0) & (due <= now)))
                self._soonest[block] = due.min(initial=NEVER, where=due > now)
            self.earliest = int(self._soonest.min())
        return np.concatenate(gone)

    def base(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All rows as head and arrays; forgets what was touched."""
        self._touched[:] = False
        return {"size": len(self)}, {"rows": copied(self.known)}

    def delta(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The rows touched since the last base or delta."""
        slots = np.flatnonzero(self._touched)
        self._touched[:] = False
        return {"size": len(self)}, {"slots": slots.astype(np.int32), "rows": self.take(slots)}

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `base` returned; call `reindex` after the last delta."""
        size = int(head["size"])
        self.rows = np.zeros(max(1024, size + size // 4), SENSOR)
        self.rows[:size] = arrays["rows"]
        self._touched = np.zeros(len(self.rows), np.bool_)

    def patch(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Apply what `delta` returned; `head["size"]` rows are then in use."""
        while len(self.rows) < int(head["size"]):
            self._grow()
        self.rows[arrays["slots"]] = arrays["rows"]

    def reindex(self, size: int) -> None:
        """Rebuild the index and the bounds over the first `size` rows."""
        self._index.rebuild(self.rows["code"][:size])
        self._soonest = np.full(len(self.rows) // BLOCK + 1, NEVER)
        for block in range(size // BLOCK + 1):
            due = self.known["due"][block * BLOCK : (block + 1) * BLOCK]
            self._soonest[block] = due.min(initial=NEVER, where=due > 0)
        self.earliest = int(self._soonest.min())

    def _grow(self) -> None:
        old = self.rows
        self.rows = np.zeros(len(old) * 2 if len(old) < 65_536 else len(old) * 3 // 2, SENSOR)
        self.rows.view(_BLOCK)[: len(old)] = old.view(_BLOCK)
        touched = np.zeros(len(self.rows), np.bool_)
        touched[: len(old)] = self._touched
        self._touched = touched
        soonest = np.full(len(self.rows) // BLOCK + 1, NEVER)
        soonest[: len(self._soonest)] = self._soonest
        self._soonest = soonest
