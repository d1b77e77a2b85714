"""The bootstrap over weeks, against resampling the rows themselves."""

import numpy as np
import pytest

from console.reports import metrics
from console.reports.intervals import brier_draws, interval, median_draws, ranking, weeks_of

WEEK_US = 7 * 86_400_000_000
MONDAY_US = 1_456_704_000_000_000  # 2016-02-29


def rows(count: int = 300) -> tuple[metrics.Floats, metrics.Labels, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    chance = np.random.default_rng(3)
    score = np.round(chance.normal(size=count), 2)
    label = (chance.random(count) < 1 / (1 + np.exp(-score))).astype(np.int8)
    return score, label, MONDAY_US + chance.integers(0, 8 * WEEK_US, count)


def test_a_week_runs_from_monday_to_sunday() -> None:
    weeks = weeks_of(np.array([MONDAY_US - 1, MONDAY_US, MONDAY_US + WEEK_US - 1, MONDAY_US + WEEK_US]))
    assert weeks.of_row.tolist() == [0, 1, 1, 2]


def test_every_resample_ranks_as_its_repeated_rows_would() -> None:
    score, label, at = rows()
    weeks = weeks_of(at, resamples=6)
    drawn = ranking(weeks, score, label)
    for number, draw in enumerate(weeks.draws):
        again = np.repeat(np.arange(len(at)), draw[weeks.of_row].astype(int))
        s, y = score[again], label[again]
        assert drawn.auc()[number] == pytest.approx(metrics.auc(s, y), abs=1e-12)
        assert drawn.average_precision()[number] == pytest.approx(metrics.average_precision(s, y), abs=1e-12)
        assert drawn.detection_at(0.1)[number] == pytest.approx(metrics.detection_at(s, y, 0.1), abs=1e-12)
        assert brier_draws(weeks, score, label)[number] == pytest.approx(metrics.brier(s, y), abs=1e-12)


def test_many_distinct_scores_are_grouped_and_hardly_move_the_figure() -> None:
    score = np.random.default_rng(5).normal(size=20_000)
    label = (np.random.default_rng(6).random(20_000) < 1 / (1 + np.exp(-score))).astype(np.int8)
    weeks = weeks_of(np.full(20_000, MONDAY_US), resamples=2)
    drawn = ranking(weeks, score, label)
    assert drawn.rows.shape[1] == 2_048
    assert drawn.auc()[0] == pytest.approx(metrics.auc(score, label), abs=1e-4)


def test_the_same_seed_gives_the_same_interval() -> None:
    score, label, at = rows()
    first, second = (interval(ranking(weeks_of(at), score, label).auc()) for _ in range(2))
    assert first == second
    assert first.low < metrics.auc(score, label) < first.high


def test_the_median_of_a_resample_counts_a_week_as_often_as_it_was_drawn() -> None:
    weeks = weeks_of(np.array([MONDAY_US, MONDAY_US + WEEK_US]), resamples=20)
    medians = median_draws(weeks, np.array([1.0, 5.0]))
    for draw, median in zip(weeks.draws, medians, strict=True):
        assert median == (5.0 if draw[0] == 0 else 1.0)


def test_resamples_without_a_figure_give_no_interval() -> None:
    assert np.isnan(interval(np.array([0.5, np.nan, np.nan])).low)
