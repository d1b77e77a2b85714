"""The simulated city: a seeded stream of signals in order of time, and its truth, which no pipeline may read."""

from collections.abc import Iterator
from datetime import date
from heapq import heappop, heappush
from typing import Any

import numpy as np

from connectors.simulator.agenda import Agenda
from connectors.simulator.arrivals import Arrivals
from connectors.simulator.batch import Batch, Ints
from connectors.simulator.desks import Desks
from connectors.simulator.intake import Intake
from connectors.simulator.life import Lives
from connectors.simulator.reaction import hasten
from connectors.simulator.readings import ReadingBlock, Sensors
from connectors.simulator.sensed import Sensed
from connectors.simulator.telling import Telling
from connectors.simulator.territory import build_territory
from connectors.simulator.truth import matter_truths, surge_truth
from connectors.simulator.vocabulary import vocabulary
from connectors.simulator.weather import Weather
from connectors.simulator.working_time import WorkingTime, civil, day_of, midnight
from pipeline.signal import Signal, Step

START = date(2025, 5, 12)
WARM_UP_DAYS = 14
"""Days lived before the first signal, so that offices have work on their desks when the story begins."""
FRESH_SHARE = 0.84
"""Share of the asked number a day that is drawn as new; repeats, doubles and surges bring the rest."""
KEPT_DAYS = 75
"""Days for which a matter can still be hastened."""
_TAKES = [int(Step.ROUTED), int(Step.HANDED_OVER), int(Step.REOPENED)]
_S = 1_000_000


