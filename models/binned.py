"""One weight per cell (quantile bin, code, combination), learned in one pass by AdaGrad on the log-loss.

Duchi, Hazan & Singer, Adaptive Subgradient Methods (JMLR 2011). Rows are learned in small blocks: the gradients of a
block are taken at the weights before it and summed per cell, which costs a tenth of row-by-row learning.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.additive import Additive
from models.cells import Cells
from models.learner import Arrays, Flags, Index, sigmoid

RATE = 0.05
"""Step size; .02 to .05 does better than .12 on long streams."""
DECAY = 0.9999
"""Forgetting of a cell's squared gradients at each of its updates, so that old cells can still move."""
BLOCK = 32


class Binned:
    """Logistic regression on one-hot cells."""

    def __init__(self, cells: Cells, prior: float, *, rate: float = RATE, decay: float = DECAY) -> None:
        self._rate, self._decay = rate, decay
        self._base = float(np.log(prior / (1 - prior)))
        self._base_squares = 1e-4
        self._weights = np.zeros(cells.size)
        self._squares = np.full(cells.size, 1e-4)
        self._touched = np.zeros(cells.size, dtype=bool)
        self._n = 0

    def learn(self, index: Index, y: Flags, at: int) -> None:
        """One pass over n labelled rows in order."""
        for start in range(0, len(y), BLOCK):
            self._learn_block(index[:, start : start + BLOCK], y[start : start + BLOCK])
        self._touched[index] = True
        self._n += len(y)

    def _learn_block(self, index: Index, y: Flags) -> None:
        weights, squares = self._weights, self._squares
        error = sigmoid(weights.take(index).sum(axis=0) + self._base) - y
        cells, where = np.unique(index, return_inverse=True)
        where = where.ravel()
        wide = np.broadcast_to(error, index.shape).ravel()
        count = np.bincount(where)
        gradient = np.bincount(where, wide)
        squares[cells] = squares[cells] * self._decay**count + np.bincount(where, wide * wide)
        weights[cells] -= self._rate * gradient / np.sqrt(squares[cells])
        self._base_squares = self._base_squares * self._decay ** len(y) + float(error @ error)
        self._base -= self._rate * float(error.sum()) / self._base_squares**0.5

    def scorer(self, share: float) -> Additive | None:
        """The weights as they are."""
        if not self._n:
            return None
        cells = np.flatnonzero(self._touched)
        return Additive.from_floats(self._base * share, cells, self._weights[cells] * share, len(self._weights))

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Weights and squared gradients of the cells that were touched."""
        cells = np.flatnonzero(self._weights)
        scalars = np.array([self._base, self._base_squares, self._n])
        return {"cell": cells, "weight": self._weights[cells], "square": self._squares[cells], "scalars": scalars}

    def restore(self, state: Arrays) -> None:
        """Weights of `to_state`."""
        self._weights[:], self._squares[:], self._touched[:] = 0.0, 1e-4, False
        self._weights[state["cell"]] = state["weight"]
        self._squares[state["cell"]] = state["square"]
        self._touched[state["cell"]] = True
        self._base, self._base_squares, n = (float(number) for number in state["scalars"])
        self._n = int(n)
