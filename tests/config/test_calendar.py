"""The calendar's tables come from the zone database, the library of holidays and, above these, the configuration."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendar import day_number, work_calendar, zone_table
from config.settings import Settings
from config.territory import Calendar, Holiday, Site

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Africa/Monrovia",
)
INSTANTS = st.integers(0, 4_133_894_400 - 1)  # seconds, 1970 to the end of 2100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def working(settings: Settings, day: date) -> bool:
    return bool(work_calendar(settings).is_working(np.array([day_number(day)]))[0])


@given(st.sampled_from(ZONES), st.lists(INSTANTS, min_size=1, max_size=50))
def test_local_time_is_that_of_the_zone_database(zone: str, seconds: list[int]) -> None:
    calendar = work_calendar(Settings(site=Site(zone=zone)))
    day, minute = calendar.local(np.array(seconds) * 1_000_000)
    for second, found_day, found_minute in zip(seconds, day, minute, strict=True):
        local = (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))
        assert (found_day, found_minute) == (day_number(local.date()), local.hour * 60 + local.minute)


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_a_zone_is_found_to_the_second(zone: str) -> None:
    transitions, offsets = zone_table(zone)
    tz = ZoneInfo(zone)
    for moment, before, after in zip(transitions, offsets[:-1], offsets[1:], strict=True):
        for instant, offset in ((moment - 1_000_000, before), (moment, after)):
            shift = (EPOCH + timedelta(microseconds=instant)).astimezone(tz).utcoffset()
            assert shift == timedelta(microseconds=offset)


def test_the_seed_says_what_the_library_says_on_every_day_it_knows() -> None:
    days = [date(2004, 1, 1) + timedelta(days=number) for number in range(366 * 22)]
    found = work_calendar(Settings()).is_working(np.array([day_number(day) for day in days]))
    assert found.tolist() == [chinese_calendar.is_workday(day) for day in days]


def test_beyond_the_library_working_days_are_monday_to_friday() -> None:
    first = date(2100, 3, 1)
    assert [working(Settings(), first + timedelta(days=number)) for number in range(7)] == [True] * 5 + [False] * 2


def test_the_configuration_wins_over_the_library() -> None:
    day = date(2026, 10, 1)
    settings = Settings(calendar=Calendar(days=(Holiday(date=day, working=True),)))
    assert (working(Settings(), day), working(settings, day)) == (False, True)


def test_the_configuration_names_holidays_beyond_the_library() -> None:
    day = date(2099, 10, 1)
    settings = Settings(calendar=Calendar(days=(Holiday(date=day, working=False),)))
    assert (working(Settings(), day), working(settings, day)) == (True, False)


def test_the_configuration_may_say_until_when_its_days_are_known() -> None:
    calendar = work_calendar(Settings(calendar=Calendar(known_until=date(2099, 12, 31))))
    assert calendar.known_until == day_number(date(2099, 12, 31))


def test_chinese_holidays_do_not_hold_elsewhere() -> None:
    assert working(Settings(site=Site(zone="America/New_York")), date(2026, 10, 1))


def test_the_library_can_be_left_out() -> None:
    assert working(Settings(calendar=Calendar(seed="weekdays")), date(2026, 10, 1))
