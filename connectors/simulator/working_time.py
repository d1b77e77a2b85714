"""The working calendar of the simulated offices: due times and an axis on which nights and weekends have no length.

Times are seconds of the Unix epoch; days are civil days at UTC+8, numbered from 1970-01-01.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

Moments = NDArray[np.int64]
"""Moments or spans, in seconds."""
ZONE = 8 * 3600
DAY = 86_400
HOUR = 3600
CHINA = timezone(timedelta(seconds=ZONE))
HORIZON_DAYS = 4000
"""Days a calendar covers from its start: a live city may run for ten years."""


def day_of(at: Any) -> Any:
    """Civil day at UTC+8 of a moment."""
    return (at + ZONE) // DAY


def midnight(day: Any) -> Any:
    """The moment a civil day begins."""
    return day * DAY - ZONE


def civil(day: int) -> date:
    """The date of a civil day."""
    return date(1970, 1, 1) + timedelta(days=day)


def rfc3339(at: int) -> str:
    """Epoch seconds as the files write them: with the offset +08:00.

    >>> rfc3339(0)
    '1970-01-01T08:00:00+08:00'
    """
    return datetime.fromtimestamp(at, UTC).astimezone(CHINA).isoformat()


class Axis:
    """Time without closed hours: `open` seconds from `begin` o'clock on each day that counts; takes whole columns."""

    def __init__(self, first_day: int, counts: NDArray[np.bool_], begin: float, end: float) -> None:
        self._first = first_day
        self._begin = int(begin * HOUR)
        self._open = int((end - begin) * HOUR)
        self._counts = counts
        self._before = np.concatenate([[0], np.cumsum(counts)])
        self._days = first_day + np.flatnonzero(counts)

    def opened(self, at: Moments) -> Moments:
        """Open seconds before each moment, from the start of the calendar."""
        day = day_of(at)
        index = np.minimum(day - self._first, len(self._counts) - 1)
        part = np.clip(at - midnight(day) - self._begin, 0, self._open)
        whole: Moments = self._before[index] * self._open + np.where(self._counts[index], part, 0)
        return whole

    def moment(self, opened: Moments) -> Moments:
        """The moment after so many open seconds; the inverse of `opened` inside open hours."""
        whole, rest = np.divmod(np.maximum(opened, 0), self._open)
        found: Moments = midnight(self._days[np.minimum(whole, len(self._days) - 1)]) + self._begin + rest
        return found


class WorkingTime:
    """Due times and axes of one city; holidays come from the vocabulary, Monday to Friday beyond it."""

    def __init__(self, first_day: int, holidays: frozenset[str], worked_weekends: frozenset[str]) -> None:
        names = [civil(first_day + index).isoformat() for index in range(HORIZON_DAYS)]
        weekdays = (first_day + 3 + np.arange(HORIZON_DAYS)) % 7
        extra, off = (np.array([name in table for name in names]) for table in (worked_weekends, holidays))
        self._first = first_day
        self._works = extra | ((weekdays < 5) & ~off)
        self.office = Axis(first_day, self._works, 8.5, 18.0)
        self.duty = Axis(first_day, np.ones(HORIZON_DAYS, np.bool_), 7.0, 22.0)
        self._working_days = first_day + np.flatnonzero(self._works)

    def works(self, day: int) -> bool:
        """Whether offices are open on a civil day."""
        return bool(self._works[day - self._first])

    def due(self, at: Any, limit: str) -> Any:
        """When a limit (24h, 15d, 5wd) that begins at `at` ends; days end at 24:00, the first is not counted."""
        amount, unit = split_limit(limit)
        if unit == "h":
            return at + amount * HOUR
        if unit == "d":
            return midnight(day_of(at) + amount + 1)
        later = np.searchsorted(self._working_days, day_of(at), side="right")
        return midnight(self._working_days[np.minimum(later + amount - 1, len(self._working_days) - 1)] + 1)


def axis_of(limit: str) -> int:
    """How offices work off such a limit: 0 around the clock, 1 on duty from 7 to 22, 2 in office hours."""
    amount, unit = split_limit(limit)
    if unit == "h":
        return 0 if amount < 24 else 1
    return 2


def split_limit(limit: str) -> tuple[int, str]:
    """Amount and unit of a limit.

    >>> split_limit("5wd"), split_limit("24h")
    ((5, 'wd'), (24, 'h'))
    """
    digits = limit.rstrip("hwd")
    return int(digits), limit[len(digits) :]
