"""The logs of a cluster: frames in Kafka, everything beside them in the register in PostgreSQL.

It has what `runners.log_sqlite.Logs` has, so folds, replay and explanations take either. Two things differ. Frames are
durable one by one, as `append` returns; `transaction` holds the register's part alone, so who writes both writes first
what must stand before the frame. And other processes append too: an offset that was asked for is not reserved.
"""

import secrets
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol

from alerts.database import Database
from alerts.register import PgRegister
from runners.register import Memory

EDGE_KEY = "edge_key"
"""Under this name a register keeps the key with which all servers hash texts."""


class Frames(Protocol):
    """Where the frames of every log are; offsets are logical ones."""

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Offset of the first of these frames, which are durable then. Raises LogUnavailable."""
        ...

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` (and up to `until`), to the end as it is now. Raises LogGap."""
        ...

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame by its offset, or None when it is not kept any more."""
        ...

    def next_offset(self, log: str, partition: int) -> int:
        """The offset that the next frame will have, if nobody else appends before."""
        ...

    def partitions(self) -> list[tuple[str, int]]:
        """Every (log, partition) that holds frames, sorted."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class ClusterLogs(PgRegister):
    """Frames and register of one cluster, for any number of threads; closes both.

    Parameters
    ----------
    frames : of all logs. address : of the database, or connections to it, which then are the caller's to close.
    """

    clock = "wall"
    is_wall = True

    def __init__(self, frames: Frames, address: str | Database) -> None:
        super().__init__(address)
        self.frames = frames

    def __enter__(self) -> "ClusterLogs":
        """The logs themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of Kafka and of the database."""
        self.close()

    def close(self) -> None:
        """Let go of Kafka and of the database."""
        try:
            self.frames.close()
        finally:
            super().close()

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Offset of the first of these frames, appended in order and durable. Raises LogUnavailable."""
        return self.frames.append(log, partition, frames)

    def next_offset(self, log: str, partition: int) -> int:
        """The offset that the next frame will have, if nobody else appends before."""
        return self.frames.next_offset(log, partition)

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` (and up to `until`), in order. Raises LogGap."""
        return self.frames.read(log, partition, after, until)

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame by its offset, or None when it was pruned."""
        return self.frames.frame(log, partition, offset)

    def partitions(self) -> list[tuple[str, int]]:
        """Every (log, partition) that holds frames, sorted."""
        return self.frames.partitions()


def shared_edge_key(register: Memory) -> bytes:
    """The key of a cluster's edge: made once, the same for all its servers, so that they hash a text alike."""
    return bytes.fromhex(register.remember_first(EDGE_KEY, secrets.token_hex(32)))
