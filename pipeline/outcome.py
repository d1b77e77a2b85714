"""What became of a matter: which steps and which moments make an outcome known. Until then it is censored.

Open past its deadline is a breach now; open before it is unknown; an outcome with a window is negative only once the
window has passed. Lawful ends (not accepted and told the legal route, merged, withdrawn, terminated) are no failures.
"""

from collections.abc import Sequence

from pipeline.county import County
from pipeline.matter import Mark
from pipeline.rules import Target
from pipeline.signal import Step
from pipeline.stages.clock import end_of_clocks
from pipeline.state import NEVER

_JUDGED = frozenset({int(Step.HANDED_OVER), int(Step.NOT_UPHELD)})


class Outcomes:
    """The rules of one configuration's targets, sorted by what can decide them; targets are numbered by position."""

    def __init__(self, targets: Sequence[Target]) -> None:
        by_rule: dict[str, list[tuple[int, Target]]] = {}
        for number, target in enumerate(targets):
            by_rule.setdefault(target.rule, []).append((number, target))
        self.of = by_rule
        self.breaches = [number for number, _ in by_rule.get("breach", [])]
        self.repeats = [(number, target.window) for number, target in by_rule.get("repeated", [])]
        self.after_closing = [(number, target.window) for number, target in by_rule.get("reopened", [])]
        self.after_registration = self.repeats + [(n, target.window) for n, target in by_rule.get("called_out", [])]
        self.counted = by_rule.get("handed_over", []) + by_rule.get("bounced", [])
        self.steps = {
            int(Step.UNSOLVED): [(number, True) for number, _ in by_rule.get("unsatisfied", [])],
            int(Step.SOLVED): [(number, False) for number, _ in by_rule.get("unsatisfied", [])],
            int(Step.CALLED_OUT): [(number, True) for number, _ in by_rule.get("called_out", [])],
            int(Step.REOPENED): [(number, True) for number, _ in by_rule.get("reopened", [])],
        }
        self.always = sum(1 << number for number, target in enumerate(targets) if target.rule != "breach")
        self.with_clock = sum(1 << number for number in self.breaches)


def open_targets(county: County, slot: int, outcomes: Outcomes) -> None:
    """A matter that never had a due time is not eligible for a breach, which is not a negative."""
    eligible = outcomes.always
    if county.clock[slot] >= 0 or county.known[slot] & outcomes.with_clock:
        eligible |= outcomes.with_clock
    county.eligible[slot] |= eligible


def decide_by_step(county: County, slot: int, step: int, known: int, value: int, outcomes: Outcomes) -> None:
    """Let a step decide what it can; `known` / `value` are the bits that the record itself brings."""
    now = county.now
    open_bits = county.eligible[slot] & ~county.known[slot]
    if not open_bits:
        return
    fresh = known & open_bits
    number = 0
    while fresh:
        if fresh & 1:
            county.label(slot, number, bool(value >> number & 1), now)
        fresh >>= 1
        number += 1
    for number, failed in outcomes.steps.get(step, ()):
        _decide(county, slot, number, failed)
    if outcomes.counted:
        # A return may yet be upheld, and an upheld one is the dispatcher's fault: it counts once it was judged.
        judged = step in _JUDGED
        closed = county.marks[slot] & Mark.CLOSED
        if judged or closed:
            for number, target in outcomes.counted:
                failed = _count(county, slot, target) >= target.at_least
                if failed or closed:
                    _decide(county, slot, number, failed)
    if outcomes.breaches and not county.due[slot] and county.clock[slot] >= 0:
        missed = end_of_clocks(county, slot)
        if missed is not None:
            for number in outcomes.breaches:
                _decide(county, slot, number, missed)


def decide_by_time(county: County, slot: int, now: int, outcomes: Outcomes) -> None:
    """Let the passing of time decide: deadlines missed, windows over."""
    due = county.due[slot]
    if due and due <= now and not county.marks[slot] & Mark.OVERDUE:
        county.marks[slot] |= Mark.OVERDUE
        for number in outcomes.breaches:
            _decide(county, slot, number, True)
    closed_at = county.closed_at[slot]
    if closed_at:
        for number, window in outcomes.after_closing:
            if closed_at + window <= now:
                _decide(county, slot, number, False)
    registered = county.registered[slot]
    if registered:
        for number, window in outcomes.after_registration:
            if registered + window <= now:
                _decide(county, slot, number, False)


def decide_repeat(county: County, slot: int, at: int, outcomes: Outcomes) -> None:
    """The same place and category was reported again at `at`: place and category, never who reported."""
    registered = county.registered[slot]
    for number, window in outcomes.repeats:
        if registered <= at <= registered + window:
            _decide(county, slot, number, True)


def next_decision(county: County, slot: int, outcomes: Outcomes) -> int:
    """The next moment at which time alone decides something; NEVER when nothing is left."""
    open_bits = county.eligible[slot] & ~county.known[slot]
    soonest = NEVER
    due = county.due[slot]
    if due and not county.marks[slot] & Mark.OVERDUE:
        soonest = due
    if not open_bits:
        return soonest
    closed_at = county.closed_at[slot]
    if closed_at:
        for number, window in outcomes.after_closing:
            if open_bits >> number & 1 and closed_at + window < soonest:
                soonest = closed_at + window
    registered = county.registered[slot]
    if registered:
        for number, window in outcomes.after_registration:
            if open_bits >> number & 1 and registered + window < soonest:
                soonest = registered + window
    return soonest


def last_decision(county: County, slot: int, outcomes: Outcomes) -> int:
    """The last moment at which time alone can still decide something of a closed matter, 0 when nothing is left."""
    open_bits = county.eligible[slot] & ~county.known[slot]
    latest = 0
    if open_bits:
        for start, windows in (
            (county.closed_at[slot], outcomes.after_closing),
            (county.registered[slot], outcomes.after_registration),
        ):
            for number, window in windows:
                if open_bits >> number & 1:
                    latest = max(latest, start + window)
    return latest


def _count(county: County, slot: int, target: Target) -> int:
    if target.rule == "handed_over":
        return int(county.handovers[slot])
    return int(county.returns[slot]) - int(county.upheld[slot])


def _decide(county: County, slot: int, number: int, failed: bool) -> None:
    if county.eligible[slot] & ~county.known[slot] & (1 << number):
        county.label(slot, number, failed, county.now)
