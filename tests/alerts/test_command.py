"""What people can do to a warning, and what they are told when they cannot."""

from collections.abc import Callable

import pytest

from alerts.testing import HOUR, Desk, rule
from pipeline.assessment import Level, Why

BLUE, YELLOW, ORANGE, RED = 3500, 5000, 7000, 9000


def test_one_person_confirms_orange(desk: Desk) -> None:
    desk.risk(ORANGE)
    assert desk.tell("confirm") == "applied"
    assert (desk.last["from"], desk.last["to"], desk.last["principal"]) == (2, 3, "post-a")


def test_red_needs_two_different_persons(desk: Desk) -> None:
    desk.risk(RED)
    assert desk.tell("confirm", "post-a") == "applied"
    assert desk.tell("confirm", "post-a") == "same_person"
    assert (desk.last["to"], desk.last["awaiting"]) == (3, 1)
    assert desk.tell("confirm", "post-b") == "applied"
    assert (desk.last["to"], desk.last["awaiting"]) == (4, 0)


def test_there_is_nothing_to_confirm_below_orange(desk: Desk) -> None:
    desk.risk(YELLOW)
    assert desk.tell("confirm") == "not_allowed"
    assert desk.tell("decline", reason="known") == "not_allowed"


def test_a_decline_needs_a_reason_and_caps_at_yellow(desk: Desk) -> None:
    desk.risk(RED)
    assert desk.tell("decline") == "reason_required"
    assert desk.tell("decline", reason="a works crew is there") == "applied"
    desk.wait(24)
    desk.risk(9500)
    assert (desk.causes, desk.last["proposed"]) == (["raised", "declined"], 2)


def test_a_new_signal_lifts_the_cap(desk: Desk) -> None:
    desk.risk(RED)
    desk.tell("decline", reason="a works crew is there")
    desk.signal()
    desk.risk(RED)
    assert (desk.last["cause"], desk.last["proposed"]) == ("raised", 4)


def test_a_new_hard_rule_lifts_the_cap_and_the_declined_one_does_not(desk: Desk) -> None:
    desk.grade(rule(Why.RETURNED, Level.ORANGE))
    desk.tell("decline", reason="in hand")
    desk.grade(rule(Why.RETURNED, Level.ORANGE))
    assert desk.last["cause"] == "declined"
    desk.grade(rule(Why.RETURNED, Level.ORANGE), rule(Why.HAZARD, Level.ORANGE, past_budget=True))
    assert desk.last["proposed"] == 3


def test_one_persons_decline_does_not_take_back_anothers_confirmation(desk: Desk) -> None:
    desk.risk(RED)
    desk.tell("confirm", "post-a")
    desk.tell("decline", "post-b", reason="orange is enough")
    assert (desk.last["to"], desk.last["proposed"], desk.last["awaiting"]) == (3, 3, 0)


def test_a_confirmed_level_that_fell_needs_its_second_person_anew(desk: Desk) -> None:
    desk.risk(RED)
    desk.tell("confirm", "post-a")
    desk.tell("confirm", "post-b")
    desk.wait(50)
    desk.risk(6000)
    desk.wait(24)
    assert desk.last["to"] == 3
    desk.risk(RED)
    assert desk.tell("confirm", "post-a") == "same_person"
    assert desk.tell("confirm", "post-b") == "applied"


def test_after_a_confirmation_a_warning_stays_open_until_its_outcome_is_recorded(desk: Desk) -> None:
    desk.risk(ORANGE)
    desk.tell("confirm")
    desk.risk(100)
    desk.wait(1000)
    desk.warnings.decided(b"m".ljust(16, b"\0"), desk.now, desk.effects)
    assert (desk.last["to"], desk.last["state"]) == (1, "open")
    assert desk.tell("close") == "outcome_required"
    assert desk.tell("close", outcome="false_alarm") == "applied"
    assert (desk.last["to"], desk.last["state"], desk.last["outcome"]) == (0, "closed", "false_alarm")


def test_blue_and_yellow_close_without_an_outcome(desk: Desk) -> None:
    desk.risk(YELLOW)
    assert desk.tell("close") == "applied"


