"""The cheap tier for sensors: how unusual is a reading for its own sensor, from a dozen numbers a sensor.

Three scores, all "how many times what is usual for this sensor", 0 during warm-up:

- level : |x - m| / s, with m and s² exponentially weighted mean and squared error of one-step forecasts (half-lives
  `level_readings`, `spread_readings`); until those are reached the plain means over all readings so far, so that a
  young sensor is not judged by its first two readings.
- spread : s of the last `fast_readings` over s: readings have been unlike their forecasts for a while, whether they
  became noisy or moved to another level. The best of the three on public data, hence the one in scores.csv.
- rate : size of a step per usual interval over the root mean square of such steps.

One reading moves the state by at most `clip` s: a spike of 10⁹ may not blind its sensor for weeks. Scores come before
the update, so a reading never excuses itself. Reference: Roberts 1959, "Control chart tests based on geometric moving
averages"; the comparison on public data is in docs/readings.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scan import Floats, Series

STATE: list[tuple[str, str]] = [
    ("value", "<f8"),
    ("level", "<f8"),
    ("spread", "<f8"),
    ("fast", "<f8"),
    ("rate", "<f8"),
    ("gap", "<f8"),
    ("n", "<i4"),
]
"""Kept of a sensor: last value, m, s², fast s², mean squared step, mean root of the interval, number of readings."""

TOP = 9_999.0
"""Scores end here: a sensor that never moved has no scale."""
PASSES = 4


@dataclass(frozen=True, slots=True)
class Tier:
    """How fast the cheap tier forgets, in readings (half-lives), and when it begins to speak."""

    level_readings: float = 300.0
    spread_readings: float = 2000.0
    fast_readings: float = 20.0
    rate_readings: float = 500.0
    gap_readings: float = 50.0
    warm_up: int = 50
    clip: float = 20.0


@dataclass(slots=True)
class Scores:
    """Per reading: the three scores, what was expected, and the usual interval (µs) as known before it."""

    level: Floats
    spread: Floats
    rate: Floats
    expected: Floats
    interval: Floats


def score(
    tier: Tier, series: Series, before: NDArray[Any], value: Floats, elapsed: Floats
) -> tuple[Scores, dict[str, NDArray[Any]]]:
    """Scores of readings sorted by series, and the fields of STATE after them, each (m,).

    Parameters
    ----------
    before : (m,) rows with the fields of STATE, one per series. value, elapsed : (n,) the reading, and µs since the one
        before it (anything for the first of a sensor).
    """
    last, of = series.last, series.of
    n = before["n"][of] + series.rank + 1
    share = 1.0 / n
    first = n == 1
    old = n > tier.warm_up

    def gain(half_life: float) -> Floats:
        gains: Floats = np.maximum(1.0 - 0.5 ** (1.0 / half_life), share)
        return gains

    gain_level, gain_spread = gain(tier.level_readings), gain(tier.spread_readings)
    keep_level, keep_spread = 1.0 - gain_level, 1.0 - gain_spread
    taken = value
    for attempt in range(PASSES):
        level = series.linear(keep_level, gain_level * taken, before["level"])
        expected = series.before(level, before["level"])
        error = taken - expected
        error[first] = 0.0
        square = error * error
        spread = series.linear(keep_spread, gain_spread * square, before["spread"])
        usual = np.sqrt(series.before(spread, before["spread"]))
        bound = tier.clip * usual
        wild = old & (np.abs(error) > bound * (1.0 + 1e-9)) & (usual > 0.0)
        if attempt == PASSES - 1 or not wild.any():
            break
        taken = np.where(wild, expected + np.copysign(bound, error), taken)
    surprise = value - expected
    surprise[first] = 0.0

    gain_fast = gain(tier.fast_readings)
    fast = series.linear(1.0 - gain_fast, gain_fast * square, before["fast"])

    gain_gap = gain(tier.gap_readings)
    known = np.sqrt(np.maximum(elapsed, 0.0))
    known[first] = 0.0
    # a mean of roots: one outage of a thousand intervals counts as thirty; the first interval ends at reading two
    gain_gap = np.where(n <= 2, 1.0, np.maximum(gain_gap, 1.0 / np.maximum(n - 1, 1)))
    gap = series.linear(1.0 - gain_gap, gain_gap * known, before["gap"])
    interval = np.square(series.before(gap, before["gap"]))

    step = value - series.before(value, before["value"])
    step[first] = 0.0
    step /= np.maximum(1.0, elapsed / np.maximum(interval, 1.0))
    gain_rate = gain(tier.rate_readings)
    rate = series.linear(1.0 - gain_rate, gain_rate * step * step, before["rate"])
    usual_step = np.sqrt(series.before(rate, before["rate"]))

    # differences in the tenth digit are the arithmetic's, not the sensor's
    floor = 1e-9 * np.abs(value) + 1e-12
    usual += floor
    usual_step += floor
    scores = Scores(
        level=_times(np.abs(surprise), usual, old),
        spread=_times(np.sqrt(fast), usual, old),
        rate=_times(np.abs(step), usual_step, old),
        expected=expected,
        interval=interval,
    )
    moved = {"value": value, "level": level, "spread": spread, "fast": fast, "rate": rate, "gap": gap, "n": n}
    return scores, {name: column[last] for name, column in moved.items()}


def _times(size: Floats, usual: Floats, old: NDArray[np.bool_]) -> Floats:
    return np.minimum(np.where(old, size / usual, 0.0), TOP)
