"""Checkpoints of a fold in PostgreSQL, for workers that take partitions over from each other."""

import errno
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from alerts.database import Database
from alerts.schema import checkpoints
from pipeline.errors import CorruptData, StoreUnavailable
from runners.checkpoints import Arrays, Checkpoints, checked

PIECE = 8 << 20
"""Bytes of a row: a value of hundreds of megabytes would be in memory four times on its way."""


class PgCheckpoints(Checkpoints):
    """The rows of one (log, partition), with the interface of `Checkpoints`.

    Each object writes chains of its own: one that was frozen and has a successor cannot spoil the successor's.
    What cannot be written raises OSError as a full disk does; what cannot be read, StoreUnavailable.
    """

    def __init__(self, database: Database, log: str, partition: int, fold_version: int) -> None:
        super().__init__(Path(), log, partition, fold_version)
        self._database = database
        self._writer = uuid4().hex
        self._of_it = and_(checkpoints.c.log == log, checkpoints.c.partition == partition)
        self._key = {"log": log, "partition": partition, "writer": self._writer}

    def _store(self, base: int, offset: int, body: bytes) -> None:
        digest = sha256(body).digest()
        try:
            with self._database.transaction(apart=True) as connection:
                for piece, begin in enumerate(range(0, len(body), PIECE)):
                    row = {"base": base, "offset": offset, "piece": piece, "sha256": digest}
                    connection.execute(
                        insert(checkpoints), self._key | row | {"body": memoryview(body)[begin : begin + PIECE]}
                    )
                if base == offset:
                    # The one before stays until this base has a successor.
                    bases = select(checkpoints.c.base).where(self._of_it, checkpoints.c.base <= base).distinct()
                    kept = connection.execute(bases.order_by(checkpoints.c.base.desc()).limit(2)).scalars().all()
                    connection.execute(delete(checkpoints).where(self._of_it, checkpoints.c.base < kept[-1]))
        except (StoreUnavailable, SQLAlchemyError, OSError) as error:
            self._base = self._at = None  # no chain may go on from here
            raise OSError(errno.EIO, f"a checkpoint of {self.name} could not be written: {error}") from error

    def read(self) -> Iterator[tuple[int, list[tuple[bool, dict[str, Any], Arrays]]]]:
        """(offset, [(is delta, head, arrays), ...]) of each usable chain, the furthest first. Raises NewerData."""
        self.settle()
        by = (checkpoints.c.base, checkpoints.c.writer)
        # A chain that was begun later may reach less far: that of an owner who was overtaken.
        reached = func.max(checkpoints.c.offset).desc()
        furthest_first = select(*by).where(self._of_it).group_by(*by).order_by(reached, *(key.desc() for key in by))
        for base, writer in self._database.rows(furthest_first):
            chain: list[tuple[bool, dict[str, Any], Arrays]] = []
            at = base
            for offset in self._offsets(base, writer):
                try:
                    head, arrays = self._rows(base, writer, offset)
                except CorruptData:
                    break  # what follows it is of no use either
                chain.append((head["delta"], head["state"], arrays))
                at = offset
            if chain and not chain[0][0]:
                yield at, chain

    def adopt(self, chain: Iterable[tuple[int, int, bytes]]) -> None:
        """Keep a chain (base, offset, body) that was written elsewhere. Raises OSError."""
        for base, offset, body in chain:
            self._store(base, offset, body)

    def _offsets(self, base: int, writer: str) -> list[int]:
        of_chain = and_(self._of_it, checkpoints.c.base == base, checkpoints.c.writer == writer)
        query = select(checkpoints.c.offset).where(of_chain).distinct().order_by(checkpoints.c.offset)
        return [offset for (offset,) in self._database.rows(query)]

    def _rows(self, base: int, writer: str, offset: int) -> tuple[dict[str, Any], Arrays]:
        whole = and_(
            self._of_it,
            checkpoints.c.base == base,
            checkpoints.c.writer == writer,
            checkpoints.c.offset == offset,
        )
        rows = self._database.large(
            select(checkpoints.c.sha256, checkpoints.c.body).where(whole).order_by(checkpoints.c.piece)
        )
        body = rows[0][1] if len(rows) == 1 else b"".join(row[1] for row in rows)
        return checked(memoryview(body), rows[0][0], self.fold_version, f"checkpoint {offset} of {self.name}")
