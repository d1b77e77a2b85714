"""The state of delivery: every wish is planned once, whatever its partition, and told by one server at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.deliveries import Deliveries
from alerts.store import Store
from pipeline.effects import Effects

NOW = 1_000
SINK = "lines"


def wished(store: Store, partition: int, offset: int) -> None:
    """A frame that raises a warning and wishes to tell of it."""
    id = f"{partition}-{offset}"
    change: dict[str, Any] = {
        "warning": id, "number": 1, "at": 1, "subject": "ab" * 16, "kind": "matter", "from": 0, "to": 1, "proposed": 1,
        "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9, "due": 0,
    }  # fmt: skip
    intent = {"warning": id, "number": 1, "audience": "office", "office": 7, "is_now": True}
    store.apply("signals", partition, offset, 1, {}, [Effects(transitions=[change], intents=[intent])])


@pytest.fixture
def store(address: Path | str) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


def ids(found: Deliveries) -> list[str]:
    return [wish.intent["warning"] for wish in found.wishes(SINK)]


def test_a_wish_comes_with_the_change_it_is_about(store: Store) -> None:
    wished(store, 3, 0)
    [wish] = Deliveries(store).wishes(SINK)
    assert (wish.transition["warning"], wish.log, wish.partition) == ("3-0", "signals", 3)


def test_what_was_planned_is_no_wish_of_that_sink_any_more(store: Store) -> None:
    deliveries = Deliveries(store)
    wished(store, 0, 0)
    wished(store, 1, 0)
    assert deliveries.plan(SINK, deliveries.wishes(SINK), [("key", {"at": 1}, NOW)])
    assert ids(deliveries) == []
    assert len(deliveries.wishes("another")) == 2
    wished(store, 1, 1)
    assert ids(deliveries) == ["1-1"]


def test_wishes_are_planned_in_part_and_the_rest_stays(store: Store) -> None:
    deliveries = Deliveries(store)
    for offset in range(3):
        wished(store, 0, offset)
    assert deliveries.plan(SINK, deliveries.wishes(SINK, 2), ())
    assert ids(deliveries) == ["0-2"]


@pytest.mark.real
def test_a_wish_that_is_committed_late_is_not_passed_over(database: str) -> None:
    """Its id was given before those that were planned meanwhile."""
    with closing(Store(database)) as store, closing(Store(database)) as other:
        deliveries = Deliveries(store)
        with other.engine.connect() as slow:
            slow.exec_driver_sql("SELECT nextval(pg_get_serial_sequence('intents', 'id'))")
            wished(store, 0, 0)
            assert deliveries.plan(SINK, deliveries.wishes(SINK), ())
            slow.exec_driver_sql(
                "INSERT INTO intents (id, log, partition, warning, number, body)"
                " SELECT 1, 'signals', 1, warning, number, body FROM intents"
            )
            slow.commit()
        assert [(wish.id, wish.partition) for wish in deliveries.wishes(SINK)] == [(1, 1)]


def test_of_two_servers_that_plan_the_same_one_does(store: Store) -> None:
    one, other = Deliveries(store), Deliveries(store)
    wished(store, 0, 0)
    wishes = one.wishes(SINK), other.wishes(SINK)
    assert one.plan(SINK, wishes[0], [("key", {}, NOW)])
    assert not other.plan(SINK, wishes[1], [("key", {}, NOW)])
    assert one.depth() == {"waiting": 1}


def test_what_one_claims_another_does_not_see_until_its_time_is_over(store: Store) -> None:
    deliveries = Deliveries(store)
    deliveries.plan(SINK, [], [("first", {}, NOW), ("second", {}, NOW + 1), ("later", {}, NOW + 9)])
    claimed = deliveries.claim(NOW + 1, 100)
    assert [(each.key, each.due) for each in claimed] == [("first", NOW), ("second", NOW + 1)]
    assert deliveries.claim(NOW + 1, 100) == []
    deliveries.settle([{"id": claimed[0].id, "state": "sent", "attempts": 1, "due": NOW}])
    assert [each.key for each in deliveries.claim(NOW + 101, 100)] == ["later", "second"]


def test_only_the_sinks_that_are_asked_for_are_claimed(store: Store) -> None:
    deliveries = Deliveries(store)
    deliveries.plan("lines", [], [("a", {}, NOW)])
    deliveries.plan("topic", [], [("b", {}, NOW)])
    assert [each.key for each in deliveries.claim(NOW, sinks=["topic"])] == ["b"]


@pytest.mark.real
def test_servers_that_claim_at_once_share_the_work(database: str) -> None:
    with closing(Store(database)) as store, ThreadPoolExecutor(4) as pool:
        deliveries = Deliveries(store)
        deliveries.plan(SINK, [], [(str(number), {}, NOW) for number in range(200)])
        taken = pool.map(lambda _: deliveries.claim(NOW, 1_000, limit=10), range(20))
        keys = [each.key for claimed in taken for each in claimed]
        assert sorted(keys) == sorted(map(str, range(200)))
