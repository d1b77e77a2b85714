"""Gradient-boosted trees scored from arrays: the leaf of every tree by one AND per column, without walking.

Each tree has at most eight leaves, numbered from left to right, one bit each. A node whose condition fails rules out
the leaves on its left. For every value a column can take, the leaves that all nodes on that column leave alive are
known beforehand: one byte a tree. A row's leaf is the lowest bit that survives the AND over its columns. This is
QuickScorer (Lucchese et al., SIGIR 2015) with its threshold search done once, by the cells that all learners share.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cells import Cells
from models.learner import Arrays, Index, Units

LEAVES = 8
NODES = LEAVES - 1
ORDINALS = 256
"""Values a column can take inside the trees; 0 is unknown or missing."""
_LOWEST = np.array([0, *(((i & -i).bit_length() - 1) for i in range(1, 256))], dtype=np.intp)
_FEW = 100
"""Below so many rows one wide gather is faster than a loop over columns."""


class Boosted:
    """Trees over the code and value columns of `Cells`; combinations are not used.

    Arrays: `base` (1,) int64; `leaf` (trees, 8) int32 in 1/65536; of the nodes `column` (trees, 7) int8, -1 for none,
    `left` the leaves below its left branch as bits, and `goes_left` (trees, 7, 32), 256 bits that say which ordinals go
    left; `cell`, `ordinal` of each known code cell (0 is unknown or missing; bins of values count from there too);
    `path_column` (trees, 8, 7) int8 and `path_delta` int32: what each step towards a leaf added, for explanations.
    """

    def __init__(self, cells: Cells, arrays: Arrays) -> None:
        self._arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self._base = int(arrays["base"][0])
        n_codes, n_hashed = len(cells.schema.codes), cells.width - len(cells.schema.values)
        self._columns = np.array([*range(n_codes), *range(n_hashed, cells.width)], dtype=np.intp)
        self._width = cells.width
        leaf = np.asarray(arrays["leaf"], dtype=np.int32)
        self._trees = len(leaf)
        self._value = leaf[:, _LOWEST].ravel()
        self._start = np.arange(self._trees, dtype=np.intp)[:, None] << 8
        self._row_of_cell = _row_of_cell(cells, self._columns, arrays)
        self._alive = _alive(arrays, len(self._columns))

    def score(self, index: Index) -> Units:
        """Logits of n rows."""
        alive = self._surviving(index)
        place = alive.T[: self._trees] + self._start
        total: Units = self._value.take(place).sum(axis=0, dtype=np.int64)
        return total + self._base

    def contributions(self, index: Index) -> Units:
        """What the splits on each column added on the way to the leaves (Saabas 2014), and the base last."""
        n = index.shape[1]
        leaf = _LOWEST[self._surviving(index)[:, : self._trees]]
        trees = np.arange(self._trees)
        place = self._columns[self._arrays["path_column"][trees, leaf]].reshape(n, -1)
        place += np.arange(n)[:, None] * (self._width + 1)
        # Sums of integers below 2**53 are exact in the floats that `bincount` counts with.
        delta = self._arrays["path_delta"][trees, leaf].ravel()
        sums = np.bincount(place.ravel(), weights=delta, minlength=n * (self._width + 1))
        out: Units = sums.astype(np.int64).reshape(n, self._width + 1)
        out[:, -1] = self.score(index) - out[:, :-1].sum(axis=1)
        return out

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays it was made from."""
        return dict(self._arrays)

    def _surviving(self, index: Index) -> NDArray[np.uint8]:
        """Leaves still possible, shape (n, trees rounded up to 8), a bit each."""
        rows = self._row_of_cell.take(index[self._columns])
        if rows.shape[1] <= _FEW:
            alive = np.bitwise_and.reduce(self._alive[rows], axis=0)
        else:
            alive = self._alive[rows[0]]
            for row in rows[1:]:
                alive &= self._alive[row]
        leaves: NDArray[np.uint8] = alive.view(np.uint8)
        return leaves


def _row_of_cell(cells: Cells, columns: Index, arrays: Arrays) -> NDArray[np.int32]:
    """Row of the table of leaves for every cell: 256 a column, the first for what is unknown or missing."""
    out = np.zeros(cells.size, dtype=np.int32)
    n_codes = len(cells.schema.codes)
    for position, column in enumerate(columns):
        first, after = cells.region(int(column))
        out[first:after] = position * ORDINALS
        if position >= n_codes:
            out[first:after] += np.arange(after - first, dtype=np.int32)
    out[arrays["cell"]] += arrays["ordinal"]
    return out


def _alive(arrays: Arrays, n_columns: int) -> NDArray[np.uint64]:
    """Leaves left alive by all nodes on a column, shape (columns * 256, words), a byte a tree."""
    trees = len(arrays["leaf"])
    alive = np.full((n_columns, ORDINALS, -(-trees // 8) * 8), 255, dtype=np.uint8)
    for node in range(NODES):
        tree = np.flatnonzero(arrays["column"][:, node] >= 0)
        column = arrays["column"][tree, node].astype(np.intp)
        goes_left = np.unpackbits(arrays["goes_left"][tree, node], axis=1).astype(bool)
        spared = np.where(goes_left, np.uint8(255), ~arrays["left"][tree, node][:, None])
        alive[column, :, tree] &= spared
    return alive.reshape(n_columns * ORDINALS, -1).view(np.uint64)
