"""Due times: asked for the soonest, popped in order, whatever the number of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ids import key128
from pipeline.matter import MATTER
from pipeline.state import NEVER, Table
from pipeline.timers import Timers


def timed(*dues: int) -> tuple[Table, Timers]:
    table = Table("matters", MATTER)
    timers = Timers(table)
    for number, due in enumerate(dues):
        slot = table.add(key128(str(number)))
        table.rows["next_due"][slot] = due
        timers.set(slot, due)
    return table, timers


def test_nothing_is_due_in_an_empty_table() -> None:
    _, timers = timed()
    assert timers.soonest == NEVER
    assert timers.pop(NEVER - 1) == []


def test_the_soonest_is_known_without_looking() -> None:
    assert timed(50, 30, 40)[1].soonest == 30


def test_popped_rows_come_in_order_of_due_and_then_of_key() -> None:
    _, timers = timed(50, 30, 30, 90)
    popped = timers.pop(60)
    assert [due for due, _, _ in popped] == [30, 30, 50]
    assert popped[:2] == sorted(popped[:2])
    assert timers.soonest == 90


def test_a_popped_row_is_off_until_it_is_set_again() -> None:
    _, timers = timed(10)
    timers.pop(10)
    assert timers.pop(1000) == []
    timers.set(0, 20)
    assert [slot for _, _, slot in timers.pop(20)] == [0]


def test_a_row_that_is_put_off_does_not_fire_at_its_old_time() -> None:
    _, timers = timed(10)
    timers.set(0, 90)
    assert timers.pop(50) == []
    assert timers.soonest == 90


@given(st.lists(st.integers(0, 1000), max_size=700), st.integers(0, 1000))
def test_however_many_rows_there_are_those_that_are_due_fire(dues: list[int], until: int) -> None:
    _, timers = timed(*dues)
    assert [due for due, _, _ in timers.pop(until)] == sorted(due for due in dues if due <= until)
    assert timers.soonest == min((due for due in dues if due > until), default=NEVER)


def test_after_a_restore_the_times_are_read_from_the_rows() -> None:
    table, _ = timed(*range(300, 900))
    other = Table("matters", MATTER)
    again = Timers(other)
    other.restore(*table.base())
    other.reindex()
    again.rebuild()
    assert again.soonest == 300
    assert len(again.pop(500)) == 201
    assert np.array_equal(other.rows["next_due"][: other.size], table.rows["next_due"][: table.size])
