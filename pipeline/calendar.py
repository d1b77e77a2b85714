"""Local days, working days and their arithmetic, from tables alone: no zone file and no library is read here.

A day number counts local dates from 1970-01-01 = 0. Every function is total: outside its tables a zone keeps its
nearest known offset and working days are Monday to Friday, so that no deadline can ever raise.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Days = NDArray[np.int64]

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday = 0
_FOREVER = 1 << 60


@dataclass(frozen=True, slots=True, eq=False)
class WorkCalendar:
    """One zone and its working days.

    `transitions` (n, µs UTC, ascending) and `offsets` (n + 1, µs; the first holds before all transitions) are the
    zone; `exceptions` (day numbers, ascending) are the dates on which working differs from Monday to Friday.
    Days before `known_from` or after `known_until` are guesses. `opens`, `closes`: office hours, minutes of the day.
    `ends_at_close`: the last day of a clock ends with office hours, else at 24:00. `rolls_over`: a last day on a
    holiday moves to the next working day (Civil Code Art. 203).
    """

    transitions: Times
    offsets: Times
    exceptions: Days
    known_from: int = -_FOREVER
    known_until: int = _FOREVER
    opens: int = 9 * 60
    closes: int = 17 * 60 + 30
    ends_at_close: bool = False
    rolls_over: bool = True
    _moments: list[int] = field(init=False, repr=False)
    _shifts: list[int] = field(init=False, repr=False)
    _walls: Times = field(init=False, repr=False)
    _wall_list: list[int] = field(init=False, repr=False)
    _odd: list[int] = field(init=False, repr=False)
    _gained: Days = field(init=False, repr=False)
    _gains: list[int] = field(init=False, repr=False)
    _table: Days = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The derived tables: wall-clock thresholds, and the numbered working days between first and last exception."""
        put = object.__setattr__
        put(self, "_moments", self.transitions.tolist())
        put(self, "_shifts", self.offsets.tolist())
        # A wall time in a gap is read with the offset before it, one that occurs twice means the first: both hold
        # when the new offset begins at the later of the two wall times of its transition.
        walls = self.transitions + np.maximum(self.offsets[:-1], self.offsets[1:])
        put(self, "_walls", np.maximum.accumulate(walls) if len(walls) else walls)
        put(self, "_wall_list", self._walls.tolist())
        put(self, "_odd", self.exceptions.tolist())
        signs = np.where((self.exceptions + _EPOCH_WEEKDAY) % 7 < 5, -1, 1)
        put(self, "_gained", np.concatenate([np.zeros(1, np.int64), np.cumsum(signs, dtype=np.int64)]))
        put(self, "_gains", self._gained.tolist())
        span = np.arange(self._odd[0], self._odd[-1] + 1) if self._odd else np.zeros(0, np.int64)
        put(self, "_table", span[self.is_working(span)])

    def local(self, at: Times) -> tuple[Days, NDArray[np.int64]]:
        """Day number and minute of the local day for instants (µs UTC)."""
        wall = at + self.offsets[np.searchsorted(self.transitions, at, side="right")]
        day = wall // DAY_US
        return day, (wall - day * DAY_US) // MINUTE_US

    def utc_of(self, day: Days, minute: NDArray[np.int64] | int = 0) -> Times:
        """Instant (µs UTC) of a local time; one that a zone change leaves out moves on by the gap, of two the first."""
        wall = np.asarray(day, np.int64) * DAY_US + np.asarray(minute, np.int64) * MINUTE_US
        instants: Times = wall - self.offsets[np.searchsorted(self._walls, wall, side="right")]
        return instants

    def next_local_time(self, at: Times, hour: int) -> Times:
        """First instant after `at` at which it is `hour` o'clock by the local clock; once for every local date."""
        day, _ = self.local(at)
        following: Times = self.utc_of(day + 2, hour * 60)
        for later in (1, 0):
            moment = self.utc_of(day + later, hour * 60)
            following = np.where(moment > at, moment, following)
        return following

    def is_working(self, day: Days) -> NDArray[np.bool_]:
        """Whether offices work on these days."""
        place = np.searchsorted(self.exceptions, day)
        odd = np.zeros(np.shape(day), np.bool_)
        if len(self.exceptions):
            odd = self.exceptions[np.minimum(place, len(self.exceptions) - 1)] == day
        working: NDArray[np.bool_] = ((day + _EPOCH_WEEKDAY) % 7 < 5) ^ odd
        return working

    def is_open(self, at: Times) -> NDArray[np.bool_]:
        """Whether these instants fall into office hours of a working day."""
        day, minute = self.local(at)
        return self.is_working(day) & (self.opens <= minute) & (minute < self.closes)

    def working_before(self, day: Days) -> Days:
        """Number of working days from a fixed origin up to and without these days; differences count working days."""
        count: Days = _weekdays_before(day) + self._gained[np.searchsorted(self.exceptions, day)]
        return count

    def working_us(self, at: Times) -> Times:
        """Time of working days (each counted as 24 hours) from a fixed origin to these instants, in µs."""
        day, _ = self.local(at)
        today = np.clip(at - self.utc_of(day), 0, DAY_US)
        whole: Times = self.working_before(day) * DAY_US
        return whole + np.where(self.is_working(day), today, 0)

    def day_of(self, at: int) -> int:
        """Day number of one instant: `local` for a single int, ten times as fast."""
        return (at + self.offset_at(at)) // DAY_US

    def offset_at(self, at: int) -> int:
        """µs to add to an instant for the local wall time."""
        return self._shifts[bisect_right(self._moments, at)]

    def start_of(self, day: int, minute: int = 0) -> int:
        """Instant of one local time: `utc_of` for a single int."""
        wall = day * DAY_US + minute * MINUTE_US
        return wall - self._shifts[bisect_right(self._wall_list, wall)]

    def count_before(self, day: int) -> int:
        """`working_before` for a single int."""
        count: int = _weekdays_before(day)
        return count + self._gains[bisect_left(self._odd, day)]

    def numbered(self, number: int) -> int:
        """The working day before which `number` others lie; the inverse of `count_before`."""
        inside = number - self.count_before(self._odd[0]) if self._odd else -1
        if inside < 0:
            return _weekday_numbered(number)
        if inside < len(self._table):
            return int(self._table[inside])
        return _weekday_numbered(number - self._gains[-1])

    def on_or_after(self, day: int) -> int:
        """The first working day not before `day`."""
        return self.numbered(self.count_before(day))

    def is_known(self, first: int, last: int) -> bool:
        """Whether all days from `first` to `last` are known rather than guessed."""
        return self.known_from <= first and last <= self.known_until

    def to_state(self) -> dict[str, Any]:
        """Everything as JSON-able plain values; goes into the log, so that a replay elsewhere has the same calendar."""
        return {
            "transitions": self._moments,
            "offsets": self._shifts,
            "exceptions": self._odd,
            "known": [self.known_from, self.known_until],
            "office": [self.opens, self.closes],
            "ends_at_close": self.ends_at_close,
            "rolls_over": self.rolls_over,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "WorkCalendar":
        """The calendar that gave this state."""
        return cls(
            transitions=np.array(state["transitions"], np.int64),
            offsets=np.array(state["offsets"], np.int64),
            exceptions=np.array(state["exceptions"], np.int64),
            known_from=state["known"][0],
            known_until=state["known"][1],
            opens=state["office"][0],
            closes=state["office"][1],
            ends_at_close=state["ends_at_close"],
            rolls_over=state["rolls_over"],
        )


def weekday(day: Days) -> NDArray[np.int64]:
    """Weekday of day numbers, Monday = 0."""
    return (day + _EPOCH_WEEKDAY) % 7


def utc_calendar() -> WorkCalendar:
    """UTC with Monday to Friday: the calendar of tests and of logs without a site."""
    none = np.zeros(0, np.int64)
    return WorkCalendar(transitions=none, offsets=np.zeros(1, np.int64), exceptions=none)


def _weekdays_before(day: Any) -> Any:
    """Mondays to Fridays before a day (int or array), from the Monday before the epoch on; negative before it."""
    since = day + _EPOCH_WEEKDAY
    return since // 7 * 5 + since % 7 - since % 7 // 6


def _weekday_numbered(number: int) -> int:
    return number // 5 * 7 + number % 5 - _EPOCH_WEEKDAY
