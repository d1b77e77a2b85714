"""More items than fit into memory come out in order, whatever the size of the runs."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.external_sort import ExternalSort, Item


def drained(items: list[Item], memory_rows: int) -> list[Item]:
    sort = ExternalSort(memory_rows)
    for item in items:
        sort.add(item)
    return list(sort.drain())


@given(st.lists(st.tuples(st.integers(-(2**60), 2**60), st.text(max_size=5))), st.integers(1, 9))
def test_the_order_does_not_depend_on_the_size_of_the_runs(keys: list[tuple[int, str]], memory_rows: int) -> None:
    items: list[Item] = [[at, word, line, {"a": 1.5}, None] for line, (at, word) in enumerate(keys)]
    assert drained(list(items), memory_rows) == sorted(items)


def test_nothing_to_sort_gives_nothing() -> None:
    assert drained([], 10) == []


def test_many_runs_are_merged_in_between_and_stay_whole() -> None:
    items: list[Item] = [[number] for number in range(1000)]
    random.Random(3).shuffle(items)
    assert drained(items, 3) == [[number] for number in range(1000)]


@pytest.mark.parametrize("times", [1, 4])
def test_memory_is_bounded_by_the_run_not_by_the_input(times: int) -> None:
    sort = ExternalSort(2_000)
    tracemalloc.start()
    for number in range(times * 20_000):
        sort.add([number * 7919 % 20_011, number, "x" * 100])
    assert sum(1 for _ in sort.drain()) == times * 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000
