"""Which level an assessment speaks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.level import (
    DEFAULT_LEVELS,
    CutOff,
    LevelRule,
    LevelRules,
    nearest_cutoff,
)
from pipeline.assessment import Action, Assessment, AssessmentKind, Level

RULES = LevelRules(DEFAULT_LEVELS, consequence=(10_000, 20_000), category_consequence={5: 15_000})


def risk(probability: int, target: int = 0) -> Assessment:
    return Assessment(AssessmentKind.RISK, target=target, probability=probability)


def surge(days: float) -> Assessment:
    return Assessment(AssessmentKind.SURGE, recurrence=days)


def test_a_score_is_probability_times_consequence_of_target_and_category() -> None:
    assert RULES.score(risk(3000), category=0) == 3000
    assert RULES.score(risk(3000, target=1), category=0) == 6000
    assert RULES.score(risk(3000, target=1), category=5) == 9000


def test_a_level_is_reached_at_its_raise_cutoff_and_kept_down_to_its_clear_cutoff() -> None:
    assert RULES.standing([risk(4499)], 0).up == Level.BLUE
    assert RULES.standing([risk(4500)], 0).up == Level.YELLOW
    assert RULES.standing([risk(3800)], 0).keep == Level.YELLOW
    assert RULES.standing([risk(3799)], 0).keep == Level.BLUE


def test_the_highest_assessment_governs() -> None:
    standing = RULES.standing([risk(3000), risk(4000, target=1), risk(2000)], 0)
    assert (standing.up, standing.score, standing.governing) == (Level.RED, 8000, 1)


def test_a_recurrence_has_cutoffs_of_its_own_in_days() -> None:
    assert [RULES.standing([surge(days)], 0).up for days in (29.9, 30, 90, 365, 1825)] == [0, 1, 2, 3, 4]
    assert RULES.standing([surge(15)], 0).keep == Level.BLUE


@given(st.floats(0.001, 1e6))
def test_a_recurrence_lies_on_the_score_scale_between_the_cutoffs_that_it_lies_between_in_days(days: float) -> None:
    standing = RULES.standing([surge(days)], 0)
    assert standing.up == sum(RULES.score(surge(days), 0) >= cut for cut in RULES.raises)


def test_a_hard_rule_counts_as_the_raise_cutoff_of_its_level() -> None:
    held = Assessment(AssessmentKind.DUTY, hard=Level.ORANGE, past_budget=True, action=Action.DISPATCH)
    standing = RULES.standing([risk(3100), held], 0)
    assert (standing.up, standing.hard, standing.free, standing.keep) == (1, 3, 3, 3)
    assert (standing.score, standing.governing, standing.dispatch) == (6000, 1, True)


def test_no_probability_below_its_floor_can_reach_blue_in_any_category() -> None:
    for target, floor in enumerate(RULES.floors):
        assert RULES.standing([risk(floor - 1, target)], 5).up == Level.NONE
        assert RULES.standing([risk(floor, target)], 5).up >= Level.BLUE


@pytest.mark.parametrize(
    ("level", "score", "expected"),
    [
        (0, 1000, CutOff(1, "raise", 3000)),
        (1, 4400, CutOff(2, "raise", 4500)),
        (1, 2500, CutOff(1, "clear", 2400)),
        (4, 9900, CutOff(4, "clear", 7000)),
        (2, 9000, CutOff(4, "raise", 8000)),
    ],
)
def test_the_nearest_cutoff_is_one_above_the_level_or_the_one_that_clears_it(
    level: int, score: int, expected: CutOff
) -> None:
    assert nearest_cutoff(level, score, RULES) == expected


def test_cutoffs_out_of_order_are_refused() -> None:
    low, high = LevelRule(3000, 2400, 30, 15), LevelRule(2900, 2000, 90, 45)
    with pytest.raises(ValueError, match="must rise from blue to red"):
        LevelRules((low, high, high, high))
    with pytest.raises(ValueError, match="must not lie above"):
        LevelRules((LevelRule(1, 2, 1, 1),) * 4)


def test_a_partition_gives_its_share_of_an_offices_budget() -> None:
    rules = LevelRules(DEFAULT_LEVELS, share=2_500, office_budget={(7, 2): 40.0})
    assert rules.budget(7, 2) == 10
    assert rules.budget(8, 2) == 2.5
