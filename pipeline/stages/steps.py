"""The life of a matter: each step is kept in the order of `at`; counts follow from the steps."""

from struct import Struct

from pipeline.county import County
from pipeline.errors import Reason
from pipeline.matter import MAX_STEPS, STEP, Mark
from pipeline.signal import ENDS, Step

_COUNTED = (Step.HANDED_OVER, Step.RETURNED, Step.UPHELD, Step.EXTENDED, Step.REOPENED)
_ENDS = frozenset(int(step) for step in ENDS)
_MARKING = frozenset({*_ENDS, int(Step.REOPENED), int(Step.LISTED), int(Step.DELISTED)})
"""Steps whose order decides a mark; they stay while others can go."""
_TURNS = frozenset({*map(int, _COUNTED), *_MARKING, int(Step.HAZARD), int(Step.HAZARD_ENDED)})
"""Steps that change counts or marks; most do not."""
_UPDATED = int(Step.UPDATED)
_MOST = 65_535
"""Counts stop here rather than overflow."""
_ROW = Struct("<qqqIiHBB4x")
"""A row of STEP: written as bytes, which is four times as fast as a tuple put into an array."""
assert _ROW.size == STEP.itemsize


def add_step(county: County, slot: int, at: int, step: int, office: int) -> bool:
    """Keep a step. One that is older than the last is inserted by `at`, and all is counted anew: then True."""
    offset, index = county.address
    new = county.steps.add()
    _ROW.pack_into(county.step_bytes, new * _ROW.size, at, county.now, office, offset, -1, index, step, 0)
    last = county.last[slot]
    if last < 0:
        county.first[slot] = county.last[slot] = new
    elif at >= county.step_at[last]:
        county.step_next[last] = new
        county.last[slot] = new
        county.steps.touched[last] = 1
    else:
        _insert(county, slot, new, at)
        county.effects.counts[Reason.OUT_OF_ORDER] += 1
        county.step_count[slot] += 1
        if county.step_count[slot] > MAX_STEPS:
            _fold_middle(county, slot)
        recount(county, slot)
        return True
    county.step_count[slot] += 1
    if at > county.last_at[slot]:
        county.last_at[slot] = at
    apply_step(county, slot, at, step)
    if county.step_count[slot] > MAX_STEPS:
        _fold_middle(county, slot)
    return False


def apply_step(county: County, slot: int, at: int, step: int) -> None:
    """Let the newest step change counts and marks."""
    if step not in _TURNS:
        pass
    elif step == Step.HANDED_OVER:
        county.handovers[slot] = min(county.handovers[slot] + 1, _MOST)
    elif step == Step.RETURNED:
        county.returns[slot] = min(county.returns[slot] + 1, _MOST)
    elif step == Step.UPHELD:
        county.upheld[slot] = min(county.upheld[slot] + 1, _MOST)
    elif step == Step.EXTENDED:
        county.extensions[slot] = min(county.extensions[slot] + 1, _MOST)
    elif step == Step.REOPENED:
        county.reopens[slot] = min(county.reopens[slot] + 1, _MOST)
        county.closed_at[slot] = 0
        county.marks[slot] &= ~Mark.CLOSED & 0xFF
    elif step in _ENDS:
        if not county.marks[slot] & Mark.CLOSED:
            county.closed_at[slot] = at
        county.marks[slot] |= Mark.CLOSED
    elif step == Step.LISTED:
        county.marks[slot] |= Mark.LISTED
    elif step == Step.DELISTED:
        county.marks[slot] &= ~Mark.LISTED & 0xFF
    elif step == Step.HAZARD:
        county.marks[slot] |= Mark.HAZARD
    elif step == Step.HAZARD_ENDED:
        county.marks[slot] &= ~Mark.HAZARD & 0xFF
    if step != _UPDATED:
        county.state[slot] = step


def recount(county: County, slot: int) -> None:
    """Counts, marks and last time of a matter from its steps alone (plus what was folded away)."""
    county.matters.touched[slot] = 1
    counts = county.folded.get(slot, [0, 0, 0, 0, 0])
    county.handovers[slot], county.returns[slot], county.upheld[slot] = counts[:3]
    county.extensions[slot], county.reopens[slot] = counts[3:]
    county.closed_at[slot] = 0
    county.marks[slot] &= ~(Mark.CLOSED | Mark.LISTED) & 0xFF
    here = county.first[slot]
    while here >= 0:
        at = county.step_at[here]
        apply_step(county, slot, at, county.step_kind[here])
        county.last_at[slot] = max(county.last_at[slot], at)
        here = county.step_next[here]


LAST_ADDRESS = (1 << 62, 0)
"""Past every entry of a log."""


def addresses(county: County, slot: int, before: tuple[int, int]) -> list[list[int]]:
    """[offset, index] of a matter's kept steps up to and with the address `before`, in the order of `at`."""
    found = []
    here = county.first[slot]
    while here >= 0:
        address = (county.step_offset[here], county.step_index[here])
        if address <= before:
            found.append(list(address))
        here = county.step_next[here]
    return found


def drop_steps(county: County, slot: int) -> None:
    """Free all steps of a matter that is forgotten."""
    here = county.first[slot]
    while here >= 0:
        following = county.step_next[here]
        county.steps.drop(here)
        here = following
    county.folded.pop(slot, None)


def _insert(county: County, slot: int, new: int, at: int) -> None:
    before = -1
    here = county.first[slot]
    while here >= 0 and county.step_at[here] <= at:
        before, here = here, county.step_next[here]
    county.step_next[new] = here
    if before < 0:
        county.first[slot] = new
    else:
        county.step_next[before] = new
        county.steps.touched[before] = 1


def _fold_middle(county: County, slot: int) -> None:
    # The first half stays as it came, the newest stay; of the second half goes the oldest step that sets no mark.
    here = county.first[slot]
    for _ in range(MAX_STEPS // 2 - 1):
        here = county.step_next[here]
    middle = here
    while county.step_next[here] >= 0 and county.step_kind[county.step_next[here]] in _MARKING:
        here = county.step_next[here]
    if county.step_next[here] < 0 or county.step_next[here] == county.last[slot]:
        here = middle
    gone = county.step_next[here]
    kind = county.step_kind[gone]
    if kind in _COUNTED:
        counts = county.folded.setdefault(slot, [0, 0, 0, 0, 0])
        place = _COUNTED.index(Step(kind))
        counts[place] = min(counts[place] + 1, _MOST)
    county.step_next[here] = county.step_next[gone]
    county.steps.touched[here] = 1
    county.steps.drop(gone)
    county.step_count[slot] = MAX_STEPS
