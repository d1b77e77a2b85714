"""The offices at work: temper, staffing that comes and goes, capacity, and how much lies open on each desk."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.dice import stream
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import HORIZON_DAYS, split_limit

MEMORY = 0.9
"""How much of today's staffing is yesterday's."""


class Desks:
    """All desks of a city, in the order of the territory's offices; asked day after day.

    `capacity` is the open work an office carries without getting slower; twice as much strains it.
    """

    def __init__(
        self, seed: int, territory: Territory, categories: tuple[Category, ...], per_day: float, first_day: int
    ) -> None:
        self._seed = seed
        self._first_day = first_day
        self._moves = np.zeros((HORIZON_DAYS, len(territory.offices)), np.int32)
        self._shortage = np.zeros(len(territory.offices))
        self.open = np.zeros(len(territory.offices), np.int64)
        arrivals, self.capacity = _usual_work(territory, categories, per_day)
        drawn = stream(seed, 6).normal(size=len(territory.offices))
        # Centred where the work is, or one busy office would move the whole city.
        mean = np.average(drawn, weights=arrivals)
        self.temper = (drawn - mean) / np.sqrt(np.average((drawn - mean) ** 2, weights=arrivals))

    def strain(self, day: int) -> NDArray[np.float64]:
        """Load and staffing of each desk on the logit of failing, 0 on a usual day; days in order, each once."""
        self.open += self._moves[day - 1 - self._first_day] if day > self._first_day else 0
        chance = stream(self._seed, 5, day)
        self._shortage = MEMORY * self._shortage + sqrt(1.0 - MEMORY * MEMORY) * chance.normal(size=len(self.open))
        crowding = np.log((self.open + 4.0) / (self.capacity + 4.0))
        strain: NDArray[np.float64] = 1.5 * np.clip(crowding, -1.0, 1.0) + 0.3 * self._shortage
        return strain

    def move(self, day: NDArray[np.int64], office: NDArray[np.int64], by: int) -> None:
        """Put a matter on each of these desks on a day (`by` 1), or take it off (-1)."""
        np.add.at(self._moves, (np.minimum(day - self._first_day, HORIZON_DAYS - 1), office), by)


def _usual_work(
    territory: Territory, categories: tuple[Category, ...], per_day: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matters that come to each desk in a day, and that usually lie open on it (arrivals times days, Little's law)."""
    whole = sum(one.weight for one in categories)
    number = {key: index for index, key in enumerate(territory.offices)}
    arrivals, work = np.zeros(len(number)), np.zeros(len(number))
    for one in categories:
        amount, unit = split_limit(one.limit)
        days = 0.65 * amount * {"h": 1 / 24, "d": 1.0, "wd": 1.4}[unit]
        share = per_day * one.weight / whole / len(territory.grids)
        town = one.town_share if one.town else 0.0
        parts = [(kind, (1.0 - town) / len(one.lead)) for kind in one.lead] + ([(one.town, town)] if town else [])
        for grid in territory.grids:
            for kind, part in parts:
                office = number[territory.office(kind, grid.key)]
                arrivals[office] += share * part
                work[office] += share * part * days
    return arrivals, work
