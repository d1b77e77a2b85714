"""PostgreSQL's word that a partition has something new: one connection of its own, which listens and asks nothing."""

from types import TracebackType

import psycopg

from alerts.database import CONNECT_S, database_url
from alerts.postgres import CHANNEL
from pipeline.errors import StoreUnavailable


class Listener:
    """Hears of changed partitions from its opening on. Raises StoreUnavailable, after which a new one is needed."""

    def __init__(self, address: str) -> None:
        url = database_url(address).set(drivername="postgresql")
        try:
            self._connection = psycopg.connect(
                url.render_as_string(hide_password=False),
                autocommit=True,
                connect_timeout=CONNECT_S,
                application_name="forewarn listener",
                # A server that went away without a word is noticed.
                keepalives_idle=5, keepalives_interval=2, keepalives_count=2,
            )  # fmt: skip
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as error:
            raise StoreUnavailable(str(error).strip()) from error

    def __enter__(self) -> "Listener":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connection."""
        self._connection.close()

    def wait(self, seconds: float) -> set[str]:
        """What was named until now, as `<log>-<partition>`; waits for the first word."""
        try:
            found = {notice.payload for notice in self._connection.notifies(timeout=seconds, stop_after=1)}
            if found:
                found |= {notice.payload for notice in self._connection.notifies(timeout=0)}
        except psycopg.Error as error:
            raise StoreUnavailable(str(error).strip()) from error
        return found