class City:
    """A city that lives by its seed alone; equal arguments give equal signals, however they are asked for.

    Parameters
    ----------
    seed : of every chance in it.
    grids : base grids, spread over twelve townships of two counties.
    start : civil date (UTC+8) of the first signal.
    per_day : matters a day on average; by default 150, or 0.346 for each grid where that is more.
    sensors : how many; their hazards bring matters too. coarsest_s : none of them reports more often.

    Examples
    --------
    >>> city = City(seed=7, grids=8)
    >>> [signal.step.name for signal in city.signals(*city.span(days=1))][:1]
    ['REGISTERED']
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        grids: int = 240,
        start: date = START,
        per_day: float | None = None,
        sensors: int = 32,
        coarsest_s: int = 0,
    ) -> None:
        self.seed = seed
        self.start = start
        self.words = words = vocabulary()
        self.territory = build_territory(words, grids)
        self.weather = Weather(seed)
        self._first_day = start.toordinal() - date(1970, 1, 1).toordinal()
        self.per_day = max(150.0, 0.346 * grids) if per_day is None else float(per_day)
        fresh = FRESH_SHARE * self.per_day
        begins = self._first_day - WARM_UP_DAYS
        time = WorkingTime(begins - 10, words.holidays, words.worked_weekends)
        self._desks = Desks(seed, self.territory, words.categories, fresh, begins)
        self.sensors = Sensors(
            self.territory, self.weather, seed=seed, count=sensors, first_day=self._first_day, coarsest_s=coarsest_s
        )
        sensed = Sensed(seed, words.categories, self.territory, self.sensors)
        self._arrivals = Arrivals(seed, words, self.territory, time, self.weather, fresh, sensed)
        self._intake = Intake(seed, words, self.territory, time, self._desks)
        self._lives = Lives(seed, self._intake.limits, time)
        self._telling = Telling(words, self.territory, self._intake.limits)
        self._agenda = Agenda(seed)
        self._day = begins
        self._today: Iterator[Signal] = iter(())
        self._ahead: Signal | None = None
        self._reached = self.begin
        self._truth: list[dict[str, Any]] = []
        self._names: dict[int, str] = {}
        self._batches: dict[str, Batch] = {}
        self._hastened: list[tuple[int, int, Batch]] = []

    @property
    def begin(self) -> int:
        """The first moment of the story, in µs UTC."""
        return int(midnight(self._first_day)) * _S

    def span(self, days: int) -> tuple[int, int]:
        """The first so many days of the story: begin and end in µs UTC."""
        return self.begin, int(midnight(self._first_day + days)) * _S

    def signals(self, begin: int, until: int) -> Iterator[Signal]:
        """Signals at or after `begin` and before `until` (µs UTC), in order of time; windows follow one another.

        Raises ValueError for a window that begins before the end of the last one: the city cannot go back.
        """
        if begin < self._reached:
            raise ValueError(f"the city has reached {self._reached}; it cannot go back to {begin}")
        self._reached = until
        return self._between(begin, until)

    def react(self, matter: str, action: str, at: int) -> bool:
        """People did something about a matter (acknowledged, assigned, confirmed) at `at` (µs UTC): hasten its future.

        False when nothing changes: it is unknown or done, or its office does not answer. Not for back-tests: what comes
        then depends on who acts. The truth keeps what would have been.
        """
        day, _, serial = matter.partition("-")
        batch = self._batches.get(day)
        if batch is None or not serial.isdigit():
            return False
        moved = hasten(batch, int(serial) - batch.registered.first, action, max(at, self._reached) // _S)
        if not len(moved):
            return False
        days = day_of(batch.story.at[moved])
        self._agenda.plan(batch, moved[days >= self._day])
        for index in moved[days < self._day].tolist():
            heappush(self._hastened, (int(batch.story.at[index]), index, batch))
        return True

    def readings(self, begin: int, until: int) -> Iterator[ReadingBlock]:
        """What the sensors send in a window, in blocks in order of arrival; windows follow one another."""
        return self.sensors.readings(begin, until)

    def truth(self) -> list[dict[str, Any]]:
        """What became true since the last call, of the days begun: matters, planted surges, episodes of sensors."""
        told, self._truth = self._truth, []
        return told + self.sensors.truth(int(midnight(self._day)) * _S)

    def _between(self, begin: int, until: int) -> Iterator[Signal]:
        while True:
            signal = self._ahead if self._ahead is not None else next(self._today, None)
            self._ahead = None
            if self._hastened and (sooner := self._sooner(signal, until)) is not None:
                self._ahead = signal
                yield sooner
            elif signal is None:
                if midnight(self._day) * _S >= until:
                    return
                if midnight(self._day + 1) * _S <= begin:
                    self._live(self._day)  # it has to be lived, and nobody wants to hear of it
                    self._day += 1
                    continue
                self._today = self._live(self._day)
                self._day += 1
            elif signal.at >= until:
                self._ahead = signal
                return
            elif signal.at >= begin:
                yield signal

    def _live(self, day: int) -> Iterator[Signal]:
        """Let a day begin: register its matters, and tell every step that falls on it."""
        born = self._intake.register(day, self._arrivals.day(day), self._agenda.returning(day))
        batch = Batch(born, self._lives.live(born))
        self._count_work(batch)
        self._agenda.take(batch)
        if day >= self._first_day:
            self._tell_truth(batch)
            self._batches[f"{civil(day):%Y%m%d}"] = batch
            self._batches.pop(f"{civil(day - KEPT_DAYS):%Y%m%d}", None)
        return self._told(self._agenda.steps(day))

    def _sooner(self, signal: Signal | None, until: int) -> Signal | None:
        """The next hastened step, if it comes before this signal and before `until`."""
        at, index, batch = self._hastened[0]
        if at * _S >= until or (signal is not None and signal.at < at * _S):
            return None
        heappop(self._hastened)
        return next(self._telling.signals(batch, self._telling.names(batch), np.array([index])))

    def _count_work(self, batch: Batch) -> None:
        story = batch.story
        day = day_of(story.at)
        takes = np.isin(story.step, _TAKES)
        self._desks.move(day[takes], story.office[takes], 1)
        passed, done = story.step == Step.HANDED_OVER, story.step == Step.REPORTED_DONE
        self._desks.move(day[passed], story.rival[passed], -1)
        self._desks.move(day[done], story.office[done], -1)

    def _told(self, parts: list[tuple[Batch, Ints]]) -> Iterator[Signal]:
        """The steps of a day in order of time, those of matters from before the story left out."""
        told = [(batch, chosen) for batch, chosen in parts if batch.registered.day >= self._first_day]
        if not told:
            return
        names = [self._telling.names(batch) for batch, _ in told]
        at = np.concatenate([batch.story.at[chosen] for batch, chosen in told])
        owner = np.repeat(np.arange(len(told)), [len(chosen) for _, chosen in told])
        order = np.argsort(at, kind="stable")
        # Each batch tells its own steps in order of time, so taking turns by the sorted owners keeps the order.
        tellers = [
            self._telling.signals(batch, own, chosen[np.argsort(batch.story.at[chosen], kind="stable")])
            for (batch, chosen), own in zip(told, names, strict=True)
        ]
        for number in owner[order].tolist():
            signal = next(tellers[number])
            if signal is not None:
                yield signal

    def _tell_truth(self, batch: Batch) -> None:
        born = batch.registered
        self._names.update(zip(range(born.first, born.first + len(born)), self._telling.names(batch), strict=True))
        categories = self.words.categories
        self._truth += matter_truths(batch, self._telling, self.territory, categories, self._names)
        begun = self._arrivals.surges.begun(born.day)
        self._truth += [surge_truth(surge, categories, self.territory) for surge in begun]
