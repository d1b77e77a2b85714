"""How reports become simulated matters: channel, office, words, due time, and the burden that makes their chances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.arrivals import Fresh
from connectors.simulator.batch import Registered
from connectors.simulator.desks import Desks
from connectors.simulator.dice import stream
from connectors.simulator.latent import Burden, chances
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category, Vocabulary
from connectors.simulator.wording import CONTACTS, FACT_SPREAD
from connectors.simulator.working_time import DAY, HOUR, ZONE, WorkingTime, civil, split_limit

CHANNELS = ("hotline", "grid", "petition", "other", "sensor")
CHANNEL_SHARES = (0.72, 0.22, 0.04, 0.02)
CHANNEL_LEANING = (0.0, -0.6, 0.7, 0.2, -0.7)
PETITIONED = frozenset({"M06", "M25", "M30"})
SENSED = frozenset({"M09", "M11", "M21", "M24"})
POINTS = 400
"""Spots within a grid, so that two unlike matters of a category seldom share one."""
URGENT_LIMIT = "2h"
URGENT_HAZARD, URGENT_OTHER = 0.03, 0.004
"""Share of urgent reports among categories that are hazards, and among the others that know a danger."""
HIDDEN = 0.45
"""Standard deviation of the part of the difficulty that shows in nothing."""
SEVERAL, TOLD_BEFORE = 0.22, 0.1


@dataclass(slots=True)
class Returning:
    """Reports of matters that were there before: when, and what they take over from the earlier one."""

    at: NDArray[np.int64]
    category: NDArray[np.int64]
    grid: NDArray[np.int64]
    point: NDArray[np.int64]
    office: NDArray[np.int64]
    fact: NDArray[np.int64]
    parent: NDArray[np.int64]
    is_repeat: NDArray[np.bool_]
    surge: list[str]


class Intake:
    """Registers the reports of one day after the other; draws from the seed and the day alone."""

    def __init__(
        self, seed: int, words: Vocabulary, territory: Territory, working_time: WorkingTime, desks: Desks
    ) -> None:
        self._seed = seed
        self._time = working_time
        self._desks = desks
        self._tables(words, territory)
        world = stream(seed, 8)
        n, grids = len(words.categories), len(territory.grids)
        is_short = np.array([one.limit == URGENT_LIMIT for one in words.categories])
        self._leaning = 0.25 * world.normal(size=n) - 0.4 * is_short
        counties = [territory.county(cell.key) for cell in territory.grids]
        self._county = np.unique(counties, return_inverse=True)[1]
        self._pairs = 0.3 * world.normal(size=(n, 2))
        self._grids = 0.5 * world.normal(size=grids)
        self._serial = 1

    def _tables(self, words: Vocabulary, territory: Territory) -> None:
        """What depends on category and grid alone, as arrays."""
        categories = words.categories
        number = {key: index for index, key in enumerate(territory.offices)}
        kinds = sorted({kind for one in categories for kind in (*one.lead, *one.rivals, one.town) if kind})
        answers = {
            kind: np.array([number[territory.office(kind, cell.key)] for cell in territory.grids]) for kind in kinds
        }
        self.limits = sorted({*(one.limit for one in categories), URGENT_LIMIT})
        self._limit = np.array([self.limits.index(one.limit) for one in categories])
        self._lead = _offices([one.lead for one in categories], answers, len(territory.grids))
        self._leads = np.array([len(one.lead) for one in categories])
        self._town = _offices([(one.town,) if one.town else () for one in categories], answers, len(territory.grids))
        self._town_share = np.array([one.town_share if one.town else 0.0 for one in categories])
        self._rivals = _offices([(*one.rivals, *one.lead) for one in categories], answers, len(territory.grids))
        self._facts = np.array([len(words.phrases["facts"][one.key]) for one in categories])
        self._shared = np.array([one.scene != "other" for one in categories])
        self._urgent = np.array([_urgency(one, words) for one in categories])
        self._sensed = np.array([one.key in SENSED for one in categories])
        self._petitioned = np.array([one.key in PETITIONED for one in categories])
        self._returned = np.array([one.returned for one in categories])
        self._again = np.array([one.again for one in categories])

    def register(self, day: int, fresh: Fresh, returning: Returning) -> Registered:
        """The matters of a day, in order of time, without their steps."""
        n, old = len(fresh.at) + len(returning.at), len(returning.at)
        chance = stream(self._seed, 9, day)
        coins = chance.random((9, n))
        key = chance.integers(0, 1 << 63, n, np.uint64)
        order = np.argsort(np.concatenate([fresh.at, returning.at]), kind="stable")
        is_old = (np.arange(n) >= n - old)[order]

        def both(new: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.concatenate([new, before])[order]

        none = np.zeros(n - old, np.int64)
        at, category = both(fresh.at, returning.at), both(fresh.category, returning.category)
        grid = both(fresh.grid, returning.grid)
        channel = np.where(is_old, 0, self._channel(category, coins[0], coins[1]))
        office = np.where(is_old, both(none, returning.office), self._office(category, grid, coins[2], coins[3]))
        is_told = channel < 4
        is_told &= channel != 1
        drawn = (coins[4] * self._facts[category]).astype(np.int64)
        fact = np.where(is_old, both(none, returning.fact), drawn)
        urgent = coins[5] < self._urgent[category]
        several = is_told & self._shared[category] & (coins[6] < SEVERAL)
        is_repeat = np.concatenate([np.zeros(n - old, np.bool_), returning.is_repeat])[order]
        told_before = is_told & (is_repeat | (coins[7] < TOLD_BEFORE))
        limit = np.where(urgent, self.limits.index(URGENT_LIMIT), self._limit[category])
        shown = FACT_SPREAD * (2 * fact / (self._facts[category] - 1) - 1) + 0.8 * several + 0.9 * told_before
        strain = self._desks.strain(day)[office]
        burden = Burden(
            difficulty=shown - 0.25 + HIDDEN * chance.normal(size=n),
            temper=self._desks.temper[office],
            strain=strain,
            leaning=self._lean(day, at, category, grid, channel, limit),
            returned=self._returned[category],
            again=self._again[category],
        )
        point = np.where(is_old, both(none, returning.point), 1 + chance.integers(0, POINTS, n))
        surges = fresh.surge + returning.surge
        rivals = self._rivals[category, :, grid]
        first, self._serial = self._serial, self._serial + n
        return Registered(
            first=first,
            day=day,
            at=at,
            category=category,
            grid=grid,
            point=point,
            channel=channel,
            office=office,
            rivals=np.where(rivals == office[:, None], -1, rivals),
            limit=limit,
            due=self.due(at, limit),
            urgent=urgent,
            several=several,
            told_before=told_before,
            fact=fact,
            contact=is_told & (coins[8] < CONTACTS),
            key=key,
            parent=both(none, returning.parent),
            is_repeat=is_repeat,
            surge=[surges[index] for index in order.tolist()],
            burden=burden,
            chances=chances(burden),
        )

    def due(self, at: NDArray[np.int64], limit: NDArray[np.int64]) -> NDArray[np.int64]:
        """When each limit that begins at `at` ends."""
        found = np.empty(len(at), np.int64)
        for index in np.unique(limit).tolist():
            rows = limit == index
            found[rows] = self._time.due(at[rows], self.limits[index])
        return found

    def _channel(
        self, category: NDArray[np.int64], kind: NDArray[np.float64], share: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        plain = np.searchsorted(np.cumsum(CHANNEL_SHARES)[:-1], share, side="right")
        petition = np.where(self._petitioned[category] & (kind < 0.2), 2, plain)
        found: NDArray[np.int64] = np.where(self._sensed[category] & (kind < 0.4), 4, petition)
        return found

    def _office(
        self, category: NDArray[np.int64], grid: NDArray[np.int64], town: NDArray[np.float64], lead: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The office that gets the matter first."""
        leading = self._lead[category, (lead * self._leads[category]).astype(np.int64), grid]
        found: NDArray[np.int64] = np.where(town < self._town_share[category], self._town[category, 0, grid], leading)
        return found

    def _lean(
        self,
        day: int,
        at: NDArray[np.int64],
        category: NDArray[np.int64],
        grid: NDArray[np.int64],
        channel: NDArray[np.int64],
        limit: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """What makes such matters fail more or less often, whoever handles them."""
        in_hours = np.array([split_limit(one)[1] == "h" for one in self.limits])
        clock = (at + ZONE) % DAY
        at_night = (clock < 7 * HOUR) | (clock >= 19 * HOUR)
        ends_the_week = in_hours[limit] & (civil(day).weekday() >= 3)
        lean: NDArray[np.float64] = (
            self._leaning[category]
            + self._pairs[category, self._county[grid]]
            + self._grids[grid]
            + np.array(CHANNEL_LEANING)[channel]
            + 0.6 * ends_the_week
            + 0.5 * at_night
        )
        return lean


def _offices(kinds: list[tuple[str, ...]], answers: dict[str, NDArray[np.int64]], grids: int) -> NDArray[np.int64]:
    """(category, place in the list, grid) -> number of the office; -1 where the list is shorter."""
    found = np.full((len(kinds), max(map(len, kinds)), grids), -1, np.int64)
    for row, listed in enumerate(kinds):
        for place, kind in enumerate(dict.fromkeys(listed)):
            found[row, place] = answers[kind]
    return found


def _urgency(category: Category, words: Vocabulary) -> float:
    if category.key not in words.phrases["danger"]:
        return 0.0
    return URGENT_HAZARD if category.hazard else URGENT_OTHER
