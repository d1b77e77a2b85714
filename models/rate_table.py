"""Hierarchical rate table: how often did this category, then this category at this office, fail?

Along each chain of `Schema.pairs` the rate of a cell is shrunk towards the rate of its parent,
``p = (failed + m * p_parent) / (n + m)``, and a cell's weight is ``logit(p) - logit(p_parent)``: the sum along the
chain telescopes to the logit of the most special cell that was ever seen. Several chains are averaged. Without chains
each code column is one. Gelman & Hill, Data Analysis Using Regression and Multilevel Models (2007), chapter 12.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.additive import Additive
from models.cells import Cells
from models.learner import Arrays, Flags, Index

SHRINKAGE = 10.0
"""Labels of its own a cell needs to weigh as much as its parent."""


class RateTable:
    """Counts of labels per cell, read as shrunken rates."""

    def __init__(self, cells: Cells, prior: float, *, shrinkage: float = SHRINKAGE) -> None:
        self._prior, self._shrinkage = prior, shrinkage
        chains = cells.schema.pairs or tuple((name,) for name in cells.schema.codes)
        self._chains = [_chain(cells, chain) for chain in chains]
        self._times = np.zeros(cells.size)
        self._depth = np.zeros(cells.size, dtype=np.int8)
        for depth, column in (place for chain in self._chains for place in enumerate(chain)):
            first, after = cells.region(column)
            self._times[first:after] += 1.0 / len(self._chains)
            self._depth[first:after] = depth
        self._n = np.zeros(cells.size)
        self._failed = np.zeros(cells.size)
        self._seen = np.zeros(cells.size, dtype=bool)
        self._parent = np.full(cells.size, -1, dtype=np.int64)
        self._total = np.zeros(2)

    def learn(self, index: Index, y: Flags, at: int) -> None:
        """Count n labelled rows."""
        for column in dict.fromkeys(column for chain in self._chains for column in chain):
            np.add.at(self._n, index[column], 1.0)
            np.add.at(self._failed, index[column], y)
            self._seen[index[column]] = True
        for chain in self._chains:
            for parent, child in pairwise(chain):
                self._parent[index[child]] = index[parent]
        self._total += (len(y), float(y.sum()))

    def scorer(self, share: float) -> Additive | None:
        """Shrunken rates as weights per cell."""
        total, failed = self._total
        if not total:
            return None
        root = (failed + self._shrinkage * self._prior) / (total + self._shrinkage)
        seen = np.flatnonzero(self._seen)
        # Parents by their place among the cells that were seen.
        place = np.empty(len(self._n), dtype=np.int32)
        place[seen] = np.arange(len(seen))
        above = place[self._parent[seen]]
        rate, logit, weights = np.empty(len(seen)), np.empty(len(seen)), np.empty(len(seen))
        for depth in range(max(map(len, self._chains))):
            level = np.flatnonzero(self._depth[seen] == depth)
            over, over_logit = (rate[above[level]], logit[above[level]]) if depth else (root, _logit(root))
            own = (self._failed[seen[level]] + self._shrinkage * over) / (self._n[seen[level]] + self._shrinkage)
            rate[level], logit[level] = own, _logit(own)
            weights[level] = logit[level] - over_logit
        base = float(_logit(root)) * share
        return Additive.from_floats(base, seen, weights * self._times[seen] * share, len(self._n))

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Counts of the cells that were seen."""
        seen = np.flatnonzero(self._seen)
        return {
            "cell": seen,
            "n": self._n[seen],
            "failed": self._failed[seen],
            "parent": self._parent[seen],
            "total": self._total,
        }

    def restore(self, state: Arrays) -> None:
        """Counts of `to_state`."""
        self._n[:], self._failed[:], self._parent[:], self._seen[:] = 0.0, 0.0, -1, False
        self._seen[state["cell"]] = True
        self._n[state["cell"]] = state["n"]
        self._failed[state["cell"]] = state["failed"]
        self._parent[state["cell"]] = state["parent"]
        self._total = np.array(state["total"])


def _chain(cells: Cells, names: tuple[str, ...]) -> tuple[int, ...]:
    """Rows of the index from general to special."""
    n_codes = len(cells.schema.codes)
    rest = (n_codes + cells.combinations.index(names[:length]) for length in range(2, len(names) + 1))
    return (cells.column_of(names[0]), *rest)


def _logit(p: NDArray[np.float64] | float) -> NDArray[np.float64]:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))
