"""What rules say of a matter, whatever the models say."""

from collections.abc import Callable
from typing import Any

import pytest

from config.territory import Category
from connectors.cues import Cue
from pipeline.assessment import Level
from pipeline.matter import Mark
from pipeline.signal import Step
from pipeline.testing import Happening, Story, hours, key_of, tick

Make = Callable[..., Any]
ELEMENTS = 0x3F_0000


def proposed(story: Story) -> list[tuple[int, float]]:
    """(level, hour) of each change."""
    return [(each["proposed"], (each["at"] - hours(0)) / 3_600_000_000) for each in story.transitions]


def step(step: Step, hour: float, **words: Any) -> Happening:
    return Happening("m", hour, step, **words)


def test_overdue_is_blue_from_the_deadline_on(bench: Make) -> None:
    assert proposed(bench().tell(step(Step.REGISTERED, 0, due=24), tick(30))) == [(Level.BLUE, 24)]


def test_a_listed_matter_overdue_is_red(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0, due=24), step(Step.LISTED, 30))
    assert proposed(story) == [(Level.BLUE, 24), (Level.RED, 30)]


def test_seven_idle_days_are_blue_and_fifteen_yellow(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), tick(400))
    assert proposed(story) == [(Level.BLUE, 7 * 24), (Level.YELLOW, 15 * 24)]


def test_any_step_ends_idleness(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), step(Step.HANDLING, 100), tick(7 * 24 + 50))
    assert proposed(story) == []


def test_returned_twice_is_yellow_and_thrice_orange(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), *(step(Step.RETURNED, hour) for hour in (1, 2, 3)))
    assert proposed(story) == [(Level.YELLOW, 2), (Level.ORANGE, 3)]


def test_an_upheld_return_does_not_count_against_the_office(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), step(Step.RETURNED, 1), step(Step.UPHELD, 2), step(Step.RETURNED, 3))
    assert proposed(story) == []


def test_handed_over_thrice_is_yellow(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), *(step(Step.HANDED_OVER, hour) for hour in (1, 2, 3)))
    assert proposed(story) == [(Level.YELLOW, 3)]


@pytest.mark.parametrize(("named", "levels"), [(0x1_0000, [Level.BLUE]), (0x7_0000, []), (ELEMENTS, [])])
def test_a_reply_that_names_fewer_than_half_of_the_elements_is_vague(
    bench: Make, named: int, levels: list[Level]
) -> None:
    story = bench().tell(step(Step.REGISTERED, 0), step(Step.REPLIED, 5, cues=named | 1 << 28))
    assert [each["proposed"] for each in story.transitions] == levels


def test_words_of_an_emergency_are_red_at_once(bench: Make) -> None:
    assert proposed(bench().tell(step(Step.REGISTERED, 0, cues=1))) == [(Level.RED, 0)]


def test_a_sentence_of_growing_risk_in_a_hazard_category_is_orange_at_once(bench: Make) -> None:
    told = bench(categories=(Category(id="gas", hazard=True),))
    assert proposed(told.tell(step(Step.REGISTERED, 0, category="gas", cues=int(Cue.RISK)))) == [(Level.ORANGE, 0)]


def test_a_hazard_category_alone_says_nothing_of_a_matter(bench: Make) -> None:
    told = bench(categories=(Category(id="gas", hazard=True),))
    assert proposed(told.tell(step(Step.REGISTERED, 0, category="gas"))) == []


def test_a_hazard_that_is_reported_is_orange_until_it_has_ended(bench: Make) -> None:
    told = bench()
    told.tell(step(Step.REGISTERED, 0), step(Step.HAZARD, 1), step(Step.HAZARD_ENDED, 2))
    assert not told.row(key_of("m"))["marks"] & Mark.HAZARD
    assert proposed(bench().tell(step(Step.REGISTERED, 0), step(Step.HAZARD, 1))) == [(Level.ORANGE, 1)]


def test_a_closed_matter_has_no_duty(bench: Make) -> None:
    told = bench()
    story = told.tell(step(Step.REGISTERED, 0, due=24), step(Step.CLOSED, 5), tick(400))
    assert proposed(story) == []
    assert told.row(key_of("m"))["duty"] == 0


def test_without_any_target_two_rules_may_hold_at_once(bench: Make) -> None:
    story = bench().tell(step(Step.REGISTERED, 0, due=24), *(step(Step.RETURNED, hour) for hour in (1, 2)), tick(30))
    assert len(story.transitions[-1]["assessments"]) >= 1
    assert story.effects.counts["applied"] == 3


def test_a_deadline_that_has_passed_is_marked_once(bench: Make) -> None:
    told = bench()
    told.tell(step(Step.REGISTERED, 0, due=24), tick(30))
    assert told.row(key_of("m"))["marks"] & Mark.OVERDUE
