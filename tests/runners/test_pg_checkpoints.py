"""Checkpoints in a database: chains of several writers side by side, the newest that can be trusted first."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from alerts.database import Database
from alerts.schema import checkpoints
from alerts.store import Store
from pipeline.errors import NewerData
from runners.checkpoints import Arrays
from runners.cluster.pg_checkpoints import PIECE, PgCheckpoints

VERSION = 3
Taken = Callable[[bool], tuple[dict[str, Any], Arrays]]


def state(at: int, size: int = 30_000) -> Taken:
    """A state of `size` bytes whole, of ten as a delta; `at` tells it from others."""
    return lambda delta: ({"at": at}, {"rows": np.full(10 if delta else size, at % 100, np.uint8)})


def chains(found: PgCheckpoints) -> list[tuple[int, list[tuple[bool, int]]]]:
    """Offsets of the chains, and what stands in each: whether a delta, and which."""
    return [(at, [(delta, head["at"]) for delta, head, _ in chain]) for at, chain in found.read()]


@pytest.fixture
def place(address: Path | str) -> Iterator[Database]:
    Store(address).close()
    with closing(Database(address)) as opened:
        yield opened


def opened(place: Database, partition: int = 0, version: int = VERSION) -> PgCheckpoints:
    """As a worker opens them that was given the partition."""
    return PgCheckpoints(place, "signals", partition, version)


def test_a_base_and_its_deltas_are_read_back_in_order(place: Database) -> None:
    kept = opened(place)
    for offset in (5, 8, 11):
        kept.write(offset, state(offset))
    assert chains(opened(place)) == [(11, [(False, 5), (True, 8), (True, 11)])]
    [(_, chain)] = opened(place).read()
    assert chain[0][2]["rows"].tolist() == [5] * 30_000
    assert chains(opened(place, 1)) == []


def test_what_is_written_beside_the_fold_is_there_once_it_is_settled(place: Database) -> None:
    kept = opened(place)
    kept.write(5, state(5), wait=False)
    kept.settle()
    assert chains(opened(place)) == [(5, [(False, 5)])]


def test_a_large_state_goes_in_pieces(place: Database) -> None:
    opened(place).write(5, state(5, PIECE + 1_000))
    [(_, [(_, _, arrays)])] = opened(place).read()
    assert len(arrays["rows"]) == PIECE + 1_000


def test_a_new_owner_and_the_one_before_do_not_mix_their_chains(place: Database) -> None:
    before, after = opened(place), opened(place)
    before.write(5, state(5))
    after.write(5, state(5))
    before.write(9, state(9))
    after.write(7, state(7))
    assert sorted(chains(opened(place))) == [(7, [(False, 5), (True, 7)]), (9, [(False, 5), (True, 9)])]


def test_the_base_before_stays_until_the_next_has_a_successor(place: Database) -> None:
    for base in (5, 8, 11):
        opened(place).write(base, state(base))
    assert [at for at, _ in chains(opened(place))] == [11, 8]


def test_a_damaged_one_is_passed_over(place: Database) -> None:
    opened(place).write(5, state(5))
    opened(place).write(8, state(8))
    with place.transaction() as connection:
        connection.execute(update(checkpoints).where(checkpoints.c.base == 8).values(body=b"damaged"))
    assert chains(opened(place)) == [(5, [(False, 5)])]


def test_those_of_another_fold_version_are_not_read(place: Database) -> None:
    opened(place).write(5, state(5))
    assert chains(opened(place, version=VERSION + 1)) == []
    with pytest.raises(NewerData, match="upgrade forewarn"):
        chains(opened(place, version=VERSION - 1))


def test_one_that_cannot_be_written_is_told_like_a_full_disk_and_a_base_follows(place: Database) -> None:
    kept = opened(place)
    kept.write(5, state(5))
    with place.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE checkpoints RENAME TO elsewhere")
    with pytest.raises(OSError, match="could not be written"):
        kept.write(6, state(6))
    with place.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO checkpoints")
    kept.write(7, state(7))
    assert chains(opened(place))[0] == (7, [(False, 7)])
