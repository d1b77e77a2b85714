"""How many are normal, and how rarely chance alone brings as many: a streaming model of each count series.

A dynamic generalized linear model (West, Harrison & Migon 1985, "Dynamic generalized linear models and Bayesian
forecasting"): log of the mean = level + slope + two annual harmonics, each block forgetting at its own pace; what is
known of it is a mean and a covariance. Dispersion is a running Pearson statistic, the forecast negative binomial, so
the tail covers chance, dispersion and what is not known yet. Daily series have a factor for each weekday besides. The
more surprising a count the less is learned from it, so that an outbreak does not become normal.

One update costs the same whatever the history. Score first, learn after; scoring changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.tail import upper_tail

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]

DAY = 1.0
YEAR = 365.2425
WEEK = 7
_TERMS = 6
"""Level, slope, cosine and sine of one and of two waves a year."""
_LEVEL, _SLOPE = 0, 1
_LOST, _LOST_BY_SKEW = 0.01, 0.015
"""Part of the dispersion that lies in the rare counts left out; more where the law is skewed. Fitted by simulation."""
_LEAST = -9.0
"""Least log mean of a bin: what is rarer than that cannot be told from never."""
LONGEST = 1e9
"""Days; a recurrence beyond it says nothing more."""


@dataclass(frozen=True, slots=True)
class CountRules:
    """Memory and prior of a count series; lengths in days.

    level, season, dispersion, weekday : after how long what was learned has lost 63 % of its weight. slope : prior sd
    of the growth of the log mean, per year. waves : prior sd of a harmonic. start : prior sd of the level.
    rare : a count with a tail probability below it moves the mean less the rarer it is, the dispersion not at all.
    """

    level: float = 500.0
    season: float = 5_000.0
    slope: float = 0.1
    waves: float = 0.5
    start: float = 2.0
    dispersion: float = 2_000.0
    weekday: float = 200.0
    rare: float = 0.005

    def prior(self) -> Floats:
        """Variance of each term before anything was seen."""
        return np.square([self.start, self.slope, *(self.waves,) * 2, *(self.waves / 2,) * 2])


@dataclass(frozen=True, slots=True)
class Expectation:
    """Forecast of counts: mean and NB size (variance = mean + mean² / size)."""

    mean: Floats
    size: Floats


class CountModel(Protocol):
    """What the site fold asks of a model of counts; CountSeries is the one that ships."""

    def add(self, slots: Slots, guess: Floats) -> None: ...
    def expect(self, slots: Slots, day: Floats, bin_days: Floats) -> Expectation: ...
    def learn(self, slots: Slots, day: Floats, bin_days: Floats, count: Floats) -> None: ...
    def to_state(self) -> dict[str, NDArray[Any]]: ...
    def restore(self, state: Mapping[str, NDArray[Any]]) -> None: ...


class CountSeries:
    """Any number of series by slot, as plain columns.

    `day` is the middle of a bin in days since the epoch (local, so that weekdays are whole), `bin_days` its length;
    weekday factors are kept where that is 1. A slot may come once in a call.
    """

    def __init__(self, rules: CountRules | None = None) -> None:
        self.rules = rules or CountRules()
        self.mean: Floats = np.zeros((0, _TERMS))
        self.cov: Floats = np.zeros((0, _TERMS, _TERMS))
        self.spread: Floats = np.zeros((0, 2))
        self.last: Floats = np.zeros(0)
        self.weekdays: Floats = np.zeros((0, 2, WEEK))
        self.pooled: Floats = np.zeros((2, WEEK))

    def add(self, slots: Slots, guess: Floats) -> None:
        """Begin series whose first count is about to come; `guess` > 0 is about how many a bin may hold."""
        rules = self.rules
        size = int(slots.max()) + 1
        if size > len(self.last):
            room = max(size, 2 * len(self.last), 16)
            for name in ("mean", "cov", "spread", "last", "weekdays"):
                old = getattr(self, name)
                fresh = np.zeros((room, *old.shape[1:]))
                fresh[: len(old)] = old
                setattr(self, name, fresh)
        self.mean[slots, _LEVEL] = np.log(guess)
        self.cov[slots] = np.diag(rules.prior())
        self.spread[slots] = (15.0, 10.0)
        self.last[slots] = np.nan

    def expect(self, slots: Slots, day: Floats, bin_days: Floats) -> Expectation:
        """Forecast of the counts of these bins."""
        mean, cov = self._prior(slots, day)
        f, q, _ = _forecast(mean, cov, day)
        factor = self._factor(slots, day, bin_days)
        return _expectation(f, q, factor, self._phi(slots))

    def learn(self, slots: Slots, day: Floats, bin_days: Floats, count: Floats) -> None:
        """Take in the counts of these bins."""
        rules = self.rules
        mean, cov = self._prior(slots, day)
        f, q, gain = _forecast(mean, cov, day)
        factor, phi = self._factor(slots, day, bin_days), self._phi(slots)
        mu = np.exp(f) * factor
        sd = np.sqrt(phi * mu + q * mu * mu)
        size = mu / (phi - 1.0 + q * mu)
        tail = upper_tail(count, mu, size)
        weight = np.sqrt(np.minimum(1.0, tail / rules.rare))
        held = mu + (count - mu) * weight
        # Conjugate step on the log mean: gamma(1 / q, exp(-f) / q), counts weighted down by the dispersion.
        shape = 1.0 / q
        posterior = np.log((shape + held / phi) / (shape + mu / phi))
        mean += gain * (posterior / q)[:, None]
        np.maximum(mean[:, _LEVEL], _LEAST, out=mean[:, _LEVEL])
        shrink = (1.0 - 1.0 / (1.0 + q * held / phi)) / q
        cov -= gain[:, :, None] * (gain * shrink[:, None])[:, None, :]
        self.mean[slots], self.cov[slots], self.last[slots] = mean, cov, day
        self._learn_spread(slots, bin_days, np.square((count - mu) / sd) * phi, tail, size, mu)
        self._learn_weekdays(slots, day, bin_days, held, mu / factor)

    def _prior(self, slots: Slots, day: Floats) -> tuple[Floats, Floats]:
        """Mean and covariance at these bins, before their counts."""
        rules = self.rules
        mean, cov = self.mean[slots], self.cov[slots]
        passed = np.nan_to_num(day - self.last[slots])
        years = passed / YEAR
        mean[:, _LEVEL] += mean[:, _SLOPE] * years
        cov[:, _LEVEL, :] += cov[:, _SLOPE, :] * years[:, None]
        cov[:, :, _LEVEL] += cov[:, :, _SLOPE] * years[:, None]
        # Forgetting ends at the prior: a series of noughts tells nothing of its waves and would doubt without bound.
        most = rules.prior()
        know = cov.diagonal(axis1=1, axis2=2) / most
        cov[:, _LEVEL, _LEVEL] *= np.minimum(np.exp(passed / rules.level), np.maximum(1.0, 1.0 / know[:, _LEVEL]))
        rest = np.minimum(np.exp(passed / rules.season), np.maximum(1.0, 1.0 / know[:, 1:].max(axis=1)))
        cov[:, 1:, 1:] *= rest[:, None, None]
        return mean, cov

    def _phi(self, slots: Slots) -> Floats:
        spread = self.spread[slots]
        phi: Floats = np.maximum(1.0, spread[:, 0] / spread[:, 1])
        return phi

    def _learn_spread(
        self, slots: Slots, bin_days: Floats, chi: Floats, tail: Floats, size: Floats, mu: Floats
    ) -> None:
        keep = np.exp(-bin_days / self.rules.dispersion)
        kept = tail >= self.rules.rare
        skew = (1.0 + 2.0 * mu / size) / np.sqrt(mu * (1.0 + mu / size))
        lost = np.minimum(_LOST + _LOST_BY_SKEW * skew, 0.6)
        pair = np.stack([chi * kept, kept * (1.0 - lost)], axis=1)
        self.spread[slots] = self.spread[slots] * np.where(kept, keep, 1.0)[:, None] + pair

    def _factor(self, slots: Slots, day: Floats, bin_days: Floats) -> Floats:
        daily = bin_days == DAY
        factor = np.ones(len(slots))
        if daily.any():
            own = self.weekdays[slots[daily], :, _weekday(day[daily])]
            pooled = (self.pooled[0] + 20.0) / (self.pooled[1] + 20.0)
            factor[daily] = (own[:, 0] + 5.0 * pooled[_weekday(day[daily])]) / (own[:, 1] + 5.0)
        return factor

    def _learn_weekdays(self, slots: Slots, day: Floats, bin_days: Floats, count: Floats, plain: Floats) -> None:
        daily = bin_days == DAY
        if not daily.any():
            return
        keep = np.exp(-WEEK / self.rules.weekday)
        at, slots = _weekday(day[daily]), slots[daily]
        pair = np.stack([count[daily], plain[daily]], axis=1)
        self.weekdays[slots, :, at] = self.weekdays[slots, :, at] * keep + pair
        for weekday in np.unique(at).tolist():
            self.pooled[:, weekday] = self.pooled[:, weekday] * keep + pair[at == weekday].sum(axis=0)

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Every column."""
        return {name: getattr(self, name).copy() for name in _COLUMNS}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_state` returned."""
        for name in _COLUMNS:
            setattr(self, name, np.array(state[name]))


_COLUMNS = ("mean", "cov", "spread", "last", "weekdays", "pooled")


def _forecast(mean: Floats, cov: Floats, day: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance of the log mean, and its covariance with every term."""
    year = 2 * np.pi * day / YEAR
    terms = np.stack(
        [np.ones_like(day), np.zeros_like(day), np.cos(year), np.sin(year), np.cos(2 * year), np.sin(2 * year)], axis=1
    )
    gain = (cov * terms[:, None, :]).sum(axis=2)
    q = np.maximum((gain * terms).sum(axis=1), 1e-9)
    return (mean * terms).sum(axis=1), q, gain


def _expectation(f: Floats, q: Floats, factor: Floats, phi: Floats) -> Expectation:
    mean = np.exp(f) * factor
    return Expectation(mean, mean / (phi - 1.0 + q * mean))


def _weekday(day: Floats) -> Slots:
    return (np.floor(day).astype(np.int64) + 3) % WEEK


def recurrence(count: Floats, expected: Expectation, bin_days: Floats) -> Floats:
    """Mean days between bins that surprise as much by chance alone: length of a bin / tail probability."""
    tail = upper_tail(count, expected.mean, expected.size)
    days: Floats = np.minimum(bin_days / np.maximum(tail, 1e-12), LONGEST)
    return days
