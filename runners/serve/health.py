"""Whether a cluster takes work and moves: looked at once a second, answered from memory.

Lag is what stands in a log behind what the store has of it. A worker that owns nothing, or none at all, is seen so.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.errors import ForewarnError, LogUnavailable, StoreUnavailable
from pipeline.frame import Frame
from runners.clock import Clock
from runners.serve.parts import Log, Parts
from runners.serve.thread import Failed, thread

LOOK_S = 1.0
QUIET_S = 0.5
"""A frame that is not folded after so long counts with its age; before that the look was merely in between."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. `brokers`, `database`: what is wrong with them, '' for nothing.

    `ends`: the next offset of each log; `lag`: frames that are not folded; `lag_us`: the age of the oldest.
    """

    brokers: str = ""
    database: str = ""
    ends: dict[Log, int] = field(default_factory=dict)
    lag: dict[Log, int] = field(default_factory=dict)
    lag_us: int = 0

    @property
    def trouble(self) -> str:
        """Why nothing can be taken in, '' for nothing."""
        return self.brokers or self.database


class Health:
    """Looks on a thread of its own; `beside` is called with every look, on that thread."""

    def __init__(self, parts: Parts, clock: Clock, beside: Callable[[], None], failed: Failed) -> None:
        self._parts, self._clock, self._beside = parts, clock, beside
        self.seen = Seen(brokers="the brokers were not asked yet")
        self._first_seen: dict[tuple[Log, int], tuple[float, int]] = {}
        self._stop = threading.Event()
        self._thread = thread("health", self._run, failed)

    def start(self) -> None:
        """Look, and go on looking."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop.wait(LOOK_S):
                return

    def look(self) -> None:
        """One look."""
        brokers = database = ""
        ends = dict(self.seen.ends)
        try:
            ends = self._parts.frames.next_offsets()
        except LogUnavailable as error:
            brokers = str(error)
        lag = dict(self.seen.lag)
        lag_us = self.seen.lag_us
        try:
            reached = self._parts.news.reached()
            folded = {log: reached[log].offset if log in reached else -1 for log in ends}
            lag = {log: max(0, end - 1 - folded[log]) for log, end in ends.items()}
            lag_us = max((self._age(log, folded[log] + 1) for log, count in lag.items() if count), default=0)
        except StoreUnavailable as error:
            database = f"the database cannot be reached: {error}"
        except LogUnavailable as error:
            brokers = str(error)
        self.seen = Seen(brokers, database, ends, lag, lag_us)
        if not database:
            with suppress(StoreUnavailable):  # the next look says so
                self._beside()
        waiting = {(log, folded) for log, folded in self._first_seen if lag.get(log)}
        self._first_seen = {key: seen for key, seen in self._first_seen.items() if key in waiting}

    def _age(self, log: Log, offset: int) -> int:
        """Age of a frame that is not folded (µs of log time); nought where it was not there at the last look."""
        first = self._first_seen.setdefault((log, offset), (time.monotonic(), 0))
        if time.monotonic() - first[0] < QUIET_S:
            return 0
        if not first[1]:
            first = self._first_seen[log, offset] = (first[0], self._stamped(log, offset))
        return max(0, self._clock.now() - first[1])

    def _stamped(self, log: Log, offset: int) -> int:
        try:
            body = self._parts.frames.frame(*log, offset)
            if body is not None:
                return int(Frame.from_bytes(body, offset).now[0])
        except LogUnavailable:
            raise
        except ForewarnError:
            pass  # a frame that cannot be read waits all the same
        return self._clock.now() - round(LOOK_S * 1_000_000 * self._clock.speed)
