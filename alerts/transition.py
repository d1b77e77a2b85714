"""What leaves when a warning changes: one transition as JSON, and the wishes to tell somebody."""

from collections.abc import Mapping
from typing import Any

from alerts.level import LevelRules, nearest_cutoff
from alerts.lifecycle import Cause, Life, action_of, assessment_state
from pipeline.assessment import Level

_TELLS_OFFICE = frozenset({Cause.LAPSED, Cause.ASSIGNED, Cause.REOPENED})


def transition_of(
    life: Life,
    before: int,
    cause: Cause,
    now: int,
    rules: LevelRules,
    versions: Mapping[str, str | int],
    payload: Mapping[str, Any],
) -> dict[str, Any]:
    """The change that has just been made, by ids and codes alone; `before` is the level that was visible.

    Times in µs UTC, probabilities, scores and cut-offs in 1/10,000, recurrences in whole days, weights in 1/65,536.
    """
    standing = rules.standing(life.assessments, life.subject.category)
    proposed = 0 if life.is_shut else life.proposed
    cutoff = nearest_cutoff(proposed, standing.score, rules)
    subject = life.subject
    transition: dict[str, Any] = {
        "warning": life.id,
        "number": life.number,
        "at": now,
        "subject": subject.key.hex(),
        "kind": subject.kind,
        "from": before,
        "to": life.visible,
        "proposed": proposed,
        "confirmed": 0 if life.is_shut else life.confirmed,
        "awaiting": life.awaiting,
        "state": life.state.value,
        "cause": cause.value,
        "office": life.duty_office,
        "place": subject.place,
        "category": subject.category,
        "due": subject.due,
        "registered": subject.registered,
        "assessments": [
            assessment_state(each) | {"recurrence": round(min(each.recurrence, 1e9))} for each in life.assessments
        ],
        "governing": standing.governing,
        "score": standing.score,
        "cutoff": {"level": cutoff.level, "direction": cutoff.direction, "value": cutoff.value},
        "versions": dict(versions),
        "evidence": [list(address) for address in life.evidence],
    }
    for name in ("principal", "role", "remark", "reason"):
        if payload.get(name):
            transition[name] = payload[name]
    if life.taken_until:
        transition["next_update_by"] = life.taken_until
    if life.outcome:
        transition["outcome"] = life.outcome
    return transition


def intents_of(life: Life, before: int, proposed_before: int, cause: Cause, rules: LevelRules) -> list[dict[str, Any]]:
    """Whom to tell: the office of what it now sees, the duty desk of what waits for a person.

    A dispatch rule reaches the office at once, whatever still awaits confirmation; the colour stays what is confirmed.
    """
    if life.is_shut:
        return []
    standing = rules.standing(life.assessments, life.subject.category)
    rose = life.proposed > proposed_before
    audiences = []
    if life.visible > before or cause in _TELLS_OFFICE or (rose and standing.dispatch):
        audiences.append("office")
    if life.awaiting and (rose or cause in {Cause.LAPSED, Cause.REOPENED, Cause.CONFIRMED}):
        audiences.append("duty_desk")
    action = action_of(life, standing)
    return [
        {
            "warning": life.id,
            "number": life.number,
            "audience": audience,
            "action": action.value,
            "office": life.duty_office,
            "level": life.proposed,
            "visible": life.visible,
            "awaiting": life.awaiting,
            "is_now": action.value == "dispatch" or life.proposed >= Level.ORANGE,
        }
        for audience in audiences
    ]
