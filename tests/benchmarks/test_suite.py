"""The list of benchmarks; what they measure is no test."""

from pathlib import Path

import pytest

from benchmarks.figure import Figure, figure
from benchmarks.suite import FIELDS, SUITE, measure
from pipeline.errors import ConfigError

PROMISED = {
    "readings_durable", "readings_vs_bytewax", "signals_whole", "ready_after_kill", "what_if_1m", "bytes_per_sensor",
    "bytes_per_open_matter", "intake_batch", "intake_single", "accepted_to_browser_p99",
}  # fmt: skip


def test_every_figure_has_a_name_of_its_own() -> None:
    names = [name for name, _ in SUITE]
    assert len(set(names)) == len(names)
    assert set(names) >= PROMISED


def test_every_promised_figure_is_documented_with_its_goal() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line.split("|")[3].strip() for line in page.splitlines() if "| `" in line}
    assert {name for name in PROMISED if rows.get(name)} == PROMISED


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"did you mean signals_whole\? known: readings_durable, "):
        measure(["signal_whole"])


def test_all_unknown_names_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        measure(["speed", "what_if_1m", "size"])
    assert len(raised.value.problems) == 2


def test_a_figure_is_told_before_it_is_measured_and_has_the_published_fields() -> None:
    told: list[str] = []
    figures = measure(["instant"], told.append, suite=[("other", _instant), ("instant", _instant)])
    assert told == ["instant"]
    assert [tuple(each) for each in figures] == [FIELDS]


def test_a_figure_is_judged_by_its_goal_on_the_side_that_is_better() -> None:
    assert figure("speed", 2.0, "1/s", goal=1.0).passed
    assert not figure("size", 2.0, "B", goal=1.0, higher_is_better=False).passed
    assert figure("ratio", 3.0, "1/s", goal=1.5, peer=2.0, goal_is_ratio=True).passed


def _instant() -> list[Figure]:
    return [figure("instant", 1.0, "s")]