def test_what_a_person_closed_comes_back_with_a_new_signal_only(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.tell("close", outcome="already_known")
    desk.wait(24)
    desk.risk(YELLOW)
    assert desk.last["cause"] == "closed"
    desk.signal()
    desk.risk(YELLOW)
    assert (desk.last["cause"], desk.last["number"]) == ("raised", 1)


def test_an_acknowledgement_has_a_name_and_a_time(desk: Desk) -> None:
    desk.risk(YELLOW)
    assert desk.tell("acknowledge") == "bad_command"
    assert desk.tell("acknowledge", next_update_by=desk.now) == "bad_command"
    assert desk.tell("acknowledge", next_update_by=desk.now + HOUR) == "applied"
    assert (desk.last["state"], desk.last["next_update_by"]) == ("acknowledged", desk.now + HOUR)


def test_an_acknowledgement_that_lapses_is_told_again(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.tell("acknowledge", next_update_by=desk.now + 2 * HOUR)
    desk.wait(2)
    assert (desk.last["cause"], desk.last["state"], desk.last["at"]) == ("lapsed", "open", desk.now)
    assert [each["number"] for each in desk.effects.intents] == [1, 3]


def test_an_assigned_office_is_told_and_keeps_the_warning(desk: Desk) -> None:
    desk.risk(YELLOW)
    assert desk.tell("assign", office=42) == "applied"
    assert desk.effects.intents[-1]["office"] == 42
    desk.risk(RED)
    assert desk.last["office"] == 42


def test_a_note_changes_nothing_but_that_a_person_must_end_it(desk: Desk) -> None:
    desk.risk(BLUE)
    assert desk.tell("note") == "bad_command"
    assert desk.tell("note", remark="seen on site") == "applied"
    assert (desk.last["from"], desk.last["to"], desk.last["remark"]) == (1, 1, "seen on site")
    desk.risk(100)
    desk.wait(1000)
    assert desk.last["cause"] == "noted"


@pytest.mark.parametrize("command", [{"command": "assign", "office": 42}, {"command": "acknowledge"}])
def test_acknowledge_and_assign_can_be_undone(desk: Desk, command: dict[str, object]) -> None:
    desk.risk(YELLOW)
    desk.tell(**command, next_update_by=desk.now + HOUR)  # type: ignore[arg-type]
    assert desk.tell("undo") == "applied"
    assert (desk.last["cause"], desk.last["office"], desk.last["state"]) == ("undone", 7, "open")
    assert "next_update_by" not in desk.last
    assert desk.tell("undo") == "not_allowed"


def test_only_the_last_thing_that_happened_can_be_undone(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.tell("assign", office=42)
    desk.tell("note", remark="called them")
    assert desk.tell("undo") == "not_allowed"


def test_a_shut_warning_is_reopened_under_its_own_id(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.tell("close")
    assert desk.tell("note", remark="late") == "not_open"
    assert desk.tell("reopen") == "applied"
    assert (desk.last["number"], desk.last["from"], desk.last["to"], desk.last["state"]) == (3, 0, 2, "open")
    assert len({each["warning"] for each in desk.transitions}) == 1


def test_a_shut_warning_is_not_reopened_beside_a_newer_one(desk: Desk) -> None:
    desk.risk(YELLOW)
    old = desk.last["warning"]
    desk.tell("close")
    desk.hour += 1
    desk.signal()
    desk.risk(YELLOW)
    assert desk.tell("reopen", warning=old) == "not_allowed"


def test_after_thirty_days_a_shut_warning_is_unknown(desk: Desk) -> None:
    desk.risk(YELLOW)
    desk.tell("close")
    desk.wait(30 * 24 + 1)
    assert desk.tell("reopen") == "unknown_warning"


def test_a_command_that_expects_another_number_is_stale(desk: Desk) -> None:
    desk.risk(ORANGE)
    assert desk.tell("confirm", expected=0) == "stale"
    assert desk.tell("confirm", expected=1) == "applied"


def test_the_same_key_again_is_answered_alike_and_changes_nothing(desk: Desk) -> None:
    desk.risk(RED)
    for _ in range(2):
        desk.tell("confirm", "post-a", id="once")
    first, second = desk.effects.verdicts
    assert first == second
    assert desk.causes == ["raised", "confirmed"]


def test_the_same_key_for_another_command_is_a_duplicate(desk: Desk) -> None:
    desk.risk(RED)
    desk.tell("confirm", "post-a", id="once")
    assert desk.tell("confirm", "post-b", id="once") == "duplicate"


@pytest.mark.parametrize(
    "fields",
    [
        {"command": "explode"},
        {"command": ["confirm"]},
        {"principal": ""},
        {"principal": 7},
        {"warning": None},
        {"expected": "1"},
        {"outcome": 5},
        {"id": None},
    ],
)
def test_a_command_that_cannot_be_read_is_refused(desk: Desk, fields: dict[str, object]) -> None:
    desk.risk(RED)
    assert desk.tell(**{"command": "confirm", **fields}) == "bad_command"  # type: ignore[arg-type]


def test_an_outcome_outside_the_list_is_refused(desk: Desk) -> None:
    desk.risk(ORANGE)
    assert desk.tell("close", outcome="whatever") == "bad_command"


def test_an_unknown_warning_is_named_as_such(desk: Desk) -> None:
    desk.risk(ORANGE)
    assert desk.tell("confirm", warning="00") == "unknown_warning"


def test_a_refused_command_leaves_no_transition(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with()
    desk.risk(YELLOW)
    for command in ("confirm", "decline", "acknowledge", "assign", "note", "undo", "reopen"):
        desk.tell(command)
    assert desk.causes == ["raised"]
