"""How likely will a matter fail? Intake features, landmarks, and the scoring of all moments of a frame together."""

from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rows import DECISION, Rows
from pipeline.calendar import DAY_US, HOUR_US, MINUTE_US
from pipeline.county import County
from pipeline.effects import DecisionBlock
from pipeline.features import clock_share, feature_rows
from pipeline.matter import INTAKE
from pipeline.rules import LANDMARK_DAYS, LANDMARK_SHARES
from pipeline.state import NEVER

LANDMARKS = len(LANDMARK_SHARES)
ON_STEP, DAILY = 100, 101
"""Numbers of moments that are no landmark: after a step, at the daily rescoring."""

OFFICE, PLACE, CATEGORY, WHOLE = 0, 1, 2, 3
_WEEK, _MONTH, _YEAR = 7 * DAY_US, 30 * DAY_US, 365 * DAY_US


def take_in(county: County, slot: int, at: int) -> None:
    """Write the intake features of a registration and count it where it belongs."""
    place, category, office = county.place[slot], county.category[slot], county.office[slot]
    spots = county.spots
    spot = county.spot(place, category)
    last, month, year = county.spot_last[spot], county.spot_month[spot], county.spot_year[spot]
    idle = float("nan")
    if last:
        gap = max(0, at - last)
        idle, month, year = gap / HOUR_US, month * exp(-gap / _MONTH), year * exp(-gap / _YEAR)
    county.spot_last[spot], county.spot_month[spot], county.spot_year[spot] = max(at, last), month + 1.0, year + 1.0
    spots.rows["matter"][spot] = county.matters.rows["key"][slot]
    spots.touched[spot] = 1
    around = _count_unit(county, PLACE, place, at, _MONTH, 0)
    busy = _count_unit(county, CATEGORY, category, at, _WEEK, 0)
    waiting = _open_at(county, office)
    loaded = _count_unit(county, OFFICE, office, at, _WEEK, 1)
    if place == county.rules.root:
        # The root is no place: its counts tell the calendar, and a model that learned them is lost when volume drifts.
        idle = month = year = around = float("nan")
    watched = at - _watched_since(county, at)
    if watched < _MONTH:
        # Counts that have not run for their span grow with the days since the beginning and tell nothing else.
        month = year = around = waiting = float("nan")
    if watched < _WEEK:
        busy = loaded = float("nan")
    county.matters.rows["intake"][slot] = (
        idle,
        month,
        year,
        around,
        busy,
        waiting,
        loaded,
    )


def move_office(county: County, before: int, after: int) -> None:
    """An open matter goes from one office to another (0 = none)."""
    for office, change in ((before, -1), (after, 1)):
        if office:
            unit = county.unit(OFFICE, office)
            county.unit_open[unit] += change
            county.units.touched[unit] = 1


