"""What is to be told to whom and how far that is: the state of delivery, in the store, so that a restart goes on.

Losing it repeats notifications, each with the key it had; what the folds made is elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import sqlite

from alerts.schema import deliveries, delivery_marks, intents, transitions
from alerts.store import Store, told_when_full


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
    """An intent with the change that it is about."""

    id: int
    intent: dict[str, Any]
    transition: dict[str, Any]


class Deliveries:
    """The tables of one store; every method is for the thread that writes to it. Raises OSError on a full disk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def wishes(self, sink: str, limit: int = 1000) -> list[Wish]:
        """Intents that were not planned for this sink yet, in order."""
        mark = select(func.coalesce(func.max(delivery_marks.c.intent), 0)).where(delivery_marks.c.sink == sink)
        query = (
            select(intents.c.id, intents.c.body, transitions.c.body)
            .join(
                transitions,
                (transitions.c.warning == intents.c.warning) & (transitions.c.number == intents.c.number),
            )
            .where(intents.c.id > mark.scalar_subquery())
            .order_by(intents.c.id)
            .limit(limit)
        )
        rows = self._connection().execute(query).fetchall()
        self._connection().rollback()
        return [Wish(id, json.loads(intent), json.loads(transition)) for id, intent, transition in rows]

    def plan(self, sink: str, through: int, planned: Sequence[tuple[str, dict[str, Any], int]]) -> None:
        """Keep notifications (key, body, due) that cover the intents up to `through`, all or none."""
        with told_when_full(), self._connection().begin():
            connection = self._connection()
            if planned:
                rows = [
                    {"key": key, "sink": sink, "body": json.dumps(body, ensure_ascii=False), "attempts": 0, "due": due,
                     "state": "waiting"}
                    for key, body, due in planned
                ]  # fmt: skip
                connection.execute(insert(deliveries), rows)
            statement = sqlite.insert(delivery_marks).values(sink=sink, intent=through)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["sink"], set_={"intent": statement.excluded.intent})
            )

    def due(self, now: int, limit: int = 100) -> list[Delivery]:
        """Notifications whose time has come, the oldest first."""
        columns = (deliveries.c.id, deliveries.c.key, deliveries.c.sink, deliveries.c.body, deliveries.c.attempts,
                   deliveries.c.due)  # fmt: skip
        query = (
            select(*columns)
            .where(deliveries.c.state == "waiting", deliveries.c.due <= now)
            .order_by(deliveries.c.due, deliveries.c.id)
            .limit(limit)
        )
        rows = self._connection().execute(query).fetchall()
        self._connection().rollback()
        return [Delivery(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5]) for row in rows]

    def settle(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """Keep what came of attempts: id, state (`sent`, `waiting`, `failed`), attempts, due."""
        if outcomes:
            with told_when_full(), self._connection().begin():
                for one in outcomes:
                    changed = {name: one[name] for name in ("state", "attempts", "due")}
                    self._connection().execute(update(deliveries).where(deliveries.c.id == one["id"]).values(changed))

    def depth(self) -> dict[str, int]:
        """How many notifications are in which state."""
        rows = self._connection().execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state)).all()
        self._connection().rollback()
        return {state: count for state, count in rows}

    def _connection(self) -> Connection:
        return self._store.connection()
