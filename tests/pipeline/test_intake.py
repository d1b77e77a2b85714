"""What a matter looks like beside those before it, fixed at its registration."""

from collections.abc import Callable
from math import exp
from typing import Any

import numpy as np
import pytest

from config.learning import Target
from pipeline.matter import INTAKE
from pipeline.signal import Step
from pipeline.testing import Happening, key_of

PASSED_ON = Target(name="passed on", rule="handed_over", at_least=2)
HALF_YEAR = 180 * 24

Make = Callable[..., Any]


def registered(matter: str, hour: float, place: str = "east") -> Happening:
    return Happening(matter, hour, Step.REGISTERED, category="noise", place=place, office="roads")


def intake(bench: Any, matter: str) -> dict[str, float]:
    return dict(zip(INTAKE, bench.row(key_of(matter))["intake"].tolist(), strict=True))


def test_the_time_since_the_last_at_the_same_spot_is_known_at_once(bench: Make) -> None:
    fold = bench(PASSED_ON)
    fold.tell(registered("a", 0), registered("b", 5))
    assert intake(fold, "b")["spot_idle_h"] == 5


def test_counts_are_unknown_until_they_have_run_for_their_span(bench: Make) -> None:
    fold = bench(PASSED_ON)
    fold.tell(registered("first", 0), registered("early", 6 * 24), registered("later", 8 * 24))
    early, later = intake(fold, "early"), intake(fold, "later")
    assert all(np.isnan(value) for name, value in early.items() if name != "spot_idle_h")
    assert {name for name, value in later.items() if not np.isnan(value)} == {
        "spot_idle_h",
        "category_7d",
        "office_7d",
    }


def test_a_count_fades_over_its_span(bench: Make) -> None:
    fold = bench(PASSED_ON)
    fold.tell(registered("first", 0), registered("a", HALF_YEAR), registered("b", HALF_YEAR + 30 * 24))
    assert intake(fold, "b")["place_30d"] == pytest.approx(exp(-1) + exp(-7), abs=1e-4)


def test_open_matters_of_the_office_are_counted(bench: Make) -> None:
    fold = bench(PASSED_ON)
    fold.tell(registered("first", 0), registered("second", 1), registered("later", 31 * 24))
    assert intake(fold, "later")["office_open"] == 2


def test_the_root_is_no_place(bench: Make) -> None:
    fold = bench(PASSED_ON)
    fold.tell(registered("first", 0, place=""), registered("later", HALF_YEAR, place=""))
    unknown = {name for name, value in intake(fold, "later").items() if np.isnan(value)}
    assert unknown == {"spot_idle_h", "spot_30d", "spot_365d", "place_30d"}
