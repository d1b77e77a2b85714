"""Changes to many browsers: each is rendered once, filtered by scope, and queued for those who may see it."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from alerts.database import CANNOT_ASK
from alerts.names import rfc3339
from alerts.queue import Scope
from console.api.ports import Change, Overflow
from console.api.room import Room
from console.api.rows import cursor_text
from console.api.source_words import source_infos


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how much.

    beat_s : between signs of life. check_s : between looks at the session; a revoked one ends within 5 s. sources_s :
    between looks at the sources; sources_fresh_s : after which their counts are sent though no state changed.
    most_rows : of one event; more are a reason for a snapshot. waiting : events that may wait for one browser.
    streams : open at once.
    """

    beat_s: float = 10.0
    check_s: float = 2.0
    sources_s: float = 2.0
    sources_fresh_s: float = 10.0
    most_rows: int = 500
    waiting: int = 256
    streams: int = 200


class Rendered(NamedTuple):
    """One row and where it belongs."""

    place: int
    row: dict[str, Any]


def event(name: str, body: Any, id: str = "") -> bytes:
    """A server-sent event."""
    head = f"id: {id}\n" if id else ""
    return b"%sevent: %s\ndata: %s\n\n" % (head.encode(), name.encode(), orjson.dumps(body))


class Reader:
    """One browser's place in the hub: events as bytes; None ends the stream."""

    def __init__(self, scope: Scope, waiting: int) -> None:
        self.scope = scope
        self._most = waiting
        self.queue: asyncio.Queue[tuple[bytes | None, float]] = asyncio.Queue()
        self.is_behind = False
        self.since = 0.0
        """When the change of the event that was read last came in (monotonic seconds); 0 where it tells none."""

    def put(self, data: bytes, since: float = 0.0) -> None:
        """Queue an event; who is too slow gets one `reset` in place of all that waits."""
        if self.is_behind:
            return
        if self.queue.qsize() >= self._most:
            self.is_behind = True
            while not self.queue.empty():
                self.queue.get_nowait()
            data = event("reset", {})
        self.queue.put_nowait((data, since))

    def end(self) -> None:
        """No more events."""
        self.queue.put_nowait((None, 0.0))

    async def next(self, timeout_s: float) -> bytes | None:
        """The next event, b"" when none came in time, None at the end."""
        with contextlib.suppress(TimeoutError):
            data, self.since = await asyncio.wait_for(self.queue.get(), timeout_s)
            # All that waited has been read: what comes from now on is in order again, after the snapshot.
            self.is_behind = self.is_behind and not self.queue.empty()
            return data
        return b""


class Hub:
    """One task reads the site's changes for all browsers; another looks at the sources."""

    def __init__(self, room: Room, pace: Pace) -> None:
        self._room, self.pace = room, pace
        self._readers: set[Reader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = ThreadPoolExecutor(1, "hub")
        self._sources: list[dict[str, Any]] = []

    @property
    def readers(self) -> int:
        """Open streams."""
        return len(self._readers)

    def join(self, scope: Scope) -> Reader:
        """A place for one browser; changes from now on. The first one starts the tasks."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._changes()), asyncio.create_task(self._watch())]
        reader = Reader(scope, self.pace.waiting)
        self._readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """Give the place back."""
        self._readers.discard(reader)

    async def close(self) -> None:
        """End all streams and tasks."""
        for reader in self._readers:
            reader.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def missed(self, scope: Scope, seen: Mapping[str, int], now: Mapping[str, int]) -> bytes:
        """One event with all that changed between two cursors, or a `reset` where that is too much."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._missed, scope, dict(seen), dict(now))

    def _missed(self, scope: Scope, seen: dict[str, int], now: dict[str, int]) -> bytes:
        rows: dict[str, dict[str, Any]] = {}
        for partition in now:
            log, _, number = partition.rpartition("-")
            found = self._room.queue.since(scope, log, int(number), seen.get(partition, 0), self.pace.most_rows * 4)
            if found is None:
                return event("reset", {})
            rows |= {row["id"]: row for row in found}
        if any(number for partition, number in seen.items() if partition not in now) or len(rows) > self.pace.most_rows:
            return event("reset", {})
        cursor = cursor_text(now)
        body = {
            "rows": self._room.rows(scope, list(rows.values())),
            "counts": self._room.counts(scope, cursor),
            "cursor": cursor,
            "at": rfc3339(self._room.site.now()),
        }
        return event("changes", body, cursor)

    # the tasks -------------------------------------------------------------------------------------------------------

    async def _changes(self) -> None:
        while True:
            subscription = self._room.site.subscribe()
            try:
                async for change in subscription:
                    if self._readers:
                        await self._tell(change)
                return
            except (Overflow, *CANNOT_ASK):
                # What was missed is in the next snapshot, whenever that can be taken.
                for reader in self._readers:
                    reader.put(event("reset", {}))
            finally:
                subscription.close()

    async def _tell(self, change: Change) -> None:
        since = time.perf_counter()
        readers = list(self._readers)
        scopes = {id(reader.scope): reader.scope for reader in readers}
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(self._thread, self._render, change, list(scopes.values()))
        for reader in readers:
            reader.put(told[id(reader.scope)], since)

    def _render(self, change: Change, scopes: Sequence[Scope]) -> dict[int, bytes]:
        """The event for each scope; every row is rendered once."""
        newest = {each["warning"]: each for each in change.transitions}
        cursor, at = cursor_text(change.cursor), rfc3339(change.at)
        room = self._room
        if len(newest) > self.pace.most_rows:
            return {id(scope): event("reset", {}) for scope in scopes}
        # For all scopes at once, hence without one; the filter by place follows.
        rows = room.queue.rows(None, list(newest))
        fresh = {(each["warning"], each["number"]): each for each in change.transitions}
        rendered = [Rendered(raw["place"], row) for raw, row in zip(rows, room.rows(None, rows, fresh), strict=True)]
        out = {}
        for scope in scopes:
            seen = [each.row for each in rendered if scope is None or each.place in scope]
            body = {"rows": seen, "counts": room.counts(scope, cursor), "cursor": cursor, "at": at}
            out[id(scope)] = event("changes", body, cursor)
        return out

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        states: dict[str, str] = {}
        sent = 0.0
        while True:
            infos = self._source_infos() if self._readers else None
            if infos is not None:
                found = {info["name"]: info["state"] for info in infos}
                is_old = loop.time() - sent >= self.pace.sources_fresh_s and infos != self._sources
                if (states and found != states) or is_old:
                    sent, self._sources = loop.time(), infos
                    for reader in self._readers:
                        reader.put(event("sources", infos))
                states = found
            await asyncio.sleep(self.pace.sources_s)

    def _source_infos(self) -> list[dict[str, Any]] | None:
        with contextlib.suppress(*CANNOT_ASK):
            return source_infos(self._room.site.sources(), self._room.view)
        return None
