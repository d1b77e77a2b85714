"""What the edge hands to the log: signals about a matter, readings of a sensor, counts of a place and category.

A `Signal` carries names (strings) and is what connectors build and validate. The fold never sees it: the edge turns
signals into rows of `SIGNAL`, in which every name is a hash (pipeline.ids). Times are int64 microseconds since the
Unix epoch, UTC, in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

import numpy as np

MAX_TARGETS = 8
"""Targets (outcomes to learn) of one site; one bit each in `known` and `value`."""
MAX_CODES = 12
"""Declared categorical attributes of one site."""
MAX_VALUES = 4
"""Declared numeric attributes of one site."""


class Step(IntEnum):
    """What a signal says happened to its matter. Numbers are stored: never reuse one."""

    UPDATED = 0
    REGISTERED = 1
    ROUTED = 2
    ACCEPTED = 3
    HANDLING = 4
    REPLIED = 5
    REPORTED_DONE = 6
    VERIFIED = 7
    CLOSED = 8
    RETURNED = 9
    UPHELD = 10
    NOT_UPHELD = 11
    SENT_BACK = 12
    EXTENDED = 13
    REOPENED = 14
    LISTED = 15
    DELISTED = 16
    HANDED_OVER = 17
    PAUSED = 18
    RESUMED = 19
    SOLVED = 20
    UNSOLVED = 21
    CALLED_OUT = 22
    HAZARD = 23
    HAZARD_ENDED = 24
    NOT_ACCEPTED = 25
    MERGED = 26
    WITHDRAWN = 27
    TERMINATED = 28
    REPORTED_AGAIN = 29


ENDS = frozenset({Step.CLOSED, Step.NOT_ACCEPTED, Step.MERGED, Step.WITHDRAWN, Step.TERMINATED})
"""Steps after which nobody owes the matter anything; all but CLOSED are lawful ends that are not failures."""

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_NUMBERS: Mapping[str, float] = MappingProxyType({})
_NO_OUTCOMES: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Signal:
    """One validated observation about a matter at one moment, by names. `at` and `due` in µs UTC; due 0 = none.

    `codes` and `values` are the declared categorical and numeric attributes; `outcomes` what this step itself makes
    known of a target (name -> failed?); `text` is raw here and is redacted and hashed before anything is written.
    """

    id: str
    matter: str
    at: int
    step: Step
    source: str = ""
    category: str = ""
    place: str = ""
    office: str = ""
    channel: str = ""
    asset: str = ""
    due: int = 0
    codes: Mapping[str, str] = field(default_factory=lambda: _NONE)
    values: Mapping[str, float] = field(default_factory=lambda: _NO_NUMBERS)
    outcomes: Mapping[str, bool] = field(default_factory=lambda: _NO_OUTCOMES)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A numeric signal of a sensor, by names; travels in columns. `at` in µs UTC."""

    sensor: str
    at: int
    value: float
    source: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many matters of a category a place had in one period that begins at `at` (µs UTC), where a source gives sums.

    `outbreak` is the truth of the period where the source marks it (for scoring only), else None.
    """

    category: str
    place: str
    at: int
    count: float
    source: str = ""
    outbreak: bool | None = None


SIGNAL = np.dtype(
    [
        ("id", "V16"),
        ("matter", "V16"),
        ("content", "<u8"),
        ("at", "<i8"),
        ("now", "<i8"),
        ("due", "<i8"),
        ("source", "<i8"),
        ("category", "<i8"),
        ("place", "<i8"),
        ("office", "<i8"),
        ("channel", "<i8"),
        ("asset", "<i8"),
        ("codes", "<u4", (MAX_CODES,)),
        ("values", "<f4", (MAX_VALUES,)),
        ("cues", "<u4"),
        ("step", "u1"),
        ("known", "u1"),
        ("value", "u1"),
        ("flags", "u1"),
    ]
)
"""One signal as the log keeps it. `known` / `value`: bit per target; `cues`: bit per cue of the lexicon."""
