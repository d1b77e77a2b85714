"""One database for many threads: a small pool of connections that heals after a restart, and one kind of error.

SQLite keeps one connection, as its writer is one; PostgreSQL a few.
"""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Select, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

from pipeline.errors import StoreUnavailable

POSTGRES_URL = "FOREWARN_POSTGRES_URL"
"""Goes before the address in the configuration: it may hold a password."""
CONNECTIONS = 4
"""Connections of one pool that stay open; as many again while there is much to do."""
CONNECT_S = 3
"""After so many seconds a server that does not take a connection counts as unavailable."""
_SETTINGS = (
    # A process that was frozen in the middle of a transaction must not hold for long what others wait for.
    "-c idle_in_transaction_session_timeout=15s -c lock_timeout=10s"
)
_HEARTBEAT = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A server whose machine has gone is noticed within half a minute."""
UNAVAILABLE = (OperationalError, InterfaceError, InternalError, NoneFree)
"""What SQLAlchemy raises where a database cannot be asked or written now."""
CANNOT_ASK = (StoreUnavailable, *UNAVAILABLE)
"""The same before and after it was put into our words."""
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def postgres_url(configured: str) -> str:
    """Address of a cluster's database: of the environment, else as configured."""
    return os.environ.get(POSTGRES_URL) or configured


def database_url(address: URL | str | Path) -> URL:
    """Address for SQLAlchemy: `postgresql://` means psycopg 3, a path a SQLite file that is made where it is not."""
    if isinstance(address, Path):
        return make_url(f"sqlite:///{address.absolute().as_uri()}?mode=rwc&uri=true")
    url = make_url(address)
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


class Database:
    """Connections to one database, for any number of threads.

    Parameters
    ----------
    address : a URL, or the path of a SQLite file. connections : that stay open, on PostgreSQL. pragmas : of SQLite,
    set on its connection. schemas : those that the tables name, with those that are meant.

    Every method raises StoreUnavailable where the database does not answer, and OSError (ENOSPC) where the disk of a
    SQLite file is full.
    """

    def __init__(
        self, address: URL | str | Path, *, connections: int = CONNECTIONS, pragmas: Sequence[str] = (),
        schemas: Mapping[str, str | None] | None = None,
    ) -> None:  # fmt: skip
        self.url = database_url(address)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._open = threading.local()
        self.engine = _sqlite(self.url, pragmas) if self.is_sqlite else _postgres(self.url, connections)
        if schemas is not None:
            self.engine = self.engine.execution_options(schema_translate_map=schemas)
        # A question of one statement needs no transaction: that saves two of three round trips.
        self._single = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, apart: bool = False) -> Iterator[Connection]:
        """Kept whole or not at all; one inside another of the same thread is part of it, unless it is to be `apart`.

        Nothing may be awaited inside: what runs on the same thread meanwhile would be part of it too.
        """
        connection = self._connection()
        if connection is not None and not apart:
            yield connection
            return
        with translated(), self.engine.connect() as fresh:
            if self.is_sqlite:
                fresh.exec_driver_sql("BEGIN IMMEDIATE")
            self._open.connection, before = fresh, connection
            try:
                yield fresh
                fresh.commit()
            finally:
                self._open.connection = before

    def rows(self, statement: Executable, values: Values | None = None, *, apart: bool = False) -> list[Any]:
        """All rows of a question; `apart`: outside the transaction that is open on this thread."""
        return list(self._run(statement, values, lambda result: result.all(), apart=apart))

    def large(self, statement: Select[Any]) -> list[Any]:
        """All rows of a question whose values are large: PostgreSQL sends them as they are, in a third of the time."""
        if self.is_sqlite:
            return self.rows(statement)
        asked = statement.compile(dialect=self.engine.dialect)
        with translated(), self._single.connect() as fresh, closing(fresh.connection.cursor(binary=True)) as cursor:
            try:
                cursor.execute(str(asked), asked.params)
                return list(cursor.fetchall())
            except self.engine.dialect.loaded_dbapi.Error as error:
                raise StoreUnavailable(str(error).strip() or type(error).__name__) from error

    def one(self, statement: Executable, values: Values | None = None) -> Any:
        """The first row of a question, or None."""
        return self._run(statement, values, lambda result: result.first())

    def change(self, statement: Executable, values: Values | None = None) -> int:
        """Write; how many rows it touched."""
        return int(self._run(statement, values, lambda result: result.rowcount))

    def _connection(self) -> Connection | None:
        return getattr(self._open, "connection", None)

    def _run(
        self, statement: Executable, values: Values | None, take: Callable[[Any], Any], *, apart: bool = False
    ) -> Any:
        connection = None if apart else self._connection()
        with translated():
            if connection is not None:
                return take(connection.execute(statement, values))
            with self._single.connect() as fresh:
                return take(fresh.execute(statement, values))


@contextmanager
def translated() -> Iterator[None]:
    """Tells what a database cannot do now in the words of pipeline.errors."""
    try:
        yield
    except UNAVAILABLE as error:
        cause = getattr(error, "orig", None) or error
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise OSError(errno.ENOSPC, str(cause)) from error
        raise StoreUnavailable(str(cause).strip() or type(cause).__name__) from error


def _postgres(url: URL, connections: int) -> Engine:
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=10,
        # A connection that a restart has cut is found out before it is used.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_S,
            "application_name": "forewarn",
            "options": _SETTINGS,
            **_HEARTBEAT,
        },
    )


def _sqlite(url: URL, pragmas: Sequence[str]) -> Engine:
    engine = create_engine(url, pool_size=1, max_overflow=0, connect_args={"timeout": 5.0})

    @event.listens_for(engine, "connect")
    def _plain(connection: sqlite3.Connection, _: object) -> None:
        # Transactions begin where we say so, not where the driver thinks.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return engine
