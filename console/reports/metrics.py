"""The figures of a report as plain functions of scores and labels; ties are always taken together.

A label is 1 (the outcome came) or 0; a score is any number, higher is worse. A figure that its rows cannot give
(one class only, no rows) is NaN.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

CALIBRATION_BINS = 10
_LEAST_PROBABILITY = 1e-15


def auc(score: Floats, label: Labels) -> float:
    """Area under the ROC curve, exact: the share of (positive, negative) pairs in the right order, a tie as half."""
    positives = int((label == 1).sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    _, group, size = np.unique(score, return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - (size - 1) / 2
    ranks = float(middle[group][label == 1].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(score: Floats, label: Labels) -> float:
    """Sum over the distinct scores, from the worst down, of precision there times the recall gained there."""
    hits, alarms = threshold_counts(score, label)
    if not len(hits) or hits[-1] == 0:
        return float("nan")
    gained = np.diff(hits, prepend=0.0)
    return float((gained * hits / alarms).sum() / hits[-1])


def precision_at_top(score: Floats, label: Labels, share: float = 0.1) -> float:
    """Share of positives among the worst `share` of the rows (rounded up); rows tied at the edge count in part."""
    if not len(score):
        return float("nan")
    wanted = float(np.ceil(share * len(score) - 1e-9))
    hits, alarms = threshold_counts(score, label)
    return float(np.interp(wanted, np.r_[0.0, alarms], np.r_[0.0, hits]) / wanted)


def threshold_counts(score: Floats, label: Labels) -> tuple[Floats, Floats]:
    """Positives and rows at or above each distinct score, from the worst score down."""
    if not len(score):
        return np.empty(0), np.empty(0)
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.r_[np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1]
    hits = np.cumsum(label[order] == 1).astype(np.float64)
    return hits[last], (last + 1).astype(np.float64)


def log_losses(probability: Floats, label: Labels) -> Floats:
    """Log-loss of each row in nats; probabilities are kept 1e-15 away from 0 and 1."""
    sure = np.clip(probability, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    return np.asarray(-np.where(label == 1, np.log(sure), np.log1p(-sure)))


def log_loss(probability: Floats, label: Labels) -> float:
    """Mean log-loss in nats."""
    return float(log_losses(probability, label).mean()) if len(label) else float("nan")


def brier(probability: Floats, label: Labels) -> float:
    """Mean squared difference of probability and label."""
    return float(np.mean((probability - label) ** 2)) if len(label) else float("nan")


def calibration_groups(probability: Floats, bins: int = CALIBRATION_BINS) -> NDArray[np.int64]:
    """Group 0 .. bins-1 of each row: (rows with a smaller probability) * bins // rows, so equal ones stay together."""
    ordered = np.sort(probability)
    return np.searchsorted(ordered, probability).astype(np.int64) * bins // max(len(probability), 1)


def calibration_table(probability: Floats, label: Labels, bins: int = CALIBRATION_BINS) -> Floats:
    """One row (rows, mean probability, share of positives) for each group that is not empty."""
    group = calibration_groups(probability, bins)
    size = np.bincount(group, minlength=bins).astype(np.float64)
    said = np.bincount(group, probability, bins)
    came = np.bincount(group, label == 1, bins)
    filled = size > 0
    return np.stack([size[filled], said[filled] / size[filled], came[filled] / size[filled]], axis=1)


def calibration_error(probability: Floats, label: Labels, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: the mean over equal-mass groups of |mean probability - share of positives|."""
    if not len(label):
        return float("nan")
    size, said, came = calibration_table(probability, label, bins).T
    return float((size * np.abs(said - came)).sum() / size.sum())


def detection_at(score: Floats, label: Labels, false_share: float = 0.01) -> float:
    """Share of positives above the cut-off that `false_share` of the negatives reach (POD at a matched rate)."""
    hits, alarms = threshold_counts(score, label)
    if not len(hits) or hits[-1] == 0 or alarms[-1] == hits[-1]:
        return float("nan")
    false = (alarms - hits) / (alarms[-1] - hits[-1])
    reached = np.flatnonzero(false <= false_share + 1e-12)
    return float(hits[reached[-1]] / hits[-1]) if len(reached) else 0.0
