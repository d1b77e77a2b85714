"""A score that is a sum over cells: a base and one integer per cell. What rate table and binned learner publish."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learner import Arrays, Index, Units, to_units


class Additive:
    """Logit = base + the weights of the row's cells, all in 1/65536."""

    def __init__(self, base: int, weights: NDArray[np.int32]) -> None:
        self.base = base
        self.weights = weights

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
        return Additive(self.base + other.base, self.weights + other.weights)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Only the cells that say something are stored."""
        cells = np.flatnonzero(self.weights).astype(np.uint32)
        size = np.array([self.base, len(self.weights)], dtype=np.int64)
        return {"base": size, "cell": cells, "weight": self.weights[cells]}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Additive":
        """The scorer whose `to_arrays` gave `arrays`."""
        base, size = (int(number) for number in arrays["base"])
        weights = np.zeros(size, dtype=np.int32)
        weights[arrays["cell"]] = arrays["weight"]
        return cls(base, weights)

    @classmethod
    def from_floats(cls, base: float, weights: NDArray[np.float64]) -> "Additive":
        """Rounded to units; weights beyond +-30 logits are cut, far past any meaning."""
        return cls(int(to_units(base)), to_units(np.clip(weights, -30.0, 30.0)).astype(np.int32))
