"""Which signals are taken: new ones once, late ones in order, impossible ones never."""

from collections.abc import Callable
from typing import Any

import pytest

from config.learning import Source
from pipeline.signal import Step
from pipeline.testing import Happening, Story, entry, hours, key_of, tick

Make = Callable[..., Any]
SLOW = Source(name="slow", mapping="slow.yaml", lateness_seconds=7200)


def counts(story: Story) -> dict[str, int]:
    return {name: count for name, count in story.effects.counts.items() if count and name != "entries"}


def test_the_same_signal_twice_is_applied_once(bench: Make) -> None:
    one = Happening("m", 0, Step.HANDED_OVER, id="1", content="same")
    told = bench()
    story = told.tell(one, one)
    told.tell(one)
    assert counts(story) == {"applied": 1, "duplicate": 2, "before_registration": 1}
    assert told.row(key_of("m"))["handovers"] == 1
    assert not story.effects.rejected


def test_the_same_id_with_other_content_is_told_with_its_address(bench: Make) -> None:
    told = bench()
    told.tell(Happening("m", 0, Step.REGISTERED, id="1", content="one"))
    story = told.tell(Happening("m", 1, Step.UPDATED), Happening("m", 1, Step.CLOSED, id="1", content="other"))
    (rejected,) = story.effects.rejected
    assert (rejected["reason"], rejected["offset"], rejected["index"]) == ("conflicting_duplicate", 1, 1)
    assert counts(story) == {"applied": 2, "conflicting_duplicate": 1}


def test_the_same_id_of_another_source_is_another_signal(bench: Make) -> None:
    story = bench().tell(
        Happening("m", 0, Step.REGISTERED, id="1"), Happening("n", 0, Step.REGISTERED, id="1", source="post")
    )
    assert counts(story) == {"applied": 2}


@pytest.mark.parametrize(("day", "reason"), [(29, "duplicate"), (30, "applied")])
def test_an_id_is_remembered_for_thirty_days(bench: Make, day: int, reason: str) -> None:
    told = bench()
    told.tell(Happening("m", 0, Step.REGISTERED, id="1", content="same"))
    story = told.tell(Happening("m", day * 24, Step.UPDATED, id="1", content="same"))
    assert counts(story)[reason] == (1 if reason == "duplicate" else 2)


def test_a_signal_of_a_buffered_source_waits_for_earlier_ones(bench: Make) -> None:
    told = bench(sources=(SLOW,))
    story = told.tell(Happening("m", 1, Step.REGISTERED, source="slow"))
    assert counts(story) == {"pending": 1}
    assert not told.fold.county.matters.slot_of
    told.tell(Happening("m", 0.5, Step.REPLIED, source="slow", arrives=1.5), tick(3))
    assert counts(story) == {"applied": 2, "before_registration": 1}
    assert told.row(key_of("m"))["last_at"] == hours(1)


def test_what_comes_later_than_its_sources_lateness_is_applied_at_once(bench: Make) -> None:
    story = bench(sources=(SLOW,)).tell(Happening("m", 1, Step.REGISTERED, source="slow", arrives=4))
    assert counts(story) == {"applied": 1}


def test_an_emergency_never_waits(bench: Make) -> None:
    story = bench(sources=(SLOW,)).tell(Happening("m", 1, Step.REGISTERED, source="slow", cues=1))
    assert counts(story) == {"applied": 1}
    assert [each["proposed"] for each in story.transitions] == [4]


@pytest.mark.parametrize("field", ["at", "due"])
@pytest.mark.parametrize("value", [2**63 - 1, -(2**63)])
def test_a_time_that_cannot_be_reckoned_with_is_refused_and_the_rest_goes_on(
    bench: Make, field: str, value: int
) -> None:
    told = bench()
    impossible = entry(Happening("m", 1, Step.REGISTERED))
    assert impossible.row is not None
    impossible.row[field] = value
    story = told.tell(impossible, Happening("n", 2, Step.REGISTERED))
    assert counts(story) == {"applied": 1, "bad_time": 1}
    assert [each["reason"] for each in story.effects.rejected] == ["bad_time"]
