"""Legal clocks: the first day is not counted, the last ends at 24:00 local time, holidays roll over, nothing raises."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendar import work_calendar
from config.settings import Settings
from config.territory import Calendar, Site
from pipeline.calendar import HOUR_US, WorkCalendar, utc_calendar
from pipeline.clocks import ClockRule, Unit, due, paused_length, plain_share, share_used, working_share
from pipeline.signal import Step

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHANGHAI = work_calendar(Settings())
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
CALENDARS = {zone: work_calendar(Settings(site=Site(zone=zone))) for zone in ZONES}
HOTLINE = ClockRule("hotline", "city rules", Step.REGISTERED, (Step.CLOSED,), Unit.WORKING_DAYS, 5, extension_limit=5)
PETITION = replace(HOTLINE, unit=Unit.CALENDAR_DAYS, length=60, extension_limit=30)
AT_ONCE = replace(HOTLINE, unit=Unit.HOURS, length=2)
SOME_TIME = st.integers(1_100_000_000, 1_735_000_000)  # 2004-11 to 2024-12, seconds: all within the library


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - EPOCH) // timedelta(microseconds=1)


def due_text(rule: ClockRule, start: str, calendar: WorkCalendar = SHANGHAI, **more: int) -> str:
    moment, _ = due(rule, calendar, at(start), **more)
    local = (EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo("Asia/Shanghai"))
    return local.isoformat(timespec="minutes").removesuffix("+08:00")


def local_date(second: int, zone: str = "Asia/Shanghai") -> date:
    return (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone)).date()


def midnight_after(day: date, zone: str) -> int:
    following = day + timedelta(days=1)
    return at(following.isoformat(), zone)


def test_five_working_days_skip_the_weekend_and_end_at_midnight() -> None:
    assert due_text(HOTLINE, "2026-09-11T10:00") == "2026-09-19T00:00"


def test_five_working_days_skip_the_holiday_week_and_count_the_working_weekend() -> None:
    assert due_text(HOTLINE, "2026-09-28T10:00") == "2026-10-11T00:00"


def test_the_first_day_is_not_counted_however_early_it_begins() -> None:
    assert due_text(HOTLINE, "2026-08-10T00:00") == due_text(HOTLINE, "2026-08-10T23:59") == "2026-08-18T00:00"


def test_a_last_day_on_a_holiday_rolls_over_to_the_next_working_day() -> None:
    assert due_text(replace(PETITION, length=15), "2026-09-16T10:00") == "2026-10-09T00:00"


def test_rolling_over_can_be_switched_off_for_a_rule() -> None:
    assert due_text(replace(PETITION, length=15, rolls_over=False), "2026-09-16T10:00") == "2026-10-02T00:00"


def test_the_last_day_may_end_with_office_hours() -> None:
    calendar = work_calendar(Settings(calendar=Calendar(day_ends="office_closes")))
    assert due_text(HOTLINE, "2026-09-11T10:00", calendar) == "2026-09-18T17:30"


def test_hours_run_day_and_night() -> None:
    assert due_text(AT_ONCE, "2026-10-01T23:30") == "2026-10-02T01:30"


def test_an_hour_clock_is_not_lengthened_by_a_zone_change() -> None:
    start = at("2028-03-12T01:30", "America/New_York")
    assert due(AT_ONCE, CALENDARS["America/New_York"], start) == (start + 2 * HOUR_US, False)


def test_a_day_clock_over_the_leap_day_counts_it() -> None:
    assert due_text(replace(PETITION, length=2), "2024-02-27T10:00") == "2024-03-01T00:00"


def test_an_extension_counts_up_to_what_the_rule_allows() -> None:
    assert due_text(PETITION, "2025-03-03T10:00", extended=30) == due_text(PETITION, "2025-03-03T10:00", extended=99)


def test_a_rule_without_extension_ignores_one() -> None:
    rule = replace(PETITION, extension_limit=0)
    assert due_text(rule, "2025-03-03T10:00", extended=30) == due_text(rule, "2025-03-03T10:00")


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000), st.integers(1, 400))
def test_calendar_days_end_at_the_zones_midnight(zone: str, second: int, length: int) -> None:
    rule = replace(PETITION, length=length, rolls_over=False)
    last = local_date(second, zone) + timedelta(days=length)
    assert due(rule, CALENDARS[zone], second * 1_000_000) == (midnight_after(last, zone), False)


@given(SOME_TIME, st.integers(1, 90))
def test_working_days_are_those_of_the_library_counted_one_by_one(second: int, length: int) -> None:
    day, left = local_date(second), length
    while left:
        day += timedelta(days=1)
        left -= chinese_calendar.is_workday(day)
    moment, provisional = due(replace(HOTLINE, length=length), SHANGHAI, second * 1_000_000)
    assert (moment, provisional) == (midnight_after(day, "Asia/Shanghai"), False)


@given(SOME_TIME, st.sampled_from([HOTLINE, PETITION, AT_ONCE]), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_whole_of_two_pauses_is_one_pause_over_both(second: int, rule: ClockRule, first: int, then: int) -> None:
    begin, middle = second * 1_000_000, (second + first) * 1_000_000
    end = middle + then * 1_000_000
    parts = paused_length(rule, SHANGHAI, begin, middle) + paused_length(rule, SHANGHAI, middle, end)
    assert parts == paused_length(rule, SHANGHAI, begin, end)


def test_a_pause_over_a_weekend_costs_a_working_day_clock_nothing() -> None:
    assert paused_length(HOTLINE, SHANGHAI, at("2026-09-11T18:00"), at("2026-09-13T18:00")) == 0


def test_a_pause_moves_a_working_day_clock_by_the_working_days_in_it() -> None:
    paused = paused_length(HOTLINE, SHANGHAI, at("2026-08-10T10:00"), at("2026-08-12T10:00"))
    assert due_text(HOTLINE, "2026-08-07T10:00", paused=paused) == "2026-08-19T00:00"


def test_a_pause_moves_an_hour_clock_by_its_length() -> None:
    paused = paused_length(AT_ONCE, SHANGHAI, at("2026-09-14T10:00"), at("2026-09-14T10:45"))
    assert due_text(AT_ONCE, "2026-09-14T09:30", paused=paused) == "2026-09-14T12:15"


def test_a_pause_that_ends_before_it_begins_counts_nothing() -> None:
    assert paused_length(PETITION, SHANGHAI, at("2026-09-16T10:00"), at("2026-09-14T10:00")) == 0


@pytest.mark.parametrize(
    ("rule", "provisional"), [(HOTLINE, True), (PETITION, True), (AT_ONCE, False)], ids=["working", "calendar", "hours"]
)
def test_a_due_date_beyond_what_is_known_is_provisional(rule: ClockRule, *, provisional: bool) -> None:
    year = SHANGHAI.known_until // 365 + 1970
    assert due(rule, SHANGHAI, at(f"{year}-12-30T10:00"))[1] is provisional


def test_a_calendar_without_a_horizon_gives_nothing_provisional() -> None:
    assert due(HOTLINE, utc_calendar(), at("2090-12-30T10:00"))[1] is False


@given(
    st.sampled_from([HOTLINE, PETITION, AT_ONCE]),
    st.sampled_from(ZONES),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, 1 << 62),
    st.integers(-(1 << 31), 1 << 31),
)
def test_no_start_pause_or_extension_makes_a_deadline_raise(
    rule: ClockRule, zone: str, start: int, paused: int, extended: int
) -> None:
    moment, _ = due(rule, CALENDARS[zone], start, paused=paused, extended=extended)
    assert np.int64(moment) == moment


@given(st.sampled_from([HOTLINE, PETITION, AT_ONCE]), st.sampled_from(ZONES), st.integers(0, 4_000_000_000))
def test_a_deadline_lies_after_its_start_and_later_starts_never_fall_due_earlier(
    rule: ClockRule, zone: str, second: int
) -> None:
    start = second * 1_000_000
    first, later = due(rule, CALENDARS[zone], start)[0], due(rule, CALENDARS[zone], start + 24 * HOUR_US)[0]
    assert start < first <= later


def test_the_share_of_a_working_day_clock_stands_still_over_the_weekend() -> None:
    start, end = at("2026-09-11T00:00"), at("2026-09-16T00:00")
    times = np.array([at("2026-09-12T00:00"), at("2026-09-13T12:00"), at("2026-09-14T00:00")])
    assert working_share(SHANGHAI, np.array(start), np.array(end), times).tolist() == pytest.approx([1 / 3] * 3)


def test_the_share_of_a_calendar_day_clock_runs_on_over_the_weekend() -> None:
    times = np.array([at("2026-09-12T00:00"), at("2026-09-13T12:00")])
    start, end = np.array(at("2026-09-11T00:00")), np.array(at("2026-09-16T00:00"))
    assert share_used(PETITION, SHANGHAI, start, end, times).tolist() == pytest.approx([0.2, 0.5])


def test_a_share_is_nothing_before_the_start_and_more_than_all_after_the_end() -> None:
    assert plain_share(np.array([10, 10]), np.array([20, 20]), np.array([5, 30])).tolist() == [0.0, 2.0]


def test_a_working_day_clock_over_holidays_alone_is_measured_by_plain_time() -> None:
    start, end, now = (np.array(at(f"2026-10-0{day}T00:00")) for day in (1, 5, 3))
    assert float(working_share(SHANGHAI, start, end, now)) == 0.5


def test_a_clock_of_no_length_is_over_from_its_start_on() -> None:
    moment = np.array(at("2026-10-01T00:00"))
    assert [float(plain_share(moment, moment, moment + later)) for later in (-1, 0)] == [0.0, 1.0]
