"""A what-if answers from first crossings, exactly and at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from config.load import load_settings
from console.reports.scores import read_scores
from console.reports.tune import crossings, cutoff_for_budget, cutoff_for_precision, patch, tune, what_if
from pipeline.errors import ConfigError
from tests.console.conftest import BackTest

LOGIT = {0.2: -1.386294, 0.6: 0.405465, 0.9: 2.197225}


def test_a_subject_crosses_a_cut_off_once_at_the_first_row_that_reaches_it(back_test: BackTest) -> None:
    for day, chance in enumerate((0.2, 0.9, 0.2, 0.9)):
        back_test.row("A", day, LOGIT[chance], 1, known=6)
    back_test.row("B", 0, LOGIT[0.6], 0, known=6)
    back_test.row("C", 3, LOGIT[0.2])
    prepared = crossings(back_test.scores(), "late")
    found = what_if(prepared, 0.5)
    assert (found.warnings, found.known, found.hits) == (2, 2, 1)
    assert (found.precision, found.recall, found.lead_days) == (0.5, 1.0, 5.0)
    assert found.warnings_a_day == pytest.approx(2 / 3)
    assert what_if(prepared, 0.95).warnings == 0


def test_a_series_without_an_end_crosses_every_time_it_comes_up(back_test: BackTest) -> None:
    for day, chance in enumerate((0.2, 0.9, 0.9, 0.2, 0.9)):
        back_test.row("sensor", day, LOGIT[chance], 0, kind="reading")
    assert what_if(crossings(back_test.scores(), "late"), 0.5).warnings == 2


def test_the_what_if_equals_a_walk_through_the_rows(city: Callable[..., Path]) -> None:
    scores = read_scores(city())
    prepared = crossings(scores, "late")
    for cutoff in (0.1, 0.35, 0.7):
        seen: set[int] = set()
        for row in np.argsort(scores.at, kind="stable"):
            if scores.probability[row] >= cutoff:
                seen.add(int(scores.subject[row]))
        found = what_if(prepared, cutoff)
        assert found.warnings == len(seen)
        assert int(found.office_warnings.sum()) == len(seen)


def test_the_cut_off_for_a_budget_is_the_lowest_that_keeps_to_it(city: Callable[..., Path]) -> None:
    prepared = crossings(read_scores(city()), "late")
    cutoff = cutoff_for_budget(prepared, 1.5)
    assert what_if(prepared, cutoff).warnings_a_day <= 1.5
    lower = prepared.peak[prepared.peak < cutoff].max()
    assert what_if(prepared, lower).warnings_a_day > 1.5


def test_the_cut_off_for_a_precision_is_the_lowest_that_reaches_it(city: Callable[..., Path]) -> None:
    prepared = crossings(read_scores(city()), "late")
    cutoff = cutoff_for_precision(prepared, 0.8)
    assert what_if(prepared, cutoff).precision >= 0.8
    lower = np.unique(prepared.peak[prepared.peak < cutoff])
    assert all(what_if(prepared, each).precision < 0.8 for each in lower)


def test_a_wish_that_no_cut_off_fulfils_is_refused_with_the_best_there_is(city: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="the best is"):
        tune(city(), target="late", precision=1.01)


def test_an_unknown_target_names_the_known_ones(city: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="late"):
        tune(city(), target="lost")


def test_small_offices_are_not_shown_in_a_table(city: Callable[..., Path]) -> None:
    (row,) = tune(city(), target="late", cutoffs=[0.97])
    shown = [office["warnings"] for office in row["offices"]]
    assert all(count is None or count >= 10 for count in shown)
    assert None in shown


def test_the_patch_is_a_configuration_that_loads(tmp_path: Path) -> None:
    text = patch({"yellow": 0.4123456789})
    assert yaml.safe_load(text) == {"levels": {"yellow": {"raise_at": 0.412346}}}
    (tmp_path / "patch.yaml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path / "patch.yaml").levels.yellow.raise_at == 0.412346
