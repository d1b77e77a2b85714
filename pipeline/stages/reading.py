"""Marks what is abnormal in the readings of a frame, and turns marks into episodes that begin, change and end.

Marks are vectors. Episodes are a loop over marked readings and open episodes alone: both are rare, or else the loop is
what the frame is about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scan import Floats, Ints, Series
from models.sensor import Scores
from pipeline.reading_rules import LimitTable, ReadingRules

RUN_FADES = 0.995
"""How much of the longest usual run of equal values is kept at each change of value."""


class Trouble(IntEnum):
    """What can be wrong with a sensor; the bit of an open episode. Numbers are stored: never reuse one."""

    ABNORMAL = 0
    SPREAD = 1
    RATE = 2
    IMPOSSIBLE = 3
    ALARM = 4
    STUCK = 5
    MISSING = 6


QUIETED = (Trouble.ABNORMAL, Trouble.SPREAD, Trouble.RATE)
"""Scores, not facts: these keep quiet after an alarm."""
MARKED = 6
"""Troubles that a reading can show; the seventh shows by the lack of one."""
CALMED = 5
"""Troubles that end after calm readings; a stuck sensor is no longer stuck at once when it moves."""

EPISODES: list[Any] = [
    ("run", "<i4"),
    ("longest", "<f4"),
    ("beyond", "<i8"),
    ("open", "<u2"),
    ("limits", "<u2"),
    ("alarmed", "<i4", (len(QUIETED),)),
    ("marked", "<i4", (CALMED,)),
]
"""Kept of a sensor: equal readings, longest usual run, since when beyond an alarm limit, bits of open episodes, row of
its limits, and the number of the reading of the last alarm and of the last mark by trouble."""


@dataclass(slots=True)
class Marks:
    """`shown` (MARKED, n): what each reading shows; `run`, `longest` (n,): equal readings up to it, and usually."""

    shown: NDArray[np.bool_]
    run: Ints
    longest: Floats


@dataclass(frozen=True, slots=True)
class Turn:
    """An episode begins, changes or ends at a position of the sorted frame."""

    position: int
    trouble: Trouble
    state: str


def mark(
    rules: ReadingRules,
    limits: LimitTable,
    series: Series,
    before: NDArray[Any],
    after: NDArray[Any],
    at: Ints,
    value: Floats,
    scores: Scores,
) -> Marks:
    """What each reading shows; moves `run`, `longest`, `beyond` of `after` on."""
    marks = np.zeros((MARKED, len(value)), np.bool_)
    np.greater_equal(scores.level, rules.abnormal, out=marks[Trouble.ABNORMAL])
    np.greater_equal(scores.spread, rules.spread, out=marks[Trouble.SPREAD])
    np.greater_equal(scores.rate, rules.rate, out=marks[Trouble.RATE])
    row = after["limits"][series.of]

    changed = value != series.before(value, before["value"])
    changed[series.starts[before["n"] == 0]] = True
    since = series.latest(changed)
    place = np.arange(len(value))
    run = np.where(since >= 0, place - since + 1, before["run"][series.of] + series.rank + 1)
    ended = np.where(changed, series.before(run, before["run"]), 0).astype(np.float64)
    longest = series.peak(np.where(changed, RUN_FADES, 1.0), ended, before["longest"])
    after["run"], after["longest"] = run[series.last], longest[series.last]
    marks[Trouble.STUCK] = (run >= np.maximum(limits.stuck[row], rules.stuck_times * longest)) & (longest > 0)

    if limits.any_limit:
        marks[Trouble.IMPOSSIBLE] = (value < limits.normal_low[row]) | (value > limits.normal_high[row])
        beyond = (value <= limits.alarm_low[row]) | (value >= limits.alarm_high[row])
        within = series.latest(~beyond)
        begun = at[np.where(within >= 0, np.minimum(within + 1, len(at) - 1), series.starts[series.of])]
        earlier = before["beyond"][series.of]
        begun = np.where((within < 0) & (earlier != 0), earlier, begun)
        marks[Trouble.ALARM] = beyond & (at - begun >= limits.held[row])
        after["beyond"] = np.where(beyond[series.last], begun[series.last], 0)
    return Marks(marks, run, longest)


def turns(rules: ReadingRules, series: Series, after: NDArray[Any], marks: Marks) -> list[Turn]:
    """Episodes of these marks, by trouble and position; moves `open`, `alarmed`, `marked` of `after` on.

    `after["n"]` is the number of the last reading of each series.
    """
    found: list[Turn] = []
    opened = int(np.bitwise_or.reduce(after["open"])) if len(after) else 0
    shown = [bool(row.any()) for row in marks.shown]
    for trouble in Trouble:
        if trouble < MARKED and (shown[trouble] or opened >> trouble & 1):
            found.extend(_turns_of(trouble, rules, series, after, marks.shown[trouble]))
    return found


def _turns_of(
    trouble: Trouble, rules: ReadingRules, series: Series, after: NDArray[Any], marked: NDArray[np.bool_]
) -> Iterator[Turn]:
    bit = 1 << trouble
    quiet = rules.quiet_readings if trouble in QUIETED else 0
    calms = trouble < CALMED
    calm = rules.calm_readings if calms else 1
    positions = np.flatnonzero(marked)
    counts = after["n"][series.of[positions]] - (series.last[series.of[positions]] - positions)
    touched = np.unique(np.concatenate([series.of[positions], np.flatnonzero(after["open"] & bit)]))
    bounds = np.searchsorted(series.of[positions], [touched, touched + 1]).T.tolist()
    places, numbers = positions.tolist(), counts.tolist()
    for one, (low, high) in zip(touched.tolist(), bounds, strict=True):
        is_open = bool(after["open"][one] & bit)
        alarmed = int(after["alarmed"][one, trouble]) if quiet else 0
        final, first, end = int(after["n"][one]), int(series.starts[one]), int(series.last[one])
        latest = int(after["marked"][one, trouble]) if calms else final - (end - first) - 1
        for place, number in zip(places[low:high], numbers[low:high], strict=True):
            if is_open and number - latest > calm:
                yield Turn(place - (number - latest - calm), trouble, "ends")
                is_open = False
            if not alarmed or number - alarmed >= quiet:
                if not is_open:
                    yield Turn(place, trouble, "begins")
                    is_open, alarmed = True, number
                elif quiet:
                    yield Turn(place, trouble, "changes")
                    alarmed = number
            latest = number
        if is_open and final - latest >= calm:
            yield Turn(max(first, end - (final - latest - calm)), trouble, "ends")
            is_open = False
        if calms:
            after["marked"][one, trouble] = latest
        if quiet:
            after["alarmed"][one, trouble] = alarmed
        after["open"][one] = (int(after["open"][one]) & ~bit) | (bit if is_open else 0)


def press(rules: ReadingRules, spread: Floats, changes: list[Turn]) -> Floats:
    """Spread scores of which only those that raised an alarm stay at or above the cut-off, the rest below half of it.

    Order among the pressed is kept. What is below the cut-off anyway is left as it is.
    """
    cut = rules.spread
    quiet = spread >= cut
    quiet[[turn.position for turn in changes if turn.trouble is Trouble.SPREAD and turn.state != "ends"]] = False
    return np.where(quiet, 0.5 * spread / (spread / cut + 1.0), spread)
