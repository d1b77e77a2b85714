"""What holds whatever happens: random days on the duty desk."""

import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.level import DEFAULT_LEVELS, LevelRule, LevelRules
from alerts.testing import HOUR, Desk, rule
from alerts.warning import Warnings
from pipeline.assessment import Action, Assessment, AssessmentKind, Level, Why

RULES = LevelRules(
    (
        LevelRule(3000, 2400, 30, 15, HOUR, 3 * HOUR, 2 * HOUR, 3),
        LevelRule(4500, 3800, 90, 45, 0, 2 * HOUR, 5 * HOUR, 2),
        LevelRule(6000, 5200, 365, 180, HOUR // 2, 4 * HOUR, 0, 1),
        LevelRule(8000, 7000, 1825, 900, 0, HOUR, HOUR, 1),
    ),
    consequence=(10_000, 10_000),
)
HAZARD = rule(Why.HAZARD, Level.ORANGE, past_budget=True, action=Action.DISPATCH)
COMMANDS = ("acknowledge", "confirm", "decline", "assign", "note", "close", "reopen", "undo")

Happening = tuple[str, Any, Any, Any]
subjects = st.sampled_from("abcd")
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("grade"), subjects, st.integers(0, 10_000), st.sampled_from(["", "", "hazard", "idle"])),
        st.tuples(st.just("wait"), st.sampled_from([0.25, 1.0, 5.0, 30.0]), st.none(), st.none()),
        st.tuples(st.just("tell"), st.integers(0, 5), st.sampled_from(COMMANDS), st.sampled_from("xyz")),
        st.tuples(st.just("signal"), st.none(), st.none(), st.none()),
        st.tuples(st.just("decided"), subjects, st.none(), st.none()),
        st.tuples(st.just("config"), st.booleans(), st.none(), st.none()),
    ),
    max_size=40,
)


def live(desk: Desk, happening: Happening, seen: list[str]) -> None:
    """Let one thing happen. `seen` are the ids of warnings so far, for commands to point at."""
    kind, first, second, third = happening
    if kind == "grade":
        rules = {"hazard": [HAZARD], "idle": [rule(Why.IDLE, Level.YELLOW)]}.get(third, [])
        desk.grade(Assessment(AssessmentKind.RISK, target=0, probability=second), *rules, subject=first)
    elif kind == "wait":
        desk.wait(first)
    elif kind == "signal":
        desk.signal()
    elif kind == "decided":
        desk.warnings.decided(first.encode().ljust(16, b"\0"), desk.now, desk.effects)
    elif kind == "config":
        desk.rules = RULES if first else LevelRules(DEFAULT_LEVELS, consequence=(10_000, 10_000))
        desk.warnings.reconfigure(desk.rules, {}, desk.now, desk.effects)
    elif seen:
        fields = {"next_update_by": desk.now + 3 * HOUR, "office": 42, "remark": "r", "reason": "r"}
        desk.tell(second, f"post-{third}", warning=seen[first % len(seen)], outcome="valuable", **fields)
    for each in desk.transitions:
        if each["warning"] not in seen:
            seen.append(each["warning"])


def lived(happened: list[Happening]) -> Desk:
    desk, seen = Desk(RULES), list[str]()
    for happening in happened:
        live(desk, happening, seen)
    return desk


def by_warning(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    stories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in desk.transitions:
        stories[each["warning"]].append(each)
    return stories


@given(happenings)
@settings(max_examples=150)
def test_transitions_are_numbered_without_gaps_and_join_on(happened: list[Happening]) -> None:
    for story in by_warning(lived(happened)).values():
        assert [each["number"] for each in story] == list(range(1, len(story) + 1))
        assert [each["from"] for each in story] == [0, *(each["to"] for each in story[:-1])]
        assert all(before["at"] <= after["at"] for before, after in pairwise(story))


@given(happenings)
@settings(max_examples=150)
def test_what_the_office_sees_follows_from_what_is_proposed_and_confirmed(happened: list[Happening]) -> None:
    for each in lived(happened).transitions:
        shut = each["state"] in {"closed", "ended"}
        assert each["to"] == (0 if shut else max(each["confirmed"], min(each["proposed"], 2)))
        assert shut or each["to"] > 0
        assert each["confirmed"] <= each["proposed"]


@given(happenings)
@settings(max_examples=150)
def test_no_office_sees_red_that_two_different_persons_have_not_confirmed(happened: list[Happening]) -> None:
    for story in by_warning(lived(happened)).values():
        persons: set[str] = set()
        for each in story:
            if each["cause"] == "confirmed":
                persons.add(each["principal"])
            assert len(persons) >= max(0, each["to"] - 2)


@given(happenings)
@settings(max_examples=150)
def test_a_subject_has_one_open_warning_at_a_time(happened: list[Happening]) -> None:
    open_now: dict[str, str] = {}
    for each in lived(happened).transitions:
        if each["state"] in {"closed", "ended"}:
            assert open_now.pop(each["subject"]) == each["warning"]
        else:
            assert open_now.setdefault(each["subject"], each["warning"]) == each["warning"]


@given(happenings, st.data())
@settings(max_examples=150)
def test_extra_looks_at_the_timers_change_nothing(happened: list[Happening], data: st.DataObject) -> None:
    looked, seen = Desk(RULES), list[str]()
    for happening in happened:
        if happening[0] == "wait":
            for part in sorted(data.draw(st.lists(st.floats(0, happening[1]), max_size=3))):
                looked.warnings.fire(looked.now + int(part * HOUR), looked.effects)
        live(looked, happening, seen)
        looked.warnings.fire(looked.now, looked.effects)
    assert looked.effects == lived(happened).effects


@given(happenings, st.integers(0, 40), st.booleans())
@settings(max_examples=150)
def test_warnings_taken_up_from_a_checkpoint_go_on_alike(happened: list[Happening], cut: int, whole: bool) -> None:
    desk, seen, deltas = Desk(RULES), list[str](), list[str]()
    for happening in happened[:cut]:
        live(desk, happening, seen)
        deltas.append(json.dumps(desk.warnings.to_delta()))
    kept = Warnings(desk.rules, {"config": 1})
    for delta in [json.dumps(desk.warnings.to_state())] if whole else deltas:
        kept.patch(json.loads(delta))
    desk.warnings = kept
    for happening in happened[cut:]:
        live(desk, happening, seen)
    assert desk.effects == lived(happened).effects


@given(happenings)
@settings(max_examples=150)
def test_a_timer_is_always_to_come(happened: list[Happening]) -> None:
    desk, seen = Desk(RULES), list[str]()
    for happening in happened:
        live(desk, happening, seen)
        assert desk.warnings.next_due > desk.now


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=120))
@settings(max_examples=50)
def test_no_day_shows_more_of_a_level_than_one_and_a_half_budgets_but_what_goes_past_it_by_right(
    seen: list[tuple[int, bool]],
) -> None:
    desk = Desk()
    for number, (probability, is_hazard) in enumerate(seen):
        words = [Assessment(AssessmentKind.RISK, target=0, probability=probability)]
        desk.grade(*words, *([HAZARD] if is_hazard else []), subject=f"m{number}")
    first = [each for each in desk.transitions if not any(word["past_budget"] for word in each["assessments"])]
    for level, levels in enumerate(DEFAULT_LEVELS, start=1):
        assert sum(each["proposed"] == level for each in first) <= 1.5 * levels.daily_budget
