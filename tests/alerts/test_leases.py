"""Leases: one holder at a time, by the database's clock, each under a number of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from alerts.database import Database
from alerts.leases import Leases, is_fenced
from alerts.store import Store

LONG = 1_000.0
OVER = -1.0
"""A lease that has ended when it begins."""


@pytest.fixture
def database_of(address: Path | str) -> Iterator[Database]:
    Store(address).close()
    with closing(Database(address)) as opened:
        yield opened


@pytest.fixture
def leases(database_of: Database) -> Leases:
    return Leases(database_of)


def test_one_holds_it_and_another_does_not(leases: Leases) -> None:
    assert leases.holder("time") is None
    assert leases.take("time", "a", LONG) == 1
    assert leases.take("time", "b", LONG) is None
    assert leases.holder("time") == "a"
    assert leases.take("delivery", "b", LONG) == 1


def test_one_that_has_ended_goes_to_another_under_a_higher_number(leases: Leases) -> None:
    assert leases.take("time", "a", OVER) == 1
    assert leases.holder("time") is None
    assert leases.take("time", "b", LONG) == 2
    assert not leases.renew("time", 1, LONG)
    assert leases.holder("time") == "b"


def test_who_renews_in_time_keeps_it(leases: Leases) -> None:
    token = leases.take("time", "a", OVER)
    assert token is not None
    assert leases.renew("time", token, LONG)
    assert leases.take("time", "b", LONG) is None


def test_one_that_is_let_go_is_free_at_once(leases: Leases) -> None:
    token = leases.take("time", "a", LONG)
    assert token is not None
    leases.release("time", token)
    assert leases.take("time", "b", LONG) == 2


def test_who_lost_it_cannot_let_go_of_anothers(leases: Leases) -> None:
    leases.take("time", "a", OVER)
    leases.take("time", "b", LONG)
    leases.release("time", 1)
    assert leases.holder("time") == "b"


def test_a_holder_that_begins_again_has_a_new_number(leases: Leases) -> None:
    assert [leases.take("time", "a", LONG) for _ in range(2)] == [1, 2]


def test_what_is_written_under_an_old_number_can_be_told(leases: Leases, database_of: Database) -> None:
    first = leases.take("time", "a", OVER)
    second = leases.take("time", "b", LONG)
    assert first is not None
    assert second is not None
    with database_of.transaction() as connection:
        assert is_fenced(connection, "time", first)
        assert not is_fenced(connection, "time", second)
        assert is_fenced(connection, "unknown", 1)


@pytest.mark.real
def test_of_many_at_once_one_gets_it(database: str) -> None:
    Store(database).close()
    with closing(Database(database, connections=8)) as opened, ThreadPoolExecutor(8) as pool:
        leases = Leases(opened)
        for number in range(10):
            taken = list(pool.map(lambda holder: leases.take(f"n{number}", str(holder), LONG), range(8)))  # noqa: B023
            assert sorted(token for token in taken if token is not None) == [1]
