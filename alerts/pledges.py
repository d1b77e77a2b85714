"""What servers are about to append and have not counted yet, so that a kill in between leaves neither gap nor guess.

A pledge is written before frames go to the brokers and is redeemed, in the transaction that counts them, afterwards.
One that is left behind is settled by looking into the log: a frame is known by its hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from alerts.database import Database

_SCHEMA_LOCK = 0x706C6467
metadata = MetaData()
pledges = Table(
    "pledges",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Pledged:
    """One frame on its way.

    `after`: an offset that it will lie behind; `counts` by name and `texts` (index, redacted text; kept `until`, µs
    UTC) are what has to be kept once it is in the log.
    """

    log: str
    partition: int
    after: int
    sha256: str
    counts: dict[str, int]
    texts: Sequence[tuple[int, str]] = ()
    until: int = 0


@dataclass(frozen=True, slots=True)
class Pledge:
    """What one server was about to append at a moment (wall, µs UTC)."""

    id: int
    holder: str
    at: int
    frames: tuple[Pledged, ...]


class Pledges:
    """The pledges of all servers of one cluster; makes its table where it is not there. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            metadata.create_all(connection)

    def give(self, holder: str, at: int, frames: Sequence[Pledged]) -> int:
        """Write a pledge down; its id. Inside a transaction it is part of that."""
        query = insert(pledges).values(holder=holder, at=at, body=_packed(frames)).returning(pledges.c.id)
        row = self._database.one(query)
        assert row is not None
        return int(row[0])

    def redeem(self, id: int, left: Sequence[Pledged] = ()) -> bool:
        """Take a pledge back but for what is still unknown; False where somebody else has settled it."""
        mine = pledges.c.id == id
        if left:
            return bool(self._database.change(update(pledges).where(mine).values(body=_packed(left))))
        return bool(self._database.change(delete(pledges).where(mine)))

    def open(self, before: int | None = None) -> list[Pledge]:
        """Those that are not redeemed, oldest first; `before`: given before a moment (µs UTC)."""
        p = pledges.c
        query = select(p.id, p.holder, p.at, p.body).order_by(p.id)
        if before is not None:
            query = query.where(p.at < before)
        return [Pledge(id, holder, at, _unpacked(body)) for id, holder, at, body in self._database.rows(query)]


def _packed(frames: Sequence[Pledged]) -> bytes:
    return orjson.dumps(
        [
            [each.log, each.partition, each.after, each.sha256, each.counts, list(each.texts), each.until]
            for each in frames
        ]
    )


def _unpacked(body: bytes) -> tuple[Pledged, ...]:
    rows: list[list[Any]] = orjson.loads(bytes(body))
    return tuple(
        Pledged(log, partition, after, sha256, counts, tuple((index, text) for index, text in texts), until)
        for log, partition, after, sha256, counts, texts, until in rows
    )
