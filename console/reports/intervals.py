"""95 % intervals by a bootstrap over blocks of a week: rows of one week come and go together.

Every figure is written as a function of sums per week, so one resample is a vector of week counts and 500 of them
are one product of matrices. Rankings use at most 2,048 groups of neighbouring scores: with fewer distinct scores
than that nothing is rounded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.reports.metrics import CALIBRATION_BINS, Floats, Labels, calibration_groups, log_losses

RESAMPLES = 500
SEED = 20_160_301
_GROUPS = 2_048
_WEEK_US = 7 * 86_400_000_000
_MONDAY_US = 4 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """The 2.5th and 97.5th percentile of the resamples; NaN where too few of them gave a figure."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of some rows and the resamples of them.

    `of_row` (rows,) numbers the weeks that have rows; `draws` (resamples, weeks) says how often each was drawn.
    """

    of_row: NDArray[np.int64]
    draws: Floats

    def sums(self, values: Floats) -> Floats:
        """Sum over the rows of each resample."""
        return self.draws @ np.bincount(self.of_row, values, self.draws.shape[1])

    def table(self, group: NDArray[np.int64], groups: int, weight: Floats | None = None) -> Floats:
        """Sum over the rows of each (resample, group)."""
        weeks = self.draws.shape[1]
        cells = np.bincount(self.of_row * groups + group, weight, weeks * groups)
        return self.draws @ cells.reshape(weeks, groups)


def weeks_of(at: NDArray[np.int64], *, seed: int = SEED, resamples: int = RESAMPLES) -> Weeks:
    """Blocks of Monday to Sunday (UTC) for rows at `at` (microseconds), resampled with replacement."""
    _, of_row = np.unique((at - _MONDAY_US) // _WEEK_US, return_inverse=True)
    count = int(of_row.max()) + 1 if len(of_row) else 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return Weeks(of_row.astype(np.int64), draws.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Positives and rows of each (resample, group of scores), the worst group first."""

    hits: Floats
    rows: Floats

    def auc(self) -> Floats:
        """Area under the ROC curve of each resample."""
        misses = self.rows - self.hits
        better = misses[:, ::-1].cumsum(axis=1)[:, ::-1] - misses
        right = (self.hits * (better + misses / 2)).sum(axis=1)
        return _ratio(right, self.hits.sum(axis=1) * misses.sum(axis=1))

    def average_precision(self) -> Floats:
        """Average precision of each resample."""
        above = self.hits.cumsum(axis=1)
        precision = _ratio(above, self.rows.cumsum(axis=1))
        return _ratio((self.hits * np.nan_to_num(precision)).sum(axis=1), self.hits.sum(axis=1))

    def precision_at_top(self, share: float = 0.1) -> Floats:
        """Share of positives among the worst `share` of the rows of each resample."""
        alarms = self.rows.cumsum(axis=1)
        wanted = share * self.rows.sum(axis=1, keepdims=True)
        taken = np.clip(wanted - (alarms - self.rows), 0, self.rows)
        hits = (self.hits * np.nan_to_num(_ratio(taken, self.rows))).sum(axis=1)
        return _ratio(hits, wanted[:, 0])

    def detection_at(self, false_share: float = 0.01) -> Floats:
        """Share of positives above the cut-off that `false_share` of the negatives reach, of each resample."""
        misses = self.rows - self.hits
        allowed = misses.cumsum(axis=1) <= false_share * misses.sum(axis=1, keepdims=True) + 1e-9
        return _ratio((self.hits * allowed).sum(axis=1), self.hits.sum(axis=1))


def ranking(weeks: Weeks, score: Floats, label: Labels) -> Ranking:
    """The resampled ranking of some rows."""
    distinct, group = np.unique(-score, return_inverse=True)
    count = len(distinct)
    if count > _GROUPS:
        # Equal shares of the rows, but equal scores stay together.
        first = np.searchsorted(np.sort(-score), distinct)
        group = (first * _GROUPS // len(score))[group]
        count = _GROUPS
    group = group.astype(np.int64)
    return Ranking(weeks.table(group, count, (label == 1).astype(np.float64)), weeks.table(group, count))


def log_loss_draws(weeks: Weeks, probability: Floats, label: Labels) -> Floats:
    """Mean log-loss of each resample."""
    return _ratio(weeks.sums(log_losses(probability, label)), weeks.sums(np.ones(len(label))))


def brier_draws(weeks: Weeks, probability: Floats, label: Labels) -> Floats:
    """Brier score of each resample."""
    return _ratio(weeks.sums((probability - label) ** 2), weeks.sums(np.ones(len(label))))


def calibration_draws(weeks: Weeks, probability: Floats, label: Labels, bins: int = CALIBRATION_BINS) -> Floats:
    """Calibration error of each resample, in the groups of the whole."""
    gap = weeks.table(calibration_groups(probability, bins), bins, probability - (label == 1))
    return _ratio(np.abs(gap).sum(axis=1), weeks.sums(np.ones(len(label))))


def median_draws(weeks: Weeks, values: Floats) -> Floats:
    """Median (lower one of an even number) of each resample."""
    order = np.argsort(values, kind="stable")
    ordered, of_row = values[order], weeks.of_row[order]
    result = np.full(len(weeks.draws), np.nan)
    for number, draw in enumerate(weeks.draws):
        reached = draw[of_row].cumsum()
        if len(reached) and reached[-1] > 0:
            result[number] = ordered[np.searchsorted(reached, reached[-1] / 2)]
    return result


def interval(draws: Floats) -> Interval:
    """The middle 95 % of the resamples; at least half of them must have given a figure."""
    known = draws[~np.isnan(draws)]
    if len(known) * 2 < len(draws) or not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(float(low), float(high))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
