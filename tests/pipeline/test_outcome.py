"""What became of a matter, when that is known, and what stays unknown."""

from collections.abc import Callable
from typing import Any

import pytest

from config.learning import Target
from pipeline.signal import ENDS, Step
from pipeline.testing import Happening, days, hours, key_of, tick

LATE = Target(name="late", rule="breach", window_days=0)
BOUNCED = Target(name="bounced", rule="bounced", at_least=2)
PASSED_ON = Target(name="passed on", rule="handed_over", at_least=2)
AGAIN = Target(name="again", rule="repeated", window_days=30)
REOPENED = Target(name="reopened", rule="reopened", window_days=30)
UNSATISFIED = Target(name="unsatisfied", rule="unsatisfied")
CALLED_OUT = Target(name="called out", rule="called_out", window_days=10)
RECORD = Target(name="by the record", rule="column")

Make = Callable[..., Any]


def registered(hour: float = 0, matter: str = "m", **words: Any) -> Happening:
    return Happening(matter, hour, Step.REGISTERED, **words)


def step(step: Step, hour: float, matter: str = "m", **words: Any) -> Happening:
    return Happening(matter, hour, step, **words)


def test_a_deadline_that_passes_is_missed_at_that_moment(bench: Make) -> None:
    story = bench(LATE).tell(registered(due=24), tick(30))
    assert story.label("m") == (True, hours(24))


def test_one_closed_before_its_deadline_is_not_late_and_that_is_known_at_once(bench: Make) -> None:
    story = bench(LATE).tell(registered(due=24), step(Step.CLOSED, 5), tick(300))
    assert story.label("m") == (False, hours(5))


def test_work_reported_done_before_the_deadline_is_not_late(bench: Make) -> None:
    story = bench(LATE).tell(registered(due=24), step(Step.REPORTED_DONE, 20), tick(300))
    assert story.label("m") == (False, hours(20))


def test_before_its_deadline_the_outcome_of_an_open_matter_is_unknown(bench: Make) -> None:
    assert bench(LATE).tell(registered(due=24), tick(23)).label("m") is None


def test_without_a_deadline_a_matter_is_not_eligible_which_is_no_negative(bench: Make) -> None:
    told = bench(LATE)
    assert told.tell(registered(), step(Step.CLOSED, 5), tick(2000)).label("m") is None
    assert not [block for block in told.story.decisions if len(block.heads)]


def test_a_deadline_that_is_put_off_in_time_is_judged_by_the_new_one(bench: Make) -> None:
    story = bench(LATE).tell(registered(due=24), step(Step.EXTENDED, 20, due=48), tick(60))
    assert story.label("m") == (True, hours(48))


@pytest.mark.parametrize("end", sorted(ENDS))
def test_a_lawful_end_before_the_deadline_is_no_failure(bench: Make, end: Step) -> None:
    story = bench(LATE).tell(registered(due=24), step(end, 5), tick(300))
    assert story.label("m") == (False, hours(5))


def test_handed_over_twice_is_known_with_the_second_hand_over(bench: Make) -> None:
    told = bench(PASSED_ON)
    assert told.tell(registered(), step(Step.HANDED_OVER, 1)).label("m") is None
    assert told.tell(step(Step.HANDED_OVER, 2)).label("m") == (True, hours(2))


def test_handed_over_once_is_known_to_be_no_more_when_the_matter_closes(bench: Make) -> None:
    story = bench(PASSED_ON).tell(registered(), step(Step.HANDED_OVER, 1), step(Step.CLOSED, 9))
    assert story.label("m") == (False, hours(9))


def test_a_return_counts_only_once_it_was_judged(bench: Make) -> None:
    told = bench(BOUNCED)
    story = told.tell(registered(), step(Step.RETURNED, 1), step(Step.RETURNED, 2))
    assert story.label("m") is None
    assert told.tell(step(Step.NOT_UPHELD, 3)).label("m") == (True, hours(3))


def test_an_upheld_return_is_the_dispatchers_fault_and_does_not_count(bench: Make) -> None:
    story = bench(BOUNCED).tell(
        registered(), step(Step.RETURNED, 1), step(Step.UPHELD, 2), step(Step.RETURNED, 3), step(Step.CLOSED, 9)
    )
    assert story.label("m") == (False, hours(9))


