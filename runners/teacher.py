"""When a lesson is due, what it covers, and what becomes of its answer; the same for one process and for a cluster.

Every `publish_every_hours` of log time, and with at least `min_labels` new labels, a lesson goes out over the pipe. Its
answer comes back on a thread that only reads. A trainer that dies is started again and given the open lesson anew.
"""

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog

from alerts.store import Lesson
from config.settings import Settings
from pipeline.calendar import HOUR_US, MINUTE_US
from pipeline.errors import StoreUnavailable
from pipeline.rules import FoldRules
from runners.trainer import TrainerProcess, TrainerStoppedError

log = structlog.get_logger("forewarn")
ASK_AGAIN_US = 10 * MINUTE_US
"""When to look again where labels were too few."""
RESTART_S = 60.0
"""Pause before a trainer that died is started again."""

State = Literal["off", "waiting", "learning", "stopped", "standby"]
STATES: tuple[State, ...] = ("off", "waiting", "learning", "stopped", "standby")
Answer = tuple[int, str | None]
"""Number of the process that answered, and a sha256, '' for nothing; None: the process has ended."""
InForce = Callable[[], tuple[Settings, FoldRules]]


class School(Protocol):
    """Where a teacher finds what is learned from, and leaves what came of it."""

    @property
    def place(self) -> Path | str:
        """Data directory or database that the trainer's process opens."""
        ...

    def last(self) -> Lesson | None:
        """The newest lesson."""
        ...

    def marks(self) -> tuple[int, int]:
        """Ids up to which decisions and labels are complete."""
        ...

    def fresh(self, after: int, until: int) -> int:
        """How many labels have ids above one and up to another."""
        ...

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Write a lesson down."""
        ...

    def answer(self, lesson: Lesson, sha256: str) -> None:
        """Write its answer down. Raises OSError, StoreUnavailable when that must be tried again."""
        ...

    def publish(self, lesson: Lesson) -> None:
        """Have the model of an answered lesson entered into the log, unless it is there."""
        ...

    def wake(self) -> None:
        """An answer has come: have `look` called soon."""
        ...


class Teacher:
    """Asks, waits, answers; everything but reading answers happens on the thread that calls `look`."""

    def __init__(self, school: School, in_force: InForce, seconds: Callable[[], float]) -> None:
        self._school, self._in_force, self._seconds = school, in_force, seconds
        self.rests_s = RESTART_S
        self.state: State = "waiting"
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._process: TrainerProcess | None = None
        self._number = 0
        self._taught: tuple[Any, ...] = ()
        self._rests_until = 0.0
        self._next = 0
        self._is_sent = False
        self._unwritten: str | None = None
        """An answer that could not be written down yet."""
        self._last = school.last()
        if self._last is not None and self._last.result:
            school.publish(self._last)

    def look(self, now: int, *, is_writable: bool = True) -> None:
        """Take an answer that came; ask where it is time by log time `now` (µs UTC); start what died."""
        settings, rules = self._in_force()
        if not settings.learning.enabled or not rules.targets:
            self.state = "off"
            return
        while not self._answers.empty():
            self._take(*self._answers.get())
        if not is_writable:
            return
        self._write()
        if not self._is_open and now >= self._due(settings):
            self._ask(now, settings)
        if self._is_open and not self._is_sent and self._unwritten is None:
            self._send(settings, rules)
        stopped = self._seconds() < self._rests_until
        self.state = "stopped" if stopped else "learning" if self._is_open else "waiting"

    def pid(self) -> int | None:
        """The process, None while there is none."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close(kill=True)
            self._process = None

    def figures(self) -> Mapping[str, int]:
        """Lessons given, and the log time of the last one (0: none)."""
        return {"lessons": self._last.id if self._last else 0, "last": self._last.until if self._last else 0}

    @property
    def _is_open(self) -> bool:
        """The last lesson has no answer yet."""
        return self._last is not None and self._last.result is None

    def _due(self, settings: Settings) -> int:
        every = settings.learning.publish_every_hours * HOUR_US
        return max(self._next, self._last.until + every if self._last is not None else 0)

    def _ask(self, now: int, settings: Settings) -> None:
        marks = self._school.marks()
        before = self._last.labels if self._last is not None else 0
        least = settings.learning.min_labels
        # Ids have holes in a cluster: counting is spared where even they are too few.
        if marks[1] - before < least or self._school.fresh(before, marks[1]) < least:
            self._next = now + ASK_AGAIN_US
            return
        self._last = self._school.ask(now, marks)
        self._is_sent = False

    def _send(self, settings: Settings, rules: FoldRules) -> None:
        assert self._last is not None
        taught = (rules.schema, tuple((target.name, target.hold, target.prior) for target in rules.targets))
        if self._process is not None and taught != self._taught:
            self.close()
        if self._process is None:
            if self._seconds() < self._rests_until:
                return
            self._begin(settings, rules)
            self._taught = taught
        assert self._process is not None
        try:
            self._process.ask(self._last)
        except TrainerStoppedError:
            return  # its reader tells the same
        self._is_sent = True

    def _begin(self, settings: Settings, rules: FoldRules) -> None:
        learning = settings.learning
        place = self._school.place
        self._process = TrainerProcess(place, rules, seed=learning.seed, min_labels=learning.min_labels)
        self._number += 1
        reader = threading.Thread(target=self._read, args=(self._process, self._number), name="trainer", daemon=True)
        reader.start()

    def _read(self, process: TrainerProcess, number: int) -> None:
        while True:
            try:
                answer: str | None = process.answer()
            except (TrainerStoppedError, ValueError, OSError):
                answer = None
            self._answers.put((number, answer))
            self._school.wake()
            if answer is None:
                return

    def _take(self, number: int, answer: str | None) -> None:
        if number != self._number:
            return  # of a process that was replaced
        if answer is None:
            if self._process is not None:
                log.warning("trainer ended by itself; it is started again", pause_s=self.rests_s)
                self.close()
                self._rests_until = self._seconds() + self.rests_s
            self._is_sent = False
        elif self._is_open:
            self._unwritten = answer
            self._write()

    def _write(self) -> None:
        if self._unwritten is None:
            return
        assert self._last is not None
        try:
            self._school.answer(self._last, self._unwritten)
        except (OSError, StoreUnavailable):
            return  # a full disk, or no database: kept here until it can be written
        self._last, self._unwritten = replace(self._last, result=self._unwritten), None
        if self._last.result:
            self._school.publish(self._last)
