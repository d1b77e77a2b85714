"""How a report becomes a simulated matter: channel, office, words, due time, and the burden that makes its chances."""

from itertools import count

from connectors.simulator.arrivals import Arrival
from connectors.simulator.desks import Desks
from connectors.simulator.dice import Dice
from connectors.simulator.latent import Burden, chances
from connectors.simulator.life import Matter
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.wording import Identifier, Wording
from connectors.simulator.working_time import WorkingTime, civil, day_of, split_limit

CHANNELS = ("hotline", "grid", "petition", "other")
CHANNEL_SHARES = (0.72, 0.22, 0.04, 0.02)
CHANNEL_LEANING = {"hotline": 0.0, "grid": -0.35, "petition": 0.35, "sensor": -0.4, "other": 0.1}
PETITIONED = frozenset({"M06", "M25", "M30"})
SENSED = frozenset({"M09", "M11", "M21", "M24"})
POINTS = 400
"""Spots within a grid, so that two unlike matters of a category seldom share one."""
URGENT_LIMIT = "2h"
HIDDEN = 0.65
"""Standard deviation of the part of the difficulty that shows in nothing."""


class Intake:
    """Registers matters one by one; draws from streams of its own, so that nothing else moves when it changes."""

    def __init__(
        self,
        seed: int,
        categories: tuple[Category, ...],
        territory: Territory,
        working_time: WorkingTime,
        desks: Desks,
        wording: Wording,
    ) -> None:
        world = Dice(seed, 0)
        self._categories = categories
        self._leaning = {one.key: 0.5 * world.normal() - 0.4 * (one.limit == URGENT_LIMIT) for one in categories}
        self._pairs = {
            (one.key, place.key): 0.45 * world.normal()
            for one in categories
            for place in territory.places.values()
            if place.kind == "county"
        }
        self._grids = {cell.key: 0.25 * world.normal() for cell in territory.grids}
        self._dice = Dice(seed, 7)
        self._territory = territory
        self._time = working_time
        self._desks = desks
        self._wording = wording
        self._serial = count(1)

    def register(
        self, arrival: Arrival, *, repeats: Matter | None, same_as: Matter | None
    ) -> tuple[Matter, tuple[Identifier, ...]]:
        """The new matter, without its steps, and the contact details planted in its text.

        `repeats`: the matter that came back with this report; `same_as`: the one that somebody else reports too.
        """
        dice, parent = self._dice, repeats or same_as
        category = self._categories[arrival.category]
        channel = self._channel(category) if parent is None else "hotline"
        office, rivals = (parent.office, parent.rivals) if parent else self._offices(category, arrival.grid)
        town = self._territory.places[self._territory.township(arrival.grid)].zh
        complaint = self._wording.complaint(
            category,
            channel,
            town,
            self._territory.offices[office].zh,
            fact=parent.fact if parent else -1,
            again=repeats is not None,
        )
        limit = URGENT_LIMIT if complaint.urgent else category.limit
        burden = Burden(
            difficulty=complaint.shown - 0.15 + HIDDEN * dice.normal(),
            temper=self._desks[office].temper,
            strain=self._desks[office].strain,
            leaning=self._lean(category, arrival, channel, limit),
            returned=category.returned,
            again=category.again,
        )
        matter = Matter(
            id=f"{civil(day_of(arrival.at)):%Y%m%d}-{next(self._serial):06d}",
            category=category,
            place=arrival.grid,
            point=parent.point if parent else f"{1 + dice.below(POINTS):03d}",
            channel=channel,
            office=office,
            rivals=rivals,
            at=arrival.at,
            limit=limit,
            due=self._time.due(arrival.at, limit),
            urgent=complaint.urgent,
            several=complaint.several,
            fact=complaint.fact,
            text=complaint.text,
            burden=burden,
            chances=chances(burden),
            surge=arrival.surge,
            repeats=repeats.id if repeats else "",
            same_as=same_as.id if same_as else "",
        )
        return matter, complaint.identifiers

    def _channel(self, category: Category) -> str:
        if category.key in SENSED and self._dice.happens(0.4):
            return "sensor"
        if category.key in PETITIONED and self._dice.happens(0.2):
            return "petition"
        draw = self._dice.unit()
        for name, share in zip(CHANNELS, CHANNEL_SHARES, strict=True):
            draw -= share
            if draw < 0:
                return name
        return CHANNELS[0]

    def _offices(self, category: Category, grid: str) -> tuple[str, tuple[str, ...]]:
        """The office that gets the matter, and those to which it would be passed on."""
        if category.town and self._dice.happens(category.town_share):
            office = self._territory.office(category.town, grid)
        else:
            office = self._territory.office(self._dice.pick(category.lead), grid)
        others = (self._territory.office(kind, grid) for kind in (*category.rivals, *category.lead))
        return office, tuple(dict.fromkeys(other for other in others if other != office))

    def _lean(self, category: Category, arrival: Arrival, channel: str, limit: str) -> float:
        """What makes such matters fail more or less often, whoever handles them."""
        ends_the_week = civil(day_of(arrival.at)).weekday() >= 3 and split_limit(limit)[1] == "h"
        return (
            self._leaning[category.key]
            + self._pairs[category.key, self._territory.county(arrival.grid)]
            + self._grids[arrival.grid]
            + CHANNEL_LEANING[channel]
            + (0.3 if ends_the_week else 0.0)
        )