def test_reopened_within_the_window_fails_at_the_reopening(bench: Make) -> None:
    story = bench(REOPENED).tell(registered(), step(Step.CLOSED, 24), step(Step.REOPENED, 48))
    assert story.label("m") == (True, hours(48))


def test_what_stays_closed_is_censored_until_the_window_has_passed(bench: Make) -> None:
    told = bench(REOPENED)
    assert told.tell(registered(), step(Step.CLOSED, 24), tick(30 * 24)).label("m") is None
    assert told.tell(tick(31 * 24)).label("m") == (False, days(31))


def test_a_window_longer_than_the_watch_is_waited_for(bench: Make) -> None:
    long = REOPENED.model_copy(update={"window_days": 50.0})
    told = bench(long)
    assert told.tell(registered(), step(Step.CLOSED, 0.5), tick(40 * 24)).label("m") is None
    assert told.tell(tick(51 * 24)).label("m") == (False, hours(50 * 24 + 0.5))
    assert key_of("m") not in told.fold.county.matters.slot_of


def test_the_same_place_and_category_again_within_thirty_days_fails(bench: Make) -> None:
    where: dict[str, Any] = {"place": "east", "category": "pothole"}
    story = bench(AGAIN).tell(registered(**where), registered(29 * 24, "n", **where))
    assert story.label("m") == (True, days(29))


def test_the_same_place_after_the_window_is_no_repetition(bench: Make) -> None:
    where: dict[str, Any] = {"place": "east", "category": "pothole"}
    story = bench(AGAIN).tell(registered(**where), registered(31 * 24, "n", **where))
    assert story.label("m") == (False, days(30))


@pytest.mark.parametrize("other", [{"place": "west"}, {"category": "noise"}])
def test_another_place_or_category_is_no_repetition(bench: Make, other: dict[str, str]) -> None:
    where: dict[str, Any] = {"place": "east", "category": "pothole"}
    assert bench(AGAIN).tell(registered(**where), registered(24, "n", **(where | other))).label("m") is None


def test_a_spot_whose_last_matter_is_forgotten_names_nobody(bench: Make) -> None:
    where: dict[str, Any] = {"place": "east", "category": "pothole"}
    story = bench(AGAIN).tell(
        registered(**where), step(Step.CLOSED, 1), tick(40 * 24), registered(41 * 24, "n", **where)
    )
    assert story.label("m") == (False, days(30))
    assert story.label("n") is None


@pytest.mark.parametrize(("said", "failed"), [(Step.UNSOLVED, True), (Step.SOLVED, False)])
def test_who_asked_says_whether_it_was_solved(bench: Make, said: Step, failed: bool) -> None:
    story = bench(UNSATISFIED).tell(registered(), step(Step.CLOSED, 1), step(said, 9))
    assert story.label("m") == (failed, hours(9))


def test_unasked_it_stays_unknown_for_ever(bench: Make) -> None:
    assert bench(UNSATISFIED).tell(registered(), step(Step.CLOSED, 1), tick(9000)).label("m") is None


def test_called_out_within_the_window_fails_and_after_it_is_too_late_to(bench: Make) -> None:
    story = bench(CALLED_OUT).tell(
        registered(0, "m"), registered(0, "n"), step(Step.CALLED_OUT, 24, "m"), step(Step.CALLED_OUT, 11 * 24, "n")
    )
    assert story.label("m") == (True, hours(24))
    assert story.label("n") == (False, days(10))


def test_an_outcome_from_a_column_is_known_at_the_step_that_brings_it(bench: Make) -> None:
    story = bench(RECORD).tell(registered(), step(Step.CLOSED, 7, known=1, value=1), step(Step.UPDATED, 8, known=1))
    assert story.label("m") == (True, hours(7))


def test_an_end_that_arrives_before_its_registration_still_stops_the_clock(bench: Make) -> None:
    story = bench(LATE).tell(step(Step.CLOSED, 5), registered(1, arrives=6, due=24), tick(300))
    assert story.label("m") == (False, hours(6))


def test_a_step_before_any_registration_is_kept_and_counted(bench: Make) -> None:
    told = bench(LATE)
    story = told.tell(step(Step.REPLIED, 5))
    assert story.effects.counts["before_registration"] == 1
    assert told.row(key_of("m"))["steps"] == 1
