"""When must the fold look at a row again? An index over the `next_due` of a table; there are no timer objects.

Due times lie in one contiguous array with the minimum of each block of 256, so that asking costs one comparison and
firing looks at few blocks however large the table is.
"""

import numpy as np

from pipeline.state import NEVER, Table, view

_BLOCK = 256


class Timers:
    """The due times of a table's rows, kept beside its field `next_due` (which is what checkpoints hold)."""

    def __init__(self, table: Table) -> None:
        self.soonest = NEVER
        self._table = table
        self._due = np.full(_BLOCK, NEVER, np.int64)
        self._least = np.full(1, NEVER, np.int64)
        self._bind()

    def rebuild(self) -> None:
        """Read all due times from the table, after a restore."""
        rows = self._table.rows
        blocks = -(-len(rows) // _BLOCK)
        self._due = np.full(blocks * _BLOCK, NEVER, np.int64)
        size = self._table.size
        self._due[:size] = rows["next_due"][:size]
        self._least = self._due.reshape(-1, _BLOCK).min(axis=1)
        self._bind()
        self.soonest = int(self._least.min())

    def set(self, slot: int, due: int) -> None:
        """Look at this row again at `due` (µs UTC), and not before. The caller writes the row's own field."""
        if slot >= len(self._due):
            self._grow(slot)
        self._due_view[slot] = due
        block = slot >> 8
        if due < self._least_view[block]:
            self._least_view[block] = due
            if due < self.soonest:
                self.soonest = due

    def pop(self, until: int) -> list[tuple[int, bytes, int]]:
        """(due, key, slot) of every row due by `until`, in that order; their timers are off until set again."""
        blocks = np.flatnonzero(self._least <= until)
        grid = self._due.reshape(-1, _BLOCK)
        near = grid[blocks]
        where, within = np.nonzero(near <= until)
        slots = blocks[where] * _BLOCK + within
        dues = self._due[slots].tolist()
        self._due[slots] = NEVER
        self._least[blocks] = grid[blocks].min(axis=1)
        self.soonest = int(self._least.min())
        keys = self._table.rows["key"][slots].tolist()
        return sorted(zip(dues, keys, slots.tolist(), strict=True))

    def _grow(self, slot: int) -> None:
        blocks = max(len(self._least) * 2, slot // _BLOCK + 1)
        due = np.full(blocks * _BLOCK, NEVER, np.int64)
        due[: len(self._due)] = self._due
        least = np.full(blocks, NEVER, np.int64)
        least[: len(self._least)] = self._least
        self._due, self._least = due, least
        self._bind()

    def _bind(self) -> None:
        self._due_view = view(self._due)
        self._least_view = view(self._least)
