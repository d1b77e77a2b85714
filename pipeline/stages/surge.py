"""Surges: counts of matters by place and category, in a rolling window against what the hour and the day usually bring.

Each registration counts at the root and at the county of its place. A window of 24 hours is looked at every full hour;
what it should hold is made of yesterday's and today's expected counts in proportion to the site's usual hours. A day
is learned when it is over; a day on which nothing at all came is unknown, not nought.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.counts import DAY, LONGEST, CountModel, CountSeries
from models.tail import upper_tail_of
from pipeline.calendar import HOUR_US, MINUTE_US
from pipeline.ids import key128
from pipeline.rules import FoldRules

DAY_MINUTES = 1_440
HOURS = 24
LEAST_DAYS = 30.0
"""The lowest recurrence that can raise anything where no levels are told."""
_PRIOR_COUNTS = 0.5
"""What a category that never came before is taken to have had in all the days seen so far."""
_PROFILE_KEPT = 0.97
"""Weight that the hours of one day keep on the next."""


@dataclass(frozen=True, slots=True)
class SurgeRules:
    """How surges are looked for; `every`, `window` in minutes; `warm_days`, `warm_bins` of history come first.

    A surge needs `min_count` matters and a recurrence of `least_days`, the lowest cut-off of a level, and of
    `least_bins` windows or periods: a month as full as every third one surprises nobody. `partitions` are those of the
    signals log: a minute is complete when each has passed it.
    """

    window: int = DAY_MINUTES
    every: int = 60
    min_count: int = 3
    warm_days: int = 28
    warm_bins: int = 12
    partitions: int = 1
    least_days: float = LEAST_DAYS
    least_bins: float = 20.0

    @classmethod
    def of(cls, rules: FoldRules) -> "SurgeRules":
        """What the rules of a log say of surges; a window is a day at most."""
        levels = rules.levels.get("levels") or [{"raise_recurrence_days": LEAST_DAYS}]
        told: dict[str, Any] = {"least_days": float(levels[0]["raise_recurrence_days"]), **rules.surge}
        told["window"] = min(int(told.get("window", DAY_MINUTES)), DAY_MINUTES)
        return cls(**told)

    def is_warm(self, bins: int, bin_days: float) -> bool:
        """Whether enough bins were learned to call one a surge."""
        return bins >= self.warm_bins and bins * bin_days >= self.warm_days

    def least(self, bin_days: float) -> float:
        """The least recurrence (days) that is told at all for bins of this length."""
        return max(self.least_days, self.least_bins * bin_days)


@dataclass(frozen=True, slots=True)
class Surprise:
    """A cell's count in a window (or period) beside its expectation; `recurrence` in days, 0 for no surprise."""

    key: bytes
    place: int
    category: int
    count: float
    expected: float
    recurrence: float
    window_us: int
    minutes: tuple[int, ...] = ()


class Counties:
    """The county of each place: the node below the root, or below a single top (a site that names itself)."""

    def __init__(self, rules: FoldRules) -> None:
        self._parents, self._root = rules.parents, rules.root
        tops = {place for place, parent in rules.parents.items() if parent in (0, rules.root) and place != rules.root}
        has_children = any(parent in tops for parent in rules.parents.values())
        self._above = tops if len(tops) == 1 and has_children else {0, rules.root}
        self._known: dict[int, int] = {}

    def of(self, place: int) -> int:
        """County of a place; 0 for the root, for what stands above counties and for a place that is not defined."""
        county = self._known.get(place)
        if county is None:
            county = self._known[place] = self._find(place)
        return county

    def _find(self, place: int) -> int:
        seen: set[int] = set()
        while place in self._parents and place not in seen and place not in self._above:
            parent = self._parents[place]
            if parent in self._above:
                return place
            seen.add(place)
            place = parent
        return 0


