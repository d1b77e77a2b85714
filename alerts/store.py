"""Where effects go: one transaction holds a frame's effects and the partition's new offset, or nothing of them.

SQLite for an embedded site, PostgreSQL for a cluster; both through SQLAlchemy Core. All of it can be made again from
the logs, so an embedded store runs with `synchronous=NORMAL` and folds forward after a power loss.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Select, create_engine, event, func, select, text, update
from sqlalchemy.engine import URL

from alerts.database import Database, database_url, translated
from alerts.keeping import Keeper, Moved, encoded, unpacked
from alerts.schema import (
    REVISION,
    decisions,
    labels,
    lessons,
    metadata,
    offsets,
    outbox,
    rejected,
    series,
    tallies,
    transitions,
    verdicts,
    warnings,
)
from models.rows import LABEL
from pipeline.effects import DecisionBlock, Effects
from pipeline.errors import NewerData, Reason

if TYPE_CHECKING:
    from alerts.postgres import PostgresWriter


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a partition of a log was folded into the store."""

    offset: int
    now: int
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One request to the trainer: learn until a moment from decisions and labels up to these ids; its model, if any."""

    id: int
    until: int
    decisions: int
    labels: int
    result: str | None


class Store:
    """Effects of all partitions of one site.

    Parameters
    ----------
    url : of PostgreSQL (`postgresql://...`) or SQLite, or the path of a SQLite file.
    durable : a commit is on the disk (SQLite: `synchronous=NORMAL`), else it is not waited for (back-tests).
    readonly : opened beside the writer; nothing is migrated.

    Raises StoreUnavailable where PostgreSQL does not answer; the next call tries again. Where SQLite's disk is full,
    what writes raises OSError (ENOSPC). Nothing was kept then.
    """

    def __init__(self, url: URL | str | Path, *, durable: bool = True, readonly: bool = False) -> None:
        self._connection: Connection | None = None
        self._reader: Connection | None = None
        self._postgres: PostgresWriter | None = None
        if isinstance(url, Path):
            if readonly and not url.is_file():
                raise FileNotFoundError(f"no store at {url}; give the --data folder of a run or back-test")
            uri = f"{url.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}&uri=true"
            url = f"sqlite:///{uri}"
        found = database_url(url)
        self.is_sqlite = found.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine: Engine = create_engine(found)
            self._keeper = Keeper(is_sqlite=True)
            _tune(self.engine, durable=durable, readonly=readonly)
        else:
            from alerts import postgres

            self._database = Database(found)
            self.engine = self._database.engine
            self._postgres = postgres.PostgresWriter(found, durable=durable)
        self._migrate(readonly=readonly)

    def close(self) -> None:
        """Let go of all connections."""
        for connection in (self._connection, self._reader):
            if connection is not None:
                connection.close()
        self._connection = self._reader = None
        if self._postgres is not None:
            self._postgres.close()
        self.engine.dispose()

    def _migrate(self, *, readonly: bool) -> None:
        with translated():
            found = self._revision()
            if not readonly and found != REVISION:
                from alerts.migrate import upgrade

                with self.engine.connect() as connection:
                    upgrade(connection)
                    connection.commit()

    def _revision(self) -> str | None:
        """The schema that the store has, None for a new one. Raises NewerData."""
        found: str | None = None
        with self.engine.connect() as connection:
            if self.engine.dialect.has_table(connection, "alembic_version"):
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None and found > REVISION:
            raise NewerData(f"the store has schema {found}; this version knows up to {REVISION}: upgrade forewarn")
        return found

    # writing -----------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Kept whole or not at all. An embedded site writes on one thread."""
        with translated():
            if not self.is_sqlite:
                with self.engine.begin() as connection:
                    yield connection
                return
            if self._connection is None:
                self._connection = self.engine.connect()
            with self._connection.begin():
                yield self._connection

    def apply(
        self,
        log: str,
        partition: int,
        offset: int,
        now: int,
        digests: Mapping[str, str],
        all_effects: Sequence[Effects],
        *,
        after: int | None = None,
    ) -> bool:
        """Keep the effects of the frames up to `offset` and the offset itself; False when nothing may be kept.

        after : the offset that the store must hold, -1: none. Where it holds another, somebody else has been there:
        what the caller folded from is not what was kept. None: any lower offset will do.
        """
        if after is not None and after >= offset:
            raise ValueError(f"{log}-{partition}: {offset} does not come after {after}")
        moved = Moved(log, partition, offset, now, encoded(digests))
        if self._postgres is not None:
            return self._postgres.apply(moved, after, all_effects)
        more = sum(len(effects.transitions) for effects in all_effects)
        with self.transaction() as connection:
            count = connection.exec_driver_sql(*self._keeper.move(moved, after, more)).scalar()
            if count is None:
                connection.rollback()
                return False
            for statement, rows in self._keeper.rows(moved, count - more, all_effects):
                connection.exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])
        return True

    # reading -----------------------------------------------------------------------------------------------------

    def applied(self, log: str, partition: int) -> Applied | None:
        """How far a partition is, or None at the very beginning."""
        row = self._one(
            select(offsets.c.offset, offsets.c.now, offsets.c.digests).where(
                offsets.c.log == log, offsets.c.partition == partition
            )
        )
        return Applied(row[0], row[1], json.loads(row[2])) if row else None

    def partitions(self) -> list[tuple[str, int]]:
        """Every (log, partition) that was begun, in order."""
        query = select(offsets.c.log, offsets.c.partition).order_by(offsets.c.log, offsets.c.partition)
        return [(log, partition) for log, partition in self._rows(query)]

    def transitions(
        self, warning: str | None = None, *, log: str | None = None, span: tuple[int, int] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Transitions in the order in which they were made by each log, of one warning or all, of one log or all.

        `span`: only those of a time from its first moment until before its second (µs UTC).
        """
        query = select(transitions.c.body).order_by(transitions.c.log, transitions.c.partition, transitions.c.id)
        if warning is not None:
            # A range, which an index finds; LIKE would read every transition.
            query = query.where(transitions.c.warning >= warning, transitions.c.warning < warning + "\x7f")
        if log is not None:
            query = query.where(transitions.c.log == log)
        if span is not None:
            query = query.where(transitions.c.at >= span[0], transitions.c.at < span[1])
        for (body,) in self._rows(query):
            yield orjson.loads(body)

    def count(self) -> int:
        """Number of transitions of all logs."""
        row = self._one(select(func.count()).select_from(transitions))
        return int(row[0])

    def middle(self) -> int | None:
        """A time (µs UTC) with about as many transitions before it as after; None where there are none."""
        row = self._one(select(transitions.c.at).order_by(transitions.c.id).limit(1).offset(self.count() // 2))
        return None if row is None else int(row[0])

    def queue(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        """Warnings, worst and newest first."""
        query = select(warnings).order_by(warnings.c.level.desc(), warnings.c.at.desc()).limit(limit)
        if states:
            query = query.where(warnings.c.state.in_(states))
        return [dict(row._mapping) for row in self._rows(query)]

    def warning(self, id: str) -> dict[str, Any] | None:
        """One warning by its whole id."""
        row = self._one(select(warnings).where(warnings.c.id == id))
        return None if row is None else dict(row._mapping)

    def verdict(self, key: str) -> dict[str, Any] | None:
        """The newest answer to a command under its key."""
        query = select(verdicts.c.body).where(verdicts.c.key == key[:200]).order_by(verdicts.c.id.desc()).limit(1)
        row = self._one(query)
        return None if row is None else dict(json.loads(row[0]))

    def log_of(self, warning: str) -> tuple[str, int] | None:
        """Log and partition that a warning belongs to."""
        row = self._one(select(warnings.c.log, warnings.c.partition).where(warnings.c.id == warning))
        return None if row is None else (row[0], row[1])

    def open_by_level(self) -> list[tuple[int, str, int]]:
        """(proposed level, kind, count) of the warnings that are not over."""
        query = (
            select(warnings.c.proposed, warnings.c.kind, func.count())
            .where(warnings.c.state.not_in(("ended", "closed", "withdrawn")))
            .group_by(warnings.c.proposed, warnings.c.kind)
        )
        return [(level, kind, count) for level, kind, count in self._rows(query)]

    def cursor(self) -> dict[str, int]:
        """Number of transitions ever made by `<log>-<partition>`, where there are any."""
        rows = self._rows(select(offsets.c.log, offsets.c.partition, offsets.c.transitions))
        return {f"{log}-{partition}": count for log, partition, count in rows if count}

    def verdicts(self) -> list[dict[str, Any]]:
        """Answers to commands, in order."""
        return [orjson.loads(body) for (body,) in self._rows(select(verdicts.c.body).order_by(verdicts.c.id))]

    def outbox(self, log: str, partition: int, after: int) -> list[dict[str, Any]]:
        """What a partition handed on, from a sequence number on."""
        query = select(outbox.c.body).where(outbox.c.log == log, outbox.c.partition == partition, outbox.c.seq > after)
        return [orjson.loads(body) for (body,) in self._rows(query.order_by(outbox.c.seq))]

    def decisions(self, after: int = 0, until: int | None = None) -> Iterator[tuple[int, DecisionBlock]]:
        """Decision blocks with their ids, in order."""
        query = select(decisions.c.id, decisions.c.body).where(decisions.c.id > after).order_by(decisions.c.id)
        if until is not None:
            query = query.where(decisions.c.id <= until)
        for id, body in self._rows(query):
            yield id, unpacked(body)

    def labels(self, after: int = 0, until: int | None = None) -> NDArray[Any]:
        """LABEL rows with ids above `after`, in order."""
        query = select(labels.c.subject, labels.c.known_at, labels.c.target, labels.c.y).where(labels.c.id > after)
        if until is not None:
            query = query.where(labels.c.id <= until)
        rows = list(self._rows(query.order_by(labels.c.id)))
        out = np.zeros(len(rows), LABEL)
        if rows:
            subjects, known_at, target, y = zip(*rows, strict=True)
            out["subject"] = np.frombuffer(b"".join(subjects), "V16")
            out["known_at"], out["target"], out["y"] = known_at, target, y
        return out

    def marks(self) -> tuple[int, int]:
        """Highest ids of decisions and labels; below them nothing will appear any more."""
        query = select(
            select(func.coalesce(func.max(decisions.c.id), 0)).scalar_subquery(),
            select(func.coalesce(func.max(labels.c.id), 0)).scalar_subquery(),
        )
        if self.is_sqlite:
            row = self._one(query)
        else:
            with self.transaction() as connection:
                # Ids are given before they are committed: who has one by now is waited for.
                connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
                connection.exec_driver_sql("LOCK TABLE decisions, labels IN SHARE MODE")
                row = connection.execute(query).one()
        return int(row[0]), int(row[1])

    def series(self, log: str) -> Iterator[dict[str, Any]]:
        """What the site or readings fold kept for scores.csv, in order."""
        for (body,) in self._rows(select(series.c.body).where(series.c.log == log).order_by(series.c.id)):
            yield orjson.loads(body)

    def tallies(self) -> dict[str, dict[str, int]]:
        """Counts of the folds by log and name."""
        out: dict[str, dict[str, int]] = {}
        counted = select(tallies.c.log, tallies.c.name, func.sum(tallies.c.count)).group_by(
            tallies.c.log, tallies.c.name
        )
        for log, name, count in self._rows(counted.order_by(tallies.c.log, tallies.c.name)):
            out.setdefault(log, {})[name] = int(count)
        return out

    def rejected(self) -> list[dict[str, Any]]:
        """Entries that were not applied, in order."""
        return [orjson.loads(body) for (body,) in self._rows(select(rejected.c.body).order_by(rejected.c.id))]

    def lost(self, log: str, partition: int) -> list[tuple[int, int]]:
        """First and last offset of what a log no longer had when it was to be folded, in order."""
        query = select(rejected.c.body).where(
            rejected.c.log == log, rejected.c.partition == partition, rejected.c.reason == Reason.LOST.value
        )
        told = [orjson.loads(body) for (body,) in self._rows(query.order_by(rejected.c.id))]
        return [(one["offset"], one["until"]) for one in told]

    # lessons -----------------------------------------------------------------------------------------------------

    def lessons(self) -> list[Lesson]:
        """Every request to the trainer, in order."""
        return [Lesson(*row) for row in self._rows(select(lessons).order_by(lessons.c.id))]

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Write a request down before it is sent, so that a restart repeats the same ones."""
        with self.transaction() as connection:
            row = connection.execute(
                lessons.insert().values(until=until, decisions=marks[0], labels=marks[1]).returning(lessons.c.id)
            ).one()
        return Lesson(row[0], until, *marks, None)

    def answer(self, lesson: Lesson, sha256: str | None) -> None:
        """Write down what came of a request: a model's sha256, or '' for nothing."""
        with self.transaction() as connection:
            connection.execute(update(lessons).where(lessons.c.id == lesson.id).values(result=sha256 or ""))

    def _rows(self, query: Select[Any]) -> Iterator[Any]:
        """Rows as they are read; a stream may outlive several transactions of the writer."""
        if self.is_sqlite:
            yield from self._beside().execute(query)
            return
        with translated(), self.engine.connect() as connection:
            # A cursor of the server lives as long as its transaction.
            yield from connection.execution_options(stream_results=True, max_row_buffer=1000).execute(query)

    def _one(self, query: Select[Any]) -> Any:
        return self._beside().execute(query).first() if self.is_sqlite else self._database.one(query)

    def _beside(self) -> Connection:
        # Readers stay out of the writer's transactions.
        if self._reader is None:
            self._reader = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT", stream_results=True)
        return self._reader


def _tune(engine: Engine, *, durable: bool, readonly: bool) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _: object) -> None:
        if not readonly:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'NORMAL' if durable else 'OFF'}")
            connection.execute("PRAGMA wal_autocheckpoint=8000")
        connection.execute("PRAGMA cache_size=-6000")


__all__ = ["Applied", "Lesson", "Store", "metadata"]
