"""Digests of a cluster's store beside those of a replay of its logs by one process, each up to what the store has."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from alerts.database import Database, postgres_url
from alerts.register import PgRegister
from alerts.store import Store
from config.load import load_settings
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import ClusterLogs
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import fold_logs
from runners.questions import fingerprint

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Compared:
    """By `<log>-<partition>`: the offset that the store has, its digests, and those of the replay ({}: pruned)."""

    offsets: dict[str, int]
    stored: dict[str, dict[str, str]]
    replayed: dict[str, dict[str, str]]
    fingerprint: dict[str, object]

    @property
    def is_equal(self) -> bool:
        """Whether every log that could be replayed gave what the store has."""
        return all(self.stored[name] == told for name, told in self.replayed.items() if told)


def compare(config: Path, progress: Callable[[int], None] | None = None) -> Compared:
    """Fold a cluster's logs again; workers may go on meanwhile. Raises StoreUnavailable, LogUnavailable."""
    settings = load_settings(config)
    address = postgres_url(settings.postgres.url)
    with ExitStack() as stack:
        database = Database(address)
        stack.callback(database.close)
        store = Store(address, readonly=True)
        stack.callback(store.close)
        logs = ClusterLogs(KafkaLog(settings.kafka, config.parent, base=PgRegister(database).base), database)
        stack.callback(logs.close)
        applied = {place: found for place in logs.partitions() if (found := store.applied(*place)) is not None}
        upto = _UpTo(logs, {place: found.offset for place, found in applied.items()})
        replayed = fold_logs(upto, ModelTable(database), progress=progress)
    names = {place: f"{place[0]}-{place[1]}" for place in applied}
    return Compared(
        offsets={names[place]: found.offset for place, found in applied.items()},
        stored={names[place]: dict(found.digests) for place, found in applied.items()},
        replayed={name: replayed.digests.get(name, {}) for name in names.values()},
        fingerprint=fingerprint(),
    )


class _UpTo:
    """Logs that end where the store is."""

    def __init__(self, logs: ClusterLogs, ends: dict[Place, int]) -> None:
        self._logs, self._ends = logs, ends

    def partitions(self) -> list[Place]:
        """What the store has anything of."""
        return sorted(self._ends)

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames up to what the store has."""
        end = self._ends[log, partition]
        return self._logs.read(log, partition, after, end if until is None else min(until, end))

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame."""
        return self._logs.frame(log, partition, offset)

    def names_of(self, kind: str) -> dict[int, str]:
        """Codes with their names of one kind."""
        return self._logs.names_of(kind)
