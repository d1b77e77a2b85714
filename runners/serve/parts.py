"""What one server of a cluster holds open: the logs, the register, the store's database, and who it is among others."""

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from alerts.database import Database, postgres_url
from alerts.leases import Leases
from alerts.news import News
from alerts.pledges import Pledges
from alerts.register import PgRegister
from config.settings import Settings
from runners.cluster.logs import ClusterLogs, Frames, shared_edge_key

CONNECTIONS = 8
LOGS = ("signals", "readings")
Log = tuple[str, int]
"""A log and one of its partitions."""


class ManyFrames(Frames, Protocol):
    """The logs' frames as a server writes them."""

    def append_many(self, frames: Sequence[tuple[str, int, bytes]]) -> list[int]:
        """Offset of each (log, partition, frame), sent together and durable. Raises LogUnavailable."""
        ...

    def next_offsets(self) -> dict[tuple[str, int], int]:
        """The offset that the next frame of every (log, partition) will have. Raises LogUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a server asks and writes; for any number of threads.

    `key`: of the edge, the same for all servers. `holder`: this process, as leases and pledges name it.
    `partitions`: of the signals log and of the readings log; the site log has one.
    """

    address: str
    database: Database
    frames: ManyFrames
    logs: ClusterLogs
    news: News
    pledges: Pledges
    leases: Leases
    beside: Database
    """For the leases: what they say may be part of no other transaction."""
    key: bytes
    holder: str
    partitions: int

    def every_log(self) -> list[Log]:
        """All partitions of all logs."""
        return [(log, number) for log in LOGS for number in range(self.partitions)] + [("site", 0)]

    def close(self) -> None:
        """Let go of brokers and database."""
        try:
            self.logs.close()
        finally:
            self.beside.close()
            self.database.close()


Base = Callable[[str, int], int]
"""Logical offset of the first record of a log's topic; it never changes."""


def open_parts(settings: Settings, frames: Callable[[Base], ManyFrames]) -> Parts:
    """Open them; `frames` makes the logs' frames, given where each begins. Raises StoreUnavailable, LogUnavailable."""
    address = postgres_url(settings.postgres.url)
    prepare(address)
    database = Database(address, connections=CONNECTIONS)
    beside = Database(address, connections=2)
    try:
        own = frames(cache(PgRegister(database).base))
        logs = ClusterLogs(own, database)
        return Parts(
            address=address,
            database=database,
            frames=own,
            logs=logs,
            news=News(database),
            pledges=Pledges(database),
            leases=Leases(beside),
            beside=beside,
            key=shared_edge_key(logs),
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            partitions=settings.partition_count,
        )
    except BaseException:
        beside.close()
        database.close()
        raise


def prepare(address: Any) -> None:
    """Bring the store's tables up to this version."""
    from alerts.store import Store

    Store(address).close()
