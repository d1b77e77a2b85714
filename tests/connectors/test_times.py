"""Times as files write them, in many forms, become µs UTC; what is no time is refused with a reason."""

from datetime import datetime

import pytest

from connectors.times import format_problem, time_parser
from pipeline.errors import Reason, Refused


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("iso", "2024-03-05 14:07:00"),
        ("iso", "2024-03-05T14:07:00+08:00"),
        ("%d/%m/%Y %H:%M", "5/3/2024 14:07"),
        ("%m/%d/%Y %I:%M %p", "03/05/2024 02:07 PM"),
        ("%Y年%m月%d日 %H时%M分", "2024年3月5日 14时07分"),
        ("%Y%m%d%H%M%S", "20240305140700"),
        ("%d.%m.%y %H:%M", "05.03.24 14:07"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2024-03-05T06:07:00.000Z"),
        ("epoch_s", "1709618820"),
        ("epoch_ms", "1709618820000"),
    ],
)
def test_every_way_of_writing_means_the_same_moment(pattern: str, text: str) -> None:
    assert time_parser((pattern,), "Asia/Shanghai")(text) == micros("2024-03-05T14:07:00+08:00")


def test_formats_are_tried_in_order() -> None:
    parse = time_parser(("%d/%m/%Y", "%m/%d/%Y"))
    assert parse("03/04/2024") == micros("2024-04-03T00:00:00+00:00")
    assert parse("03/24/2024") == micros("2024-03-24T00:00:00+00:00")


def test_the_day_ends_at_24_00() -> None:
    assert time_parser(("%Y-%m-%d %H:%M",))("2024-02-28 24:00") == micros("2024-02-29T00:00:00+00:00")


def test_an_hour_that_occurs_twice_is_the_first() -> None:
    assert time_parser(("iso",), "America/New_York")("2019-11-03 01:30:00") == micros("2019-11-03T05:30:00+00:00")


@pytest.mark.parametrize("text", ["soon", "2024-02-30 10:00", "2024-13-01", "0001-01-01", "nan", "-99999999999"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        time_parser(("%Y-%m-%d %H:%M", "%Y-%m-%d", "epoch_s"))(text)
    assert caught.value.reason is Reason.BAD_TIME


def test_a_year_past_all_sense_is_in_the_future() -> None:
    with pytest.raises(Refused) as caught:
        time_parser()("2916-03-01 10:00")
    assert caught.value.reason is Reason.TIME_IN_FUTURE


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("%Y-%m-%Q", "%Q is not one of"), ("%H:%M", "needs year"), ("%Y-%m-%d %d", "twice"), ("iso", "")],
)
def test_a_wrong_format_is_told_before_any_row(pattern: str, words: str) -> None:
    assert words in format_problem(pattern)
    assert bool(words) == bool(format_problem(pattern))
