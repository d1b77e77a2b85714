"""Learns how often matters with such a raw score really fail, from the scores that were given before the outcome.

Counts per quarter-logit bin of the raw score fade exponentially. A logistic line ``logit p = a + b * raw`` is fitted to
them (Platt 1999) with a ridge towards the identity, then each bin's own rate is pooled with the line and made monotone
(pool adjacent violators). The counts say little while labels are few: until `START` of them the identity holds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibrate import Calibration, grid
from models.learner import UNIT, Arrays, Flags, Units, sigmoid

START = 2_000
"""Labels before the first calibration; a short stream is ruined by an early one."""
FAILED = 20
"""Failures before the first calibration; the ridge holds the slope while there are no more."""
HALF_LIFE = 1_500.0
"""Labels after which a label counts half."""
POOLED = 80.0
"""Labels of its own a bin needs to weigh as much as the line."""
RIDGE = 50.0
"""Pull of the slope towards 1, in squared logits: a stream that drifts tells slopes that the next weeks do not keep."""
_EDGES = np.arange(-8.0, 8.01, 0.25)


class Calibrator:
    """Fading counts per bin of raw scores."""

    def __init__(self, *, half_life: float = HALF_LIFE, start: int = START) -> None:
        self._half_life, self._start = half_life, start
        # Labels, failures and summed raw scores of each bin.
        self._sums = np.zeros((3, len(_EDGES) + 1))
        self._n = self._failed = 0

    def learn(self, raw: Units, y: Flags) -> None:
        """Count n labels in the order of their use by the raw scores of their decisions."""
        if not len(y):
            return
        logit = raw / UNIT
        fade = 0.5 ** (np.arange(len(y) - 1, -1, -1) / self._half_life)
        place = np.searchsorted(_EDGES, logit)
        self._sums *= 0.5 ** (len(y) / self._half_life)
        for row, part in enumerate((fade, fade * y, fade * logit)):
            self._sums[row] += np.bincount(place, part, minlength=len(_EDGES) + 1)
        self._n += len(y)
        self._failed += int(y.sum())

    def calibration(self) -> Calibration:
        """The table for scores to come; the identity while labels are few."""
        if self._n < self._start or self._failed < FAILED:
            return Calibration.identity()
        used = self._sums[0] > 1e-9
        n, failed, summed = self._sums[:, used]
        centre = summed / n
        a, b = _line(centre, n, failed)
        pooled = _monotone((failed + POOLED * sigmoid(a + b * centre)) / (n + POOLED), n + POOLED)
        # Between bins the distance to the line is interpolated, beyond them it is kept: far scores stay apart.
        pooled = np.clip(pooled, 1e-6, 1 - 1e-6)
        off = np.log(pooled / (1 - pooled)) - (a + b * centre)
        points = grid()
        return Calibration.of(np.maximum.accumulate(sigmoid(a + b * points + np.interp(points, centre, off))))

    def to_state(self) -> dict[str, NDArray[Any]]:
        """The fading counts."""
        return {"sums": self._sums, "seen": np.array([self._n, self._failed])}

    def restore(self, state: Arrays) -> None:
        """The counts of `to_state`."""
        self._sums = np.array(state["sums"])
        self._n, self._failed = (int(number) for number in state["seen"])


def _line(raw: NDArray[np.float64], n: NDArray[np.float64], failed: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and slope by Newton steps; the slope stays positive, so that ranks are kept."""
    a, b = 0.0, 1.0
    for _ in range(25):
        p = sigmoid(a + b * raw)
        error, weight = failed - n * p, n * p * (1 - p)
        g = np.array([error.sum() - 0.1 * a, error @ raw - RIDGE * (b - 1)])
        h = np.array([[weight.sum() + 0.1, weight @ raw], [weight @ raw, weight @ raw**2 + RIDGE]])
        step = np.clip(np.linalg.solve(h, g), -1.0, 1.0)
        a, b = a + float(step[0]), max(0.05, b + float(step[1]))
    return a, b


def _monotone(rate: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest sequence that never falls (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, own in zip(rate.tolist(), weight.tolist(), strict=True):
        block = (value, own, 1)
        while blocks and blocks[-1][0] > block[0]:
            before, mass, length = blocks.pop()
            total = mass + block[1]
            block = ((before * mass + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    return np.repeat([value for value, _, _ in blocks], [length for _, _, length in blocks])
