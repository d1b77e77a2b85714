"""The results board: what counts as an incident, as a warning in time, as a false one; few cases are not shown."""

from typing import Any

import pytest

from runners.demo.scoreboard import Truth, Warned, deadline_only, ours
from runners.demo.scoreboard_figures import scoreboard, wilson

HOUR = 3600.0
DAY = 24 * HOUR


def at(hours: float) -> str:
    """A moment so many hours after the epoch."""
    day, rest = divmod(hours, 24)
    return f"1970-01-{int(day) + 1:02d}T{int(rest):02d}:{round(rest % 1 * 60):02d}:00+00:00"


def matter(name: str, *, registered: float, due: float, done: float, **failed: float) -> dict[str, Any]:
    """The truth of a matter; times in hours, `failed` by outcome."""
    return {
        "kind": "matter",
        "matter": name,
        "registered_at": at(registered),
        "first_due_at": at(due),
        "done_at": at(done),
        "called_back_at": at(done + 1),
        "failed_at": {outcome: at(when) for outcome, when in failed.items()},
        "outcomes": {"unsatisfied": "unsatisfied" in failed},
    }


def truth(*records: dict[str, Any], targets: tuple[str, ...] = ("breach",)) -> Truth:
    found = Truth(targets)
    found.take(records)
    return found


def warned(subject: str, hours: float, *, kind: str = "matter", reason: str = "risk", **where: str) -> Warned:
    return Warned(kind, subject, where.get("category", ""), where.get("place", ""), reason, hours * HOUR)


LATE = matter("late", registered=0, due=24, done=30, breach=24)
FINE = matter("fine", registered=0, due=24, done=10)


def test_a_warning_before_the_failure_is_in_time_and_its_lead_is_measured() -> None:
    tally = ours(truth(LATE), [warned("late", 4)], 0, 3 * DAY)
    assert (tally.incidents, tally.leads, tally.true, tally.false) == (1, [20.0], 1, 0)


def test_a_warning_after_the_failure_is_not_in_time() -> None:
    tally = ours(truth(LATE), [warned("late", 25)], 0, 3 * DAY)
    assert (tally.incidents, tally.leads) == (1, [])


def test_the_first_of_several_warnings_gives_the_lead() -> None:
    tally = ours(truth(LATE), [warned("late", 20), warned("late", 4)], 0, 3 * DAY)
    assert tally.leads == [20.0]


def test_a_warning_after_which_nothing_happens_is_false_once_that_is_known() -> None:
    warnings = [warned("fine", 4)]
    assert ours(truth(FINE), warnings, 0, 3 * DAY).false == 1
    before = ours(truth(FINE), warnings, 0, 9 * HOUR)
    assert (before.false, before.pending) == (0, 1)


@pytest.mark.parametrize("reason", ["overdue", "emergency", "hazard", "vague_reply", "missing", "stuck", "idle"])
def test_what_states_a_fact_is_no_forewarning(reason: str) -> None:
    tally = ours(truth(LATE), [warned("late", 4, reason=reason)], 0, 3 * DAY)
    assert (tally.leads, tally.true, tally.false) == ([], 0, 0)


def test_only_outcomes_that_are_learned_make_an_incident() -> None:
    unhappy = matter("unhappy", registered=0, due=24, done=10, unsatisfied=11)
    assert ours(truth(unhappy), [], 0, 3 * DAY).incidents == 0
    assert ours(truth(unhappy, targets=("breach", "unsatisfied")), [], 0, 3 * DAY).incidents == 1


def test_what_lies_in_the_future_is_no_incident_yet() -> None:
    assert ours(truth(LATE), [warned("late", 4)], 0, 20 * HOUR).incidents == 0


def test_the_rule_that_knows_deadlines_warns_when_three_quarters_of_the_clock_are_over() -> None:
    tally = deadline_only(truth(LATE, FINE), 0, 3 * DAY)
    assert (tally.incidents, tally.leads, tally.true, tally.false) == (1, [6.0], 1, 0)


def test_the_rule_that_knows_deadlines_is_wrong_about_what_is_done_in_the_last_quarter() -> None:
    tally = deadline_only(truth(matter("close", registered=0, due=24, done=23)), 0, 3 * DAY)
    assert (tally.true, tally.false) == (0, 1)


SURGE = {
    "kind": "surge",
    "category": "M07",
    "places": ["c1t1g001", "c1t1g002"],
    "begin": at(24),
    "end": at(72),
}  # fmt: skip


@pytest.mark.parametrize(("place", "is_true"), [("c1", True), ("root", True), ("c2", False)])
def test_a_surge_is_warned_of_in_its_county_or_in_the_whole_city(place: str, is_true: bool) -> None:
    warnings = [warned("x", 30, kind="surge", reason="surge", category="M07", place=place)]
    tally = ours(truth(SURGE), warnings, 0, 5 * DAY)
    assert (tally.incidents, len(tally.leads), tally.true, tally.false) == (1, is_true, is_true, not is_true)


def test_a_hazard_is_warned_of_until_ten_minutes_after_the_limit_was_passed() -> None:
    hazard = {"kind": "sensor", "what": "hazard", "sensor": "S01-1"}
    hazard |= {"begin": at(1), "passes_at": at(1.5), "end": at(3)}
    early, late = (
        ours(truth(hazard), [warned("S01-1", hours, kind="sensor", reason="out_of_range")], 0, DAY)
        for hours in (1.6, 1.8)
    )
    assert (len(early.leads), len(late.leads)) == (1, 0)
    assert (early.true, late.true) == (1, 1)


def test_a_fault_of_a_sensor_that_is_taken_for_a_hazard_is_a_false_warning() -> None:
    tally = ours(truth(), [warned("S01-1", 1, kind="sensor", reason="abnormal_reading")], 0, DAY)
    assert (tally.true, tally.false) == (0, 1)


def figures(board: dict[str, Any], policy: str | None) -> dict[str, Any]:
    return {one["id"]: one for one in board["figures"] if one["policy"] == policy}


def test_figures_of_fewer_than_ten_cases_are_not_shown() -> None:
    few = figures(scoreboard(truth(LATE), [warned("late", 4)], 3 * DAY), "forewarn")
    assert few["incidents"]["value"] == 1
    assert few["recall"]["value"] is None
    assert few["recall"]["fewer_than"] == 10


def test_shares_come_with_an_interval_and_every_figure_with_a_definition() -> None:
    matters = [matter(f"m{n}", registered=0, due=24, done=30, breach=24) for n in range(20)]
    board = scoreboard(truth(*matters), [warned(f"m{n}", 4) for n in range(15)], 3 * DAY)
    recall = figures(board, "forewarn")["recall"]
    assert (recall["value"], recall["denominator"]) == (0.75, 20)
    assert recall["interval"] == [round(bound, 4) for bound in wilson(15, 20)]
    assert all(one["definition"]["zh"] and one["definition"]["en"] for one in board["figures"])


def test_claimed_and_verified_stand_side_by_side() -> None:
    happy = [matter(f"h{n}", registered=0, due=24, done=10) for n in range(15)]
    unhappy = [matter(f"u{n}", registered=0, due=24, done=10, unsatisfied=11) for n in range(5)]
    alone = figures(scoreboard(truth(*happy, *unhappy), [], 3 * DAY), None)
    assert alone["claimed"]["value"] == 1.0
    assert alone["verified"]["value"] == 0.75
