"""The two rules of thumb a report sets beside the model, computed on the very same rows.

The category rate list is what a careful clerk would keep: how often did such a matter, at this office, fail among
those whose end was known by then? The share of the clock used is what every deadline list sorts by.
"""

import numpy as np
from numpy.typing import NDArray

from console.reports.metrics import Floats
from console.reports.scores import NEVER, Scores

SHRINKAGE = 20.0
"""Labels' worth of trust in the wider group: a rate moves half-way to its own evidence after 20 labels."""


def rate_list(known: Scores, rows: Scores, *, shrinkage: float = SHRINKAGE) -> Floats:
    """Rate of the outcome at each of `rows`, from labels of `known` that were known strictly before that row's `at`.

    Category x office falls back on category, category on all, all on one half (Laplace: (positives + 1) / (n + 2)).
    `known` holds one row per subject, else a matter with many rows would count many times. Cost: one sort.
    """
    known = known.take(known.known_at > NEVER)
    wide = np.zeros(len(known), np.int64), np.zeros(len(rows), np.int64)
    middle = known.category.astype(np.int64), rows.category.astype(np.int64)
    offices = len(known.names["office"]) + 1
    narrow = middle[0] * offices + known.office, middle[1] * offices + rows.office
    positives, count = _known_before(known, wide[0], rows, wide[1])
    rate = (positives + 1) / (count + 2)
    for own, asked in (middle, narrow):
        positives, count = _known_before(known, own, rows, asked)
        rate = (positives + shrinkage * rate) / (count + shrinkage)
    return rate


def clock_share(rows: Scores) -> Floats:
    """Share of the clock used at each row; NaN without a clock."""
    return rows.share


def one_per_subject(rows: Scores) -> Scores:
    """The first row, by `at` and then order of the file, of each subject among `rows` that has a known label."""
    labelled = rows.take(rows.label >= 0)
    labelled = labelled.take(np.argsort(labelled.at, kind="stable"))
    _, first = np.unique(labelled.subject, return_index=True)
    return labelled.take(np.sort(first))


def _known_before(
    known: Scores, group: NDArray[np.int64], rows: Scores, asked: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Positives and labels of the asked group that were known before each row."""
    moments = np.unique(known.known_at)
    span = len(moments) + 1
    key = group * span + np.searchsorted(moments, known.known_at)
    order = np.argsort(key, kind="stable")
    key = key[order]
    hits = np.r_[0, np.cumsum(known.label[order] == 1)]
    first = np.searchsorted(key, asked * span)
    last = np.searchsorted(key, asked * span + np.searchsorted(moments, rows.at))
    return (hits[last] - hits[first]).astype(np.float64), (last - first).astype(np.float64)
