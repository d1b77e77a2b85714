"""A server's way in: one thread gathers what the gate prepared and writes it to brokers and register, then answers.

A turn takes whatever waits. At rest it begins at once; under load it begins 50 ms after the first that waits, with
1,000 entries or 1 MiB, and at once for an emergency: every frame costs a worker a transaction.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import structlog

from config.settings import Settings
from connectors.intake_http import NotNow
from pipeline.errors import LogUnavailable, StoreUnavailable
from pipeline.frame import MAX_BYTES, MAX_ENTRIES
from runners.clock import Clock
from runners.live.commit import LetterBudget
from runners.live.inbox import STOPPING
from runners.live.room import Room
from runners.live.work import Group, answer
from runners.serve.aim import Aim
from runners.serve.parts import Log, Parts
from runners.serve.write import RETRY_S, Write

log = structlog.get_logger("forewarn")
GATHER_S = 0.05
NO_STORE = "the database cannot be reached: nothing can be taken in until it answers"


class Intake:
    """Stands behind the gate of a cluster's server (runners.live.gate.Taker).

    `trouble`: asked before anything is let in; why nothing can be written now, '' for nothing. `failed`: what ended
    the thread, if anything did.
    """

    def __init__(self, parts: Parts, aim: Aim, clock: Clock, trouble: Callable[[], str]) -> None:
        self.site = parts
        self.clock, self.room = clock, Room()
        self.failed: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self.watchers: list[Any] = []
        """Of folded frames: there are none here, workers fold."""
        self._aim, self._trouble = aim, trouble
        self._budget = LetterBudget()
        self._ends: dict[Log, int] = {}
        self._condition = threading.Condition()
        self._groups: list[Group] = []
        self._since = self._begun = 0.0
        self._is_urgent = self._is_stopping = False
        self._follows: Settings | None = None
        self._heard: dict[str, int] = {}
        self._names: dict[int, tuple[str, str]] = {}
        """Names are told once: those of a turn that failed are kept by the next."""
        self._now = 0
        self._calls = ThreadPoolExecutor(1, "cursors")
        self._thread = threading.Thread(target=self._run, name="producer")

    # for other threads ---------------------------------------------------------------------------------------------

    @property
    def trouble(self) -> str:
        """Why nothing can be written now."""
        return self._trouble()

    @property
    def is_running(self) -> bool:
        """Whether the thread works."""
        return self._thread.is_alive() and self.failed is None

    def fail(self, error: BaseException) -> None:
        """Take nothing more, because of an error elsewhere."""
        if self.failed is None and not self._is_stopping:
            self.failed = error
            self.on_end()

    def begin_at(self, ends: dict[Log, int]) -> None:
        """The last offset of each log as it is before `start`."""
        self._ends = dict(ends)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, write what was taken, and end; returns when it has."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._calls.shutdown()

    def check(self) -> None:
        """Raises NotNow while nothing can be taken in."""
        if self.failed is not None or self._is_stopping:
            raise NotNow(STOPPING, RETRY_S)
        if self.trouble:
            raise NotNow(self.trouble, RETRY_S)

    def offer(self, group: Group) -> None:
        """Take a prepared group; its posts are answered once it is durable."""
        with self._condition:
            if self.failed is None:
                self._since = self._since if self._groups else time.monotonic()
                self._groups.append(group)
                self._is_urgent |= any(part.is_emergency for part in group.parts)
                self._condition.notify()
                return
        self._refuse([group], NotNow(STOPPING, RETRY_S))

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call beside the intake; cursors of pulled sources are read and dropped so."""
        return self._calls.submit(call)

    def follow(self, settings: Settings) -> None:
        """Route by another configuration from the next turn on."""
        self._follows = settings

    def stamp(self) -> int:
        """Log time; from any thread."""
        return max(self.clock.now(), self._now)

    # the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while groups := self._gathered():
                self._turn(groups)
        except BaseException as error:
            self.failed = error
            raise
        finally:
            with self._condition:
                left, self._groups = self._groups, []
                self.failed = self.failed or (None if self._is_stopping else RuntimeError("the intake ended"))
            self._refuse(left, NotNow(STOPPING, RETRY_S))
            self.on_end()

    def _gathered(self) -> list[Group]:
        """What waits, once it is time; nothing when there will be nothing more."""
        with self._condition:
            while not self._is_due():
                if self._groups:
                    self._condition.wait(max(0.0005, self._since + GATHER_S - time.monotonic()))
                elif self._is_stopping:
                    return []
                else:
                    self._condition.wait()
            groups, self._groups = self._groups, []
            self._is_urgent = False
            self._begun = time.monotonic()
            return groups

    def _is_due(self) -> bool:
        if not self._groups:
            return False
        now = time.monotonic()
        if self._is_urgent or self._is_stopping or now - self._begun >= GATHER_S or now - self._since >= GATHER_S:
            return True
        entries = sum(part.count for group in self._groups for part in group.parts)
        return entries >= MAX_ENTRIES or sum(post.size for group in self._groups for post in group.posts) >= MAX_BYTES

    def _turn(self, groups: Sequence[Group]) -> None:
        self._now = now = self.stamp()
        write = Write(self.site, self._aim, self._budget, now, self._ends, self._names, self._heard)
        try:
            if self._follows is not None:
                self._aim.routing.follow(self._follows)
                self._follows = None
            write.run(groups)
        except (StoreUnavailable, LogUnavailable) as error:
            log.warning("nothing could be taken in", error=str(error))
            self._refuse(groups, NotNow(NO_STORE, RETRY_S))
            return
        if write.failed is not None:
            log.warning("frames were not acknowledged", error=str(write.failed))
        self._free(groups)
        answer(write.outcomes)

    def _refuse(self, groups: Sequence[Group], why: Exception) -> None:
        self._free(groups)
        answer([(post, why) for group in groups for post in group.posts])

    def _free(self, groups: Sequence[Group]) -> None:
        for post in (post for group in groups for post in group.posts):
            self.room.free(post.source, len(post.records), post.size)
