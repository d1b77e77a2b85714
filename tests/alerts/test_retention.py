"""What a store lets go of after its time, and what stays."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.deliveries import Deliveries
from alerts.retention import ROWS, WARNINGS, Before, prune
from alerts.store import Store
from pipeline.effects import Effects

ALL = Before(1_000, 1_000, 1_000, 1_000)
NOTHING = Before(0, 0, 0, 0)


def change(warning: str, number: int, at: int, **changed: Any) -> dict[str, Any]:
    """A transition with what the store reads of it."""
    whole = {
        "warning": warning, "number": number, "at": at, "subject": "ab" * 16, "kind": "matter", "from": 0, "to": 1,
        "proposed": 1, "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9, "due": 0,
    }  # fmt: skip
    return whole | changed


def one_of_each(at: int) -> Effects:
    """A row of everything that has an age."""
    return Effects(
        intents=[{"warning": f"i{at}", "number": 1, "audience": "office", "office": 7, "is_now": True}],
        verdicts=[{"id": f"key-{at}", "ok": True}],
        labels=[(b"k" * 16, 0, 1, at)],
        rejected=[{"offset": 1, "index": 2, "reason": "late"}],
        to_site=[{"seq": at, "minute": 1}],
    )


def rows(store: Store) -> dict[str, int]:
    """How many rows of everything there are."""
    tables = ("warnings", "transitions", "intents", "verdicts", "labels", "rejected", "outbox", "deliveries")
    with store.transaction() as connection:
        return {name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()) for name in tables}


@pytest.fixture
def store(address: Path | str) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


def test_an_ended_warning_goes_with_its_transitions_and_an_open_one_stays(store: Store) -> None:
    changes = [
        change("open", 1, 10), change("gone", 1, 20), change("gone", 2, 30, state="ended"),
        change("late", 1, 40), change("late", 2, 1_000, state="closed"),
    ]  # fmt: skip
    store.apply("signals", 0, 0, 30, {}, [Effects(transitions=changes)])
    assert prune(store, ALL) == 3
    assert sorted({each["warning"] for each in store.transitions()}) == ["late", "open"]
    assert sorted(each["id"] for each in store.queue()) == ["late", "open"]
    assert prune(store, ALL) == 0


def test_ordinals_go_on_behind_what_went(store: Store) -> None:
    store.apply("signals", 0, 0, 30, {}, [Effects(transitions=[change("a", 1, 1, state="ended")])])
    prune(store, ALL)
    store.apply("signals", 0, 1, 30, {}, [Effects(transitions=[change("b", 1, 2)])])
    assert store.cursor() == {"signals-0": 2}


def test_of_everything_else_what_is_too_old_goes(store: Store) -> None:
    store.apply("signals", 0, 0, 999, {}, [one_of_each(999)])
    store.apply("signals", 0, 1, 1_000, {}, [one_of_each(1_000)])
    before = rows(store)
    assert prune(store, NOTHING) == 0
    assert rows(store) == before
    assert prune(store, ALL) == 5
    assert rows(store) == {name: count // 2 for name, count in before.items()}
    assert [each["seq"] for each in store.outbox("signals", 0, 0)] == [1_000]


def test_only_notifications_that_are_done_go(store: Store) -> None:
    deliveries = Deliveries(store)
    deliveries.plan("lines", [], [(state, {}, 10) for state in ("sent", "failed", "waiting")])
    for delivery in deliveries.due(10):
        deliveries.settle([{"id": delivery.id, "state": delivery.key, "attempts": 1, "due": 10}])
    assert prune(store, ALL) == 2
    assert deliveries.depth() == {"waiting": 1}


def test_much_goes_in_several_steps(store: Store) -> None:
    ended = [change(f"w{number:04d}", 1, number, state="ended") for number in range(WARNINGS + 5)]
    labels = [(b"k" * 16, 0, 1, 5)] * (ROWS + 7)
    store.apply("signals", 0, 0, 30, {}, [Effects(transitions=ended, labels=labels)])
    assert [prune(store, ALL) for _ in range(3)] == [2 * WARNINGS + ROWS, 2 * 5 + 7, 0]
