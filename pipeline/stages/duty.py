"""What rules say of an office's duty, whatever the models say: overdue, idle, returned, handed over, hazards."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.assessment import Action, Assessment, AssessmentKind, Ground, Level, Why
from pipeline.calendar import DAY_US, HOUR_US
from pipeline.county import County
from pipeline.matter import Mark
from pipeline.rules import Duties, DutyRule
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


_MARKED = Mark.VAGUE | Mark.HAZARD | Mark.EMERGENCY


def next_duty(county: County, slot: int, duties: Duties, now: int) -> int:
    """The next moment at which a rule begins to hold by time alone; NEVER for a closed matter."""
    marks = county.marks[slot]
    if marks & Mark.CLOSED:
        return NEVER
    soonest = NEVER
    last, due = county.last_at[slot], county.due[slot]
    for _, span in duties.idle:
        if now < last + span < soonest:
            soonest = last + span
    if due:
        for _, span in duties.overdue:
            if now < due + span < soonest:
                soonest = due + span
        for _, span in duties.listed_overdue:
            if now < due + span < soonest:
                soonest = due + span
        registered = county.registered[slot]
        if due > registered:
            for _, share in duties.due_soon:
                at = registered + int(share * (due - registered))
                if now < at < soonest:
                    soonest = at
    return soonest


def duty_bits(county: County, slot: int, duties: Duties, now: int) -> int:
    """Bit per rule that holds of a matter now."""
    marks = county.marks[slot]
    if marks & Mark.CLOSED:
        return 0
    bits = 0
    idle, due = now - county.last_at[slot], county.due[slot]
    for bit, span in duties.idle:
        if idle >= span:
            bits |= bit
    if due:
        late = now - due
        for bit, span in duties.overdue:
            if late >= span:
                bits |= bit
        if marks & Mark.LISTED:
            for bit, span in duties.listed_overdue:
                if late >= span:
                    bits |= bit
        registered = county.registered[slot]
        if due > registered:
            for bit, share in duties.due_soon:
                if now - registered >= int(share * (due - registered)):
                    bits |= bit
    returns, handovers = county.returns[slot] - county.upheld[slot], county.handovers[slot]
    for bit, least in duties.returned:
        if returns >= least:
            bits |= bit
    for bit, least in duties.handed_over:
        if handovers >= least:
            bits |= bit
    if marks & _MARKED:
        for mark, held in duties.marked:
            if marks & mark:
                bits |= held
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
