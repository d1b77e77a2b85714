"""Knocking first spares work and changes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.level import DEFAULT_LEVELS, LevelRules
from alerts.testing import Desk, risk
from alerts.warning import Warnings
from pipeline.assessment import Subject
from pipeline.effects import Effects

HOUR = 3_600_000_000
RULES = LevelRules(DEFAULT_LEVELS, consequence=(10_000,), category_consequence={9: 14_000})
looks = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 9_999), st.integers(0, 30), st.sampled_from([9, 10])), max_size=120
)


def graded(all_looks: list[tuple[int, int, int, int]], *, knocking: bool) -> tuple[Effects, Warnings]:
    warnings, effects, now = Warnings(RULES, {"config": 1}), Effects(), 16_000 * 24 * HOUR
    for number, (subject, probability, hours, category) in enumerate(all_looks):
        now += hours * HOUR
        warnings.fire(now, effects)
        key = subject.to_bytes(16, "little")
        admitted = 0
        if knocking:
            score = RULES.score(risk(probability), category)
            ready = sum(score >= cut for cut in RULES.raises)
            admitted = warnings.knock(key, 7, score, ready, now, effects)
            if not admitted:
                continue
        about = Subject(key, "matter", office=7, place=8, category=category)
        cause = str(number).encode()
        warnings.grade(about, now, [risk(probability)], cause, [[number, 0]], effects, max(0, admitted))
    return effects, warnings


@given(looks)
def test_who_knocks_first_gets_what_grading_gives(all_looks: list[tuple[int, int, int, int]]) -> None:
    plain, _ = graded(all_looks, knocking=False)
    knocked, _ = graded(all_looks, knocking=True)
    assert knocked.transitions == plain.transitions
    assert knocked.intents == plain.intents
    assert knocked.counts == plain.counts


def test_only_grading_can_tell_of_a_subject_with_a_warning() -> None:
    desk = Desk()
    desk.risk(9_000)
    assert desk.warnings.knock(b"m".ljust(16, b"\0"), 7, 9_000, 4, desk.now, desk.effects) == -1


def test_only_grading_can_tell_of_a_subject_whose_warning_a_person_closed() -> None:
    desk = Desk()
    desk.risk(9_000)
    desk.tell("close", outcome="confirmed")
    assert desk.warnings.knock(b"m".ljust(16, b"\0"), 7, 9_000, 4, desk.now, desk.effects) == -1
