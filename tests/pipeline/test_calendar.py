"""Local days and working days from tables: right across zone changes, total everywhere, and fast forms agree."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendar import day_number, work_calendar
from config.settings import Settings
from config.territory import Site
from pipeline.calendar import DAY_US, HOUR_US, MINUTE_US, WorkCalendar, utc_calendar, weekday

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Antarctica/Troll",
)
CALENDARS = {zone: work_calendar(Settings(site=Site(zone=zone))) for zone in ZONES}
SHANGHAI = CALENDARS["Asia/Shanghai"]
DAYS = st.integers(day_number(date(1970, 1, 5)), day_number(date(2100, 12, 1)))
ANY_INSTANT = st.integers(-(1 << 62), 1 << 62)


def instant(zone: str, text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - EPOCH) // timedelta(microseconds=1)


def several(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


@given(st.sampled_from(ZONES), DAYS, st.integers(0, 1439))
def test_a_local_time_is_the_instant_the_zone_database_gives_it(zone: str, day: int, minute: int) -> None:
    naive = datetime(1970, 1, 1) + timedelta(days=day, minutes=minute)  # noqa: DTZ001
    expected = (naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    assert CALENDARS[zone].utc_of(several(day), minute).tolist() == [expected]


@given(st.sampled_from(ZONES), ANY_INSTANT, st.integers(-(1 << 24), 1 << 24))
def test_the_form_for_one_number_agrees_with_the_form_for_many(zone: str, at: int, day: int) -> None:
    calendar = CALENDARS[zone]
    assert calendar.local(several(at))[0].tolist() == [calendar.day_of(at)]
    assert calendar.utc_of(several(day), 30).tolist() == [calendar.start_of(day, 30)]
    assert calendar.working_before(several(day)).tolist() == [calendar.count_before(day)]


@given(st.integers(-(1 << 24), 1 << 24))
def test_a_numbered_working_day_is_one_and_has_its_number(number: int) -> None:
    day = SHANGHAI.numbered(number)
    assert (SHANGHAI.count_before(day), bool(SHANGHAI.is_working(several(day))[0])) == (number, True)


@given(DAYS, st.integers(0, 400))
def test_differences_of_counts_are_counted_working_days(day: int, length: int) -> None:
    days = np.arange(day, day + length)
    assert SHANGHAI.count_before(day + length) - SHANGHAI.count_before(day) == SHANGHAI.is_working(days).sum()


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000), st.integers(0, 23))
def test_the_next_local_time_is_the_first_one_after_now(zone: str, second: int, hour: int) -> None:
    calendar, at = CALENDARS[zone], second * 1_000_000
    found = int(calendar.next_local_time(several(at), hour)[0])
    day = calendar.day_of(at)
    moments = [calendar.start_of(day + later, hour * 60) for later in range(-1, 4)]
    assert found == min(moment for moment in moments if moment > at)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Asia/Beirut"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 6])
def test_a_daily_job_runs_once_for_every_local_date_of_two_years(zone: str, hour: int) -> None:
    calendar = CALENDARS[zone]
    moment, days = instant(zone, "2027-12-31T12:00"), []
    while (moment := int(calendar.next_local_time(several(moment), hour)[0])) < instant(zone, "2029-12-31T12:00"):
        days.append(calendar.day_of(moment))
    assert days == list(range(day_number(date(2028, 1, 1)), day_number(date(2030, 1, 1))))


def test_a_time_that_a_zone_change_leaves_out_moves_on_by_the_gap() -> None:
    calendar = CALENDARS["America/New_York"]
    day = day_number(date(2028, 3, 12))
    assert calendar.start_of(day, 150) == instant("America/New_York", "2028-03-12T03:30")


def test_of_a_time_that_occurs_twice_the_first_is_meant() -> None:
    calendar = CALENDARS["America/New_York"]
    day = day_number(date(2028, 11, 5))
    assert calendar.start_of(day, 120) - calendar.start_of(day, 90) == 90 * MINUTE_US


def test_a_date_that_a_zone_leaves_out_has_no_length() -> None:
    calendar, day = CALENDARS["Pacific/Apia"], day_number(date(2011, 12, 30))
    assert calendar.start_of(day) == calendar.start_of(day + 1)


def test_the_leap_day_lies_between_february_and_march() -> None:
    assert day_number(date(2028, 3, 1)) - SHANGHAI.day_of(instant("Asia/Shanghai", "2028-02-28T23:59")) == 2


def test_the_working_day_on_or_after_a_holiday_is_the_first_one_behind_it() -> None:
    assert SHANGHAI.on_or_after(day_number(date(2026, 10, 1))) == day_number(date(2026, 10, 8))


def test_weekdays_begin_with_monday() -> None:
    assert weekday(several(day_number(date(2026, 9, 28)), day_number(date(2026, 10, 4)))).tolist() == [0, 6]


@pytest.mark.parametrize(
    ("time", "is_open"),
    [("2026-09-28T09:00", True), ("2026-09-28T17:29", True), ("2026-09-28T17:30", False), ("2026-10-01T10:00", False)],
)
def test_offices_are_open_in_their_hours_on_working_days(time: str, *, is_open: bool) -> None:
    assert SHANGHAI.is_open(several(instant("Asia/Shanghai", time))).tolist() == [is_open]


def test_working_time_stands_still_over_a_weekend() -> None:
    friday, monday = instant("Asia/Shanghai", "2026-09-11T18:00"), instant("Asia/Shanghai", "2026-09-14T06:00")
    assert np.diff(SHANGHAI.working_us(several(friday, monday))).tolist() == [12 * HOUR_US]


def test_a_calendar_comes_back_from_the_log_equal() -> None:
    calendar = CALENDARS["America/New_York"]
    assert WorkCalendar.from_state(calendar.to_state()).to_state() == calendar.to_state()


def test_utc_has_days_of_24_hours_and_plain_weeks() -> None:
    calendar = utc_calendar()
    assert (calendar.start_of(3), calendar.numbered(7) - calendar.numbered(2)) == (3 * DAY_US, 7)
