"""Seeded chance in small coins: uniform numbers drawn in blocks, or from a key alone."""

from collections.abc import Sequence
from math import cos, exp, log, pi, sqrt
from typing import TypeVar

import numpy as np

T = TypeVar("T")
BLOCK = 8192
_MASK = (1 << 64) - 1


def stream(seed: int, *names: int) -> np.random.Generator:
    """A generator of its own for every name; equal seed and names give equal draws.

    >>> stream(7, 1, 20_000).random() == stream(7, 1, 20_000).random() != stream(7, 1, 20_001).random()
    True
    """
    return np.random.Generator(np.random.PCG64([seed, *names]))


class Dice:
    """One stream of chance; equal seed and name give equal draws, and streams do not disturb each other.

    Examples
    --------
    >>> Dice(7, 0).unit() == Dice(7, 0).unit() != Dice(7, 1).unit()
    True
    """

    def __init__(self, seed: int, name: int) -> None:
        self.generator = stream(seed, name)
        self._coins: list[float] = []

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        if not self._coins:
            # Single draws cost 20 times as much.
            self._coins = self.generator.random(BLOCK).tolist()
        return self._coins.pop()

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self.unit() * n)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all alike."""
        return options[int(self.unit() * len(options))]

    def normal(self) -> float:
        """Standard normal (Box-Muller, one of the pair)."""
        return sqrt(-2.0 * log(1.0 - self.unit())) * cos(2 * pi * self.unit())

    def stretched(self, median: float, spread: float) -> float:
        """Lognormal by its median and the standard deviation of its logarithm."""
        return median * exp(spread * self.normal())


class Coins(Dice):
    """Chance that hangs on a key alone, so that a text is the same whenever it is written (SplitMix64)."""

    def __init__(self) -> None:
        self._state = 0

    def lay(self, key: int) -> "Coins":
        """Begin with this key; returns itself."""
        self._state = key & _MASK
        return self

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        state = self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((state ^ (state >> 31)) >> 11) * (1.0 / (1 << 53))
