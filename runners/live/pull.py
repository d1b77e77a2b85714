"""What every pulled source shares: its records go through the gate until they are durable, and rubbish pauses it."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from connectors.file_drop import Item
from connectors.intake_http import Accepted, NotNow
from runners.live.gate import LiveGate
from runners.live.sources import LiveSource
from runners.live.work import Outcome

WATCHED = 1_000
BAD_SHARE = 0.2
"""Of the last `WATCHED` records: beyond it a source is paused until its configuration is read anew."""
AGAIN_S = 1.0

Cursor = tuple[str, int]
"""Under which name it is kept how far a source was read, and how far that is."""


class Door(Protocol):
    """Where pulled records go in. Raises NotNow."""

    @property
    def sources(self) -> Mapping[str, LiveSource]:
        """The sources of the configuration in force; others after a reload."""
        ...

    def position(self, cursor: str) -> int:
        """What is kept under a cursor, 0 for nothing."""
        ...

    def forget(self, cursor: str) -> None:
        """Keep nothing under a cursor any more."""
        ...

    def take(self, source: str, items: Sequence[Item], cursor: Cursor) -> Accepted | Exception:
        """Let records in; returns when they are durable, with the cursor, or with why they are not."""
        ...


class GateDoor:
    """The door of a site with a gate: embedded, or a server of a cluster."""

    def __init__(self, gate: LiveGate) -> None:
        self._gate = gate

    @property
    def sources(self) -> Mapping[str, LiveSource]:
        """The sources of the configuration in force."""
        return self._gate.sources

    def position(self, cursor: str) -> int:
        """What is kept under a cursor."""
        taker = self._gate.engine
        return int(taker.call(lambda: taker.site.logs.position(cursor)).result())

    def forget(self, cursor: str) -> None:
        """Keep nothing under a cursor any more."""
        taker = self._gate.engine
        taker.call(lambda: taker.site.logs.forget_cursor(cursor)).result()

    def take(self, source: str, items: Sequence[Item], cursor: Cursor) -> Accepted | Exception:
        """Let records in as one request, and wait."""
        done = threading.Event()
        outcome: list[Outcome] = []

        def told(came: Outcome) -> None:
            outcome.append(came)
            done.set()

        records, indexes, refused = [], [], []
        for index, item in enumerate(items):
            if isinstance(item, bytes):
                records.append(item)
                indexes.append(index)
            else:
                refused.append((index, item[0], item[1]))
        post = self._gate.post(source, records, told, indexes=indexes)
        post.cursor = cursor
        self._gate.put(post, refused)
        done.wait()
        return outcome[0]


def put(door: Door, source: str, items: Sequence[Item], cursor: Cursor, stop: threading.Event) -> Accepted | None:
    """Hand records to a door until they are durable, however long it is full; None when asked to stop."""
    while not stop.is_set():
        try:
            outcome = door.take(source, items, cursor)
        except NotNow as full:
            outcome = full
        if isinstance(outcome, Accepted):
            return outcome
        stop.wait(outcome.retry_after_s if isinstance(outcome, NotNow) else AGAIN_S)
    return None


class Watch:
    """The last `WATCHED` records of one source, and how many of them were rejected."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, int]] = deque()
        self._count = self._rejected = 0

    def is_bad(self, records: int, rejected: int) -> bool:
        """Add a piece; whether too much of the latest was rejected."""
        self._pieces.append((records, rejected))
        self._count, self._rejected = self._count + records, self._rejected + rejected
        while self._count - self._pieces[0][0] >= WATCHED:
            gone = self._pieces.popleft()
            self._count, self._rejected = self._count - gone[0], self._rejected - gone[1]
        return self._count >= WATCHED and self._rejected > BAD_SHARE * self._count
