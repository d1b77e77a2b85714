"""Two runs side by side: the same subjects, the same weeks, and what only one of them said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.reports.compare import as_text, compare
from tests.console.conftest import BackTest


def test_a_run_beside_itself_differs_in_nothing(city: Callable[..., Path]) -> None:
    folder = city()
    compared = compare(folder, folder)
    (task,) = compared["tasks"]
    assert all((row["difference"], row["low"], row["high"]) == (0, 0, 0) for row in task["metrics"])
    assert all(row["only_a"] == row["only_b"] == 0 for row in compared["transitions"]["levels"])
    assert compared["digests"]["equal"]


def test_a_noisier_run_loses_and_the_interval_says_so(city: Callable[..., Path]) -> None:
    compared = compare(city("clear", noise=0.5), city("noisy", noise=4.0))
    auc = next(row for row in compared["tasks"][0]["metrics"] if row["name"] == "auc")
    assert auc["b"] - auc["a"] == pytest.approx(auc["difference"])
    assert auc["high"] < 0


def test_subjects_are_paired_by_name_not_by_place(tmp_path: Path) -> None:
    runs = [BackTest(tmp_path / name) for name in "ab"]
    order = list(range(60))
    for made, numbers in zip(runs, (order, sorted(order, key=lambda n: (n // 2, -n))), strict=True):
        for number in numbers:
            made.row(f"M{number}", number // 2, float(number % 7), number % 2)
    compared = compare(*(made.write() for made in runs))
    assert all(row["difference"] == 0 for row in compared["tasks"][0]["metrics"])


def test_a_transition_of_only_one_run_is_counted_at_its_level_and_shown(back_test: BackTest, tmp_path: Path) -> None:
    back_test.row("A", 0, 1.0, 1)
    other = BackTest(tmp_path / "other", list(back_test.rows))
    for made in (back_test, other):
        made.warning("A", 1, "yellow")
    other.warning("A", 2, "red", "yellow")
    compared = compare(back_test.write(), other.write())["transitions"]
    by_level = {row["level"]: (row["both"], row["only_a"], row["only_b"]) for row in compared["levels"]}
    assert by_level["yellow"] == (1, 0, 0)
    assert by_level["red"] == (0, 0, 1)
    (only,) = compared["only_b"]
    assert (only["subject"], only["from"], only["to"]) == ("A", "yellow", "red")
    assert only["at"].startswith("2016-03-03T00:00:00")


def test_an_outcome_of_only_one_run_is_named(back_test: BackTest, tmp_path: Path) -> None:
    back_test.row("A", 0, 1.0, 1)
    other = BackTest(tmp_path / "other")
    other.row("A", 0, 1.0, 1, target="reopened")
    compared = compare(back_test.write(), other.write())
    assert compared["only_a"] == [["risk", "late"]]
    assert compared["only_b"] == [["risk", "reopened"]]


def test_the_table_has_a_line_for_each_figure_and_level(city: Callable[..., Path]) -> None:
    folder = city()
    text = as_text(compare(folder, folder))
    for word in ("auc", "calibration_error", "orange", "digests: equal"):
        assert word in text
