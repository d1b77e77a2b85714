"""What a store lets go of after its time, a little at once: the writer must not wait for it.

Nothing here is needed to go on: the folds have their own state, and what a log still holds can be folded again.
"""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, select, true

from alerts.schema import (
    decisions,
    deliveries,
    intents,
    labels,
    outbox,
    rejected,
    transitions,
    verdicts,
    warnings,
)
from alerts.store import Store

WARNINGS = 200
"""Warnings with all their transitions that go in one transaction."""
ROWS = 1_000
"""Rows of one table that go in one transaction."""


@dataclass(frozen=True, slots=True)
class Before:
    """Moments (µs UTC): what is older goes.

    warnings : ended ones with their transitions. lessons : decisions and labels. rejected : entries not applied.
    told : intents, verdicts, what partitions handed on, and notifications that were sent or given up.
    """

    warnings: int
    lessons: int
    told: int
    rejected: int


def prune(store: Store, before: Before) -> int:
    """Erase some of what is too old, one transaction a table; how many rows. 0: nothing is left to erase."""
    with store.transaction() as connection:
        erased = _over(connection, before.warnings)
    for id, age, moment in (
        (decisions.c.id, decisions.c.at, before.lessons),
        (labels.c.id, labels.c.known_at, before.lessons),
        (intents.c.id, intents.c.at, before.told),
        (verdicts.c.id, verdicts.c.at, before.told),
        (rejected.c.id, rejected.c.at, before.rejected),
    ):
        with store.transaction() as connection:
            erased += _oldest(connection, id, age, moment, true())
    for log, partition in store.partitions():
        of_it = and_(outbox.c.log == log, outbox.c.partition == partition)
        with store.transaction() as connection:
            erased += _oldest(connection, outbox.c.seq, outbox.c.at, before.told, of_it)
    with store.transaction() as connection:
        return erased + _settled(connection, before.told)


def _over(connection: Connection, moment: int) -> int:
    """Ended warnings with their transitions, the oldest first."""
    over = select(warnings.c.id).where(warnings.c.shut == 1, warnings.c.at < moment)
    ids = connection.execute(over.order_by(warnings.c.at, warnings.c.id).limit(WARNINGS)).scalars().all()
    return sum(
        connection.execute(delete(column.table).where(column.in_(ids))).rowcount
        for column in (transitions.c.warning, warnings.c.id)
        if ids
    )


def _oldest(connection: Connection, id: Column[int], age: Column[int], moment: int, of_it: ColumnElement[bool]) -> int:
    """Of the rows that were written first those that are too old: ids tell the order of age well enough."""
    first = connection.execute(select(id, age).where(of_it).order_by(id).limit(ROWS)).all()
    old = [number for number, at in first if at < moment]
    return connection.execute(delete(id.table).where(of_it, id.in_(old))).rowcount if old else 0


def _settled(connection: Connection, moment: int) -> int:
    """Notifications that were sent or given up."""
    done = deliveries.c.state.in_(("sent", "failed"))
    old = select(deliveries.c.id).where(done, deliveries.c.due < moment).limit(ROWS)
    return connection.execute(delete(deliveries).where(deliveries.c.id.in_(old))).rowcount
