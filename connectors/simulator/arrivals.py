"""When and where simulated matters begin: weights, hours, weekdays, holidays, seasons, weather, and planted surges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.dice import stream
from connectors.simulator.sensed import Sensed
from connectors.simulator.surges import Surges
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Vocabulary
from connectors.simulator.weather import Weather
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
FESTIVAL_DAYS = 60
FESTIVAL_RISE = {"M25": 1.2}
"""How much more of a category comes in the sixty days before the Spring Festival."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """New reports of one day as columns, in order of time: epoch seconds, numbers of category and grid, the surge."""

    at: NDArray[np.int64]
    category: NDArray[np.int64]
    grid: NDArray[np.int64]
    surge: list[str]


class Arrivals:
    """Draws the reports of any civil day from the seed and the day alone."""

    def __init__(
        self,
        seed: int,
        words: Vocabulary,
        territory: Territory,
        working_time: WorkingTime,
        weather: Weather,
        per_day: float,
        sensed: Sensed,
    ) -> None:
        categories = words.categories
        self._seed = seed
        self._categories = categories
        self._festivals = words.festivals
        self._working_time = working_time
        self._weather = weather
        self._sensed = sensed
        self._hours = np.array([HOURS[one.hours] for one in categories], float)
        self._hours /= self._hours.sum(1, keepdims=True)
        self._rain = np.array([one.rain - 1.0 for one in categories])
        self._cold = np.array([one.cold for one in categories])
        weights = np.array([one.weight for one in categories])
        year = np.array([sum(one.season(month) for month in range(1, 13)) / 12 for one in categories])
        self._rates = per_day * weights / (weights * year).sum()
        share = stream(seed, 1).lognormal(0.0, 0.35, (len(categories), len(territory.grids)))
        # The sum ends at one whatever the rounding, so that no draw can fall behind the last grid.
        self._reach = np.cumsum(share / share.sum(1, keepdims=True), axis=1)
        self._reach[:, -1] = 1.0
        self.surges = Surges(seed, categories, territory, self._rates * year)

    def day(self, day: int) -> Fresh:
        """All new reports of a civil day."""
        chance = stream(self._seed, 2, day)
        numbers = chance.poisson(self._hours * self._day_rates(day)[:, None] * self._wet(day))
        category, hour = np.nonzero(numbers)
        repeat = numbers[category, hour]
        category, hour = np.repeat(category, repeat), np.repeat(hour, repeat)
        at = midnight(day) + hour * HOUR + chance.integers(0, HOUR, len(hour))
        draws = chance.random(len(hour))
        grid = np.empty(len(hour), np.int64)
        for row in np.unique(category):
            chosen = category == row
            grid[chosen] = np.searchsorted(self._reach[row], draws[chosen], side="right")
        surge = [""] * len(hour)
        for more_at, more_category, more_grid, names in (self.surges.reports(day), self._sensed.reports(day)):
            at, category, grid = (
                np.concatenate([own, more])
                for own, more in zip((at, category, grid), (more_at, more_category, more_grid), strict=True)
            )
            surge += names
        order = np.argsort(at, kind="stable")
        return Fresh(at[order], category[order], grid[order], [surge[index] for index in order.tolist()])

    def _day_rates(self, day: int) -> NDArray[np.float64]:
        """Reports of each category expected on the day, the weather's hours apart."""
        date = civil(day)
        works = self._working_time.works(day)
        weekday = date.weekday() if works else max(date.weekday(), 5)
        is_holiday = not works and date.weekday() < 5
        nears = any(0 < (festival - date).days <= FESTIVAL_DAYS for festival in self._festivals)
        factors = []
        for one in self._categories:
            factor = one.season(date.month) * WEEKDAYS[one.hours][weekday]
            if is_holiday and one.hours in ("evening", "night"):
                factor *= 1.15
            if nears:
                factor *= 1.0 + FESTIVAL_RISE.get(one.key, 0.0)
            factors.append(factor)
        cold = self._cold if self._weather.is_cold(day) else 1.0
        rates: NDArray[np.float64] = self._rates * np.array(factors) * cold
        return rates

    def _wet(self, day: int) -> NDArray[np.float64]:
        """Factor by category and hour: what rain raises stands 2 to 8 hours after it, over midnight if need be."""
        factor: NDArray[np.float64] = 1.0 + self._rain[:, None] * np.minimum(self._weather.wetness(day), 1.5)
        return factor
