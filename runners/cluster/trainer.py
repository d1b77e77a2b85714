"""The trainer of a cluster: whoever holds the lease `trainer` asks, and enters each model into every partition.

A part of a worker or a server that it starts. A second one stands by: it takes the lease once that has ended, and goes
on from the lessons in the store. One that wakes up after that finds its number outdated and changes nothing.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from alerts.leases import Leases
from alerts.lessons import FencedLessons, LeaseLost
from alerts.store import Lesson, Store
from pipeline.errors import LogUnavailable, StoreUnavailable
from pipeline.frame import Kind, frame_of_others
from runners.teacher import InForce, State, Teacher

log = structlog.get_logger("forewarn")
LEASE = "trainer"
LEASE_S = 10.0
LOOK_S = 1.0


class ModelLogs(Protocol):
    """What is needed of a cluster's logs."""

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Offset of the first of these frames, which are durable then."""
        ...

    def position(self, source: str) -> int:
        """What is kept under a name, 0 for nothing."""
        ...

    def advance(self, source: str, position: int) -> None:
        """Keep a higher number under a name."""
        ...


class ClusterTrainer:
    """One thread that takes the lease, or waits for it.

    Parameters
    ----------
    store, leases, logs : of the cluster. url : of its database, for the trainer's process.
    partitions : of the signals log. in_force : settings and rules. holder : name of this process, told to others.
    clock : wall (µs UTC), by which entries are stamped.
    """

    def __init__(
        self, store: Store, leases: Leases, logs: ModelLogs, in_force: InForce, *,
        url: str, partitions: int, holder: str, clock: Callable[[], int],
        lease_s: float = LEASE_S, look_s: float = LOOK_S,
    ) -> None:  # fmt: skip
        self._store, self._leases, self._logs, self._in_force = store, leases, logs, in_force
        self._url, self._partitions, self._holder, self._clock = url, partitions, holder, clock
        self._lease_s, self._look_s = lease_s, look_s
        self._wake, self._is_stopping = threading.Event(), False
        self._token: int | None = None
        self._renewed = 0.0
        self._school: _ClusterSchool | None = None
        self._teacher: Teacher | None = None
        self._thread = threading.Thread(target=self._run, name="teacher")

    def start(self) -> None:
        """Begin to take the lease, or to wait for it."""
        self._thread.start()

    def stop(self) -> None:
        """End the process and let go of the lease."""
        self._is_stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def state(self) -> State:
        """What it does now."""
        teacher = self._teacher
        return "standby" if teacher is None else teacher.state

    def pid(self) -> int | None:
        """The trainer's process, None while there is none."""
        teacher = self._teacher
        return None if teacher is None else teacher.pid()

    def figures(self) -> Mapping[str, int]:
        """Lessons given, and the log time of the last one; nothing while it stands by."""
        teacher = self._teacher
        return {} if teacher is None else teacher.figures()

    # the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                try:
                    self._turn()
                except LeaseLost as lost:
                    log.warning("trainer stands by", reason=str(lost))
                    self._resign()
                except (StoreUnavailable, LogUnavailable) as error:
                    log.warning("trainer waits", error=str(error))
                self._wake.wait(self._look_s)
                self._wake.clear()
        finally:
            token = self._token
            self._resign()
            if token is not None:
                self._let_go(token)

    def _turn(self) -> None:
        if not self._holds():
            return
        if self._teacher is None:
            assert self._token is not None
            lessons = FencedLessons(self._store, LEASE, self._token, self._partitions)
            self._school = _ClusterSchool(self._store, lessons, self._url, self._wake.set)
            self._teacher = Teacher(self._school, self._in_force, time.monotonic)
        assert self._school is not None
        now = self._school.lessons.lowest_now()
        if now:
            self._teacher.look(now)
        if self._school.unpublished is not None and self._holds():
            self._publish(self._school.unpublished)
            self._school.unpublished = None

    def _holds(self) -> bool:
        """Whether the lease is ours; taken when it is free, renewed in time."""
        now = time.monotonic()
        if self._token is None:
            self._token = self._leases.take(LEASE, self._holder, self._lease_s)
            if self._token is not None:
                log.info("trainer takes over", holder=self._holder)
        elif now - self._renewed > self._lease_s / 3:
            if not self._leases.renew(LEASE, self._token, self._lease_s):
                raise LeaseLost(f"another process holds the lease {LEASE}")
        else:
            return True
        self._renewed = now
        return self._token is not None

    def _publish(self, lesson: Lesson) -> None:
        """Enter a model into every partition that lacks it; repeated, it changes nothing there."""
        for partition in range(self._partitions):
            mark = f"model@{partition}"
            if self._logs.position(mark) < lesson.id:
                entry = (Kind.MODEL, self._clock(), {"sha256": lesson.result, "version": lesson.id})
                self._logs.append("signals", partition, [frame_of_others([entry]).to_bytes()])
                self._logs.advance(mark, lesson.id)

    def _resign(self) -> None:
        teacher, self._teacher, self._school, self._token = self._teacher, None, None, None
        if teacher is not None:
            teacher.close()

    def _let_go(self, token: int) -> None:
        try:
            self._leases.release(LEASE, token)
        except StoreUnavailable as error:
            log.warning("lease ends by itself", lease=LEASE, error=str(error))


class _ClusterSchool:
    """Implements runners.teacher.School for a cluster; `unpublished` is for the thread to enter into the logs."""

    def __init__(self, store: Store, lessons: FencedLessons, place: str, wake: Callable[[], None]) -> None:
        self.lessons, self.place, self.wake = lessons, place, wake
        self._store = store
        self.unpublished: Lesson | None = None

    def last(self) -> Lesson | None:
        """The newest lesson, whoever gave it."""
        return self.lessons.last()

    def marks(self) -> tuple[int, int]:
        """Ids up to which nothing can be committed any more."""
        return self._store.marks()

    def fresh(self, after: int, until: int) -> int:
        """How many labels there are between two ids."""
        return self.lessons.fresh(after, until)

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Write a lesson down. Raises LeaseLost."""
        return self.lessons.ask(until, marks)

    def answer(self, lesson: Lesson, sha256: str) -> None:
        """Write its answer down. Raises LeaseLost."""
        self.lessons.answer(lesson, sha256)

    def publish(self, lesson: Lesson) -> None:
        """Have it entered after this turn, and again until every partition has it."""
        self.unpublished = lesson
