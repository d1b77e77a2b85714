"""What rules say of an office's duty, whatever the models say: overdue, idle, returned, handed over, hazards."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.assessment import Action, Assessment, AssessmentKind, Ground, Level, Why
from pipeline.calendar import DAY_US, HOUR_US
from pipeline.county import County
from pipeline.matter import Mark
from pipeline.rules import DutyRule
from pipeline.state import NEVER

_WHY = {
    "overdue": Why.OVERDUE,
    "listed_overdue": Why.LISTED_OVERDUE,
    "due_soon": Why.DUE_SOON,
    "idle": Why.IDLE,
    "returned": Why.RETURNED,
    "handed_over": Why.HANDED_OVER,
    "vague_reply": Why.VAGUE_REPLY,
    "hazard": Why.HAZARD,
    "emergency": Why.EMERGENCY,
}


def next_duty(county: County, slot: int, rules: Sequence[DutyRule], now: int) -> int:
    """The next moment at which a rule begins to hold by time alone; NEVER for a closed matter."""
    if county.marks[slot] & Mark.CLOSED:
        return NEVER
    soonest = NEVER
    last, due, registered = county.last_at[slot], county.due[slot], county.registered[slot]
    for rule in rules:
        if rule.kind == "idle":
            at = last + int(rule.at_least * DAY_US)
        elif rule.kind in ("overdue", "listed_overdue") and due:
            at = due + int(rule.at_least * HOUR_US)
        elif rule.kind == "due_soon" and due > registered:
            at = registered + int(rule.at_least * (due - registered))
        else:
            continue
        if now < at < soonest:
            soonest = at
    return soonest


def duty_bits(county: County, slot: int, rules: Sequence[DutyRule], now: int) -> int:
    """Bit per rule that holds of a matter now."""
    marks = county.marks[slot]
    if marks & Mark.CLOSED:
        return 0
    bits = 0
    due = county.due[slot]
    for number, rule in enumerate(rules):
        kind, least = rule.kind, rule.at_least
        if kind == "idle":
            holds = now - county.last_at[slot] >= least * DAY_US
        elif kind == "overdue":
            holds = bool(due) and now - due >= least * HOUR_US
        elif kind == "listed_overdue":
            holds = bool(due and marks & Mark.LISTED) and now - due >= least * HOUR_US
        elif kind == "due_soon":
            registered = county.registered[slot]
            holds = due > registered and now - registered >= least * (due - registered)
        elif kind == "returned":
            holds = county.returns[slot] - county.upheld[slot] >= least
        elif kind == "handed_over":
            holds = county.handovers[slot] >= least
        elif kind == "vague_reply":
            holds = bool(marks & Mark.VAGUE)
        elif kind == "hazard":
            holds = bool(marks & Mark.HAZARD)
        elif kind == "emergency":
            holds = bool(marks & Mark.EMERGENCY)
        else:
            holds = False
        if holds:
            bits |= 1 << number
    return bits


def duty_assessments(matter: Mapping[str, Any], bits: int, rules: Sequence[DutyRule], now: int) -> list[Assessment]:
    """One assessment per rule that holds; of several of one kind the highest level speaks."""
    best: dict[str, DutyRule] = {}
    for number, rule in enumerate(rules):
        if bits >> number & 1 and (rule.kind not in best or rule.level > best[rule.kind].level):
            best[rule.kind] = rule
    return [
        Assessment(
            kind=AssessmentKind.DUTY,
            hard=Level(rule.level),
            past_budget=rule.past_budget,
            action=Action(rule.action),
            grounds=(Ground(_WHY[rule.kind], facts=_facts(matter, rule, now)),),
        )
        for rule in best.values()
    ]


def _facts(matter: Mapping[str, Any], rule: DutyRule, now: int) -> tuple[tuple[str, int | str], ...]:
    if rule.kind in ("overdue", "listed_overdue", "due_soon"):
        return (("due", int(matter["due"])), ("late_h", (now - int(matter["due"])) // HOUR_US))
    if rule.kind == "idle":
        return (("days", (now - int(matter["last_at"])) // DAY_US), ("since", int(matter["last_at"])))
    if rule.kind in ("returned", "handed_over"):
        return (("returns", int(matter["returns"]) - int(matter["upheld"])), ("handovers", int(matter["handovers"])))
    return ()
