"""From 64-bit codes to slot numbers, a whole frame at a time: open addressing in numpy, 8 to 16 bytes a code.

The codes are hashes already (pipeline.ids), so their low bits are the address; linear probing; at most half full.
"""

import numpy as np
from numpy.typing import NDArray

EMPTY = -1
CHUNK = 1 << 16
"""Codes that are entered at once: temporaries stay small beside the table."""


class CodeIndex:
    """Slots 0, 1, 2, ... in the order in which codes were first seen.

    The table holds slots alone; the codes stand in the rows of its owner, who passes them in.
    """

    def __init__(self, capacity: int = 1 << 10) -> None:
        self._table = np.full(capacity, EMPTY, np.int32)
        self.size = 0

    def find(self, codes: NDArray[np.int64], owned: NDArray[np.int64]) -> NDArray[np.int64]:
        """The slot of each code, EMPTY where it is unknown; `owned` (>= size,) is the code of each slot."""
        mask = len(self._table) - 1
        place = codes & mask
        slots: NDArray[np.int64] = self._table[place].astype(np.int64)
        wrong = np.flatnonzero((slots != EMPTY) & (owned[slots] != codes))
        while len(wrong):
            place[wrong] = (place[wrong] + 1) & mask
            slots[wrong] = self._table[place[wrong]]
            wrong = wrong[(slots[wrong] != EMPTY) & (owned[slots[wrong]] != codes[wrong])]
        return slots

    def insert(self, fresh: NDArray[np.int64], owned: NDArray[np.int64]) -> NDArray[np.int64]:
        """Slots for distinct codes that are not there yet; the owner writes them to its rows."""
        if 2 * (self.size + len(fresh)) > len(self._table):
            capacity = len(self._table)
            while 2 * (self.size + len(fresh)) > capacity:
                capacity *= 2
            self._table = np.full(capacity, EMPTY, np.int32)
            for first in range(0, self.size, CHUNK):
                last = min(first + CHUNK, self.size)
                self._claim(owned[first:last], np.arange(first, last))
        slots = np.arange(self.size, self.size + len(fresh))
        self._claim(fresh, slots)
        self.size += len(fresh)
        return slots

    def rebuild(self, codes: NDArray[np.int64]) -> None:
        """Index these codes as slots 0, 1, 2, ..."""
        self.size = 0
        self._table = np.full(1 << 10, EMPTY, np.int32)
        for first in range(0, len(codes), CHUNK):
            self.insert(codes[first : first + CHUNK], codes)

    def _claim(self, codes: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        mask = len(self._table) - 1
        place = codes & mask
        waiting = np.arange(len(codes))
        while len(waiting):
            here = place[waiting]
            free = waiting[self._table[here] == EMPTY]
            self._table[place[free]] = slots[free]
            # of several that claim one cell the last written stays; the others go on to the next cell
            waiting = waiting[self._table[here] != slots[waiting]]
            place[waiting] = (place[waiting] + 1) & mask
