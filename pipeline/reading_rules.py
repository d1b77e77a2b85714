"""What counts as abnormal for a sensor: cut-offs for all, limits for some."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from models.sensor import Tier

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of a device.

    normal_* : the possible range, outside it the device is at fault. alarm_* : its hazard limits, which must be passed
    for `held` µs. interval : µs between readings, 0 when it is to be learned. stuck_readings : equal readings before it
    counts as stuck, 0 for a device that may rest at one value for weeks (rain, smoke); None for the rules' own.
    """

    normal_low: float = -inf
    normal_high: float = inf
    alarm_low: float = -inf
    alarm_high: float = inf
    held: int = 0
    interval: int = 0
    stuck_readings: int | None = None


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """Rules of the readings fold.

    limits : by code64 of the sensor's name; others follow `default`. abnormal, spread, rate : cut-offs on the scores of
    models.sensor. quiet_readings : after an alarm nothing new is said of that kind for so long. calm_readings : an
    abnormality ends after so many readings without it. missing_intervals : usual intervals without a reading.
    stuck_times : times the longest usual run of equal values.
    """

    tier: Tier = field(default_factory=Tier)
    default: Limits = Limits()
    limits: Mapping[int, Limits] = field(default_factory=dict)
    abnormal: float = 6.0
    spread: float = 1.8
    rate: float = 8.0
    quiet_readings: int = 200
    calm_readings: int = 30
    missing_intervals: float = 10.0
    stuck_readings: int = 60
    stuck_times: float = 3.0


class LimitTable:
    """Limits in columns: row 0 is the default, equal limits share a row."""

    def __init__(self, rules: ReadingRules) -> None:
        rows: dict[Limits, int] = {rules.default: 0}
        codes = sorted(rules.limits)
        self._codes = np.array(codes, np.int64)
        self._rows = np.array([rows.setdefault(rules.limits[code], len(rows)) for code in codes], np.uint16)
        self.normal_low = np.array([limits.normal_low for limits in rows])
        self.normal_high = np.array([limits.normal_high for limits in rows])
        self.alarm_low = np.array([limits.alarm_low for limits in rows])
        self.alarm_high = np.array([limits.alarm_high for limits in rows])
        self.held = np.array([limits.held for limits in rows], np.int64)
        self.interval = np.array([limits.interval for limits in rows], np.float64)
        stuck = [rules.stuck_readings if row.stuck_readings is None else row.stuck_readings for row in rows]
        self.stuck = np.array([count or inf for count in stuck])
        bounds = (self.normal_low, self.normal_high, self.alarm_low, self.alarm_high)
        self.any_limit = any(bool(np.isfinite(bound).any()) for bound in bounds)

    def row_of(self, codes: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The row of limits of each sensor."""
        if not len(self._codes):
            return np.zeros(len(codes), np.uint16)
        place = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        return np.where(self._codes[place] == codes, self._rows[place], 0).astype(np.uint16)

    def passed(self, row: int, value: float, *, alarm: bool) -> float:
        """The limit that a value has passed, or the nearer one."""
        low, high = (self.alarm_low, self.alarm_high) if alarm else (self.normal_low, self.normal_high)
        return float(high[row] if abs(value - high[row]) <= abs(value - low[row]) else low[row])
