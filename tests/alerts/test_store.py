"""The store keeps a frame's effects with the partition's offset, whole and once."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alerts.register_schema import register_metadata
from alerts.schema import metadata
from alerts.store import Store
from pipeline.effects import Effects
from pipeline.errors import NewerData

DIGESTS = {"transitions": "00"}


def change(warning: str, number: int, **changed: Any) -> dict[str, Any]:
    """A transition with what the store reads of it."""
    whole = {
        "warning": warning, "number": number, "at": 100 + number, "subject": "ab" * 16, "kind": "risk", "from": 0,
        "to": number, "proposed": number, "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9,
    }  # fmt: skip
    return whole | changed


def effects(*transitions: dict[str, Any], **counts: int) -> Effects:
    """Effects of one frame."""
    return Effects(transitions=list(transitions), counts=Counter(counts), labels=[(b"k" * 16, 0, 1, 50)])


Address = Path | str


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a store in a file that is not there yet."""
    return tmp_path / "store.db"


def test_effects_and_offset_are_kept_together(address: Address) -> None:
    store = Store(address)
    assert store.apply("signals", 0, 4, 99, DIGESTS, [effects(change("w", 1), applied=3)])
    applied = store.applied("signals", 0)
    assert applied is not None
    assert (applied.offset, applied.now, applied.digests) == (4, 99, DIGESTS)
    assert [t["number"] for t in store.transitions()] == [1]
    assert store.tallies() == {"signals": {"applied": 3}}
    store.close()


@pytest.mark.parametrize("offset", [4, 3])
def test_a_frame_at_or_below_the_offset_changes_nothing(address: Address, offset: int) -> None:
    store = Store(address)
    store.apply("signals", 0, 4, 99, DIGESTS, [effects(change("w", 1), applied=3)])
    assert not store.apply("signals", 0, offset, 100, {}, [effects(change("w", 2), applied=3)])
    applied = store.applied("signals", 0)
    assert applied is not None
    assert (applied.offset, applied.digests) == (4, DIGESTS)
    assert (len(list(store.transitions())), len(store.labels())) == (1, 1)
    assert store.tallies() == {"signals": {"applied": 3}}
    store.close()


def test_partitions_and_logs_have_offsets_of_their_own(address: Address) -> None:
    store = Store(address)
    store.apply("signals", 0, 4, 99, DIGESTS, [])
    assert store.apply("signals", 1, 2, 99, DIGESTS, [])
    assert store.apply("site", 0, 0, 99, DIGESTS, [])
    assert store.applied("readings", 0) is None
    store.close()


def test_effects_that_cannot_be_kept_leave_nothing_behind(address: Address) -> None:
    store = Store(address)
    twice = effects(change("w", 1), change("w", 1), applied=1)
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.apply("signals", 0, 0, 99, DIGESTS, [effects(change("v", 1)), twice])
    assert store.applied("signals", 0) is None
    assert list(store.transitions()) == []
    assert store.apply("signals", 0, 0, 99, DIGESTS, [effects(change("v", 1))])
    store.close()


def test_a_warning_is_as_its_last_transition_left_it(address: Address) -> None:
    store = Store(address)
    store.apply("signals", 0, 0, 1, DIGESTS, [effects(change("w", 1), change("w", 2, office=70))])
    [warning] = store.queue()
    assert (warning["number"], warning["level"], warning["office"]) == (2, 2, 70)
    store.apply("signals", 0, 1, 1, DIGESTS, [effects(change("w", 3, state="closed"))])
    [warning] = store.queue()
    assert (warning["number"], warning["state"]) == (3, "closed")
    assert store.queue(states=["open"]) == []
    store.close()


def test_a_warning_is_as_old_as_its_first_transition(address: Address) -> None:
    store = Store(address)
    store.apply("signals", 0, 0, 1, DIGESTS, [effects(change("w", 1), change("w", 2))])
    assert store.queue()[0]["since"] == 101
    store.close()


def test_a_reader_sees_what_was_committed_and_no_more(address: Address) -> None:
    store = Store(address)
    store.apply("signals", 0, 0, 1, DIGESTS, [effects(change("w", 1))])
    reader = Store(address, readonly=True)
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM transitions")
        assert len(list(reader.transitions())) == 1
    assert list(reader.transitions()) == []
    reader.close()
    store.close()


def test_a_reader_can_write_nothing(path: Path) -> None:
    Store(path).close()
    reader = Store(path, readonly=True)
    with pytest.raises(Exception, match="readonly"):
        reader.apply("signals", 0, 0, 1, DIGESTS, [])
    reader.close()


def test_a_reader_of_nothing_is_told_so(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="give the --data folder"):
        Store(path, readonly=True)


def test_lessons_are_written_before_they_are_sent_and_answered_once(address: Address) -> None:
    store = Store(address)
    lesson = store.ask(500, (3, 40))
    assert store.lessons() == [lesson]
    store.answer(lesson, None)
    assert [asked.result for asked in store.lessons()] == [""]
    store.close()


def test_a_migrated_store_is_what_the_schema_says(address: Address) -> None:
    store = Store(address)
    with store.engine.connect() as connection:
        # The register of a cluster is part of the same history.
        wanted: Any = metadata if store.is_sqlite else [metadata, register_metadata]
        assert compare_metadata(MigrationContext.configure(connection), wanted) == []
    store.close()


def test_a_store_is_opened_again_as_it_was(path: Path) -> None:
    store = Store(path)
    store.apply("signals", 0, 0, 1, DIGESTS, [effects(change("w", 1))])
    store.close()
    again = Store(path)
    assert len(list(again.transitions())) == 1
    again.close()


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_schema_is_refused(address: Address, *, readonly: bool) -> None:
    store = Store(address)
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(NewerData, match="upgrade forewarn"):
        Store(address, readonly=readonly)
