"""The rules of thumb know what a clerk could have known, and no more."""

import numpy as np
import pytest

from console.reports.evaluation import headline
from console.reports.rules import SHRINKAGE, one_per_subject, rate_list
from tests.console.conftest import BackTest


def test_the_rate_list_uses_only_labels_known_before_the_row(back_test: BackTest) -> None:
    back_test.row("A", 0, 0.0, 1, known=5)
    back_test.row("B", 5, 0.0, 1, known=9)
    back_test.row("C", 5.5, 0.0, 0, known=9)
    rows = back_test.scores()
    rates = rate_list(rows, rows)
    # B stands at the very moment A's end became known: not before it.
    assert rates[:2].tolist() == [0.5, 0.5]
    whole = 2 / 3
    category = (1 + SHRINKAGE * whole) / (1 + SHRINKAGE)
    assert rates[2] == pytest.approx((1 + SHRINKAGE * category) / (1 + SHRINKAGE))


def test_the_rate_list_equals_a_count_row_by_row(back_test: BackTest) -> None:
    chance = np.random.default_rng(2)
    for number in range(80):
        day = float(chance.integers(0, 30))
        label = int(chance.integers(0, 2)) if chance.random() < 0.8 else None
        office, category = (str(chance.choice(names)) for names in (["N", "S"], ["x", "y", "z"]))
        known = day + float(chance.integers(1, 20))
        back_test.row(f"M{number}", day, 0.0, label, known, office=office, category=category)
    rows = back_test.scores()
    for at, rate in enumerate(rate_list(rows, rows)):
        known_by_then = (rows.label >= 0) & (rows.known_at < rows.at[at])
        same = known_by_then & (rows.category == rows.category[at])
        here = same & (rows.office == rows.office[at])
        expected = ((rows.label[known_by_then] == 1).sum() + 1) / (known_by_then.sum() + 2)
        for group in (same, here):
            expected = ((rows.label[group] == 1).sum() + SHRINKAGE * expected) / (group.sum() + SHRINKAGE)
        assert rate == pytest.approx(expected, abs=1e-12)


def test_a_label_yet_to_come_moves_no_earlier_rate(back_test: BackTest) -> None:
    back_test.row("A", 0, 0.0, 0, known=3)
    back_test.row("B", 4, 0.0, 1, known=8)
    before = rate_list(back_test.scores(), back_test.scores())
    back_test.rows[1] = back_test.rows[1].replace(",1,2016-03-09", ",0,2016-03-09")
    assert rate_list(back_test.scores(), back_test.scores()).tolist() == before.tolist()


def test_the_headline_is_the_first_known_row_of_each_subject_less_the_first_fifth(back_test: BackTest) -> None:
    for number in reversed(range(10)):
        back_test.row(f"M{number}", number + 0.5, 2.0, 1)
        back_test.row(f"M{number}", number, 1.0, 1)
    back_test.row("censored", 0, 1.0)
    rows = back_test.scores()
    assert len(one_per_subject(rows)) == 10
    kept = headline(rows)
    assert [rows.names["subject"][code] for code in kept.subject] == [f"M{number}" for number in range(2, 10)]
    assert set(kept.score.tolist()) == {1.0}
