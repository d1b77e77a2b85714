"""The figures, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from console.reports import metrics


def tied_rows(seed: int) -> tuple[metrics.Floats, metrics.Labels]:
    chance = np.random.default_rng(seed)
    score = chance.integers(0, 12, 400) / 12
    return score, (chance.random(400) < 0.2 + 0.5 * score).astype(np.int8)


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_average_precision_take_ties_together(seed: int) -> None:
    score, label = tied_rows(seed)
    assert metrics.auc(score, label) == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert metrics.average_precision(score, label) == pytest.approx(average_precision_score(label, score), abs=1e-12)


def test_log_loss_and_brier_are_the_usual_ones() -> None:
    score, label = tied_rows(1)
    chance = 0.02 + 0.9 * score
    assert metrics.log_loss(chance, label) == pytest.approx(log_loss(label, chance), abs=1e-12)
    assert metrics.brier(chance, label) == pytest.approx(brier_score_loss(label, chance), abs=1e-12)


def test_auc_of_one_class_is_not_a_number() -> None:
    assert np.isnan(metrics.auc(np.array([0.1, 0.2]), np.array([1, 1], np.int8)))


def test_precision_at_the_top_counts_a_tie_at_the_edge_in_part() -> None:
    score = np.array([9.0, 5, 5, 5, 5, 1, 1, 1, 1, 1])
    label = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], np.int8)
    assert metrics.precision_at_top(score, label, 0.1) == 1.0
    assert metrics.precision_at_top(score, label, 0.2) == pytest.approx((1 + 0.5) / 2)


def test_calibration_error_is_the_mean_gap_of_equal_groups() -> None:
    said = np.r_[np.full(50, 0.2), np.full(50, 0.6)]
    came = np.r_[np.arange(50) % 5 == 0, np.arange(50) % 2 == 0].astype(np.int8)
    assert metrics.calibration_error(said, came, bins=2) == pytest.approx(0.05)
    assert metrics.calibration_table(said, came, bins=2)[:, 0].tolist() == [50, 50]


def test_rows_of_equal_probability_are_never_parted() -> None:
    said = np.r_[np.full(95, 0.5), np.linspace(0.6, 0.9, 5)]
    assert metrics.calibration_groups(said).tolist() == [0] * 95 + [9] * 5


def test_detection_is_read_where_one_in_a_hundred_negatives_alarms() -> None:
    score = np.r_[np.arange(200.0), 196.5, 198.5, 500.0, 3.0]
    label = np.r_[np.zeros(200), np.ones(4)].astype(np.int8)
    assert metrics.detection_at(score, label) == 0.5
