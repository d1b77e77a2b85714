"""The rows in which the signals fold keeps what it knows: matters, their steps and clocks, spots and offices.

All times are µs UTC, 0 where there is none; names are 64-bit codes (pipeline.ids). A matter with 6 steps and 2 clocks
takes about 700 bytes and its index entry 160.
"""

import numpy as np

from pipeline.signal import MAX_CODES, MAX_VALUES

NO_SLOT = -1
MAX_STEPS = 64
"""Steps kept one by one; the middle of a longer life folds into the matter's counts."""

INTAKE = ("spot_idle_h", "spot_30d", "spot_365d", "place_30d", "category_7d", "office_open", "office_7d")
"""Features that are fixed at registration, because what they look at moves on."""


class Mark:
    """Facts about a matter that are not counts; plain bits, because an enum's are ten times slower on the hot path."""

    REGISTERED = 1
    CLOSED = 2
    LISTED = 4
    PAUSED = 8
    VAGUE = 16
    HAZARD = 32
    EMERGENCY = 64
    OVERDUE = 128


MATTER = np.dtype(
    [
        ("key", "V16"),
        ("next_due", "<i8"),
        ("registered", "<i8"),
        ("last_at", "<i8"),
        ("closed_at", "<i8"),
        ("due", "<i8"),
        ("category", "<i8"),
        ("place", "<i8"),
        ("office", "<i8"),
        ("channel", "<i8"),
        ("asset", "<i8"),
        ("offset", "<i8"),
        ("index", "<u4"),
        ("codes", "<u4", (MAX_CODES,)),
        ("values", "<f4", (MAX_VALUES,)),
        ("intake", "<f4", (len(INTAKE),)),
        ("cues", "<u4"),
        ("first", "<i4"),
        ("last", "<i4"),
        ("clock", "<i4"),
        ("handovers", "<u2"),
        ("returns", "<u2"),
        ("upheld", "<u2"),
        ("extensions", "<u2"),
        ("reopens", "<u2"),
        ("steps", "<u2"),
        ("reports", "<u2"),
        ("scores", "<u2"),
        ("duty", "<u2"),
        ("marks", "u1"),
        ("state", "u1"),
        ("eligible", "u1"),
        ("known", "u1"),
        ("value", "u1"),
        ("landmark", "u1"),
    ],
    align=True,
)
"""One matter. `first`, `last`: slots of its steps, `clock`: of its first clock; `eligible`, `known`, `value`: bit per
target; `duty`: bit per duty rule that holds; `offset`, `index`: address of
its registration; `landmark`: number of the next one."""

STEP = np.dtype(
    [
        ("at", "<i8"),
        ("now", "<i8"),
        ("office", "<i8"),
        ("offset", "<u4"),
        ("next", "<i4"),
        ("index", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
    ],
    align=True,
)
"""One step of a matter, linked in the order of `at`."""

CLOCK = np.dtype(
    [("start", "<i8"), ("due", "<i8"), ("paused", "<i8"), ("paused_since", "<i8"), ("next", "<i4"), ("rule", "<i2"),
     ("extended", "<i2"), ("state", "u1"), ("provisional", "u1")],
    align=True,
)  # fmt: skip
"""One legal clock of a matter. `rule` indexes the rules of its pack, -1 = a due time asserted by the source;
`paused` sums what pauses add (in the rule's unit); state 0 running, 1 met, 2 missed."""

RUNNING, MET, MISSED = 0, 1, 2
ASSERTED = -1

SPOT = np.dtype(
    [("key", "V16"), ("last", "<i8"), ("matter", "V16"), ("month", "<f4"), ("year", "<f4")],
    align=True,
)
"""A place and category: when it last had a registration, by which matter, and decayed counts (30 and 365 days)."""

UNIT = np.dtype([("key", "V16"), ("last", "<i8"), ("open", "<i4"), ("rate", "<f4")], align=True)
"""An office, place or category as a whole: last registration, matters open now, decayed count. One row stands for the
partition: `last` is its first registration."""
