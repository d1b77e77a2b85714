"""A daily budget kept by moving a threshold: a pinball quantile tracker with an integral term and a hard cap.

The threshold q follows the (1 - p) quantile of the candidates' scores, q += step * (1[score > q] - p), where
p = (budget + gain * credit) / candidates a day, and credit is what earlier days left unspent (negative: overspent).
The pinball loss as an online quantile: Koenker & Bassett (1978); with an integral term on the realised rate:
Angelopoulos, Candès & Tibshirani, "Conformal PID control for time series prediction" (NeurIPS 2023).
"""

from collections.abc import Mapping
from typing import Any

STEP = 0.08
"""Of the scores' spread, moved per candidate above the threshold."""
GAIN = 0.5
"""Part of the credit that is asked back (or given out) per day."""
MEMORY = 0.3
"""Weight of the day that ended in the estimate of candidates a day."""
CAP = 1.5
"""Most of a budget that one day may spend."""
MOST_DAYS, MOST = 2.0, 4.0
"""Credit is kept within this many budgets or warnings: a long calm must not end in a flood."""


class Gate:
    """Lets through about `budget` candidates a day, the highest scores, whatever their distribution does.

    Parameters
    ----------
    budget : a day; may be a fraction (one every few days); 0 lets nothing pass.
    lowest : score at which candidates begin; with fewer candidates than budget all of them pass.

    State is plain numbers; days come from the caller, the last candidate of a day is followed by control at midnight.
    """

    __slots__ = (
        "budget",
        "credit",
        "day",
        "free",
        "lowest",
        "per_day",
        "seen",
        "seen_before",
        "spent",
        "spread",
        "threshold",
    )

    def __init__(self, budget: float, lowest: float) -> None:
        self.budget = float(budget)
        self.lowest = float(lowest)
        self.threshold = float(lowest)
        self.spread = 0.0
        self.per_day = 0.0
        self.credit = 0.0
        self.day = -1
        self.seen = 0
        self.seen_before = 0
        self.spent = 0
        self.free = 0

    def passes(self, score: float, day: int) -> bool:
        """Whether this candidate is let through on this local day; it is counted and learned from either way."""
        self._turn(day)
        self.seen += 1
        may = score >= self.threshold and self.spent + int(self._by_right()) + 1 <= self._allowance()
        self._learn(score)
        if may:
            self.spent += 1
        return may

    def count(self, day: int) -> None:
        """One that went past the gate by right. At most half of a budget is taken from the others by these."""
        self._turn(day)
        self.free += 1

    def _by_right(self) -> float:
        return min(self.free, self.budget / 2)

    def _allowance(self) -> float:
        if self.budget >= 1:
            return float(int(CAP * self.budget))
        return 1.0 if self.budget + self.credit >= 1 else 0.0

    def _turn(self, day: int) -> None:
        """Control at midnight: what the day left over, how many candidates a day has."""
        if day <= self.day:
            return
        if self.day >= 0:
            seen = max(self.seen, 1.0)
            # Harmonic, so that one burst does not make the quiet days after it look crowded.
            self.per_day = 1 / ((1 - MEMORY) / self.per_day + MEMORY / seen) if self.per_day else seen
            # Days without any candidate say nothing about pressure; they earn at most what credit may hold.
            idle = min(day - self.day - 1, 100)
            most = max(MOST_DAYS * self.budget, MOST)
            self.credit = max(-most, min(most, self.credit + self.budget * (1 + idle) - self.spent - self._by_right()))
            if max(self.seen, self.seen_before) <= self.budget:
                # Two days with no more candidates than budget: nothing is scarce, all of them pass.
                self.threshold = self.lowest
            self.seen_before = self.seen if not idle else 0
        self.day = day
        self.seen = self.spent = self.free = 0

    def _learn(self, score: float) -> None:
        self.spread += 0.02 * (abs(score - self.threshold) - self.spread) if self.spread else abs(score - self.lowest)
        wanted = max(0.0, self.budget + GAIN * self.credit - self._by_right())
        part = min(1.0, wanted / max(self.per_day, self.seen, 1.0))
        moved = self.threshold + STEP * self.spread * ((score > self.threshold) - part)
        self.threshold = max(self.lowest, moved)

    def to_state(self) -> dict[str, float | int]:
        """Plain numbers."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Gate":
        """The gate that `to_state` described."""
        gate = cls(state["budget"], state["lowest"])
        for name in cls.__slots__:
            setattr(gate, name, state[name])
        return gate
