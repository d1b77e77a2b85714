"""The life of a warning as an operator sees it: up fast, down slowly, and never red by itself."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b

from alerts.level import DEFAULT_LEVELS, LevelRules, nearest_cutoff
from alerts.testing import Desk, rule
from alerts.warning import Warnings, is_said
from pipeline.assessment import Action, Assessment, AssessmentKind, Level, Why
from pipeline.effects import Effects
from pipeline.rules import DutyRule
from pipeline.state import NEVER

BLUE, YELLOW, ORANGE, RED = 3500, 5000, 7000, 9000


DeskWith = Callable[..., Desk]


def test_a_value_past_the_raise_cutoff_makes_a_warning_with_number_one(desk: Desk) -> None:
    desk.risk(BLUE)
    assert (desk.last["number"], desk.last["from"], desk.last["to"], desk.last["cause"]) == (1, 0, 1, "raised")


def test_a_value_below_every_cutoff_makes_nothing(desk: Desk) -> None:
    desk.risk(2999)
    assert not desk.transitions
    assert not desk.warnings.open_keys


def test_a_warnings_id_is_a_hash_of_subject_and_cause_alone(desk: Desk) -> None:
    desk.risk(BLUE)
    expected = blake2b(b"m".ljust(16, b"\0") + f"m{desk.now}".encode(), digest_size=16).hexdigest()
    assert desk.last["warning"] == expected


def test_the_same_words_again_change_nothing(desk: Desk) -> None:
    desk.risk(ORANGE)
    before = json.dumps(desk.warnings.to_state())
    desk.risk(ORANGE)
    assert len(desk.transitions) == 1
    assert json.dumps(desk.warnings.to_state()) == before


def test_one_subject_has_one_open_warning_at_the_highest_of_its_assessments(desk: Desk) -> None:
    desk.grade(*(Assessment(AssessmentKind.RISK, target=t, probability=p) for t, p in ((0, BLUE), (1, YELLOW))))
    desk.grade(*(Assessment(AssessmentKind.RISK, target=t, probability=p) for t, p in ((0, YELLOW), (1, BLUE))))
    assert [each["to"] for each in desk.transitions] == [2]
    assert [each["target"] for each in desk.last["assessments"]] == [0, 1]


def test_a_proposed_red_is_yellow_to_the_office_and_at_once_on_the_duty_desk(desk: Desk) -> None:
    desk.risk(RED)
    assert (desk.last["to"], desk.last["proposed"], desk.last["awaiting"]) == (2, 4, 2)
    assert [(each["audience"], each["visible"], each["level"]) for each in desk.effects.intents] == [
        ("office", 2, 4),
        ("duty_desk", 2, 4),
    ]


def test_an_emergency_reaches_the_office_at_once_marked_as_awaiting_while_the_colour_waits(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.grade(rule(Why.EMERGENCY, Level.RED, past_budget=True, action=Action.DISPATCH))
    office = [each for each in desk.effects.intents if each["audience"] == "office"][-1]
    assert (office["action"], office["awaiting"], office["visible"], office["number"]) == ("dispatch", 2, 2, 2)


def test_a_level_falls_only_after_dwell_and_hold(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.wait(20)
    desk.risk(3000)
    desk.wait(23.9)
    assert desk.causes == ["raised"]
    desk.wait(0.1)
    assert desk.causes == ["raised", "lowered"]
    assert (desk.last["to"], desk.last["at"]) == (1, desk.now)


def test_hold_keeps_a_level_longer_than_dwell(desk_with: DeskWith) -> None:
    desk = desk_with(hold_us=100 * 3_600_000_000)
    desk.risk(YELLOW)
    desk.risk(3000)
    desk.wait(99.9)
    assert desk.causes == ["raised"]
    desk.wait(0.2)
    assert desk.causes == ["raised", "lowered"]


def test_a_value_that_comes_back_during_the_dwell_costs_no_level(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.wait(30)
    desk.risk(100)
    desk.wait(12)
    desk.risk(3900)
    desk.wait(100)
    assert desk.causes == ["raised"]


def test_a_fall_goes_to_the_highest_level_that_the_value_kept_meanwhile(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.wait(30)
    desk.risk(3000)
    desk.wait(23)
    desk.risk(100)
    desk.wait(1)
    assert desk.last["to"] == 1
    desk.wait(24)
    assert desk.causes == ["raised", "lowered", "ended"]


def test_between_the_two_cutoffs_nothing_moves(desk: Desk) -> None:
    desk.risk(4600)
    for probability in (4400, 3900, 4499, 3800):
        desk.wait(30)
        desk.risk(probability)
    assert desk.causes == ["raised"]


def test_what_nobody_touched_ends_by_itself_below_blue(desk: Desk) -> None:
    desk.risk(BLUE)
    desk.risk(100)
    desk.wait(24)
    assert (desk.last["cause"], desk.last["state"], desk.last["to"]) == ("ended", "ended", 0)
    assert not desk.warnings.needs(b"m".ljust(16, b"\0"))


def test_what_nobody_touched_ends_when_everything_is_decided(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.warnings.decided(b"m".ljust(16, b"\0"), desk.now, desk.effects)
    assert desk.last["state"] == "ended"


def test_a_new_episode_has_a_new_id_and_counts_from_one(desk: Desk) -> None:
    desk.risk(BLUE)
    desk.risk(100)
    desk.wait(24)
    desk.risk(BLUE)
    assert (desk.last["number"], desk.last["cause"]) == (1, "raised")
    assert len({each["warning"] for each in desk.transitions}) == 2


def test_the_same_cause_again_goes_on_under_the_same_numbers(desk_with: DeskWith) -> None:
    desk = desk_with(dwell_down_us=0, hold_us=0)
    for probability in (BLUE, 100, BLUE):
        desk.risk(probability)
    assert [each["number"] for each in desk.transitions] == [1, 2, 3]
    assert len({each["warning"] for each in desk.transitions}) == 1


def test_an_unconfirmed_orange_is_withdrawn_at_once_below_its_clear_cutoff(desk: Desk) -> None:
    desk.risk(ORANGE)
    desk.risk(5199)
    assert (desk.last["cause"], desk.last["proposed"], desk.last["to"]) == ("withdrawn", 2, 2)


def test_a_rise_waits_for_its_dwell(desk_with: DeskWith) -> None:
    desk = desk_with(dwell_up_us=2 * 3_600_000_000)
    desk.risk(BLUE)
    assert not desk.transitions
    assert desk.warnings.needs(b"m".ljust(16, b"\0"))
    desk.wait(2)
    assert (desk.last["to"], desk.last["at"]) == (1, desk.now)


def test_a_value_that_falls_during_the_dwell_up_begins_anew(desk_with: DeskWith) -> None:
    desk = desk_with(dwell_up_us=2 * 3_600_000_000)
    desk.risk(BLUE)
    desk.wait(1)
    desk.risk(100)
    desk.wait(0.5)
    desk.risk(BLUE)
    desk.wait(1.9)
    assert not desk.transitions
    desk.wait(0.1)
    assert desk.causes == ["raised"]


def test_a_hard_rule_does_not_wait(desk_with: DeskWith) -> None:
    desk = desk_with(dwell_up_us=2 * 3_600_000_000)
    desk.grade(rule(Why.RETURNED, Level.YELLOW))
    assert desk.last["to"] == 2


def test_what_a_levels_gate_refuses_is_tried_at_the_next_lower_one(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=1)
    for number in range(3):
        desk.risk(YELLOW, subject=f"m{number}")
    assert [each["to"] for each in desk.transitions] == [2, 1]
    assert desk.effects.counts["not_shown"] == 1


def test_each_office_has_its_own_budget(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=1)
    for office in (1, 2, 3):
        desk.risk(BLUE, subject=f"m{office}", office=office)
    assert len(desk.transitions) == 3


def test_what_was_not_shown_is_counted_once_a_day_and_tried_again_tomorrow(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=1)
    desk.risk(BLUE, subject="first")
    for _ in range(3):
        desk.risk(BLUE, subject="second")
    assert desk.effects.counts["not_shown"] == 1
    desk.wait(24)
    desk.risk(9900, subject="second")
    assert desk.transitions[-1]["subject"].startswith(b"second".hex())


def test_a_hazard_goes_past_every_budget(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=0)
    desk.risk(RED)
    assert not desk.transitions
    desk.grade(rule(Why.HAZARD, Level.ORANGE, past_budget=True, action=Action.DISPATCH))
    assert desk.last["proposed"] == 3


def test_a_rule_of_duty_that_is_no_hazard_is_ranked_like_risk(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=0)
    desk.grade(rule(Why.IDLE, Level.YELLOW))
    assert not desk.transitions


def test_rising_again_to_a_level_of_the_same_episode_costs_no_budget(desk_with: DeskWith) -> None:
    desk = desk_with(daily_budget=1)
    desk.risk(ORANGE)
    desk.risk(4000)
    desk.risk(ORANGE)
    assert desk.causes == ["raised", "withdrawn", "raised"]


def test_every_transition_names_the_cutoff_that_its_score_is_nearest_to(desk: Desk) -> None:
    for probability in (3100, 4400, 7900, 5500, 100):
        desk.risk(probability)
        desk.wait(100)
    for each in desk.transitions:
        level, direction, value = nearest_cutoff(each["proposed"], each["score"], desk.rules)
        assert each["cutoff"] == {"level": level, "direction": direction, "value": value}


def test_a_transition_is_json_without_names_floats_or_hidden_levels(desk: Desk) -> None:
    desk.grade(rule(Why.OVERDUE, Level.BLUE), Assessment(AssessmentKind.SURGE, recurrence=400.4))

    def numbers(value: object) -> list[object]:
        if isinstance(value, dict):
            return [leaf for each in value.values() for leaf in numbers(each)]
        return [leaf for each in value for leaf in numbers(each)] if isinstance(value, list) else [value]

    assert json.loads(json.dumps(desk.last)) == desk.last
    assert not any(isinstance(leaf, float) for leaf in numbers(desk.last))


def test_new_cutoffs_grade_open_warnings_at_once_and_hold_still_applies(desk: Desk) -> None:
    desk.risk(BLUE)
    desk.wait(1)
    blue, yellow, orange, red = desk.rules.levels
    softer = LevelRules((blue, replace(yellow, raise_at=3400, clear_at=3000), orange, red))
    desk.warnings.reconfigure(softer, {"config": 2}, desk.now, desk.effects)
    assert (desk.last["cause"], desk.last["to"], desk.last["versions"]) == ("config_changed", 2, {"config": 2})
    desk.warnings.reconfigure(desk.rules, {"config": 3}, desk.now, desk.effects)
    assert len(desk.transitions) == 2
    desk.wait(24)
    assert (desk.last["cause"], desk.last["to"]) == ("lowered", 1)


def test_what_a_withdrawn_rule_said_is_dropped(desk: Desk) -> None:
    desk.grade(rule(Why.RETURNED, Level.ORANGE), rule(Why.IDLE, Level.BLUE))
    left = [DutyRule("returned_twice", "returned", 2, Level.YELLOW), DutyRule("idle_7_days", "idle", 7, Level.BLUE)]
    desk.warnings.reconfigure(desk.rules, {"config": 2}, desk.now, desk.effects, lambda each: is_said(each, left))
    assert (desk.last["cause"], desk.last["proposed"]) == ("config_changed", 2)
    assert [each["hard"] for each in desk.last["assessments"]] == [Level.BLUE]


def test_a_state_and_its_deltas_make_the_same_warnings(desk: Desk) -> None:
    kept = Warnings(desk.rules, {"config": 1})
    kept.patch(json.loads(json.dumps(desk.warnings.to_state())))
    happened: list[Callable[[], object]] = [
        lambda: desk.risk(RED, subject="a"),
        lambda: desk.risk(BLUE, subject="b"),
        lambda: desk.risk(BLUE + 1, subject="b"),
        lambda: desk.tell("close"),
        lambda: desk.tell("reopen"),
        lambda: desk.risk(4000, subject="a"),
        lambda: desk.wait(100),
    ]
    for happens in happened:
        happens()
        kept.patch(json.loads(json.dumps(desk.warnings.to_delta())))
        whole = Warnings.from_state(desk.rules, {}, json.loads(json.dumps(desk.warnings.to_state())))
        assert json.dumps(kept.to_state()) == json.dumps(whole.to_state())
        assert kept.next_due == desk.warnings.next_due


def test_without_warnings_no_timer_runs() -> None:
    warnings = Warnings(LevelRules(DEFAULT_LEVELS), {})
    warnings.fire(NEVER - 1, Effects())
    assert warnings.next_due == NEVER
