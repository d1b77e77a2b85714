"""From raw logit to probability in 1/10,000: a monotone table, looked up in integers.

A `Calibration` is given by the probabilities at 385 evenly spaced raw logits between -12 and 12 and is interpolated in
integers, so that scoring never calls a floating-point function. A `Calibrator` learns it from matured scores.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learner import UNIT, Units, sigmoid

SPAN = 12
"""Raw logits beyond +-12 get the probability at +-12."""
KNOTS_PER_LOGIT = 16
FINE = 64
"""Table entries between two knots."""
SCALE = 10_000
_PRECISE = 10_000
_SHIFT = 6
_N_KNOTS = 2 * SPAN * KNOTS_PER_LOGIT + 1


class Calibration:
    """A monotone table from raw logits (1/65536) to probabilities (1/10,000)."""

    def __init__(self, knots: NDArray[np.int64]) -> None:
        self.knots = knots
        steps = np.arange(FINE, dtype=np.int64)
        fine = knots[:-1, None] * (FINE - steps) + knots[1:, None] * steps
        half = FINE * _PRECISE // 2
        self._table = ((fine.ravel() + half) // (FINE * _PRECISE)).astype(np.uint16)

    @classmethod
    def of(cls, probabilities: NDArray[np.float64]) -> "Calibration":
        """The table through the given probabilities at `grid()`; they must not decrease."""
        return cls(np.rint(probabilities * (SCALE * _PRECISE)).astype(np.int64))

    @classmethod
    def identity(cls) -> "Calibration":
        """The logistic function itself."""
        return cls.of(sigmoid(grid()))

    @classmethod
    def constant(cls, probability: float) -> "Calibration":
        """One probability whatever the raw score: a target that has not learned yet."""
        return cls.of(np.full(_N_KNOTS, probability))

    def probability(self, raw: Units) -> NDArray[np.uint16]:
        """Probabilities of n raw logits, in 1/10,000."""
        place = (raw + SPAN * UNIT) >> _SHIFT
        out: NDArray[np.uint16] = self._table[np.clip(place, 0, len(self._table) - 1)]
        return out

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The knots."""
        return {"knots": self.knots}


def grid() -> NDArray[np.float64]:
    """The raw logits of the knots."""
    return np.linspace(-SPAN, SPAN, _N_KNOTS)
