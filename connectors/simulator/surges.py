"""Planted surges: one category rises in a grid and spreads to its neighbours within days."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.dice import stream
from connectors.simulator.territory import Place, Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import HOUR, civil, midnight

PER_DAY = 0.2
LONGEST = 5
"""Days a surge lasts at most."""

Reports = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[str]]


@dataclass(frozen=True, slots=True)
class Surge:
    """A rise of one category; `grids` in the order in which it reaches them, `a_day` more matters a day, growing.

    `begins`, `ends`: epoch seconds between which its reports come.
    """

    id: str
    category: int
    grids: tuple[int, ...]
    first_day: int
    days: int
    a_day: float

    @property
    def begins(self) -> int:
        """The first moment a report can come."""
        return int(midnight(self.first_day)) + 7 * HOUR

    @property
    def ends(self) -> int:
        """The last moment a report can come."""
        return int(midnight(self.first_day + self.days - 1)) + 22 * HOUR

    def reached(self, day: int) -> tuple[int, ...]:
        """Grids that the surge has reached by a day: one at first, all at the end."""
        share = (day - self.first_day + 1) / self.days
        return self.grids[: max(1, round(share * len(self.grids)))]


class Surges:
    """Draws what begins on any civil day from the seed and the day alone.

    `rates`: matters a day of each category in the whole city.
    """

    def __init__(
        self, seed: int, categories: tuple[Category, ...], territory: Territory, rates: NDArray[np.float64]
    ) -> None:
        self._seed = seed
        self._categories = categories
        self._grids = territory.grids
        self._rates = rates

    def begun(self, day: int) -> list[Surge]:
        """The surges that begin on a day, mostly none."""
        chance = stream(self._seed, 3, day)
        if chance.random() >= PER_DAY:
            return []
        category = int(chance.integers(0, len(self._categories)))
        first = self._grids[int(chance.integers(0, len(self._grids)))]
        grids = self._neighbours(first, 3 + int(chance.integers(0, 4)))
        days = 2 + int(chance.integers(0, LONGEST - 2))
        # What stands out from a busy category is more than what stands out from a rare one.
        a_day = 4.0 + float(chance.uniform(1.5, 4.5)) * float(np.sqrt(self._rates[category] / 2))
        return [Surge(f"surge-{civil(day):%Y%m%d}", category, grids, day, days, a_day)]

    def reports(self, day: int) -> Reports:
        """Moments, categories, grids and surges of the additional reports of a day."""
        at, category, grid, names = [], [], [], []
        for surge in (one for back in range(LONGEST) for one in self.begun(day - back)):
            if day >= surge.first_day + surge.days:
                continue
            chance = stream(self._seed, 4, day, surge.first_day)
            more = int(chance.poisson(surge.a_day * (0.5 + (day - surge.first_day) / surge.days)))
            at.append(midnight(day) + 7 * HOUR + (chance.random(more) * 15 * HOUR).astype(np.int64))
            category.append(np.full(more, surge.category))
            grid.append(chance.choice(np.array(surge.reached(day)), more))
            names += [surge.id] * more
        if not at:
            empty = np.empty(0, np.int64)
            return empty, empty, empty, []
        return np.concatenate(at), np.concatenate(category), np.concatenate(grid), names

    def _neighbours(self, grid: Place, n: int) -> tuple[int, ...]:
        """Numbers of the grid and of those nearest to it on the raster, nearest first."""
        near = sorted(
            range(len(self._grids)),
            key=lambda other: (
                abs(self._grids[other].x - grid.x) + abs(self._grids[other].y - grid.y),
                self._grids[other].key,
            ),
        )
        return tuple(near[:n])
