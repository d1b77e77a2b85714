"""The offices at work: temper, staffing that comes and goes, and how much lies open on each desk."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt

from connectors.simulator.dice import Dice
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import split_limit
from pipeline.signal import Step

MEMORY = 0.9
"""How much of today's staffing is yesterday's."""
TAKES = frozenset({Step.ROUTED, Step.HANDED_OVER, Step.REOPENED})


@dataclass(slots=True)
class Desk:
    """One office: what it is by nature, its shortage of staff now (0 = usual) and its open work."""

    temper: float
    typical: float
    shortage: float = 0.0
    open: int = 0

    @property
    def strain(self) -> float:
        """Load and staffing on the logit of failing: 0 on a usual day."""
        crowding = log((self.open + 4.0) / (self.typical + 4.0))
        return 0.8 * min(max(crowding, -1.5), 1.5) + 0.5 * self.shortage


class Desks:
    """All desks of a city by the key of their office."""

    def __init__(self, seed: int, territory: Territory, categories: tuple[Category, ...], per_day: float) -> None:
        self._dice = Dice(seed, 4)
        typical = _typical_work(territory, categories, per_day)
        nature = Dice(seed, 6)
        self._desks = {key: Desk(nature.normal(), typical.get(key, 0.0)) for key in territory.offices}
        self._holder: dict[str, str] = {}

    def __getitem__(self, office: str) -> Desk:
        """The desk of an office."""
        return self._desks[office]

    def next_day(self) -> None:
        """Let staffing move on by a day."""
        step = sqrt(1.0 - MEMORY * MEMORY)
        for desk in self._desks.values():
            desk.shortage = MEMORY * desk.shortage + step * self._dice.normal()

    def move(self, matter: str, step: Step, office: str) -> None:
        """Put a matter on a desk, or take it off when its office claims to be done."""
        if step in TAKES:
            self._release(matter)
            self._desks[office].open += 1
            self._holder[matter] = office
        elif step is Step.REPORTED_DONE:
            self._release(matter)

    def _release(self, matter: str) -> None:
        holder = self._holder.pop(matter, None)
        if holder is not None:
            self._desks[holder].open -= 1


def _typical_work(territory: Territory, categories: tuple[Category, ...], per_day: float) -> Mapping[str, float]:
    """Matters that usually lie open on each desk: arrivals a day times the days they stay, by Little's law."""
    whole = sum(one.weight for one in categories)
    work: dict[str, float] = {}
    for one in categories:
        amount, unit = split_limit(one.limit)
        days = 0.65 * amount * {"h": 1 / 24, "d": 1.0, "wd": 1.4}[unit]
        share = per_day * one.weight / whole * days / len(territory.grids)
        for grid in territory.grids:
            town = one.town_share if one.town else 0.0
            parts = [(kind, (1.0 - town) / len(one.lead)) for kind in one.lead] + ([(one.town, town)] if town else [])
            for kind, part in parts:
                key = territory.office(kind, grid.key)
                work[key] = work.get(key, 0.0) + share * part
    return work
