"""What people do to a warning: each command is checked against the warning as it is and answered with a verdict."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from alerts.level import DAY_US
from alerts.lifecycle import SHOWN_UNCONFIRMED, Cause, Life, Outcome, State
from pipeline.assessment import Level
from pipeline.state import NEVER

REMEMBERED_US = 30 * DAY_US
"""How long a verdict is kept by its key, and a shut warning can be reopened."""


class Verdict(StrEnum):
    """Answer to a command."""

    APPLIED = "applied"
    STALE = "stale"
    SAME_PERSON = "same_person"
    NOT_OPEN = "not_open"
    UNKNOWN_WARNING = "unknown_warning"
    OUTCOME_REQUIRED = "outcome_required"
    REASON_REQUIRED = "reason_required"
    DUPLICATE = "duplicate"
    NOT_ALLOWED = "not_allowed"
    BAD_COMMAND = "bad_command"


Payload = Mapping[str, Any]
Answer = Cause | Verdict
"""Why the warning changed, or why it did not."""


def _acknowledge(life: Life, payload: Payload, now: int) -> Answer:
    until = payload.get("next_update_by")
    if type(until) is not int or until <= now:
        return Verdict.BAD_COMMAND
    _remember(life)
    life.state, life.taken_by, life.taken_until = State.ACKNOWLEDGED, payload["principal"], until
    life.touched = True
    return Cause.ACKNOWLEDGED


def _assign(life: Life, payload: Payload, now: int) -> Answer:
    office = payload.get("office")
    if type(office) is not int or not office:
        return Verdict.BAD_COMMAND
    _remember(life)
    life.office, life.touched = office, True
    return Cause.ASSIGNED


def _remember(life: Life) -> None:
    """Keep what an undo restores: the two commands that can be undone change only these."""
    names = ("taken_by", "taken_until", "office", "touched")
    life.before = {name: getattr(life, name) for name in names}
    life.before |= {"state": life.state.value, "number": life.number + 1}


def _undo(life: Life, payload: Payload, now: int) -> Answer:
    # Only the last thing that happened can be undone; a lapse or a rise in between has used the acknowledgement.
    if life.before.get("number") != life.number:
        return Verdict.NOT_ALLOWED
    for name, value in life.before.items():
        if name != "number":
            setattr(life, name, value)
    life.state = State(life.state)
    if life.taken_until and life.taken_until <= now:
        life.state, life.taken_by, life.taken_until = State.OPEN, "", 0
    life.before = {}
    return Cause.UNDONE


def _confirm(life: Life, payload: Payload, now: int) -> Answer:
    if not life.awaiting:
        return Verdict.NOT_ALLOWED
    if payload["principal"] in life.confirmers:
        return Verdict.SAME_PERSON
    before = life.visible
    life.confirmed = max(life.confirmed, SHOWN_UNCONFIRMED) + 1
    life.confirmers = (*life.confirmers, payload["principal"])
    life.touched = life.confirmed_once = True
    if life.visible > before:
        life.held_since, life.below_since = now, NEVER
    return Cause.CONFIRMED


def _decline(life: Life, payload: Payload, now: int) -> Answer:
    if not life.awaiting:
        return Verdict.NOT_ALLOWED
    if not payload.get("reason"):
        return Verdict.REASON_REQUIRED
    # One person's no does not take back another's yes: what is confirmed stays.
    life.cap = max(SHOWN_UNCONFIRMED, life.confirmed)
    life.proposed = life.cap
    life.judge()
    return Cause.DECLINED


def _note(life: Life, payload: Payload, now: int) -> Answer:
    if not payload.get("remark"):
        return Verdict.BAD_COMMAND
    life.touched = True
    return Cause.NOTED


def _close(life: Life, payload: Payload, now: int) -> Answer:
    outcome = payload.get("outcome")
    if outcome is None and (life.confirmed_once or life.proposed >= Level.ORANGE):
        return Verdict.OUTCOME_REQUIRED
    if outcome is not None and outcome not in set(Outcome):
        return Verdict.BAD_COMMAND
    life.outcome = outcome or ""
    life.judge()
    life.shut(State.CLOSED, now)
    return Cause.CLOSED


def _reopen(life: Life, payload: Payload, now: int) -> Answer:
    if not life.is_shut:
        return Verdict.NOT_ALLOWED
    life.state, life.outcome, life.closed_at = State.OPEN, "", 0
    # Nothing that ended by itself comes back invisible.
    life.proposed = max(life.proposed, int(Level.BLUE))
    life.held_since, life.touched = now, True
    return Cause.REOPENED


COMMANDS: Mapping[str, Callable[[Life, Payload, int], Answer]] = {
    "acknowledge": _acknowledge,
    "confirm": _confirm,
    "decline": _decline,
    "assign": _assign,
    "note": _note,
    "close": _close,
    "reopen": _reopen,
    "undo": _undo,
}


def is_well_formed(payload: Payload) -> bool:
    """Whether the fields that every command needs are there and of their type."""
    return (
        all(isinstance(payload.get(name), str) and payload[name] for name in ("id", "warning", "principal", "command"))
        and payload["command"] in COMMANDS
        and (payload.get("expected") is None or type(payload["expected"]) is int)
        and all(isinstance(payload.get(name, ""), str | None) for name in ("remark", "reason", "outcome", "role"))
    )


def obey(life: Life, payload: Payload, now: int) -> Answer:
    """Apply a well-formed command, or say why not; a refused one changes nothing."""
    if payload.get("expected") is not None and payload["expected"] != life.number:
        return Verdict.STALE
    if life.is_shut and payload["command"] != "reopen":
        return Verdict.NOT_OPEN
    return COMMANDS[payload["command"]](life, payload, now)
