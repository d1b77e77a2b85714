"""Where the calendar's tables come from: the zone database, the library of Chinese holidays, the configuration.

They are read here once and go into the log with the configuration, so that no later reading can change the past.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from chinese_calendar import constants

from config.settings import Settings
from config.value import minutes_of
from pipeline.calendar import WorkCalendar

_EPOCH = date(1970, 1, 1)
FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Zone changes are tabled for these years; before and after them offsets stand still."""


CHINESE_ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC"})
"""Zones in which the library's holidays are the law."""


def day_number(day: date) -> int:
    """Local dates counted from 1970-01-01 = 0."""
    return (day - _EPOCH).days


def work_calendar(settings: Settings) -> WorkCalendar:
    """The calendar of a site: its zone, its working days, its office hours."""
    calendar = settings.calendar
    transitions, offsets = zone_table(settings.site.zone)
    seed = calendar.seed
    if seed == "auto":
        seed = "chinese_calendar" if settings.site.zone in CHINESE_ZONES else "weekdays"
    known_from, known_until, exceptions = _library() if seed == "chinese_calendar" else (None, None, set())
    odd = set(exceptions)
    for day in calendar.days:
        (odd.add if day.working != (day.date.weekday() < 5) else odd.discard)(day.date)
    known_until = calendar.known_until or known_until
    known = {name: day_number(day) for name, day in (("known_from", known_from), ("known_until", known_until)) if day}
    return WorkCalendar(
        transitions=np.array(transitions, np.int64),
        offsets=np.array(offsets, np.int64),
        exceptions=np.array(sorted(day_number(day) for day in odd), np.int64),
        opens=minutes_of(calendar.office_opens),
        closes=minutes_of(calendar.office_closes),
        ends_at_close=calendar.day_ends == "office_closes",
        rolls_over=calendar.last_day_rolls_over,
        **known,
    )


@lru_cache(maxsize=16)
def zone_table(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Moments (µs UTC) at which a zone's offset changes, and the offsets (µs) before, between and after them.

    Found by looking once a day and halving: about 30 ms. Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    tz = ZoneInfo(zone)
    moment = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp())
    before = _offset(tz, moment)
    transitions: list[int] = []
    offsets = [before]
    while moment < end:
        after = _offset(tz, moment + 86_400)
        if after != before:
            transitions.append(_change(tz, moment, moment + 86_400) * 1_000_000)
            offsets.append(after)
        moment, before = moment + 86_400, after
    return tuple(transitions), tuple(offsets)


def _change(tz: ZoneInfo, low: int, high: int) -> int:
    """The first second in (low, high] at which the offset is no longer that of `low`."""
    before = _offset(tz, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(tz, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(tz: ZoneInfo, second: int) -> int:
    shift = datetime.fromtimestamp(second, tz).utcoffset() or timedelta()
    return round(shift.total_seconds() * 1_000_000)


@lru_cache(maxsize=1)
def _library() -> tuple[date, date, frozenset[date]]:
    """First and last date the library knows, and the dates between on which working differs from Monday to Friday."""
    years = [day.year for day in constants.holidays]
    first, last = date(min(years), 1, 1), date(max(years), 12, 31)
    off = {day for day in constants.holidays if day.weekday() < 5}
    on = {day for day in constants.workdays if day.weekday() >= 5}
    return first, last, frozenset(off | on)
