"""The questions of a duty room: in order, within the scope, the same however they are cut."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.queue import Filters, Queue
from alerts.store import Store
from pipeline.effects import Effects

EAST, WEST = 8, 9


def change(warning: str, number: int = 1, **changed: Any) -> dict[str, Any]:
    """A transition with what the store reads of it."""
    whole = {
        "warning": warning, "number": number, "at": 100 + number, "subject": warning * 8, "kind": "matter", "from": 0,
        "to": 1, "proposed": 1, "confirmed": 0, "state": "open", "office": 7, "place": EAST, "category": 5, "due": 0,
        "cause": "raised",
    }  # fmt: skip
    return whole | changed


CHANGES = (
    change("aaaa", proposed=4, to=2, due=900),
    change("bbbb", proposed=4, to=2, due=500),
    change("cccc", proposed=3, to=3, confirmed=3, place=WEST),
    change("dddd", proposed=1, category=6),
    change("eeee", proposed=2, to=2, place=WEST, due=100),
    change("ffff", proposed=1, to=1),
    change("ffff", number=2, proposed=0, to=0, state="closed", at=300),
    change("0000", proposed=0, to=0, state="ended", at=400),
)
ORDER = ["bbbb", "aaaa", "cccc", "eeee", "dddd"]


@pytest.fixture
def queue(address: Path | str) -> Iterator[Queue]:
    """Of a store with seven warnings, two of them shut."""
    store = Store(address)
    store.apply("signals", 0, 0, 1, {}, [Effects(transitions=[each]) for each in CHANGES])
    store.close()
    with closing(Queue(address)) as opened:
        yield opened


def ids(queue: Queue, scope: Any = None, filters: Filters | None = None, **asked: Any) -> list[str]:
    """Ids of one page."""
    order, limit, after = asked.get("order", "worst"), asked.get("limit", 100), asked.get("after")
    return [row["id"] for row in queue.page(scope, filters or Filters(), order, limit, after).rows]


def test_worst_first_then_what_falls_due_first(queue: Queue) -> None:
    assert ids(queue) == ORDER
    assert ids(queue, order="due") == ["eeee", "bbbb", "aaaa", "cccc", "dddd"]


def test_shut_ones_come_last_the_newest_first(queue: Queue) -> None:
    assert ids(queue, filters=Filters(with_shut=True)) == [*ORDER, "0000", "ffff"]


@pytest.mark.parametrize("order", ["worst", "due", "newest"])
@pytest.mark.parametrize("with_shut", [False, True])
def test_pages_of_one_are_the_whole(queue: Queue, order: Any, *, with_shut: bool) -> None:
    filters = Filters(with_shut=with_shut)
    found, after = [], None
    while True:
        page = queue.page(None, filters, order, 1, after)
        found += [row["id"] for row in page.rows]
        if page.after is None:
            break
        after = page.after
    assert found == ids(queue, filters=filters, order=order)


def test_nothing_is_seen_from_outside_the_scope(queue: Queue) -> None:
    west = frozenset({WEST})
    assert ids(queue, west) == ["cccc", "eeee"]
    assert queue.total(west, Filters()) == 2
    assert queue.counts(west) == {"red": 0, "orange": 1, "yellow": 1, "blue": 0, "awaiting": 0}
    assert queue.row(west, "aaaa") is None
    assert queue.history(west, "aaaa") == []
    assert queue.newest(west, [("aaaa", 1)]) == {}
    assert queue.rows(west, ["aaaa"]) == []
    assert [row["id"] for row in queue.since(west, "signals", 0, 0, 100) or []] == ["cccc", "eeee"]
    assert queue.alike(west, {(EAST, 5)}) == {}
    assert ids(queue, frozenset()) == []


def test_a_scope_of_thousands_of_places_sees_the_same(queue: Queue) -> None:
    wide = frozenset({WEST, *range(1_000, 9_000)})
    assert ids(queue, wide) == ["cccc", "eeee"]
    assert queue.counts(wide) == queue.counts(frozenset({WEST}))
    assert ids(queue, None, Filters(places=wide)) == ["cccc", "eeee"]


def test_every_question_takes_the_scope_first() -> None:
    for name, method in inspect.getmembers(Queue, inspect.isfunction):
        if not name.startswith("_") and name != "close":
            first = list(inspect.signature(method).parameters.values())[1]
            assert (first.name, first.default) == ("scope", inspect.Parameter.empty), name


def test_counts_are_by_proposal_and_tell_who_waits(queue: Queue) -> None:
    assert queue.counts(None) == {"red": 2, "orange": 1, "yellow": 1, "blue": 1, "awaiting": 2}


def test_groups_hold_their_worst_and_count_the_rest(queue: Queue) -> None:
    groups, total = queue.groups(None, Filters(), 10)
    assert total == 3
    assert [(group["worst"]["id"], group["total"]) for group in groups] == [("bbbb", 2), ("cccc", 2), ("dddd", 1)]
    assert groups[0]["counts"] == {"red": 2, "orange": 0, "yellow": 0, "blue": 0, "awaiting": 2}
    assert [group["worst"]["id"] for group in queue.groups(None, Filters(), 1)[0]] == ["bbbb"]


@pytest.mark.parametrize(("number", "expected"), [(0, 7), (6, 2), (7, 1), (8, 0)])
def test_what_changed_since_a_cursor_is_told_once(queue: Queue, number: int, expected: int) -> None:
    found = queue.since(None, "signals", 0, number, 100)
    assert found is not None
    assert len(found) == expected


@pytest.mark.parametrize("number", [0, 9])
def test_too_much_or_a_cursor_from_the_future_is_no_answer(queue: Queue, number: int) -> None:
    assert queue.since(None, "signals", 0, number, 7) is None


def test_who_took_a_warning_is_known_after_other_changes(address: Path | str) -> None:
    store = Store(address)
    changes = [change("aaaa"), change("aaaa", 2, cause="acknowledged", principal="li"), change("aaaa", 3)]
    store.apply("signals", 0, 0, 1, {}, [Effects(transitions=changes)])
    store.close()
    with closing(Queue(address)) as queue:
        assert queue.taker(None, "aaaa") == "li"
