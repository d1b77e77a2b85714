"""The door: requests wait here by source, and one thread prepares them, always for the source that had least of it.

So a source that sends rubbish, or much, spends its own turns: the others get theirs. Small requests of one source are
prepared together; a batch, or what a sender gave a name of its own, stays by itself, so that it is known again.
"""

import asyncio
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from hashlib import blake2b
from itertools import accumulate
from typing import Any, Protocol

from connectors.intake_http import Accepted, NotNow
from pipeline.errors import Refused
from pipeline.frame import MAX_ENTRIES
from runners.clock import Clock
from runners.live.commit import batch_key
from runners.live.room import Room
from runners.live.sources import LiveSource, Part
from runners.live.work import Group, Outcome, Post, answer

SLICE_BYTES = 512 << 10
"""Of records that are prepared in one turn."""
FAIR_S = 1.0
"""How much preparing time a source that slept may be behind the others when it comes back."""


class Cursors(Protocol):
    """How far pulled sources were read."""

    def position(self, source: str) -> int:
        """How far a source was read; 0 at first."""
        ...

    def forget_cursor(self, source: str) -> None:
        """A source that was read to its end."""
        ...


class Kept(Protocol):
    """Where that is kept."""

    @property
    def logs(self) -> Cursors:
        """For the taker's own thread."""
        ...


class Taker(Protocol):
    """What stands behind the door: an engine of one process, or a producer to brokers."""

    @property
    def site(self) -> Kept:
        """What only the taker's thread may use."""
        ...

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call on the taker's thread."""
        ...

    @property
    def clock(self) -> Clock:
        """By which records are looked at."""
        ...

    @property
    def room(self) -> Room:
        """What may wait; the taker frees it."""
        ...

    def check(self) -> None:
        """Raises NotNow while nothing can be taken in."""
        ...

    def offer(self, group: Group) -> None:
        """Take a prepared group, which counts against the room already; its posts are answered once it is durable."""
        ...


