"""One database for many threads: transactions, connections that heal, and one kind of error."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts.database import Database, database_url, postgres_url
from pipeline.errors import StoreUnavailable
from runners.trial.postgres import TrialPostgres

COUNT = text("SELECT count(*) FROM kept")
ADD = text("INSERT INTO kept VALUES (:name)")


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with one table."""
    is_file = request.param == "file"
    made = Database(tmp_path / "kept.db" if is_file else request.getfixturevalue("database"))
    made.change(text("CREATE TABLE kept (name VARCHAR(9999))"))
    yield made
    made.close()


def break_off(database: Database) -> None:
    """Write something in a transaction that then fails with KeyError."""
    with database.transaction():
        database.change(ADD, {"name": "lost"})
        raise KeyError


def test_a_transaction_is_kept_whole_or_not_at_all(kept: Database) -> None:
    with pytest.raises(KeyError):
        break_off(kept)
    with kept.transaction():
        kept.change(ADD, [{"name": "a"}, {"name": "b"}])
    assert kept.one(COUNT)[0] == 2


def test_a_transaction_inside_another_is_part_of_it(kept: Database) -> None:
    def nested() -> None:
        with kept.transaction():
            with kept.transaction():
                kept.change(ADD, {"name": "a"})
            raise KeyError

    with pytest.raises(KeyError):
        nested()
    assert kept.one(COUNT)[0] == 0


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    small = Database(tmp_path / "kept.db", pragmas=("max_page_count=4",))
    small.change(text("CREATE TABLE kept (name TEXT)"))
    with pytest.raises(OSError, match="full") as told:
        small.change(ADD, {"name": "x" * 40_000})
    assert told.value.errno == errno.ENOSPC
    small.close()


def test_who_does_not_answer_is_unavailable() -> None:
    nobody = Database("postgresql://127.0.0.1:1/nobody")
    with pytest.raises(StoreUnavailable, match="refused") as told:
        nobody.one(text("SELECT 1"))
    assert told.value.retryable
    nobody.close()


@pytest.mark.real
def test_what_is_written_apart_stands_alone(database: str) -> None:
    kept = Database(database)
    kept.change(text("CREATE TABLE kept (name VARCHAR)"))
    with kept.transaction():
        kept.change(ADD, {"name": "inside"})
        with kept.transaction(apart=True):
            assert kept.one(COUNT)[0] == 0
            kept.change(ADD, {"name": "apart"})
        assert kept.one(COUNT)[0] == 2
    kept.close()


@pytest.mark.real
def test_connections_heal_after_the_server_was_restarted(postgres: TrialPostgres, database: str) -> None:
    kept = Database(database)
    with kept.transaction(), kept.transaction(apart=True):
        assert kept.one(text("SELECT 1"))[0] == 1
    postgres.restart()
    assert [kept.one(text("SELECT 1"))[0] for _ in range(3)] == [1, 1, 1]
    kept.close()


@pytest.mark.real
def test_a_connection_cut_in_the_middle_is_told_and_replaced(postgres: TrialPostgres, database: str) -> None:
    kept = Database(database)

    def cut() -> None:
        with kept.transaction():
            postgres.restart()
            kept.one(text("SELECT 1"))

    with pytest.raises(StoreUnavailable):
        cut()
    assert kept.one(text("SELECT 1"))[0] == 1
    kept.close()


@pytest.mark.real
def test_who_was_frozen_in_a_transaction_lets_go_of_what_others_wait_for(database: str) -> None:
    kept = Database(database)
    told = {name: kept.one(text(f"SHOW {name}"))[0] for name in ("idle_in_transaction_session_timeout", "lock_timeout")}
    assert told == {"idle_in_transaction_session_timeout": "15s", "lock_timeout": "10s"}
    kept.close()


def test_the_environment_goes_before_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOREWARN_POSTGRES_URL", raising=False)
    assert postgres_url("postgresql://a/b") == "postgresql://a/b"
    monkeypatch.setenv("FOREWARN_POSTGRES_URL", "postgresql://c/d")
    assert postgres_url("postgresql://a/b") == "postgresql://c/d"


@pytest.mark.parametrize("written", ["postgresql://a/b", "postgres://a/b", "postgresql+psycopg://a/b"])
def test_an_address_as_libpq_writes_it_is_taken(written: str) -> None:
    assert str(database_url(written)) == "postgresql+psycopg://a/b"
