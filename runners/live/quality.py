"""How good the scores were, told as late as the truth comes: log-loss and calibration error of the last labels.

Only what this process scored at registration is judged; after a restart it begins anew.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.effects import Effects

REMEMBERED = 50_000
"""Matters whose score waits for its label."""
FADING = 1 - 1 / 2_000
"""A label's weight fades with the labels of its target that come after it."""
BINS = 10
_SURE = 1e-4


class Quality:
    """Joins the scores of registrations with the labels that come later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scores: OrderedDict[bytes, NDArray[np.uint16]] = OrderedDict()
        self._loss: dict[int, list[float]] = {}
        self._bins: dict[int, NDArray[np.float64]] = {}

    def folded(self, effects: Sequence[Effects], entries: int, lag_us: int) -> None:
        """Look at what was folded."""
        with self._lock:
            for each in effects:
                for subject, target, failed, _ in each.labels:
                    score = self._scores.get(subject)
                    if score is not None and target < len(score):
                        self._learn(target, int(score[target]) / 10_000, failed)
                for block in each.decisions:
                    first = np.flatnonzero(block.heads["number"] == 0)
                    for index, subject in zip(first.tolist(), block.heads["subject"][first].tolist(), strict=True):
                        self._scores[subject] = block.probability[index].copy()
            while len(self._scores) > REMEMBERED:
                self._scores.popitem(last=False)

    def figures(self) -> dict[int, tuple[float, float, float]]:
        """Target -> log-loss, calibration error, weight of the labels behind them."""
        with self._lock:
            return {
                target: (loss / weight, _calibration_error(self._bins[target]), weight)
                for target, (loss, weight) in self._loss.items()
                if weight
            }

    def _learn(self, target: int, probability: float, failed: int) -> None:
        p = min(max(probability, _SURE), 1 - _SURE)
        loss = self._loss.setdefault(target, [0.0, 0.0])
        loss[0] = loss[0] * FADING - math.log(p if failed else 1 - p)
        loss[1] = loss[1] * FADING + 1
        bins = self._bins.setdefault(target, np.zeros((BINS, 3)))
        bins *= FADING
        bins[min(int(p * BINS), BINS - 1)] += (1.0, p, failed)


def _calibration_error(bins: NDArray[np.float64]) -> float:
    """Mean distance between what was said and what came, by tenth of probability."""
    weights = bins[:, 0]
    return float(np.abs(bins[:, 1] - bins[:, 2]).sum() / weights.sum())
