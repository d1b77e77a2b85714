"""Rows become cells."""

import numpy as np
import pytest

from models.cells import BINS, CODE_BITS, Cells, quantile_edges
from models.rows import Rows, Schema

SCHEMA = Schema(("category", "office", "channel"), ("hours", "load"), (("category", "office", "channel"),))


def rows(codes: list[list[int]], values: list[list[float]]) -> Rows:
    return Rows(np.array(codes, dtype=np.uint32), np.array(values, dtype=np.float32))


def test_a_value_falls_between_its_edges() -> None:
    cells = Cells(Schema((), ("hours",)), (np.array([10.0, 20.0], dtype=np.float32),))
    values = [-np.inf, -1.0, 9.9, 10.0, 19.0, 20.0, np.inf]
    index = cells.index(rows([[]] * 7, [[value] for value in values]))[0]
    assert list(index - index[0]) == [0, 0, 0, 1, 1, 2, 2]


def test_a_missing_value_has_a_cell_of_its_own_in_each_column() -> None:
    cells = Cells(Schema((), ("hours", "load")), (np.array([1.0], np.float32), np.array([1.0], np.float32)))
    index = cells.index(rows([[]] * 3, [[np.nan, np.nan], [0.0, 0.0], [5.0, 5.0]]))
    assert len(np.unique(index)) == 6


def test_both_zeros_are_one_value() -> None:
    cells = Cells(Schema((), ("hours",)), (np.array([0.0], np.float32),))
    index = cells.index(rows([[]] * 2, [[0.0], [-0.0]]))
    assert index[0, 0] == index[0, 1]


@pytest.mark.parametrize("column", range(7))
def test_cells_of_a_column_stay_in_its_region(column: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(500, 2)).astype(np.float32)
    values[::7] = np.nan
    cells = Cells(SCHEMA, quantile_edges(values))
    index = cells.index(Rows(rng.integers(0, 1 << 32, (500, 3)).astype(np.uint32), values))
    first, after = cells.region(column)
    assert first <= index[column].min() <= index[column].max() < after <= cells.size


def test_a_combination_is_not_the_sum_of_its_parts() -> None:
    index = Cells(SCHEMA).index(rows([[1, 2, 3], [2, 1, 3], [1, 2, 4]], [[0.0, 0.0]] * 3))
    two, three = index[3], index[4]
    assert two[0] != two[1]
    assert two[0] == two[2]
    assert three[0] != three[2]


def test_codes_of_a_real_size_seldom_collide() -> None:
    codes = np.random.default_rng(2).integers(0, 1 << 32, (300, 1)).astype(np.uint32)
    index = Cells(Schema(("category",), ())).index(Rows(codes, np.empty((300, 0), np.float32)))
    assert len(np.unique(index)) > 300 - 2 * 300 * 300 / (2 << CODE_BITS)


def test_bins_hold_like_numbers_of_rows() -> None:
    values = np.random.default_rng(3).exponential(size=(4_000, 1)).astype(np.float32)
    cells = Cells(Schema((), ("hours",)), quantile_edges(values))
    count = np.unique(cells.index(Rows(np.empty((4_000, 0), np.uint32), values)), return_counts=True)[1]
    assert len(count) == BINS
    assert count.max() <= 1.2 * count.min()


def test_a_column_of_one_value_or_none_has_no_edges() -> None:
    values = np.array([[3.0, np.nan]] * 5, dtype=np.float32)
    assert [len(edges) for edges in quantile_edges(values)] == [0, 0]


def test_cells_come_back_from_their_arrays() -> None:
    values = np.random.default_rng(4).normal(size=(200, 2)).astype(np.float32)
    some = Rows(np.arange(600, dtype=np.uint32).reshape(200, 3), values)
    cells = Cells(SCHEMA, quantile_edges(values))
    again = Cells.from_arrays(SCHEMA, cells.to_arrays())
    assert np.array_equal(cells.index(some), again.index(some))
