"""Who may do what only one may do at a time, for how long, and under which number.

A number is never given twice: what a holder writes late, under an old one, can be told from what its successor writes.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, literal, literal_column, select, update

from alerts.database import Database
from alerts.keeping import insert_of
from alerts.schema import leases

_NOW = {
    # Of the database: the clocks of several machines need not agree.
    "postgresql": "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
}


class Leases:
    """The leases of one store, which must have been migrated. Every method raises StoreUnavailable.

    Give it a database of its own: none of this may become part of a transaction that is open already.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._now = now_of(database.engine.dialect)

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """A new number when the lease is free, has ended or is `holder`'s own; else None."""
        until = self._now + round(seconds * 1_000_000)
        free = insert_of(self._database.engine.dialect)(leases).values(name=name, holder=holder, token=1, until=until)
        taken = free.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "token": leases.c.token + 1, "until": until},
            where=(leases.c.until <= self._now) | (leases.c.holder == holder),
        ).returning(leases.c.token)
        with self._database.transaction(apart=True) as connection:
            token: int | None = connection.execute(taken).scalar()
        return token

    def renew(self, name: str, token: int, seconds: float) -> bool:
        """Hold it for longer; False when another has taken it. One that has ended and nobody took is held again."""
        until = self._now + round(seconds * 1_000_000)
        return self._change(name, token, until)

    def release(self, name: str, token: int) -> None:
        """Let go of it, if it is still held."""
        self._change(name, token, literal(0))

    def holder(self, name: str) -> str | None:
        """Who holds it now."""
        row = self._database.one(select(leases.c.holder).where(leases.c.name == name, leases.c.until > self._now))
        return None if row is None else str(row[0])

    def _change(self, name: str, token: int, until: ColumnElement[Any]) -> bool:
        held = update(leases).where(leases.c.name == name, leases.c.token == token).values(until=until)
        with self._database.transaction(apart=True) as connection:
            return connection.execute(held).rowcount == 1


def is_fenced(connection: Connection, name: str, token: int) -> bool:
    """Whether another has taken the lease since; False: nobody can take it before this transaction has ended."""
    own = select(leases.c.token).where(leases.c.name == name).with_for_update(read=True)
    return bool(connection.execute(own).scalar() != token)


def now_of(dialect: Dialect) -> ColumnElement[int]:
    """The database's own clock (µs UTC)."""
    return literal_column(_NOW[dialect.name])
