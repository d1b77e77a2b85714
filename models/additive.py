"""A score that is a sum over cells: a base and one integer per cell. What rate table and binned learner publish."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learner import Arrays, Index, Units, to_units


class Additive:
    """Logit = base + the weights of the row's cells, all in 1/65536."""

    def __init__(self, base: int, weights: NDArray[np.int32], cells: Index | None = None) -> None:
        self.base = base
        self.weights = weights
        self._cells = cells

    @property
    def cells(self) -> Index:
        """The cells that say something, ascending."""
        if self._cells is None:
            self._cells = np.flatnonzero(self.weights)
        return self._cells

    def score(self, index: Index) -> Units:
        """Logits of n rows."""
        total: Units = self.weights.take(index).sum(axis=0, dtype=np.int64)
        return total + self.base

    def contributions(self, index: Index) -> Units:
        """The weights of every row's cells, and the base last."""
        out = np.full((index.shape[1], len(index) + 1), self.base, dtype=np.int64)
        out[:, :-1] = self.weights.take(index).T
        return out

    def plus(self, other: "Additive") -> "Additive":
        """The sum of two, as fast to score as one."""
        weights = self.weights.copy()
        weights[other.cells] += other.weights[other.cells]
        return Additive(self.base + other.base, weights)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Only the cells that say something are stored."""
        size = np.array([self.base, len(self.weights)], dtype=np.int64)
        return {"base": size, "cell": self.cells.astype(np.uint32), "weight": self.weights[self.cells]}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Additive":
        """The scorer whose `to_arrays` gave `arrays`."""
        base, size = (int(number) for number in arrays["base"])
        weights = np.zeros(size, dtype=np.int32)
        weights[arrays["cell"]] = arrays["weight"]
        return cls(base, weights)

    @classmethod
    def from_floats(cls, base: float, cells: Index, weights: NDArray[np.float64], size: int) -> "Additive":
        """Weights of some cells of `size`, ascending, rounded to units; beyond +-30 logits, far past any meaning, cut.

        Only the given cells are worked on: most cells of a table are never seen.
        """
        units = to_units(np.clip(weights, -30.0, 30.0)).astype(np.int32)
        said = units != 0
        dense = np.zeros(size, dtype=np.int32)
        dense[cells[said]] = units[said]
        return cls(int(to_units(base)), dense, cells[said])
