"""What is to be told to whom and how far that is: the state of delivery, in the store, so that a restart goes on.

Losing it repeats notifications, each with the key it had; what the folds made is elsewhere.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from alerts.keeping import insert_of
from alerts.schema import deliveries, delivery_marks, intents, transitions
from alerts.store import Store


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification on its way: `key` never changes, `due` (µs) is when it is tried next."""

    id: int
    key: str
    sink: str
    body: dict[str, Any]
    attempts: int
    due: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An intent with the change that it is about, and the partition that it is of."""

    id: int
    intent: dict[str, Any]
    transition: dict[str, Any]
    log: str = "signals"
    partition: int = 0


class Deliveries:
    """The tables of one store; on SQLite for the thread that writes to it. Raises what a store raises.

    Several servers may plan and tell at once: only one of them plans a wish, and only one at a time claims what is due.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def wishes(self, sink: str, limit: int = 1000) -> list[Wish]:
        """Intents that were not planned for this sink yet, in order."""
        of_it = and_(
            delivery_marks.c.sink == sink,
            delivery_marks.c.log == intents.c.log,
            delivery_marks.c.partition == intents.c.partition,
        )
        query = (
            select(intents.c.id, intents.c.body, transitions.c.body, intents.c.log, intents.c.partition)
            .join(
                transitions,
                (transitions.c.warning == intents.c.warning) & (transitions.c.number == intents.c.number),
            )
            .outerjoin(delivery_marks, of_it)
            .where(intents.c.id > func.coalesce(delivery_marks.c.intent, 0))
            .order_by(intents.c.id)
            .limit(limit)
        )
        with self._store.transaction() as connection:
            rows = connection.execute(query).fetchall()
        return [Wish(id, json.loads(intent), json.loads(change), *of) for id, intent, change, *of in rows]

    def plan(self, sink: str, covered: Sequence[Wish], planned: Sequence[tuple[str, dict[str, Any], int]]) -> bool:
        """Keep notifications (key, body, due) that cover these wishes, all or none; False when somebody else did."""
        with self._store.transaction() as connection:
            for (log, partition), (first, last) in _spans(covered).items():
                if not self._advance(connection, sink, log, partition, first, last):
                    connection.rollback()
                    return False
            if planned:
                rows = [
                    {"key": key, "sink": sink, "body": json.dumps(body, ensure_ascii=False), "attempts": 0, "due": due,
                     "state": "waiting"}
                    for key, body, due in planned
                ]  # fmt: skip
                connection.execute(insert(deliveries), rows)
        return True

    def claim(
        self, now: int, held_us: int = 0, limit: int = 100, sinks: Collection[str] | None = None
    ) -> list[Delivery]:
        """Notifications whose time has come, the oldest first, each for one caller alone.

        One that is not settled within `held_us` falls due again, under its key.
        """
        due = select(deliveries.c.id).where(deliveries.c.state == "waiting", deliveries.c.due <= now)
        if sinks is not None:
            due = due.where(deliveries.c.sink.in_(sinks))
        due = due.order_by(deliveries.c.due, deliveries.c.id).limit(limit).with_for_update(skip_locked=True)
        columns = (deliveries.c.id, deliveries.c.key, deliveries.c.sink, deliveries.c.body, deliveries.c.attempts,
                   deliveries.c.due)  # fmt: skip
        with self._store.transaction() as connection:
            taken = connection.execute(due).scalars().all()
            rows = connection.execute(select(*columns).where(deliveries.c.id.in_(taken))).fetchall() if taken else []
            if held_us and taken:
                connection.execute(update(deliveries).where(deliveries.c.id.in_(taken)).values(due=now + held_us))
        rows = sorted(rows, key=lambda row: (row[5], row[0]))
        return [Delivery(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5]) for row in rows]

    def due(self, now: int, limit: int = 100) -> list[Delivery]:
        """Notifications whose time has come, the oldest first, for the one process that tells."""
        return self.claim(now, limit=limit)

    def settle(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """Keep what came of attempts: id, state (`sent`, `waiting`, `failed`), attempts, due."""
        if outcomes:
            with self._store.transaction() as connection:
                for one in outcomes:
                    changed = {name: one[name] for name in ("state", "attempts", "due")}
                    connection.execute(update(deliveries).where(deliveries.c.id == one["id"]).values(changed))

    def depth(self) -> dict[str, int]:
        """How many notifications are in which state."""
        with self._store.transaction() as connection:
            rows = connection.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state)).all()
        return {state: count for state, count in rows}

    def _advance(self, connection: Connection, sink: str, log: str, partition: int, first: int, last: int) -> bool:
        """Move a mark over intents `first` to `last`; False when it is behind the first already."""
        statement = insert_of(connection.dialect)(delivery_marks).values(
            sink=sink, log=log, partition=partition, intent=last
        )
        moved = statement.on_conflict_do_update(
            index_elements=["sink", "log", "partition"],
            set_={"intent": statement.excluded.intent},
            where=delivery_marks.c.intent < first,
        )
        return connection.execute(moved.returning(delivery_marks.c.intent)).scalar() is not None


def _spans(covered: Sequence[Wish]) -> dict[tuple[str, int], tuple[int, int]]:
    """First and last intent by log and partition, always in the same order."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for wish in sorted(covered, key=lambda wish: (wish.log, wish.partition, wish.id)):
        first, _ = spans.get((wish.log, wish.partition), (wish.id, 0))
        spans[wish.log, wish.partition] = first, wish.id
    return spans
