"""Deadlines in the fold: several to a matter, paused, extended, met or missed."""

from collections.abc import Callable
from typing import Any

from config.clock_rule import Clock
from config.learning import Target
from pipeline.matter import ASSERTED, MET, MISSED, RUNNING
from pipeline.signal import Step
from pipeline.testing import Happening, hours, key_of, tick

Make = Callable[..., Any]
LATE = Target(name="late", rule="breach", window_days=0)
REPLY = Clock(id="reply", source="a rule", length=40, unit="hours", pauses=(Step.PAUSED,), extension_limit=20)
ACCEPT = Clock(id="accept", source="a rule", length=10, unit="hours", stops=(Step.ACCEPTED,))
LETTER = Clock(id="letter", source="a rule", length=5, unit="hours", channels=("letter",))


def under(bench: Make, *clocks: Clock) -> Any:
    return bench(LATE, clocks=clocks, default_clocks=tuple(clock.id for clock in clocks))


def clocks_of(told: Any) -> dict[int, int]:
    """State by rule of the only matter's clocks."""
    rows = told.fold.county.clocks.rows
    here, found = int(told.row(key_of("m"))["clock"]), {}
    while here >= 0:
        found[int(rows["rule"][here])] = int(rows["state"][here])
        here = int(rows["next"][here])
    return found


def step(step: Step, hour: float, **words: Any) -> Happening:
    return Happening("m", hour, step, **words)


def due_of(told: Any) -> int:
    return int(told.row(key_of("m"))["due"])


def test_the_first_of_several_running_clocks_is_the_deadline(bench: Make) -> None:
    told = under(bench, REPLY, ACCEPT)
    told.tell(step(Step.REGISTERED, 0))
    assert due_of(told) == hours(10)
    told.tell(step(Step.ACCEPTED, 3))
    assert due_of(told) == hours(40)
    assert clocks_of(told) == {0: RUNNING, 1: MET}


def test_all_clocks_met_is_known_with_the_last(bench: Make) -> None:
    story = under(bench, REPLY, ACCEPT).tell(
        step(Step.REGISTERED, 0), step(Step.ACCEPTED, 3), step(Step.CLOSED, 20), tick(300)
    )
    assert story.label("m") == (False, hours(20))


def test_one_clock_missed_is_enough(bench: Make) -> None:
    told = under(bench, REPLY, ACCEPT)
    story = told.tell(step(Step.REGISTERED, 0), step(Step.ACCEPTED, 12), step(Step.CLOSED, 20))
    assert story.label("m") == (True, hours(10))
    assert clocks_of(told) == {0: MET, 1: MISSED}


def test_a_pause_stops_the_clock_and_decides_nothing(bench: Make) -> None:
    told = under(bench, REPLY)
    story = told.tell(step(Step.REGISTERED, 0), step(Step.PAUSED, 10), tick(100))
    assert due_of(told) == 0
    assert story.label("m") is None


def test_what_was_paused_is_added_when_it_goes_on(bench: Make) -> None:
    told = under(bench, REPLY)
    story = told.tell(step(Step.REGISTERED, 0), step(Step.PAUSED, 10), step(Step.RESUMED, 34))
    assert due_of(told) == hours(64)
    told.tell(tick(70))
    assert story.label("m") == (True, hours(64))


def test_an_extension_adds_what_the_rule_allows_once(bench: Make) -> None:
    told = under(bench, REPLY)
    told.tell(step(Step.REGISTERED, 0), step(Step.EXTENDED, 10))
    assert due_of(told) == hours(60)
    told.tell(step(Step.EXTENDED, 11))
    assert due_of(told) == hours(60)


def test_a_clock_for_one_channel_leaves_the_others_alone(bench: Make) -> None:
    told = under(bench, LETTER)
    told.tell(step(Step.REGISTERED, 0, channel="letter"), Happening("n", 0, Step.REGISTERED, channel="phone"))
    assert due_of(told) == hours(5)
    assert told.row(key_of("n"))["due"] == 0


def test_a_lawful_end_stops_a_clock_that_does_not_name_it(bench: Make) -> None:
    story = under(bench, ACCEPT).tell(step(Step.REGISTERED, 0), step(Step.WITHDRAWN, 3), tick(300))
    assert story.label("m") == (False, hours(3))


def test_a_due_time_of_the_source_runs_beside_the_legal_ones(bench: Make) -> None:
    told = under(bench, REPLY)
    told.tell(step(Step.REGISTERED, 0, due=7))
    assert due_of(told) == hours(7)
    assert clocks_of(told) == {0: RUNNING, ASSERTED: RUNNING}


def test_a_pause_that_arrives_late_counts_from_when_it_happened(bench: Make) -> None:
    late, prompt = under(bench, REPLY), under(bench, REPLY)
    paused, resumed = step(Step.PAUSED, 5), step(Step.RESUMED, 15)
    prompt.tell(step(Step.REGISTERED, 0), paused, resumed, step(Step.REPLIED, 20))
    late.tell(step(Step.REGISTERED, 0), resumed, step(Step.REPLIED, 20), step(Step.PAUSED, 5, arrives=21))
    assert due_of(late) == due_of(prompt) == hours(50)


def test_a_late_end_stops_the_clock_at_the_time_it_happened(bench: Make) -> None:
    told = under(bench, REPLY)
    told.tell(step(Step.REGISTERED, 0), step(Step.UPDATED, 30), step(Step.CLOSED, 20, arrives=35))
    assert clocks_of(told) == {0: MET}


def test_a_clock_follows_its_rule_to_another_place_in_a_new_configuration(bench: Make) -> None:
    told = under(bench, REPLY, ACCEPT)
    told.tell(step(Step.REGISTERED, 0))
    told.fold.configure(under(bench, ACCEPT, LETTER).rules)
    story = told.tell(step(Step.ACCEPTED, 3), tick(300))
    assert clocks_of(told) == {0: MET, ASSERTED: RUNNING}
    assert story.label("m") == (True, hours(40))
