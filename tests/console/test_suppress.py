"""Small counts are not shown, nor is what would give them away."""

import pytest

from console.reports.suppress import is_small, pool, suppress


@pytest.mark.parametrize(("count", "small"), [(0, False), (1, True), (9, True), (10, False), (None, False)])
def test_one_to_nine_are_small(count: int | None, *, small: bool) -> None:
    assert is_small(count) is small


def test_a_small_count_takes_what_is_derived_from_it_along() -> None:
    rows = [{"office": "N", "n": 3, "share": 0.5}, {"office": "S", "n": 4, "share": 0.1}, {"office": "W", "n": 40}]
    shown = suppress(rows, {"n": ("share",)})
    assert shown[0] == {"office": "N", "n": None, "share": None}
    assert shown[2]["n"] == 40


def test_a_single_hidden_cell_takes_the_next_smallest_along_because_of_the_sum() -> None:
    shown = suppress([{"n": 50}, {"n": 3}, {"n": 12}, {"n": 0}], {"n": ()})
    assert [row["n"] for row in shown] == [50, None, None, 0]


def test_without_a_sum_only_the_small_cell_is_hidden() -> None:
    shown = suppress([{"n": 50}, {"n": 3}], {"n": ()}, total_is_shown=False)
    assert [row["n"] for row in shown] == [50, None]


def test_the_rows_handed_in_stay_as_they_were() -> None:
    rows = [{"n": 3}, {"n": 30}]
    suppress(rows, {"n": ()})
    assert rows == [{"n": 3}, {"n": 30}]


def test_groups_are_merged_until_both_classes_have_ten() -> None:
    merged = pool([(100, 0.05, 0.05), (100, 0.15, 0.15), (100, 0.3, 0.3), (20, 0.6, 0.5), (4, 0.9, 1.0)])
    assert [size for size, _, _ in merged] == [200, 100, 24]
    assert merged[0][1:] == pytest.approx((0.1, 0.1))
    assert merged[2][2] == pytest.approx(14 / 24)


def test_groups_that_never_get_there_are_not_shown() -> None:
    assert pool([(100, 0.01, 0.01), (100, 0.02, 0.03)]) == []
