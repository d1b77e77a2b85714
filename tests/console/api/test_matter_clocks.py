"""Clocks of a matter as they are shown: started, paused, stopped, and where their length comes from."""

from datetime import UTC, datetime

import pytest

from config.clock_rule import Clock
from config.settings import Settings
from config.territory import Category
from console.api.matter_clocks import Stepped, matter_clocks
from pipeline.ids import code64
from pipeline.signal import Step
from runners.wiring import fold_rules

SETTINGS = Settings(
    categories=(Category(id="noise", clocks=("day", "visit")),),
    clocks=(
        Clock(
            id="day", name_zh="一日", name_en="One day", source="Art. 1", unit="hours", length=24, pauses=(Step.PAUSED,)
        ),
        Clock(id="visit", source="Art. 2", start=Step.ACCEPTED, unit="calendar_days", length=2),
    ),
)
RULES = fold_rules(SETTINGS)
NOISE = code64("noise")


def at(day: int, hour: int) -> int:
    """µs UTC in March 2024."""
    return round(datetime(2024, 3, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def clocks(*steps: tuple[int, Step], now: int, asserted: int = 0) -> list[tuple[str, str, bool, bool]]:
    """(id, due, paused, overdue) of each clock."""
    found = matter_clocks([Stepped(*each) for each in steps], NOISE, asserted, at(4, 1), SETTINGS, RULES, now)
    return [(each["id"], each["due"], each["paused"], each["overdue"]) for each in found]


def test_a_clock_runs_from_its_step() -> None:
    found = clocks((at(4, 1), Step.REGISTERED), now=at(4, 13))
    assert found == [("day", "2024-03-05T01:00:00Z", False, False)]


def test_each_clock_begins_with_a_step_of_its_own() -> None:
    steps = ((at(4, 1), Step.REGISTERED), (at(4, 2), Step.ACCEPTED))
    # Two calendar days after the 4th, to the end of the 6th local time.
    assert clocks(*steps, now=at(4, 13))[1][:2] == ("visit", "2024-03-06T16:00:00Z")


@pytest.mark.parametrize(("resumed", "due"), [(True, "2024-03-05T04:00:00Z"), (False, "2024-03-05T12:00:00Z")])
def test_a_pause_puts_the_end_off(*, resumed: bool, due: str) -> None:
    steps = [(at(4, 1), Step.REGISTERED), (at(4, 2), Step.PAUSED)]
    steps += [(at(4, 5), Step.RESUMED)] if resumed else []
    assert clocks(*steps, now=at(4, 13)) == [("day", due, not resumed, False)]


def test_a_stopped_clock_is_judged_by_when_it_stopped() -> None:
    steps = ((at(4, 1), Step.REGISTERED), (at(4, 20), Step.CLOSED))
    assert clocks(*steps, now=at(9, 1)) == [("day", "2024-03-05T01:00:00Z", False, False)]


def test_a_deadline_that_no_rule_explains_was_set_by_the_source() -> None:
    found = clocks((at(4, 1), Step.REGISTERED), now=at(4, 13), asserted=at(6, 1))
    assert [each[:2] for each in found] == [("day", "2024-03-05T01:00:00Z"), ("asserted", "2024-03-06T01:00:00Z")]


def test_the_deadline_of_a_rule_is_not_told_twice() -> None:
    assert len(clocks((at(4, 1), Step.REGISTERED), now=at(4, 13), asserted=at(5, 1))) == 1