class LiveGate:
    """Implements connectors.intake_http.Gate in front of a taker."""

    def __init__(self, engine: Taker, sources: Mapping[str, LiveSource]) -> None:
        self.engine = engine
        self.observe: Callable[[float], None] = lambda seconds: None
        """Told how long each request waited until it was durable."""
        self.sources = dict(sources)
        self._waiting: dict[str, deque[Post]] = {}
        self._spent: dict[str, float] = {}
        self._wake = threading.Condition()
        self._count = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="intake")

    # the port ------------------------------------------------------------------------------------------------------

    def is_source(self, name: str) -> bool:
        """Whether such a source is configured and can be pushed to."""
        return name in self.sources and self.sources[name].is_pushed

    def secret(self, name: str) -> bytes | None:
        """What a source signs with; None for one that does not sign."""
        return self.sources[name].secret

    async def accept(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        key: str = "",
        indexes: Sequence[int] | None = None,
        refused: Sequence[tuple[int, Refused, bytes]] = (),
        is_batch: bool = False,
    ) -> Accepted:
        """Take records, durably. Raises NotNow, Full, OtherContent."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        post = self.post(source, records, _settling(future), key=key, indexes=indexes, is_batch=is_batch)
        post.loop = loop
        begun = time.perf_counter()
        self.put(post, refused)
        outcome = await future
        self.observe(time.perf_counter() - begun)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def post(
        self,
        source: str,
        records: Sequence[bytes],
        done: Callable[[Outcome], None],
        *,
        key: str = "",
        indexes: Sequence[int] | None = None,
        is_batch: bool = False,
    ) -> Post:
        """A request as it waits here."""
        own = list(records)
        post = Post(source, own, done, list(range(len(own)) if indexes is None else indexes), size=sum(map(len, own)))
        if key or is_batch:
            digest = blake2b(digest_size=16)
            for record in own:
                digest.update(len(record).to_bytes(8, "little") + record)
            post.content = digest.digest()
            post.key = batch_key(source, key, post.content)
        return post

    def put(self, post: Post, refused: Sequence[tuple[int, Refused, bytes]] = ()) -> None:
        """Let a request wait for its turn. Raises NotNow, Full."""
        self.engine.check()
        self.engine.room.take(post.source, len(post.records), post.size)
        with self._wake:
            if self._is_stopping:
                self.engine.room.free(post.source, len(post.records), post.size)
                raise NotNow("the site is stopping", 5.0)
            post.refused = list(refused)
            queue = self._waiting.get(post.source)
            if queue is None:
                queue = self._waiting[post.source] = deque()
            if not queue:
                least = min((self._spent[name] for name, other in self._waiting.items() if other), default=0.0)
                self._spent[post.source] = max(self._spent.get(post.source, 0.0), least - FAIR_S)
            queue.append(post)
            self._count += 1
            self._wake.notify()

    # the thread ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to prepare."""
        self._thread.start()

    def stop(self) -> None:
        """Prepare what waits, then end."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._count or self._is_stopping):
                    self._wake.wait()
                posts = self._turn()
                if not posts:
                    return
            begun = time.perf_counter()
            group = self._prepared(posts)
            self._spent[posts[0].source] += time.perf_counter() - begun
            if group is not None:
                self.engine.offer(group)

    def _turn(self) -> list[Post]:
        """The next posts of the source that had the least: a large one or one with a key alone, small ones together."""
        waiting = [name for name, queue in self._waiting.items() if queue]
        if not waiting:
            return []
        queue = self._waiting[min(waiting, key=self._spent.__getitem__)]
        posts = [queue.popleft()]
        records, size = len(posts[0].records), posts[0].size
        while queue and not posts[0].key and not queue[0].key:
            records, size = records + len(queue[0].records), size + queue[0].size
            if records > MAX_ENTRIES or size > SLICE_BYTES:
                break
            posts.append(queue.popleft())
        self._count -= len(posts)
        return posts

    def _prepared(self, posts: list[Post]) -> Group | None:
        """What these posts hold, ready for the log; None while a large one needs more turns."""
        source = self.sources.get(posts[0].source)
        if source is None:  # reloaded away while it waited
            for post in posts:
                self.engine.room.free(post.source, len(post.records), post.size)
            answer([(post, NotNow(f"{posts[0].source} is no longer configured", 60.0)) for post in posts])
            return None
        now = self.engine.clock.now()
        if len(posts) == 1:
            post = posts[0]
            end = _slice(post.records, post.reached)
            part = source.prepare(post.records[post.reached : end], now, post.reached)
            for letter in part.rejected:
                post.reject(letter, post.indexes[letter.position])
            post.parts.append(part)
            post.reached = end
            if end < len(post.records):
                with self._wake:
                    self._waiting[post.source].appendleft(post)
                    self._count += 1
                return None
            parts = post.parts
        else:
            parts = [self._together(source, posts, now)]
        for post in posts:
            letters = source.refuse(post.refused)
            for letter in letters:
                post.reject(letter, letter.position)
            if letters:
                parts.append(source.empty(letters))
        return Group(parts, posts)

    def _together(self, source: LiveSource, posts: Sequence[Post], now: int) -> Part:
        starts = [0, *accumulate(len(post.records) for post in posts)]
        part = source.prepare([record for post in posts for record in post.records], now)
        for letter in part.rejected:
            place = bisect_right(starts, letter.position) - 1
            posts[place].reject(letter, posts[place].indexes[letter.position - starts[place]])
        return part


def _slice(records: Sequence[bytes], begin: int) -> int:
    """Where to cut records so that what begins here is at most a frame of them, and not too large."""
    size = 0
    for end in range(begin, min(begin + MAX_ENTRIES, len(records))):
        size += len(records[end])
        if size > SLICE_BYTES and end > begin:
            return end
    return min(begin + MAX_ENTRIES, len(records))


def _settling(future: "asyncio.Future[Outcome]") -> Callable[[Outcome], None]:
    def done(outcome: Outcome) -> None:
        if not future.done():
            future.set_result(outcome)

    return done
