"""The weather over the simulated city: hours of rain and cold spells, which raise matters and move sensors alike."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.dice import stream
from connectors.simulator.working_time import civil

WET_MONTHS = (0.1, 0.12, 0.2, 0.25, 0.3, 0.4, 0.42, 0.4, 0.3, 0.18, 0.12, 0.1)
"""Chance of a rain episode on a day of each month."""
COLD_MONTHS = (0.12, 0.1, 0.04, 0, 0, 0, 0, 0, 0, 0.02, 0.08, 0.12)
"""Chance that a cold spell of three days begins on a day of each month."""
COLD_DAYS = 3


class Weather:
    """Weather by civil day; any day can be asked for at any time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.rain = lru_cache(maxsize=64)(self._rain)

    def is_cold(self, day: int) -> bool:
        """Whether a cold spell lies over the day."""
        return any(self._begins_cold(day - back) for back in range(COLD_DAYS))

    def fallen(self, day: int, hour: int) -> float:
        """Millimetres of rain in one hour of a day."""
        return float(self.rain(day)[hour])

    def wetness(self, day: int) -> NDArray[np.float64]:
        """For each hour how much rain of the last 2 to 8 hours matters; 1 is a usual episode."""
        hours = np.concatenate([self.rain(day - 1), self.rain(day)])
        return np.array([hours[hour + 24 - 8 : hour + 24 - 1].sum() for hour in range(24)]) / 20.0

    def _begins_cold(self, day: int) -> bool:
        return bool(stream(self._seed, 21, day).random() < COLD_MONTHS[civil(day).month - 1])

    def _rain(self, day: int) -> NDArray[np.float64]:
        """Millimetres in each hour of the day."""
        chance = stream(self._seed, 20, day)
        hours = np.zeros(24)
        if chance.random() < WET_MONTHS[civil(day).month - 1]:
            begin = int(chance.integers(0, 22))
            part = slice(begin, min(begin + int(chance.integers(2, 7)), 24))
            hours[part] = chance.gamma(1.5, 4.0, part.stop - part.start)
        hours.flags.writeable = False
        return hours
