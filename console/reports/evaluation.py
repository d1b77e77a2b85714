"""All figures of one outcome: the model and the rules of thumb on the same rows, each with its interval."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from console.reports import metrics
from console.reports.alarms import Leads
from console.reports.intervals import (
    Ranking,
    Weeks,
    brier_draws,
    calibration_draws,
    interval,
    log_loss_draws,
    median_draws,
    ranking,
    weeks_of,
)
from console.reports.metrics import Floats, Labels
from console.reports.rules import clock_share, one_per_subject, rate_list
from console.reports.scores import Scores
from console.reports.suppress import EXPORT_K

NOTHING = float("nan")

RANKED: dict[str, tuple[Callable[[Floats, Labels], float], Callable[[Ranking], Floats]]] = {
    "auc": (metrics.auc, Ranking.auc),
    "average_precision": (metrics.average_precision, Ranking.average_precision),
    "precision_at_10_percent": (metrics.precision_at_top, Ranking.precision_at_top),
}
CALIBRATED: dict[str, tuple[Callable[[Floats, Labels], float], Callable[[Weeks, Floats, Labels], Floats]]] = {
    "log_loss": (metrics.log_loss, log_loss_draws),
    "brier": (metrics.brier, brier_draws),
    "calibration_error": (metrics.calibration_error, calibration_draws),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report: the metric, by which score, on which rows (definitions.py); NaN is not shown.

    A difference has `minus` set: `by` less `minus`.
    """

    name: str
    by: str
    on: str
    value: float
    low: float
    high: float
    n: int
    positives: int
    minus: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One (kind, target): the rows it is judged by, every figure, and the rules' scores of the same rows."""

    kind: str
    target: str
    rows: Scores
    censored: int
    figures: list[Figure]
    rules: dict[str, Floats] = field(default_factory=dict)

    def figure(self, name: str, by: str = "model", on: str = "", minus: str = "") -> Figure | None:
        """The figure of that name, or None; `on` empty means the rows of the headline."""
        on = on or self.main
        found = (f for f in self.figures if (f.name, f.by, f.on, f.minus) == (name, by, on, minus))
        return next(found, None)

    @property
    def main(self) -> str:
        """The set of rows the headline figures are on."""
        return "headline" if self.kind not in WHOLE else "all"


WHOLE = ("count", "reading")
"""Kinds whose subjects have no end: every row is judged by itself."""


