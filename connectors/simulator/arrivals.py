"""When and where simulated matters begin: weights, hours, weekdays, seasons, rain, and surges of adjacent grids."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.dice import Dice
from connectors.simulator.territory import Place, Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import HOUR, WorkingTime, civil, midnight

HOURS = {
    "day": (1, 1, 1, 1, 1, 2, 4, 8, 14, 20, 20, 15, 9, 11, 15, 18, 17, 12, 9, 8, 7, 5, 3, 2),
    "evening": (3, 2, 1, 1, 1, 2, 5, 9, 10, 10, 9, 8, 7, 7, 8, 9, 10, 13, 17, 19, 17, 12, 8, 5),
    "night": (14, 9, 6, 4, 3, 4, 6, 7, 6, 6, 6, 5, 5, 6, 5, 5, 6, 7, 10, 14, 18, 20, 22, 20),
    "flat": (1,) * 24,
}
WEEKDAYS = {
    "day": (1.12, 1.08, 1.05, 1.05, 1.02, 0.86, 0.82),
    "evening": (0.98, 0.97, 0.97, 0.98, 1.03, 1.04, 1.03),
    "night": (0.93, 0.93, 0.94, 0.95, 1.08, 1.12, 1.05),
    "flat": (1.0,) * 7,
}
WET_MONTHS = (0.1, 0.12, 0.2, 0.25, 0.3, 0.4, 0.42, 0.4, 0.3, 0.18, 0.12, 0.1)
"""Chance of a rain episode on a day of each month."""
SURGES_PER_DAY = 0.2


class Arrival(NamedTuple):
    """One new report: when (epoch seconds), index of the category, grid, and the planted surge if any."""

    at: int
    category: int
    grid: str
    surge: str


@dataclass(frozen=True, slots=True)
class Surge:
    """A planted rise of one category over neighbouring grids; `a_day` more matters on each day, growing."""

    id: str
    category: int
    grids: tuple[str, ...]
    first_day: int
    days: int
    a_day: float


class Arrivals:
    """Draws the arrivals of one civil day after the other; days must be asked for in order."""

    def __init__(
        self,
        seed: int,
        categories: tuple[Category, ...],
        territory: Territory,
        working_time: WorkingTime,
        per_day: float,
    ) -> None:
        self._categories = categories
        self._territory = territory
        self._working_time = working_time
        self._dice = Dice(seed, 1)
        self._planting = Dice(seed, 2)
        self._hours = np.array([HOURS[one.hours] for one in categories], float)
        self._hours /= self._hours.sum(1, keepdims=True)
        weights = np.array([one.weight for one in categories])
        year = np.array([sum(one.season(month) for month in range(1, 13)) / 12 for one in categories])
        self._rates = per_day * weights / (weights * year).sum()
        self._grid_rates = self._dice.generator.lognormal(0.0, 0.35, (len(categories), len(territory.grids)))
        self._grid_rates /= self._grid_rates.sum(1, keepdims=True)
        self._wet = np.zeros((len(categories), 24))
        self.surges: list[Surge] = []
        self._surging: list[Surge] = []

    def day(self, day: int) -> list[Arrival]:
        """All arrivals of a civil day, in order of time."""
        date = civil(day)
        self._plant(day)
        intensity = self._hours * self._rates[:, None] * self._rain(date.month)
        for row, one in enumerate(self._categories):
            weekday = date.weekday() if self._working_time.works(day) else max(date.weekday(), 5)
            intensity[row] *= one.season(date.month) * WEEKDAYS[one.hours][weekday]
        numbers = self._dice.generator.poisson(intensity)
        found = self._scatter(day, numbers)
        for surge in self._surging:
            grown = surge.a_day * (0.5 + (day - surge.first_day) / surge.days)
            for _ in range(int(self._planting.generator.poisson(grown))):
                at = midnight(day) + 7 * HOUR + int(self._planting.unit() * 15 * HOUR)
                found.append(Arrival(at, surge.category, self._planting.pick(surge.grids), surge.id))
        return sorted(found)

    def _scatter(self, day: int, numbers: NDArray[np.int64]) -> list[Arrival]:
        rows, hours = np.nonzero(numbers)
        repeat = numbers[rows, hours]
        rows, hours = np.repeat(rows, repeat), np.repeat(hours, repeat)
        at = midnight(day) + hours * HOUR + self._dice.generator.integers(0, HOUR, len(rows))
        where = np.empty(len(rows), np.int64)
        for row in np.unique(rows):
            chosen = rows == row
            draws = self._dice.generator.random(int(chosen.sum()))
            where[chosen] = np.searchsorted(np.cumsum(self._grid_rates[row]), draws).clip(
                0, len(self._territory.grids) - 1
            )
        names = [self._territory.grids[index].key for index in where.tolist()]
        return [Arrival(*item, "") for item in zip(at.tolist(), rows.tolist(), names, strict=True)]

    def _rain(self, month: int) -> NDArray[np.float64]:
        """Factor by category and hour: what rain raises stands 2 to 8 hours after it, over midnight if need be."""
        factor = 1.0 + self._wet
        self._wet = np.zeros_like(self._wet)
        if self._dice.happens(WET_MONTHS[month - 1]):
            begin = 2 + self._dice.below(24)
            rise = np.array([one.rain - 1.0 for one in self._categories]) * self._dice.between(0.5, 1.5)
            for hour in range(begin, begin + 7):
                (factor if hour < 24 else self._wet)[:, hour % 24] += rise
        return factor

    def _plant(self, day: int) -> None:
        self._surging = [surge for surge in self._surging if day < surge.first_day + surge.days]
        if not self._planting.happens(SURGES_PER_DAY):
            return
        category = self._planting.below(len(self._categories))
        grids = self._neighbours(self._planting.pick(self._territory.grids), 3 + self._planting.below(4))
        name = f"surge-{civil(day):%Y%m%d}"
        days = 2 + self._planting.below(3)
        surge = Surge(name, category, grids, day, days, self._planting.between(4.0, 12.0))
        self.surges.append(surge)
        self._surging.append(surge)

    def _neighbours(self, grid: Place, n: int) -> tuple[str, ...]:
        """The grid and those nearest to it on the raster."""
        near = sorted(
            self._territory.grids, key=lambda other: (abs(other.x - grid.x) + abs(other.y - grid.y), other.key)
        )
        return tuple(cell.key for cell in near[:n])
