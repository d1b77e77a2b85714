"""Plots are plain text that a page can hold: the same data give the same text, and words are escaped."""

import xml.etree.ElementTree as ET

import pytest

from console.reports.svg import Plot, level_mark, plain, ticks
from console.reports.transitions import LEVELS


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (0.5, 1, [0.6, 0.8, 1.0]), (0, 37, [0, 10, 20, 30]), (3, 3, [3])],
)
def test_ticks_are_round_numbers_inside_the_span(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_a_number_carries_no_idle_noughts() -> None:
    assert [plain(value) for value in (0.5, 1.0, 120.0, 0.251, -0.0)] == ["0.5", "1", "120", "0.25", "0"]


def test_a_point_lands_inside_the_margins_and_never_outside() -> None:
    plot = Plot((100, 100), (0, 1), (0, 1), (10, 10, 10, 10))
    assert plot.at((0, 0)) == (10, 90)
    assert plot.at((1, 1)) == (90, 10)
    assert plot.at((7, -3)) == (90, 90)


def test_a_gap_in_the_data_is_a_gap_in_the_line() -> None:
    plot = Plot((100, 100), (0, 3), (0, 1))
    plot.line([(0, 0.5), (1, float("nan")), (2, 0.5), (3, 0.5)], "model")
    (path,) = ET.fromstring(plot.svg("gap"))
    assert path.get("d", "").count("M") == 2


def test_words_in_a_plot_are_escaped() -> None:
    plot = Plot((100, 100), (0, 1), (0, 1))
    plot.axes([(0, "<b>")], [(0, "&")], x_title="a < b")
    assert "<b>" not in plot.svg('"quoted" & <tagged>')
    ET.fromstring(plot.svg('"quoted" & <tagged>'))


def test_every_level_has_a_shape_of_its_own() -> None:
    assert len({level_mark(level).split(">", 1)[1] for level in LEVELS}) == 4
