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
    changed = False
    here = county.clock[slot]
    while here >= 0:
        index = county.clock_rule[here]
        rule = None if index == ASSERTED else county.rules.clocks[index]
        if county.clock_state[here] == RUNNING and at >= county.clock_start[here]:
            if step in (_ASSERTED_STOPS if rule is None else rule.stops) or step in _LAWFUL_ENDS:
                county.clock_state[here] = MET if at <= county.clock_due[here] else MISSED
                changed = True
            elif rule is not None:
                changed = _pause_or_extend(county, here, rule, at, step) or changed
                if changed:
                    _due_anew(county, here, rule)
        if changed:
            county.clocks.touched[here] = 1
        here = county.clock_next[here]
    return changed


def _pause_or_extend(county: County, here: int, rule: ClockRule, at: int, step: int) -> bool:
    since = county.clock_paused_since[here]
    if step in rule.pauses and not since:
        county.clock_paused_since[here] = at
    elif step == Step.RESUMED and since:
        county.clocks.rows["paused"][here] += paused_length(rule, county.rules.calendar, since, at)
        county.clock_paused_since[here] = 0
    elif step == Step.EXTENDED and rule.extension_limit:
        county.clocks.rows["extended"][here] = rule.extension_limit
    else:
        return False
    return True


def _due_anew(county: County, here: int, rule: ClockRule) -> None:
    clock = county.clocks.rows[here]
    clock["due"], clock["provisional"] = due_of(
        rule,
        county.rules.calendar,
        int(clock["start"]),
        paused=int(clock["paused"]),
        extended=int(clock["extended"]),
    )


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
    here = county.clock[slot]
    while here >= 0:
        if county.clock_rule[here] == ASSERTED:
            if county.clock_state[here] == RUNNING and county.clock_due[here] != due:
                county.clock_due[here] = due
                county.clocks.rows["extended"][here] += step == Step.EXTENDED
                county.clocks.touched[here] = 1
            return
        here = county.clock_next[here]
    _add(county, slot, ASSERTED, at, due)


def _add(county: County, slot: int, rule: int, start: int, due: int, *, provisional: bool = False) -> None:
    new = county.clocks.add()
    county.clocks.rows[new] = (start, due, 0, 0, county.clock[slot], rule, 0, RUNNING, provisional)
    county.clock[slot] = new


def _has(county: County, slot: int, rule: int) -> bool:
    here = county.clock[slot]
    while here >= 0:
        if county.clock_rule[here] == rule:
            return True
        here = county.clock_next[here]
    return False


def _earliest(county: County, slot: int) -> int:
    # The matter is due when its first running clock is; a paused clock of unknown end is not due.
    earliest = 0
    here = county.clock[slot]
    while here >= 0:
        if county.clock_state[here] == RUNNING and not county.clock_paused_since[here]:
            due = county.clock_due[here]
            if not earliest or due < earliest:
                earliest = due
        here = county.clock_next[here]
    return int(earliest)
