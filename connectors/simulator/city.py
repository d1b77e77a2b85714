"""The simulated city: a seeded stream of signals in order of time, and its truth, which no pipeline may read."""

from collections.abc import Iterator
from datetime import date
from heapq import heappop, heappush
from itertools import count
from typing import Any

from connectors.simulator.arrivals import Arrival, Arrivals
from connectors.simulator.desks import Desks
from connectors.simulator.dice import Dice
from connectors.simulator.intake import Intake
from connectors.simulator.life import Event, Matter, live
from connectors.simulator.telling import Telling
from connectors.simulator.territory import build_territory
from connectors.simulator.truth import matter_truth, surge_truth
from connectors.simulator.vocabulary import vocabulary
from connectors.simulator.wording import Wording
from connectors.simulator.working_time import DAY, HOUR, WorkingTime, midnight
from pipeline.signal import Signal, Step

START = date(2025, 5, 12)
WARM_UP_DAYS = 14
"""Days lived before the first signal, so that offices have work on their desks when the story begins."""
FRESH_SHARE = 0.84
"""Share of the asked number a day that is drawn as new; repeats, doubles and surges bring the rest."""


class City:
    """A city that lives by its seed alone; equal arguments give equal signals, a longer run begins like a shorter one.

    Parameters
    ----------
    seed : of every chance in it.
    grids : base grids, spread over two counties.
    start : civil date (UTC+8) of the first signal.
    per_day : matters a day on average; by default 150, or 0.346 for each grid where that is more.

    Examples
    --------
    >>> [signal.step.name for signal in City(seed=7, grids=8).signals(days=1)][:1]
    ['REGISTERED']
    """

    def __init__(self, *, seed: int = 7, grids: int = 24, start: date = START, per_day: float | None = None) -> None:
        self.words = vocabulary()
        self.territory = build_territory(self.words, grids)
        self.start = start
        self._first_day = start.toordinal() - date(1970, 1, 1).toordinal()
        self._begins_at = midnight(self._first_day)
        fresh = FRESH_SHARE * (max(150.0, 0.346 * grids) if per_day is None else per_day)
        categories = self.words.categories
        self._time = WorkingTime(self._first_day - WARM_UP_DAYS - 10, self.words.holidays, self.words.worked_weekends)
        self._arrivals = Arrivals(seed, categories, self.territory, self._time, fresh)
        self._desks = Desks(seed, self.territory, categories, fresh)
        wording = Wording(self.words, Dice(seed, 5))
        self._intake = Intake(seed, categories, self.territory, self._time, self._desks, wording)
        self._telling = Telling(self.territory, wording)
        self._dice = Dice(seed, 3)
        self._index = {one.key: number for number, one in enumerate(categories)}
        self._heap: list[tuple[int, int, Matter | None, Event | Arrival]] = []
        self._order = count()
        self._truth: list[dict[str, Any]] = []
        self._surges_told = 0

    def signals(self, days: int | None = None) -> Iterator[Signal]:
        """Signals in order of time for so many days from the start; without a number, for ever. Call it once."""
        day = self._first_day - WARM_UP_DAYS
        while days is None or day < self._first_day + days:
            self._desks.next_day()
            for arrival in self._arrivals.day(day):
                self._push(arrival.at, None, arrival)
            yield from self._until(midnight(day + 1))
            day += 1

    def truth(self) -> list[dict[str, Any]]:
        """What became true since the last call: a record for each new matter and each planted surge."""
        told, self._truth = self._truth, []
        surges = self._arrivals.surges[self._surges_told :]
        self._surges_told += len(surges)
        return told + [surge_truth(one, self.words.categories) for one in surges if one.first_day >= self._first_day]

    def _push(self, at: int, matter: Matter | None, item: Event | Arrival) -> None:
        heappush(self._heap, (at, next(self._order), matter, item))

    def _until(self, end: int) -> Iterator[Signal]:
        heap = self._heap
        while heap and heap[0][0] < end:
            _, _, matter, item = heappop(heap)
            if isinstance(item, Arrival):
                self._begin(item, same_as=matter)
                continue
            assert matter is not None  # only arrivals come without one
            self._desks.move(matter.id, item.step, item.office)
            if matter.at >= self._begins_at:
                yield self._telling.signal(matter, item)
            if item.step is Step.REPORTED_AGAIN:
                again = Arrival(item.at, self._index[matter.category.key], matter.place, "")
                self._begin(again, repeats=matter)

    def _begin(self, arrival: Arrival, *, repeats: Matter | None = None, same_as: Matter | None = None) -> None:
        """Register a matter, draw its life at once and put its steps on the heap."""
        matter, identifiers = self._intake.register(arrival, repeats=repeats, same_as=same_as)
        live(matter, self._dice, self._time)
        for event in matter.events:
            self._push(event.at, matter, event)
        matter.events = []
        if matter.again_at:
            self._push(matter.again_at, matter, Event(matter.again_at, Step.REPORTED_AGAIN, matter.office))
        for _ in range(matter.doubled):
            at = arrival.at + HOUR // 2 + int(self._dice.unit() * 2 * DAY)
            self._push(at, matter, Arrival(at, arrival.category, arrival.grid, arrival.surge))
        if matter.at >= self._begins_at:
            self._truth.append(matter_truth(matter, identifiers))
