"""Changes from the engine's thread to readers on event loops: bounded queues, and a plain end for who is too slow."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from console.api.ports import Change, Overflow

BOUND = 512
"""Changes that may wait for one reader."""


class LiveSubscription:
    """Changes for one reader, from the moment it subscribed."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue(BOUND)
        self._overflowed = False
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Changes in order of commit; raises Overflow when this reader fell behind, ends when the site stops."""
        while not self._closed:
            change = await self._queue.get()
            if change is None:
                break
            yield change
        if self._overflowed:
            raise Overflow

    def close(self) -> None:
        """End the iteration and let go of the queue."""
        self._hub.leave(self)
        self._end()

    def put(self, change: Change | None) -> None:
        """On the reader's own loop: queue a change; None ends the iteration."""
        if change is None:
            self._end()
            return
        try:
            self._queue.put_nowait(change)
        except asyncio.QueueFull:
            self._overflowed = True
            self._hub.leave(self)
            self._end()

    def _end(self) -> None:
        self._closed = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class Hub:
    """Hands every change to every subscription; also the count of transitions by partition of a log."""

    def __init__(self, cursor: Mapping[str, int]) -> None:
        self.observe: Callable[[float], None] = lambda seconds: None
        """Told how long each change took from its commit to the queues of its readers."""
        self.observe_told: Callable[[float], None] = lambda seconds: None
        """Told how long each change took from there until a browser's connection had taken it."""
        self._cursor = dict(cursor)
        self._lock = threading.Lock()
        self._readers: dict[asyncio.AbstractEventLoop, list[LiveSubscription]] = {}

    @property
    def readers(self) -> int:
        """Subscriptions that are open."""
        with self._lock:
            return sum(map(len, self._readers.values()))

    def cursor(self) -> dict[str, int]:
        """Number of transitions by `<log>-<partition>`."""
        with self._lock:
            return dict(self._cursor)

    def subscribe(self) -> LiveSubscription:
        """Changes from now on, for a reader on the running event loop."""
        subscription = LiveSubscription(self)
        with self._lock:
            self._readers.setdefault(asyncio.get_running_loop(), []).append(subscription)
        return subscription

    def leave(self, subscription: LiveSubscription) -> None:
        """Hand this subscription nothing more."""
        with self._lock:
            for loop, readers in list(self._readers.items()):
                if subscription in readers:
                    readers.remove(subscription)
                    if not readers:
                        del self._readers[loop]

    def publish(self, log: str, transitions: Sequence[dict[str, Any]], at: int) -> None:
        """After a store commit, from the thread that made it; without transitions nothing changed."""
        if not transitions:
            return
        with self._lock:
            self._cursor[log] = self._cursor.get(log, 0) + len(transitions)
            change = Change(dict(self._cursor), tuple(transitions), at)
            self._hand(change)

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            self._hand(None)
            self._readers.clear()

    def _hand(self, change: Change | None) -> None:
        for loop, readers in self._readers.items():
            # A loop that has closed takes its readers with it.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._distribute, tuple(readers), change, time.perf_counter())

    def _distribute(self, readers: Sequence[LiveSubscription], change: Change | None, since: float) -> None:
        for reader in readers:
            reader.put(change)
        self.observe(time.perf_counter() - since)