def next_landmark(county: County, slot: int) -> int:
    """When the next landmark of a matter is due, rounded up to the minute; NEVER when none is left."""
    number = county.landmark[slot]
    registered = county.registered[slot]
    if number >= LANDMARKS or not registered:
        return NEVER
    due = county.due[slot]
    if due > registered:
        at = registered + int((due - registered) * LANDMARK_SHARES[number])
    else:
        at = registered + LANDMARK_DAYS[number] * DAY_US
    return int(-(-at // MINUTE_US) * MINUTE_US)


def score_moments(county: County) -> tuple[NDArray[Any], NDArray[np.int64], Rows, NDArray[np.int64], NDArray[np.int64]]:
    """Score what the frame gathered; emits decisions. Returns matters, nows, rows, raw and probability (n, targets)."""
    n = len(county.when)
    matters = county.moments[:n]
    when = np.array(county.when, np.int64).reshape(n, 4)
    now, number = when[:, 0], when[:, 1]
    rows = feature_rows(matters, now, county.rules)
    targets = len(county.rules.targets)
    raw = np.zeros((n, targets), np.int64)
    probability = np.zeros((n, targets), np.int64)
    undecided = matters["eligible"] & ~matters["known"]
    scored = np.flatnonzero(undecided)
    if len(scored) and targets:
        every = county.champion.score_all(rows if len(scored) == n else rows.take(scored), number[scored] != 0)
        for target, scores in enumerate(every):
            raw[scored, target] = scores.raw
            probability[scored, target] = scores.probability
        for target in range(targets):
            decided = (undecided >> target & 1) == 0
            raw[decided, target] = 0
            probability[decided, target] = 0
    _decide(county, matters, when, rows, raw, probability, undecided, number)
    return matters, now, rows, raw, probability


def _decide(
    county: County,
    matters: NDArray[Any],
    when: NDArray[np.int64],
    rows: Rows,
    raw: NDArray[np.int64],
    probability: NDArray[np.int64],
    undecided: NDArray[np.uint8],
    number: NDArray[np.int64],
) -> None:
    mode = county.rules.scores
    kept = undecided != 0
    # The trainer learns from the registration and one further landmark, drawn by the subject's own hash.
    drawn = 1 + np.ascontiguousarray(matters["key"]).view(np.uint8).reshape(len(matters), -1)[:, 0] % (LANDMARKS - 1)
    learn = (number == 0) | (number == drawn)
    if mode == "landmarks":
        kept = kept & (number < LANDMARKS)
    elif mode == "first":
        kept = kept & ((number == 0) | learn)
    elif mode == "none":
        kept = kept & learn
    index = np.flatnonzero(kept)
    if not len(index):
        return
    heads = np.zeros(len(index), DECISION)
    heads["subject"] = matters["key"][index]
    heads["at"] = when[index, 0]
    heads["number"] = number[index]
    heads["open"] = undecided[index]
    heads["offset"] = when[index, 2]
    heads["index"] = when[index, 3]
    block = DecisionBlock(
        heads=heads,
        rows=rows.take(index),
        raw=raw[index],
        probability=probability[index].astype(np.uint16),
        office=matters["office"][index].copy(),
        category=matters["category"][index].copy(),
        share=clock_share(matters[index], when[index, 0]),
        learn=learn[index],
    )
    county.effects.decisions.append(block)
    digest = county.digests["decisions"]
    # Neither address nor frame boundary goes into the digest: who, when, which, features and score do.
    parts = (
        np.ascontiguousarray(heads[["subject", "at", "number", "open"]]),
        block.rows.codes,
        block.rows.values,
        block.raw,
        block.probability,
    )
    lines = [
        part.view(np.uint8).reshape(len(index), -1) if part.dtype.names is None else _bytes(part) for part in parts
    ]
    packed = np.concatenate(lines, axis=1)
    width = packed.shape[1]
    flat = packed.tobytes()
    for start in range(0, len(flat), width):
        digest.add(flat[start : start + width])


def _bytes(records: NDArray[Any]) -> NDArray[np.uint8]:
    return np.concatenate(
        [
            np.ascontiguousarray(records[name]).view(np.uint8).reshape(len(records), -1)
            for name in records.dtype.names or ()
        ],
        axis=1,
    )


def _watched_since(county: County, at: int) -> int:
    """When the partition had its first registration; this one, if it had none yet."""
    slot = county.unit(WHOLE, 0)
    since = int(county.units.rows["last"][slot])
    if not since:
        since = at
        county.units.rows["last"][slot] = since
        county.units.touched[slot] = 1
    return since


def _open_at(county: County, office: int) -> float:
    if not office:
        return 0.0
    unit = county.unit(OFFICE, office)  # first: the table may grow, and its columns move
    return float(county.unit_open[unit])


def _count_unit(county: County, kind: int, code: int, at: int, span: int, opened: int) -> float:
    """Decayed registrations of an office, place or category before this one; counts this one in."""
    if not code:
        return 0.0
    slot = county.unit(kind, code)
    last = county.unit_last[slot]
    rate = float(county.unit_rate[slot])
    if last:
        rate *= exp(-max(0, at - last) / span)
    county.unit_last[slot], county.unit_rate[slot] = max(at, last), rate + 1.0
    county.unit_open[slot] += opened
    county.units.touched[slot] = 1
    return rate


assert len(INTAKE) == 7, "take_in writes the intake features by position"
