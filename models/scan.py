"""Recurrences over many short series at once, exact for any number of readings of one sensor in a frame.

A recurrence such as an exponentially weighted mean needs the value before, so a frame with repeated sensors seems to
need a loop. By doubling (Hillis & Steele 1986, "Data parallel algorithms") it takes log2(longest series) vector steps,
each only over the positions that still reach further back. Unlike a global cumulative sum it never mixes two series,
so a sensor that counts in millions costs its neighbour no digits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Series:
    """Runs of equal slots in a sorted array: one series each.

    Attributes
    ----------
    slots : (m,) the distinct slots. starts, last : (m,) first and last position of each series.
    of : (n,) number of the series of each position. rank : (n,) position inside its series.
    """

    __slots__ = ("_reach", "last", "of", "rank", "slots", "starts")

    def __init__(self, sorted_slots: NDArray[Any]) -> None:
        size = len(sorted_slots)
        first = np.empty(size, np.bool_)
        first[:1] = True
        np.not_equal(sorted_slots[1:], sorted_slots[:-1], out=first[1:])
        self.starts: Ints = np.flatnonzero(first)
        self.slots = sorted_slots[self.starts]
        self.last: Ints = np.append(self.starts[1:], size) - 1
        self.of: Ints = np.cumsum(first) - 1
        self.rank: Ints = np.arange(size) - self.starts[self.of]
        self._reach: list[tuple[Any, Any]] = []
        shift = 1
        positions = np.flatnonzero(self.rank)
        while len(positions):
            # a frame of one sensor, as of a file read again, needs no list of positions
            alone = len(positions) == size - shift
            here_and_back = (slice(shift, None), slice(None, -shift)) if alone else (positions, positions - shift)
            self._reach.append(here_and_back)
            shift *= 2
            positions = positions[self.rank[positions] >= shift]

    def before(self, values: NDArray[Any], initial: NDArray[Any]) -> NDArray[Any]:
        """The value one position earlier in the same series; `initial` (m,) at its start."""
        earlier = np.empty_like(values)
        earlier[1:] = values[:-1]
        earlier[self.starts] = initial
        return earlier

    def linear(self, keep: Floats, add: Floats, initial: NDArray[Any]) -> Floats:
        """y[i] = keep[i] * y[i-1] + add[i] inside each series, from `initial` (m,)."""
        total = add.copy()
        total[self.starts] += keep[self.starts] * initial
        factor = keep.copy() if len(self._reach) > 1 else keep
        for at, back in self._reach:
            total[at] += factor[at] * total[back]
            if len(self._reach) > 1:
                factor[at] *= factor[back]
        return total

    def peak(self, keep: Floats, least: Floats, initial: NDArray[Any]) -> Floats:
        """y[i] = max(keep[i] * y[i-1], least[i]) inside each series, from `initial` (m,); nothing negative."""
        top = least.copy()
        top[self.starts] = np.maximum(top[self.starts], keep[self.starts] * initial)
        factor = keep.copy()
        for at, back in self._reach:
            top[at] = np.maximum(top[at], factor[at] * top[back])
            factor[at] *= factor[back]
        return top

    def running_max(self, values: Ints, initial: Ints) -> Ints:
        """Largest of `initial` and the values up to each position of its series."""
        top = values.copy()
        top[self.starts] = np.maximum(top[self.starts], initial)
        for at, back in self._reach:
            top[at] = np.maximum(top[at], top[back])
        return top

    def latest(self, marked: NDArray[np.bool_]) -> Ints:
        """Position of the last marked one at or before each position of its series, -1 where there is none."""
        position = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
        return np.where(position >= self.starts[self.of], position, -1)
