"""The writing end of a store in PostgreSQL: one connection, two round trips a transaction, healed when it breaks.

The only module here that knows psycopg; an embedded site never imports it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import URL

from alerts.database import CONNECT_S
from alerts.keeping import Keeper, Moved
from pipeline.effects import Effects
from pipeline.errors import StoreUnavailable

CHANNEL = "forewarn"
"""What PostgreSQL's listeners listen to; the message is `<log>-<partition>`."""
_NOTIFY = "SELECT pg_notify(%s, %s)"
_READ = 'SELECT "offset", digests FROM offsets WHERE log = %s AND partition = %s'
_SETTINGS = (
    # A writer that was frozen in the middle must not hold the row that its successor waits for.
    "-c idle_in_transaction_session_timeout=5s -c lock_timeout=8s -c statement_timeout=60s"
)
_CANNOT_NOW = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)


class PostgresWriter:
    """Applies frames; for one thread at a time."""

    def __init__(self, url: URL, *, durable: bool = True) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._options = _SETTINGS + ("" if durable else " -c synchronous_commit=off")
        self._keeper = Keeper(is_sqlite=False)
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._unsure: Moved | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def apply(self, moved: Moved, after: int | None, all_effects: Sequence[Effects]) -> bool:
        """Keep effects and offset; False when the offset was not the one expected. Raises StoreUnavailable."""
        with self._lock, self._translated():
            unsure, self._unsure = self._unsure, None
            if self._kept(moved, after, all_effects):
                return True
            # The answer to our own commit may have been lost with the connection.
            return unsure == moved and self._is_there(moved)

    def _kept(self, moved: Moved, after: int | None, all_effects: Sequence[Effects]) -> bool:
        connection = self._connected()
        more = sum(len(effects.transitions) for effects in all_effects)
        with connection.pipeline(), connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(*self._keeper.move(moved, after, more))
            found = cursor.fetchone()
            if found is None:
                cursor.execute("ROLLBACK")
                return False
            for statement, rows in self._keeper.rows(moved, found[0] - more, all_effects):
                cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
            if more or any(effects.verdicts for effects in all_effects):
                cursor.execute(_NOTIFY, (CHANNEL, f"{moved.log}-{moved.partition}"))
            # After one that failed the server skips all that follows, the commit too.
            self._unsure = moved
            cursor.execute("COMMIT")
        self._unsure = None
        return True

    def _is_there(self, moved: Moved) -> bool:
        connection = self._connected()
        row = connection.execute(_READ, (moved.log, moved.partition)).fetchone()
        return row == (moved.offset, moved.digests)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._dsn,
                # Transactions begin where we say so: the driver's own BEGIN would be a round trip more.
                autocommit=True,
                connect_timeout=CONNECT_S,
                application_name="forewarn-writer",
                options=self._options,
            )
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # Whatever state it is in, the next one begins with a fresh connection.
            self.close()
            if isinstance(error, _CANNOT_NOW):
                raise StoreUnavailable(str(error).strip() or type(error).__name__) from error
            raise
