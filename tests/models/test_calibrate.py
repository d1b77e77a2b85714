"""Raw logits become probabilities by a monotone table, learned when there is enough to learn from."""

import numpy as np
import pytest

from models.calibrate import Calibration, grid
from models.fitting.calibrator import START, Calibrator
from models.learner import Flags, Units, sigmoid, to_units


def scored(n: int, *, slope: float = 1.0, level: float = 0.0, seed: int = 1) -> tuple[Units, Flags]:
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1.5, 1.0, n)
    return to_units(logit), (rng.random(n) < sigmoid(level + slope * logit)).astype(np.uint8)


@pytest.mark.parametrize("logit", [-11.9, -4.0, -0.3, 0.0, 1.7, 9.0])
def test_the_identity_is_the_logistic_function(logit: float) -> None:
    p = Calibration.identity().probability(to_units(np.array([logit])))
    assert p[0] / 10_000 == pytest.approx(1 / (1 + np.exp(-logit)), abs=3e-4)


def test_far_scores_get_the_probability_of_the_edge() -> None:
    p = Calibration.identity().probability(to_units(np.array([-500.0, -12.0, 500.0])))
    assert p.tolist() == [0, 0, 10_000]


def test_a_constant_is_exact() -> None:
    assert set(Calibration.constant(0.0371).probability(to_units(grid())).tolist()) == {371}


def test_few_labels_leave_the_identity() -> None:
    calibrator = Calibrator()
    calibrator.learn(*scored(START - 1, level=2.0))
    assert np.array_equal(calibrator.calibration().knots, Calibration.identity().knots)


@pytest.mark.parametrize(("slope", "level"), [(1.0, 1.0), (0.5, -0.5), (2.0, 1.0)])
def test_a_wrong_slope_and_level_are_mended(slope: float, level: float) -> None:
    calibrator = Calibrator()
    calibrator.learn(*scored(8_000, slope=slope, level=level))
    raw, y = scored(20_000, slope=slope, level=level, seed=2)
    p = calibrator.calibration().probability(raw) / 10_000
    groups = np.array_split(np.argsort(p, kind="stable"), 10)
    error = sum(abs(p[group].mean() - y[group].mean()) * len(group) for group in groups) / len(y)
    assert error < 0.02


def test_a_calibration_never_turns_ranks_around() -> None:
    calibrator = Calibrator()
    calibrator.learn(*scored(4_000, slope=-1.0))
    assert np.all(np.diff(calibrator.calibration().knots) >= 0)


def test_old_labels_fade() -> None:
    calibrator = Calibrator(half_life=1_000)
    calibrator.learn(*scored(8_000, level=2.0))
    calibrator.learn(*scored(8_000, level=0.0, seed=3))
    raw, y = scored(8_000, level=0.0, seed=4)
    assert calibrator.calibration().probability(raw).mean() / 10_000 == pytest.approx(y.mean(), abs=0.03)


def test_a_calibrator_restored_from_its_state_learns_on_alike() -> None:
    first, second = Calibrator(), Calibrator()
    first.learn(*scored(5_000, slope=0.7))
    second.restore(first.to_state())
    for calibrator in (first, second):
        calibrator.learn(*scored(500, seed=5))
    assert np.array_equal(first.calibration().knots, second.calibration().knots)
