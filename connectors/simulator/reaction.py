"""What changes in a matter's future when people act on its warning: modestly, and only where nothing happened yet.

Whether an office answers hangs on the matter's own key; where it does, what is left until its claim takes a share of
the time, and what follows the claim moves with it. The ground truth keeps what would have been without it.
"""

import numpy as np

from connectors.simulator.batch import Batch, Ints
from connectors.simulator.dice import Coins
from pipeline.signal import Step

ANSWERS = 0.6
"""Share of the actions that move an office."""
SHARE = {"acknowledged": 0.8, "assigned": 0.7, "confirmed": 0.6}
"""Of the time that is left, by what people did."""
SPACING = 30
_FIXED = (int(Step.REPORTED_AGAIN), int(Step.REOPENED))


def hasten(batch: Batch, row: int, action: str, at: int) -> Ints:
    """Move the steps of a matter after `at` (epoch seconds) forward; the new steps by number, empty when nothing moves.

    The steps they stand for are marked `is_off`. Nothing moves once the office has claimed to be done.
    """
    born, story = batch.registered, batch.story
    none = np.empty(0, np.int64)
    own = np.flatnonzero(story.row == row)
    done = own[story.step[own] == Step.REPORTED_DONE]
    if not len(own) or action not in SHARE or not len(done) or story.at[done[0]] <= at or story.is_off[done[0]]:
        return none
    if not Coins().lay(int(born.key[row]) ^ at).happens(ANSWERS):
        return none
    left = own[(story.at[own] > at) & ~np.isin(story.step[own], _FIXED)]
    claim = int(story.at[done[0]])
    new_claim = at + int((claim - at) * SHARE[action])
    before = story.at[left] <= claim
    moved = np.where(before, at + (story.at[left] - at) * SHARE[action], story.at[left] - (claim - new_claim))
    moved = np.maximum(moved.astype(np.int64), at + SPACING * (1 + np.arange(len(left))))
    first = len(story.at)
    story.is_off[left] = True
    for name in ("row", "step", "number", "office", "due", "rival", "upheld"):
        column = getattr(story, name)
        setattr(story, name, np.concatenate([column, column[left]]))
    story.at = np.concatenate([story.at, moved])
    story.is_off = np.concatenate([story.is_off, np.zeros(len(left), np.bool_)])
    return first + np.arange(len(left))
