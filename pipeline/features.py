"""What is known of a matter at a moment, as one feature row. Nothing here reads levels, warnings or budgets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rows import Rows
from pipeline.calendar import HOUR_US, WorkCalendar
from pipeline.matter import INTAKE
from pipeline.rules import CODES, FoldRules

CUE_BITS = np.uint32(0x0FFF_FFFF)
"""Of `cues`, those that are cues; the top four bits are the version of the lexicon."""


def feature_rows(matters: NDArray[Any], now: NDArray[np.int64], rules: FoldRules) -> Rows:
    """Rows of `rules.schema` for MATTER rows as they were at `now` (µs UTC), one each."""
    n = len(matters)
    codes = np.empty((n, len(CODES) + len(rules.codes)), np.uint32)
    for place, name in enumerate(CODES):
        codes[:, place] = matters[name].astype(np.uint32)
    codes[:, len(CODES) :] = matters["codes"][:, : len(rules.codes)]
    hour, weekday = _local(rules.calendar, now)
    share = clock_share(matters, now)
    plain = [
        hour,
        weekday,
        _hours(matters["due"] - matters["registered"], matters["due"] != 0),
        share,
        _hours(now - matters["registered"], matters["registered"] != 0),
        _hours(now - matters["last_at"], matters["last_at"] != 0),
        matters["handovers"],
        matters["returns"].astype(np.float32) - matters["upheld"],
        matters["reopens"],
        matters["steps"],
        matters["reports"],
        np.bitwise_count(matters["cues"] & CUE_BITS),
    ]
    values = np.empty((n, len(plain) + len(INTAKE) + len(rules.values)), np.float32)
    for place, column in enumerate(plain):
        values[:, place] = column
    values[:, len(plain) : len(plain) + len(INTAKE)] = matters["intake"]
    values[:, len(plain) + len(INTAKE) :] = matters["values"][:, : len(rules.values)]
    return Rows(codes, values)


def clock_share(matters: NDArray[Any], now: NDArray[np.int64]) -> NDArray[np.float32]:
    """Share of the plain time between registration and due that is over; NaN without a clock."""
    length = matters["due"] - matters["registered"]
    over = (now - matters["registered"]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((matters["due"] != 0) & (length > 0), over / length, np.nan)
    return share.astype(np.float32)


def _hours(span: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(known, span / HOUR_US, np.nan).astype(np.float32)


def _local(calendar: WorkCalendar, now: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    day, minute = calendar.local(now)
    return minute // 60, (day + 3) % 7
