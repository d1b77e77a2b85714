"""The two ports of learning: a `Learner` learns from labelled cells, a `Scorer` is what it publishes.

Scores are logits in fixed point, 1/65536 a unit, summed in int64. Integer sums do not depend on the order of their
terms, so a row scores alike in any batch, on any day and on any machine.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

UNIT = 1 << 16
"""Fixed-point units of one logit."""

Index = NDArray[np.intp]
"""Cells of n rows, shape (width, n); see `models.cells.Cells.index`."""
Units = NDArray[np.int64]
"""Logits in 1/65536."""
Flags = NDArray[np.uint8]
"""Labels: 1 = failed, 0 = not."""
Arrays = Mapping[str, NDArray[Any]]


class Scorer(Protocol):
    """Numbers that were learned, ready to score from; scoring changes nothing."""

    def score(self, index: Index) -> Units:
        """Logits of n rows, shape (n,)."""
        ...

    def contributions(self, index: Index) -> Units:
        """What each column gives to each row of `index`, the base last; shape (n, width + 1), rows sum to scores."""
        ...

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays that hold everything."""
        ...


class Learner(Protocol):
    """Learns one target from rows in the order in which their labels may be used."""

    def learn(self, index: Index, y: Flags, at: int) -> None:
        """Learn n labelled rows; `at` (µs UTC) is the moment of learning."""
        ...

    def scorer(self, share: float) -> Scorer | None:
        """What was learned so far, its logits multiplied by `share`; None while there is nothing to say."""
        ...

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to learn on, as plain arrays."""
        ...

    def restore(self, state: Arrays) -> None:
        """Become the learner whose `to_state` gave `state`."""
        ...


def to_units(logit: NDArray[np.float64] | float) -> Units:
    """Logits in fixed point, rounded to the nearest unit."""
    return np.rint(np.asarray(logit, dtype=np.float64) * UNIT).astype(np.int64)


def sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a logit, safe against overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(logit, -35.0, 35.0)))
