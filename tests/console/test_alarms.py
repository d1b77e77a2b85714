"""What an office got: first raises, days in the site's zone, budgets, and how early a warning was."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from console.reports.alarms import Period, budgets_kept, daily, leads
from console.reports.rules import one_per_subject
from console.reports.transitions import read_transitions
from pipeline.errors import CorruptData
from tests.console.conftest import BackTest, lines

UTC = ZoneInfo("UTC")
WEEK = Period(date(2016, 3, 1), date(2016, 3, 7))


def test_a_raise_is_a_level_above_the_one_before(back_test: BackTest) -> None:
    back_test.warning("A", 0, "blue")
    back_test.warning("A", 1, "orange", "blue")
    back_test.warning("A", 2, "yellow", "orange")
    back_test.warning("A", 3, None, "yellow")
    told = read_transitions(back_test.write())
    assert told.raises().tolist() == [True, True, False, False]
    assert told.level.tolist() == [1, 3, 2, 0]


def test_the_proposed_level_counts_before_anybody_confirmed_it(back_test: BackTest) -> None:
    back_test.warning("A", 0, "yellow", proposed="red")
    assert read_transitions(back_test.write()).level.tolist() == [4]


def test_a_level_is_reached_for_the_first_time_once_an_episode(back_test: BackTest) -> None:
    for day, level in enumerate(("yellow", None, "yellow", "orange", "yellow")):
        back_test.warning("A", day, level)
    told = read_transitions(back_test.write())
    assert told.first_raises(2).tolist() == [0]
    assert told.first_raises(3).tolist() == [3]


def test_a_day_begins_at_midnight_of_the_site(back_test: BackTest) -> None:
    back_test.warning("A", 0.9, "yellow")
    told = read_transitions(back_test.write())
    rows = told.first_raises(2)
    assert daily(told, rows, WEEK, UTC).tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert daily(told, rows, WEEK, ZoneInfo("Asia/Shanghai")).tolist() == [0, 1, 0, 0, 0, 0, 0]


def test_a_budget_is_kept_over_all_offices_and_days_the_quiet_ones_too(back_test: BackTest) -> None:
    for number in range(7):
        back_test.warning(f"A{number}", 2, "yellow")
    told = read_transitions(back_test.write())
    yellow = budgets_kept(told, {"yellow": 0.5}, ["North", "South"], WEEK, UTC)[1]
    assert (yellow.alarms, yellow.mean, yellow.asked) == (7, 7 / 14, 0.5)
    assert yellow.busy == np.percentile([7] + [0] * 13, 95)


def test_lead_time_runs_from_the_first_raise_to_the_known_end(back_test: BackTest) -> None:
    back_test.row("early", 0, 1.0, 1, known=6)
    back_test.row("too late", 0, 1.0, 1, known=6)
    back_test.row("fine", 0, 1.0, 0, known=6)
    back_test.row("missed", 0, 1.0, 1, known=6)
    back_test.warning("early", 1, "blue")
    back_test.warning("early", 2, "yellow", "blue")
    back_test.warning("fine", 2, "yellow")
    back_test.warning("early", 4, "orange", "yellow")
    back_test.warning("too late", 6, "yellow")
    folder = back_test.write()
    found = leads(read_transitions(folder), one_per_subject(back_test.scores()), "late")
    assert found.days.tolist() == [4.0]
    assert (found.positives, found.warned, found.raised) == (3, 1, 2)


def test_a_warning_for_another_outcome_is_no_warning_of_this_one(back_test: BackTest) -> None:
    back_test.row("A", 0, 1.0, 1, known=6)
    back_test.warning("A", 1, "red", target="reopened")
    found = leads(read_transitions(back_test.write()), one_per_subject(back_test.scores()), "late")
    assert (found.positives, found.warned) == (1, 0)


def test_a_line_that_is_cut_off_is_named(tmp_path: Path) -> None:
    lines(tmp_path / "warnings.jsonl", ['{"warning":"A","at":"2016-03-01T00:00:00Z","to":"blue"}', '{"warning":'])
    with pytest.raises(CorruptData, match="line 2"):
        read_transitions(tmp_path)
