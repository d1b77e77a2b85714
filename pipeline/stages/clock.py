"""The deadlines of a matter: due times asserted by the source and legal clocks, with pauses and extensions."""

from collections.abc import Sequence

import numpy as np

from pipeline.clocks import ClockRule, paused_length
from pipeline.clocks import due as due_of
from pipeline.county import County
from pipeline.matter import ASSERTED, MET, MISSED, RUNNING
from pipeline.signal import ENDS, Step

_ASSERTED_STOPS = frozenset({int(Step.REPORTED_DONE), *(int(step) for step in ENDS)})
_LAWFUL_ENDS = frozenset(int(step) for step in ENDS if step is not Step.CLOSED)
"""After these nobody owes the matter anything, whatever a rule names as its stops."""


def run_clocks(county: County, slot: int, at: int, step: int, due: int, *, is_late: bool = False) -> None:
    """Start, stop, pause and extend the clocks of a matter by one step; sets the matter's due time.

    When the step `is_late`, older than another that is kept, all its clocks are run anew from the steps.
    """
    rules = county.rules.clocks
    changed = False
    if due:
        _assert_due(county, slot, at, due, step)
        changed = True
    if rules:
        category, channel = county.category[slot], county.channel[slot]
        pack = county.rules.clocks_of.get(category)
        for index in county.rules.clocks_of.get(0, ()) if pack is None else pack:
            rule = rules[index]
            channels = county.rules.channels_of.get(index)
            if step == rule.start and (not channels or channel in channels) and not _has(county, slot, index):
                moment, provisional = due_of(rule, county.rules.calendar, at)
                _add(county, slot, index, at, moment, provisional=provisional)
                changed = True
    if county.clock[slot] >= 0:
        if is_late:
            _run_anew(county, slot)
            changed = True
        elif _advance(county, slot, at, step):
            changed = True
    if changed:
        county.due[slot] = _earliest(county, slot)


def take_over(county: County, before: Sequence[ClockRule], after: Sequence[ClockRule]) -> None:
    """Let running clocks follow their rules to new places; a deadline whose rule is gone stands as if asserted."""
    if [rule.id for rule in before] == [rule.id for rule in after]:
        return
    place = {rule.id: number for number, rule in enumerate(after)}
    moved = np.array([place.get(rule.id, ASSERTED) for rule in before], np.int16)
    numbers = county.clocks.rows["rule"][: county.clocks.size]
    ruled = np.flatnonzero(numbers >= 0)
    if len(moved):
        # A row that is free is zeroed when it is taken again, so it may move as well.
        numbers[ruled] = moved[np.minimum(numbers[ruled], len(moved) - 1)]
        for clock in ruled.tolist():
            county.clocks.touched[clock] = 1


def end_of_clocks(county: County, slot: int) -> bool | None:
    """Whether any clock of a matter was missed, once all have stopped; None while one runs or is paused."""
    rows = county.clocks.rows
    is_missed = False
    here = county.clock[slot]
    while here >= 0:
        state = rows["state"][here]
        if state == RUNNING:
            return None
        is_missed = is_missed or bool(state == MISSED)
        here = int(rows["next"][here])
    return is_missed


def drop_clocks(county: County, slot: int) -> None:
    """Free all clocks of a matter that is forgotten."""
    rows = county.clocks.rows
    here = county.clock[slot]
    while here >= 0:
        following = int(rows["next"][here])
        county.clocks.drop(here)
        here = following


def _advance(county: County, slot: int, at: int, step: int) -> bool:
    rows = county.clocks.rows
    changed = False
    here = county.clock[slot]
    while here >= 0:
        clock = rows[here]
        rule_index = int(clock["rule"])
        rule = None if rule_index == ASSERTED else county.rules.clocks[rule_index]
        stops = _ASSERTED_STOPS if rule is None else rule.stops
        if clock["state"] == RUNNING and at >= clock["start"]:
            if step in stops or step in _LAWFUL_ENDS:
                clock["state"] = MET if at <= clock["due"] else MISSED
                changed = True
            elif rule is not None and step in rule.pauses and not clock["paused_since"]:
                clock["paused_since"] = at
                changed = True
            elif rule is not None and step == Step.RESUMED and clock["paused_since"]:
                since = int(clock["paused_since"])
                clock["paused"] += paused_length(rule, county.rules.calendar, since, at)
                clock["paused_since"] = 0
                changed = True
            elif rule is not None and step == Step.EXTENDED and rule.extension_limit:
                clock["extended"] = rule.extension_limit
                changed = True
            if changed and rule is not None and clock["state"] == RUNNING:
                clock["due"], clock["provisional"] = due_of(
                    rule,
                    county.rules.calendar,
                    int(clock["start"]),
                    paused=int(clock["paused"]),
                    extended=int(clock["extended"]),
                )
        if changed:
            county.clocks.touched[here] = 1
        here = int(clock["next"])
    return changed


def _run_anew(county: County, slot: int) -> None:
    rows = county.clocks.rows
    here = county.clock[slot]
    while here >= 0:
        clock = rows[here]
        clock["state"], clock["paused"], clock["paused_since"] = RUNNING, 0, 0
        if clock["rule"] != ASSERTED:
            clock["extended"] = 0
            rule = county.rules.clocks[int(clock["rule"])]
            clock["due"], clock["provisional"] = due_of(rule, county.rules.calendar, int(clock["start"]))
        county.clocks.touched[here] = 1
        here = int(clock["next"])
    step = county.first[slot]
    while step >= 0:
        _advance(county, slot, county.step_at[step], county.step_kind[step])
        step = county.step_next[step]


def _assert_due(county: County, slot: int, at: int, due: int, step: int) -> None:
    rows = county.clocks.rows
    here = county.clock[slot]
    while here >= 0:
        if rows["rule"][here] == ASSERTED:
            if rows["state"][here] == RUNNING and rows["due"][here] != due:
                rows["due"][here] = due
                rows["extended"][here] += step == Step.EXTENDED
                county.clocks.touched[here] = 1
            return
        here = int(rows["next"][here])
    _add(county, slot, ASSERTED, at, due)


def _add(county: County, slot: int, rule: int, start: int, due: int, *, provisional: bool = False) -> None:
    new = county.clocks.add()
    county.clocks.rows[new] = (start, due, 0, 0, county.clock[slot], rule, 0, RUNNING, provisional)
    county.clock[slot] = new


def _has(county: County, slot: int, rule: int) -> bool:
    rows = county.clocks.rows
    here = county.clock[slot]
    while here >= 0:
        if rows["rule"][here] == rule:
            return True
        here = int(rows["next"][here])
    return False


def _earliest(county: County, slot: int) -> int:
    # The matter is due when its first running clock is; a paused clock of unknown end is not due.
    rows = county.clocks.rows
    dues = []
    here = county.clock[slot]
    while here >= 0:
        if rows["state"][here] == RUNNING and not rows["paused_since"][here]:
            dues.append(int(rows["due"][here]))
        here = int(rows["next"][here])
    return min(dues, default=0)