class Surges:
    """Every cell (place, category) of the site, its window and its day. `watch` holds cells to look at every time."""

    def __init__(self, rules: FoldRules) -> None:
        self.obey(rules)
        self.model: CountModel = CountSeries()
        self.slot_of: dict[tuple[int, int], int] = {}
        self.keys: list[bytes] = []
        self.windows: list[deque[tuple[int, int]]] = []
        self.totals: list[int] = []
        self.today: list[int] = []
        self.usual: NDArray[np.float64] = np.zeros((3, 0))
        self.profile = np.ones(HOURS)
        self.hours = [0] * HOURS
        self.shares = np.zeros(HOURS + 1)
        self.day = 0
        self.learned = 0
        self.last = -1
        self.looked = -1
        self.touched: set[int] = set()
        self.watch: set[int] = set()

    def obey(self, rules: FoldRules) -> None:
        """Follow these rules from now on."""
        self.quiet_until = -1
        self.rules = SurgeRules.of(rules)
        self.calendar, self.root = rules.calendar, rules.root
        self.counties = Counties(rules)

    # counting ------------------------------------------------------------------------------------------------------

    def take(self, minute: int, place: int, category: int, count: int) -> None:
        """Count the registrations of a minute; minutes come in order, each after `passing` it."""
        self.last = minute
        county = self.counties.of(place)
        for cell in ((self.root, category),) if not county else ((self.root, category), (county, category)):
            slot = self.slot_of.get(cell)
            if slot is None:
                slot = self._begin(cell)
            window = self.windows[slot]
            if window and window[-1][0] == minute:
                window[-1] = (minute, window[-1][1] + count)
            else:
                window.append((minute, count))
            self.totals[slot] += count
            self.today[slot] += count
            self.touched.add(slot)
        self.hours[self._hour(minute)] += count

    def passing(self, until: int) -> Iterator[list[Surprise]]:
        """All looks that fall due when every minute before `until` is complete; days that ended are learned between.

        After the last content only the first look and the newest say anything new: what lies between only fell.
        """
        if until < self.quiet_until:
            return
        if not self.day:
            self.day = self.calendar.day_of(until * MINUTE_US)
            self._forecast()
        every = self.rules.every
        first = (self.last // every + 1) * every
        for look in sorted({first, until // every * every}):
            if self.looked < look <= until and self.last >= 0:
                self._end_days(look - 1)
                self.looked = look
                yield self._look(look)
        self._end_days(until)
        self._find_next()

    def _find_next(self) -> None:
        """Nothing falls due before `quiet_until`: neither the next look nor the end of the day."""
        every = self.rules.every
        next_look = (max(self.looked, self.last) // every + 1) * every
        self.quiet_until = min(next_look, -(-self.calendar.start_of(self.day + 1) // MINUTE_US))

    def _begin(self, cell: tuple[int, int]) -> int:
        slot = self.slot_of[cell] = len(self.keys)
        self.keys.append(key128("surge", str(cell[0]), str(cell[1])))
        self.windows.append(deque())
        self.totals.append(0)
        self.today.append(0)
        slots = np.array([slot])
        self.model.add(slots, np.array([_PRIOR_COUNTS / (self.learned + 1)]))
        self.usual = np.concatenate([self.usual, self._expected(slots)], axis=1)
        return slot

    def _hour(self, minute: int) -> int:
        start = self.calendar.start_of(self.calendar.day_of(minute * MINUTE_US))
        return min((minute * MINUTE_US - start) // HOUR_US, HOURS - 1)

    # looking -------------------------------------------------------------------------------------------------------

    def _look(self, look: int) -> list[Surprise]:
        rules = self.rules
        slots = sorted(self.touched | self.watch, key=self.keys.__getitem__)
        self.touched = set()
        since = look - rules.window
        if self.last < since or not rules.is_warm(self.learned, 1.0):
            # Nothing came at all, or too little is known: that says nothing about any category.
            return []
        today, yesterday = self._parts(look)
        cells = list(self.slot_of)
        least = rules.least(rules.window / DAY_MINUTES)
        found = []
        for slot in slots:
            window = self.windows[slot]
            while window and window[0][0] < since:
                self.totals[slot] -= window.popleft()[1]
            count = self.totals[slot]
            mean_today, mean_before, ratio = self.usual[:, slot].tolist()
            mean = today * mean_today + yesterday * mean_before
            days = 0.0
            if count >= rules.min_count and count > mean:
                days = _rolling_recurrence(count, mean, ratio, rules.window / DAY_MINUTES)
            if days >= least or slot in self.watch:
                place, category = cells[slot]
                minutes = tuple(minute for minute, _ in window)
                found.append(
                    Surprise(self.keys[slot], place, category, count, mean, days, rules.window * MINUTE_US, minutes)
                )
        return found

    def _parts(self, look: int) -> tuple[float, float]:
        """Which parts of today's and of yesterday's counts a window that ends at `look` should hold."""
        start = self.calendar.start_of(self.day) // MINUTE_US
        now = self._share(look - start)
        begin = look - self.rules.window - start
        if begin >= 0:
            return now - self._share(begin), 0.0
        return now, 1.0 - self._share(begin + DAY_MINUTES)

    def _share(self, minute: int) -> float:
        hour, rest = divmod(min(max(minute, 0), DAY_MINUTES), 60)
        part = float(self.shares[hour])
        return part + (float(self.shares[hour + 1]) - part) * rest / 60 if rest else part

    # learning ------------------------------------------------------------------------------------------------------

    def _end_days(self, until: int) -> None:
        """Learn the day that ended by `until` (minute), pass over the ones of which nothing came."""
        day = self.calendar.day_of(until * MINUTE_US)
        if day <= self.day:
            return
        if any(self.today):
            slots = np.arange(len(self.keys))
            length = np.full(len(slots), DAY)
            self.model.learn(slots, np.full(len(slots), self.day + 0.5), length, np.array(self.today, np.float64))
            self.profile = self.profile * _PROFILE_KEPT + self.hours
            self.learned += 1
            self.today = [0] * len(self.today)
            self.hours = [0] * HOURS
        self.day = day
        self._forecast()

    def _forecast(self) -> None:
        self.shares[1:] = np.cumsum(self.profile) / self.profile.sum()
        self.usual = self._expected(np.arange(len(self.keys)))

    def _expected(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean of today and of yesterday, and variance / mean of today."""
        if not len(slots):
            return np.zeros((3, 0))
        length = np.full(len(slots), DAY)
        today = self.model.expect(slots, np.full(len(slots), self.day + 0.5), length)
        before = self.model.expect(slots, np.full(len(slots), self.day - 0.5), length)
        return np.stack([today.mean, before.mean, 1.0 + today.mean / today.size])

    # checkpoints ---------------------------------------------------------------------------------------------------

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Head and arrays."""
        sizes = [len(window) for window in self.windows]
        flat = [pair for window in self.windows for pair in window]
        head = {name: getattr(self, name) for name in _PLAIN} | {
            "touched": sorted(self.touched),
            "watch": sorted(self.watch),
        }
        arrays = {
            "cells": np.array(list(self.slot_of), np.int64).reshape(-1, 2),
            "sizes": np.array(sizes, np.int64),
            "windows": np.array(flat, np.int64).reshape(-1, 2),
            "today": np.array(self.today, np.int64),
            "profile": self.profile,
            "hours": np.array(self.hours, np.int64),
            "shares": self.shares,
            "usual": self.usual,
        }
        return head, arrays | {f"model.{name}": column for name, column in self.model.to_state().items()}

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_state` returned."""
        for name in _PLAIN:
            setattr(self, name, head[name])
        self.touched, self.watch = set(head["touched"]), set(head["watch"])
        cells = [tuple(cell) for cell in arrays["cells"].tolist()]
        self.slot_of = {(place, category): slot for slot, (place, category) in enumerate(cells)}
        self.keys = [key128("surge", str(place), str(category)) for place, category in cells]
        pairs = iter(arrays["windows"].tolist())
        self.windows = [deque(tuple(next(pairs)) for _ in range(size)) for size in arrays["sizes"].tolist()]
        self.totals = [sum(count for _, count in window) for window in self.windows]
        self.today, self.hours = arrays["today"].tolist(), arrays["hours"].tolist()
        self.profile, self.shares, self.usual = (np.array(arrays[n]) for n in ("profile", "shares", "usual"))
        self.model.restore({n.split(".", 1)[1]: a for n, a in arrays.items() if n.startswith("model.")})


_PLAIN = ("day", "learned", "last", "looked")


def _rolling_recurrence(count: int, mean: float, ratio: float, days: float) -> float:
    """Mean days between windows so full, when a window is looked at again and again while it moves on.

    Looking at a moving window finds more than looking once per window: by (count - mean)² / count in a Poisson stream
    (Alm 1983, "On the distribution of scan statistics of a Poisson process"), less where counts are over-dispersed.
    """
    tail = max(upper_tail_of(count, mean, mean / max(ratio - 1.0, 1e-9)), 1e-12)
    found = min(days / tail, LONGEST)
    return float(f"{found / max(1.0, (count - mean) ** 2 / (count * ratio)):.4g}")
