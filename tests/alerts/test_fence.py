"""The fence: a partition's offset moves only from the value that its owner believes, whoever else there may be."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.store import Store
from pipeline.effects import Effects

Address = Path | str


def change(number: int, warning: str = "w") -> dict[str, Any]:
    """A transition with what the store reads of it."""
    return {
        "warning": warning, "number": number, "at": 100, "subject": "ab" * 16, "kind": "risk", "to": 1, "proposed": 1,
        "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9,
    }  # fmt: skip


def kept(store: Store, offset: int, after: int | None, **changed: Any) -> bool:
    """Apply a frame that raises a warning of its own."""
    partition = changed.get("partition", 0)
    effects = Effects(transitions=[change(1, f"{changed.get('name', 'w')}{offset}-{partition}")])
    return store.apply("signals", partition, offset, 1, {}, [effects], after=after)


@pytest.fixture
def store(address: Address) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


def test_the_offset_moves_from_the_value_that_is_believed(store: Store) -> None:
    assert kept(store, 0, -1)
    assert kept(store, 1, 0)
    assert kept(store, 5, 1)
    assert store.applied("signals", 0) is not None
    assert store.cursor() == {"signals-0": 3}


@pytest.mark.parametrize("after", [-1, 2, 4])
def test_another_belief_keeps_nothing(store: Store, after: int) -> None:
    assert kept(store, 3, None)
    assert not kept(store, 6, after)
    applied = store.applied("signals", 0)
    assert applied is not None
    assert applied.offset == 3
    assert store.count() == 1


def test_of_a_partition_that_was_not_begun_only_nothing_can_be_believed(store: Store) -> None:
    assert not kept(store, 1, 0)
    assert store.applied("signals", 0) is None
    assert kept(store, 1, -1)


def test_partitions_are_fenced_each_by_itself(store: Store) -> None:
    assert kept(store, 0, -1)
    assert kept(store, 0, -1, partition=1)
    assert kept(store, 1, 0, partition=1)


def test_an_offset_that_does_not_move_on_is_a_mistake_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match="does not come after"):
        kept(store, 3, 3)


def test_transitions_are_numbered_within_their_partition_without_a_gap(store: Store) -> None:
    for offset in range(3):
        effects = [Effects(transitions=[change(1, f"{offset}a"), change(1, f"{offset}b")]), Effects()]
        assert store.apply("signals", 0, offset, 1, {}, effects, after=offset - 1)
        assert kept(store, offset, offset - 1, partition=1)
    assert not kept(store, 9, 7)
    with store.transaction() as connection:
        query = "SELECT partition, ordinal FROM transitions ORDER BY partition, ordinal"
        numbers = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert numbers == [(0, number) for number in range(1, 7)] + [(1, number) for number in range(1, 4)]
    assert store.cursor() == {"signals-0": 6, "signals-1": 3}


@pytest.mark.real
@pytest.mark.parametrize("is_new", [True, False])
def test_of_two_owners_at_once_one_is_let_through(database: str, *, is_new: bool) -> None:
    """Many rounds, both at the same moment: each time one of them, and each time one set of effects."""
    both = threading.Barrier(2)

    def owner(store: Store, name: str, partition: int, after: int) -> bool:
        both.wait()
        return kept(store, after + 1, after, name=name, partition=partition)

    with closing(Store(database)) as one, closing(Store(database)) as other, ThreadPoolExecutor(2) as pool:
        for number in range(40):
            partition, believed = (number, -1) if is_new else (0, number - 1)
            answers = pool.map(owner, (one, other), "ab", [partition] * 2, [believed] * 2)
            assert sorted(answers) == [False, True]
        assert one.count() == 40


@pytest.mark.real
@pytest.mark.parametrize("commits", [True, False])
def test_who_comes_second_waits_for_the_first_and_decides_by_what_it_kept(database: str, *, commits: bool) -> None:
    with closing(Store(database)) as one, closing(Store(database)) as other:
        assert kept(one, 0, -1)
        with one.engine.connect() as first, ThreadPoolExecutor(1) as pool:
            first.exec_driver_sql("UPDATE offsets SET \"offset\" = 1 WHERE log = 'signals' AND partition = 0")
            second = pool.submit(kept, other, 1, 0)
            until_somebody_waits(one)
            (first.commit if commits else first.rollback)()
            assert second.result() is not commits


@pytest.mark.real
def test_lessons_reach_as_far_as_nobody_is_still_writing(database: str) -> None:
    """Who wrote a label first may commit it last; a mark that lay above it would skip it for ever."""
    with closing(Store(database)) as store, store.engine.connect() as slow, ThreadPoolExecutor(1) as pool:
        slow.exec_driver_sql(
            "INSERT INTO labels (partition, subject, target, y, known_at)"
            " VALUES (1, 'k23456789abcdefg'::bytea, 0, 1, 50)"
        )
        assert store.apply("signals", 0, 0, 1, {}, [Effects(labels=[(b"k" * 16, 0, 1, 50)])], after=-1)
        marks = pool.submit(store.marks)
        until_somebody_waits(store)
        slow.commit()
        assert marks.result() == (0, 2)
        assert len(store.labels(0, 2)) == 2


def until_somebody_waits(store: Store) -> None:
    """Until some other transaction waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(100_000):
        with store.engine.connect() as connection:
            if connection.exec_driver_sql(waiting).scalar():
                return
    raise AssertionError("nobody waits")
