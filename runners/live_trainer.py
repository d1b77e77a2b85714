"""The trainer beside a live site: asked by log time, answered whenever it is done; the engine never waits for it.

Every `publish_every_hours` of log time, and with at least `min_labels` new labels, a lesson goes out over the pipe. Its
answer comes back on a thread that only reads, and becomes an entry of the log at that moment. A trainer that dies is
started again and given the open lesson anew; the site goes on with the model it has.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import structlog

from alerts.store import Lesson, Store
from config.settings import Settings
from pipeline.calendar import HOUR_US, MINUTE_US
from pipeline.frame import Kind
from pipeline.rules import FoldRules
from runners.live_engine import Engine
from runners.live_work import Entry
from runners.trainer import TrainerProcess, TrainerStoppedError

log = structlog.get_logger("forewarn")
ASK_AGAIN_US = 10 * MINUTE_US
"""When to look again where labels were too few."""
RESTART_S = 60.0
"""Pause before a trainer that died is started again."""

State = Literal["off", "waiting", "learning", "stopped"]
STATES: tuple[State, ...] = ("off", "waiting", "learning", "stopped")
Answer = tuple[int, str | None]
"""Number of the process that answered, and a sha256, '' for nothing; None: the process has ended."""
InForce = Callable[[], tuple[Settings, FoldRules]]


class LiveTrainer:
    """Something regular of the engine; everything but reading answers happens on the engine's thread."""

    def __init__(self, engine: Engine, in_force: InForce, seconds: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._in_force, self._seconds = engine, in_force, seconds
        self.rests_s = RESTART_S
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._process: TrainerProcess | None = None
        self._number = 0
        self._taught: tuple[Any, ...] = ()
        self._rests_until = 0.0
        self._next = 0
        store = engine.site.store
        lessons = store.lessons()
        self._last = lessons[-1] if lessons else None
        self._is_open = self._last is not None and self._last.result is None
        """The last lesson has no answer yet."""
        self._is_sent = False
        self.state: State = "waiting"
        installed = int(engine.site.partitions[0].fold.grader.versions.get("model", 0))
        if self._last is not None and self._last.result and installed < self._last.id:
            # answered, and stopped before the answer was in the log
            engine.later(Entry(Kind.MODEL, {"sha256": self._last.result, "version": self._last.id}))

    def look(self, now: int) -> None:
        """Take an answer that came; ask where it is time; start what died."""
        settings, rules = self._in_force()
        if not settings.learning.enabled or not rules.targets:
            self.state = "off"
            return
        while not self._answers.empty():
            self._take(*self._answers.get())
        if self._engine.trouble:
            return
        if not self._is_open and now >= self._due(settings):
            self._ask(now, settings)
        if self._is_open and not self._is_sent:
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

    def _due(self, settings: Settings) -> int:
        every = settings.learning.publish_every_hours * HOUR_US
        return max(self._next, self._last.until + every if self._last is not None else 0)

    def _ask(self, now: int, settings: Settings) -> None:
        store: Store = self._engine.site.store
        marks = store.marks()
        before = self._last.labels if self._last is not None else 0
        if marks[1] - before < settings.learning.min_labels:
            self._next = now + ASK_AGAIN_US
            return
        self._last = store.ask(now, marks)
        self._is_open, self._is_sent = True, False

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
        site = self._engine.site
        self._process = TrainerProcess(site.data, rules, seed=learning.seed, min_labels=learning.min_labels)
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
            self._engine.wake()
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
            return
        if not self._is_open or self._last is None:
            return
        try:
            self._engine.site.store.answer(self._last, answer)
        except OSError:
            self._is_sent = False  # the disk is full: the same lesson gives the same answer later
            return
        lesson, self._is_open = self._last, False
        self._last = Lesson(lesson.id, lesson.until, lesson.decisions, lesson.labels, answer)
        if answer:
            self._engine.later(Entry(Kind.MODEL, {"sha256": answer, "version": lesson.id}))

    def figures(self) -> Mapping[str, int]:
        """Lessons given, and the log time of the last one (0: none)."""
        return {"lessons": self._last.id if self._last else 0, "last": self._last.until if self._last else 0}
