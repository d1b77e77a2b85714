"""Counts: how many are normal, how rare more would be, and what an outbreak does not teach."""

from math import comb, exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.counts import CountRules, CountSeries, Expectation, recurrence
from models.tail import log_gamma, upper_tail, upper_tail_of

WEEK = 7.0


def taught(counts: NDArray[np.float64], bin_days: float = WEEK, rules: CountRules | None = None) -> CountSeries:
    """A model of series (n, bins) that has seen all of them."""
    model = CountSeries(rules)
    slots = np.arange(len(counts))
    model.add(slots, counts[:, 0] + 0.3)
    for number in range(counts.shape[1]):
        model.learn(slots, *bins(len(counts), number, bin_days), counts[:, number])
    return model


def bins(series: int, number: int, bin_days: float = WEEK) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle and length of bin `number` for so many series."""
    return np.full(series, (number + 0.5) * bin_days), np.full(series, bin_days)


def expected(model: CountSeries, number: int, bin_days: float = WEEK) -> Expectation:
    """Forecast of the first series."""
    return model.expect(np.arange(1), *bins(1, number, bin_days))


def poisson(mean: float, bins: int, seed: int = 0, series: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).poisson(mean, (series, bins)).astype(np.float64)


@pytest.mark.parametrize("mean", [0.2, 3.0, 40.0])
def test_the_tail_of_a_poisson_law_is_its_sum(mean: float) -> None:
    counts = np.arange(1.0, 60.0)
    mass = [exp(-mean)]
    for count in range(1, 59):
        mass.append(mass[-1] * mean / count)
    tails = 1.0 - np.cumsum(mass)
    found = upper_tail(counts, np.full(59, mean), np.full(59, 1e9))
    assert np.allclose(found, tails, rtol=1e-5, atol=1e-13)


def test_the_tail_of_a_geometric_law_is_a_power() -> None:
    counts = np.arange(0.0, 30.0)
    assert np.allclose(upper_tail(counts, np.full(30, 2.0), np.ones(30)), (2 / 3) ** counts, rtol=1e-9)


def test_half_of_the_ties_may_be_left_out() -> None:
    one, mean, size = np.ones(1), np.full(1, 2.0), np.ones(1)
    assert upper_tail(one, mean, size, middle=True)[0] == pytest.approx(2 / 3 - 0.5 * 2 / 9)


@given(st.integers(1, 400), st.floats(0.01, 300), st.floats(0.05, 1e6))
def test_one_count_has_the_tail_of_an_array_of_one(count: int, mean: float, size: float) -> None:
    if count <= mean:
        return
    together = upper_tail(np.array([float(count)]), np.array([mean]), np.array([size]))[0]
    assert upper_tail_of(count, mean, size) == pytest.approx(together, rel=1e-6, abs=1e-280)


def test_log_gamma_is_that_of_factorials() -> None:
    values = log_gamma(np.array([1.0, 5.0, 11.0]))
    assert np.allclose(np.exp(values), [1, 24, 3_628_800])
    assert np.exp(log_gamma(np.array([21.0])) - 2 * log_gamma(np.array([11.0])))[0] == pytest.approx(comb(20, 10))


def test_a_steady_series_is_expected_to_go_on() -> None:
    assert expected(taught(poisson(12.0, 200)), 200).mean[0] == pytest.approx(12.0, rel=0.15)


def test_waves_of_the_year_are_expected_in_their_season() -> None:
    weeks = np.arange(520)
    truth = 20 * np.exp(0.7 * np.cos(2 * np.pi * (weeks + 0.5) * 7 / 365.2425))
    model = taught(np.random.default_rng(1).poisson(truth)[None, :].astype(np.float64))
    winter, summer = expected(model, 522).mean[0], expected(model, 522 + 26).mean[0]
    assert winter == pytest.approx(40, rel=0.2)
    assert summer == pytest.approx(10, rel=0.25)


def test_days_of_the_week_have_factors_of_their_own() -> None:
    days = np.arange(140)
    truth = np.where((days + 3) % 7 < 5, 20.0, 2.0)
    model = taught(np.random.default_rng(2).poisson(truth)[None, :].astype(np.float64), 1.0)
    week = [expected(model, 140 + day, 1.0).mean[0] for day in range(7)]
    ahead = np.where((np.arange(140, 147) + 3) % 7 < 5, 20.0, 2.0)
    assert np.allclose(week, ahead, rtol=0.3)


def test_an_outbreak_does_not_become_normal() -> None:
    counts = poisson(5.0, 200)
    counts[0, 180:183] = 60
    assert expected(taught(counts), 200).mean[0] < 7


def test_a_lasting_change_does_become_normal() -> None:
    counts = np.concatenate([poisson(5.0, 150), poisson(12.0, 150, seed=3)], axis=1)
    assert expected(taught(counts), 300).mean[0] > 9


def test_wild_series_are_granted_more_spread_than_quiet_ones() -> None:
    random = np.random.default_rng(4)
    wild = random.negative_binomial(2.5, 0.2, (1, 300)).astype(np.float64)
    quiet, wide = expected(taught(poisson(10.0, 300)), 300), expected(taught(wild), 300)
    assert recurrence(np.array([20.0]), quiet, np.full(1, WEEK)) > 5 * recurrence(
        np.array([20.0]), wide, np.full(1, WEEK)
    )


def test_alarms_by_chance_come_as_often_as_said() -> None:
    counts = poisson(4.0, 260, seed=5, series=400)
    model = taught(counts[:, :208])
    slots, alarms = np.arange(400), 0
    for number in range(208, 260):
        middle, length = bins(400, number)
        alarms += int((recurrence(counts[:, number], model.expect(slots, middle, length), length) >= 700).sum())
        model.learn(slots, middle, length, counts[:, number])
    assert 0.3 < alarms / (400 * 52 / 100) < 1.3


def test_noughts_for_years_do_not_wear_the_model_out() -> None:
    model = taught(np.zeros((1, 3_000)), 1.0)
    forecast = expected(model, 3_000, 1.0)
    assert 0 < forecast.mean[0] < 0.01
    assert np.isfinite(forecast.size).all()
    assert np.isfinite(model.cov).all()


def test_a_gap_makes_less_certain() -> None:
    model = taught(poisson(30.0, 150))
    assert expected(model, 350).size[0] < expected(model, 150).size[0]


def test_asking_changes_nothing() -> None:
    asked, silent = taught(poisson(3.0, 50)), taught(poisson(3.0, 50))
    for number in range(50, 60):
        expected(asked, number)
    assert all(
        np.array_equal(asked.to_state()[name], column, equal_nan=True) for name, column in silent.to_state().items()
    )


def test_series_are_learned_alike_alone_and_together() -> None:
    counts = poisson(6.0, 80, series=3)
    together, alone = taught(counts), taught(counts[1:2])
    assert together.expect(np.array([1]), *bins(1, 80)).mean[0] == expected(alone, 80).mean[0]


def test_the_state_is_everything() -> None:
    counts = poisson(6.0, 100)
    whole, half, rest = taught(counts), taught(counts[:, :60]), CountSeries()
    rest.restore(half.to_state())
    for number in range(60, 100):
        rest.learn(np.arange(1), *bins(1, number), counts[:, number])
    assert expected(rest, 100).mean[0] == expected(whole, 100).mean[0]
