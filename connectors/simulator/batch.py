"""The matters that were registered on one day, and all their steps, as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.latent import Burden, Chances

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Registered:
    """What is known of a day's matters when they are registered; times in epoch seconds, names as numbers.

    `parent`: serial of the matter that this one repeats (`is_repeat`) or doubles, 0 for none.
    """

    first: int
    day: int
    at: Ints
    category: Ints
    grid: Ints
    point: Ints
    channel: Ints
    office: Ints
    rivals: Ints
    limit: Ints
    due: Ints
    urgent: Flags
    several: Flags
    told_before: Flags
    fact: Ints
    contact: Flags
    key: NDArray[np.uint64]
    parent: Ints
    is_repeat: Flags
    surge: list[str]
    burden: Burden
    chances: Chances

    def __len__(self) -> int:
        """Number of matters."""
        return len(self.at)


@dataclass(slots=True)
class Story:
    """What becomes of the matters, and their steps sorted by matter and time.

    `final_due`: due time with an extension. `again_at`: when it comes back as a new matter, 0 never. `row`: matter of
    each step; `number`: place of the step in its matter's life; `due`, `rival`, `upheld`: where a step brings them.
    """

    done: Ints
    final_due: Ints
    returns: Ints
    refused: Ints
    vague: Flags
    fake: Flags
    breach: Flags
    reopened: Flags
    repeated: Flags
    unsatisfied: Flags
    doubled: Ints
    again_at: Ints
    breach_once_routed: NDArray[np.float64]
    row: Ints
    at: Ints
    step: Ints
    number: Ints
    office: Ints
    due: Ints
    rival: Ints
    upheld: Flags
    is_off: Flags


@dataclass(slots=True)
class Batch:
    """A day's matters with their story."""

    registered: Registered
    story: Story