def headline(rows: Scores) -> Scores:
    """The first row of each subject with a known label, sorted by `at`, the first fifth of these rows dropped."""
    first = one_per_subject(rows)
    return first.take(np.arange(len(first) // 5, len(first)))


def evaluate(scores: Scores, kind: str, target: str) -> Evaluation:
    """Every figure of one (kind, target) but those of its warnings."""
    rows = scores.of(kind=kind, target=target)
    known = rows.take(rows.label >= 0)
    censored = len(rows) - len(known)
    if kind in WHOLE:
        return Evaluation(kind, target, known, censored, list(_whole(known)))
    ends = one_per_subject(rows)
    judged = headline(rows)
    figures = list(_model(judged, "headline"))
    rules = {"rate_list": rate_list(ends, judged)}
    if len(judged) and not np.isnan(judged.share).any():
        rules["clock_share"] = clock_share(judged)
    for by, rule in rules.items():
        figures += _beside(judged, "headline", rule, by)
    if len(ends):
        begin = ends.at[0] + (ends.at[-1] - ends.at[0]) // 5
        settled = ends.take(ends.at >= begin)
        figures += _ranked(settled, "after_fifth_of_span", settled.score, "model")
        figures += _beside(settled, "after_fifth_of_span", rate_list(ends, settled), "rate_list")
    later = known.take(known.at >= judged.at[0]) if len(judged) else known
    # With one row per subject the landmark rows would only say the same again.
    if len(later) > len(np.unique(later.subject)):
        figures += _ranked(later, "landmarks", later.score, "model")
        figures += _beside(later, "landmarks", rate_list(ends, later), "rate_list")
        timed = later.take(~np.isnan(later.share))
        if len(timed):
            figures += _ranked(timed, "clock", timed.score, "model")
            figures += _beside(timed, "clock", clock_share(timed), "clock_share")
    return Evaluation(kind, target, judged, censored, figures, rules)


def lead_figures(found: Leads) -> list[Figure]:
    """Lead time, share warned in advance and share proved true of one outcome's warnings."""
    weeks = weeks_of(found.at)
    days = Figure("lead_time_days", "model", "warned", NOTHING, NOTHING, NOTHING, found.warned, found.warned)
    if found.warned >= EXPORT_K:
        found_in = interval(median_draws(weeks, found.days))
        days = replace(days, value=_lower_median(found.days), low=found_in.low, high=found_in.high)
    shares = (("warned_share", found.positives, found.positives), ("proved_share", found.raised, found.warned))
    return [days, *(_share(name, found.warned, n, positives) for name, n, positives in shares)]


def monthly_auc(rows: Scores) -> list[tuple[str, float, int, int]]:
    """(month, AUC, rows, positives) by UTC month of `at`; NaN with fewer than ten positives or negatives."""
    months = rows.at.astype("datetime64[us]").astype("datetime64[M]")
    result = []
    for month in np.unique(months):
        part = rows.take(months == month)
        positives = int(part.label.sum())
        value = metrics.auc(part.score, part.label) if _enough(part.label) else NOTHING
        result.append((str(month), value, len(part), positives))
    return result


def _model(rows: Scores, on: str) -> Iterator[Figure]:
    yield from _ranked(rows, on, rows.score, "model")
    if len(rows) and not np.isnan(rows.probability).any():
        weeks = weeks_of(rows.at)
        for name, (point, draws) in CALIBRATED.items():
            value = point(rows.probability, rows.label)
            yield figure_of(name, value, draws(weeks, rows.probability, rows.label), rows.label, on=on)


def _whole(rows: Scores) -> Iterator[Figure]:
    yield from _model(rows, on="all")
    drawn = ranking(weeks_of(rows.at), rows.score, rows.label).detection_at()
    value = metrics.detection_at(rows.score, rows.label)
    yield figure_of("detection_at_1_percent", value, drawn, rows.label, on="all")


def _ranked(rows: Scores, on: str, score: Floats, by: str) -> Iterator[Figure]:
    drawn = ranking(weeks_of(rows.at), score, rows.label)
    for name, (point, draws) in RANKED.items():
        yield figure_of(name, point(score, rows.label), draws(drawn), rows.label, by=by, on=on)


def _beside(rows: Scores, on: str, rule: Floats, by: str) -> Iterator[Figure]:
    """A rule's figures, then the model's less the rule's, on the same rows and the same resamples."""
    weeks = weeks_of(rows.at)
    ours, theirs = ranking(weeks, rows.score, rows.label), ranking(weeks, rule, rows.label)
    for name, (point, draws) in RANKED.items():
        value = point(rule, rows.label)
        yield figure_of(name, value, draws(theirs), rows.label, by=by, on=on)
        gain = point(rows.score, rows.label) - value
        yield replace(figure_of(name, gain, draws(ours) - draws(theirs), rows.label, on=on), minus=by)


def figure_of(
    name: str, value: float, draws: Floats, label: Labels, *, by: str = "model", on: str = "headline"
) -> Figure:
    """A figure with the interval of its resamples; NaN with fewer than ten positives or negatives."""
    positives = int((label == 1).sum())
    if not _enough(label):
        return Figure(name, by, on, NOTHING, NOTHING, NOTHING, len(label), positives)
    found = interval(draws)
    return Figure(name, by, on, value, found.low, found.high, len(label), positives)


def _share(name: str, part: int, whole: int, positives: int) -> Figure:
    """A share of subjects with its Wilson interval: subjects, unlike rows, are counted once."""
    if whole < EXPORT_K:
        return Figure(name, "model", "warned", NOTHING, NOTHING, NOTHING, whole, positives)
    z, share = 1.959964, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * float(np.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))) / (1 + z * z / whole)
    return Figure(name, "model", "warned", share, middle - half, middle + half, whole, positives)


def _enough(label: Labels) -> bool:
    positives = int((label == 1).sum())
    return min(positives, len(label) - positives) >= EXPORT_K


def _lower_median(values: NDArray[np.float64]) -> float:
    return float(np.sort(values)[(len(values) - 1) // 2])
