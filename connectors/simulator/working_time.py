"""The working calendar of the simulated offices: due times and an axis on which nights and weekends have no length.

Times are seconds of the Unix epoch; days are civil days at UTC+8, numbered from 1970-01-01.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date, timedelta

ZONE = 8 * 3600
DAY = 86_400
HOUR = 3600
HORIZON_DAYS = 4000
"""Days a calendar covers from its start: a live city may run for ten years."""


def day_of(at: int) -> int:
    """Civil day at UTC+8 of a moment."""
    return (at + ZONE) // DAY


def midnight(day: int) -> int:
    """The moment a civil day begins."""
    return day * DAY - ZONE


def civil(day: int) -> date:
    """The date of a civil day."""
    return date(1970, 1, 1) + timedelta(days=day)


class Axis:
    """Time without closed hours: `open` seconds from `begin` o'clock on each day that counts."""

    def __init__(self, first_day: int, counts: Callable[[int], bool], begin: float, end: float) -> None:
        self._first = first_day
        self._begin = int(begin * HOUR)
        self._open = int((end - begin) * HOUR)
        self._days = [day for day in range(first_day, first_day + HORIZON_DAYS) if counts(day)]

    def opened(self, at: int) -> int:
        """Open seconds before a moment, from the start of the calendar."""
        day = day_of(at)
        whole = bisect_left(self._days, day)
        if whole == len(self._days) or self._days[whole] != day:
            return whole * self._open
        return whole * self._open + min(max(at - midnight(day) - self._begin, 0), self._open)

    def moment(self, opened: int) -> int:
        """The moment after so many open seconds; the inverse of `opened` inside open hours."""
        whole, rest = divmod(max(opened, 0), self._open)
        return midnight(self._days[min(whole, len(self._days) - 1)]) + self._begin + rest


class WorkingTime:
    """Due times and axes of one city; holidays come from the vocabulary, Monday to Friday beyond it."""

    def __init__(self, first_day: int, holidays: frozenset[str], worked_weekends: frozenset[str]) -> None:
        def works(day: int) -> bool:
            name = civil(day).isoformat()
            return name in worked_weekends or (civil(day).weekday() < 5 and name not in holidays)

        self.works = works
        self.office = Axis(first_day, works, 8.5, 18.0)
        self.duty = Axis(first_day, lambda day: True, 7.0, 22.0)
        self._working_days = [day for day in range(first_day, first_day + HORIZON_DAYS) if works(day)]

    def due(self, at: int, limit: str) -> int:
        """When a limit (24h, 15d, 5wd) that begins at `at` ends; days end at 24:00, the first is not counted."""
        amount, unit = split_limit(limit)
        if unit == "h":
            return at + amount * HOUR
        if unit == "d":
            return midnight(day_of(at) + amount + 1)
        later = bisect_right(self._working_days, day_of(at))
        return midnight(self._working_days[later + amount - 1] + 1)

    def axis(self, limit: str) -> Axis | None:
        """The axis on which offices work off such a limit; None = around the clock."""
        amount, unit = split_limit(limit)
        if unit == "h":
            return None if amount < 24 else self.duty
        return self.office


def split_limit(limit: str) -> tuple[int, str]:
    """Amount and unit of a limit.

    >>> split_limit("5wd"), split_limit("24h")
    ((5, 'wd'), (24, 'h'))
    """
    digits = limit.rstrip("hwd")
    return int(digits), limit[len(digits) :]
