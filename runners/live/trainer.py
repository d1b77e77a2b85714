"""The trainer beside a live site: asked by log time, answered whenever it is done; the engine never waits for it.

The answer of a lesson becomes an entry of the log at the moment it comes; the site goes on with the model it has.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from alerts.store import Lesson
from pipeline.frame import Kind
from runners.live.engine import Engine
from runners.live.work import Entry
from runners.teacher import STATES, InForce, State, Teacher

__all__ = ["STATES", "InForce", "LiveTrainer", "State"]


class LiveTrainer:
    """Something regular of the engine; everything but reading answers happens on the engine's thread."""

    def __init__(self, engine: Engine, in_force: InForce, seconds: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._teacher = Teacher(_EngineSchool(engine), in_force, seconds)

    @property
    def state(self) -> State:
        """What it does now."""
        return self._teacher.state

    @property
    def rests_s(self) -> float:
        """Pause before a trainer that died is started again."""
        return self._teacher.rests_s

    @rests_s.setter
    def rests_s(self, seconds: float) -> None:
        self._teacher.rests_s = seconds

    def look(self, now: int) -> None:
        """Take an answer that came; ask where it is time; start what died."""
        self._teacher.look(now, is_writable=not self._engine.trouble)

    def pid(self) -> int | None:
        """The process, None while there is none."""
        return self._teacher.pid()

    def close(self) -> None:
        """End the process."""
        self._teacher.close()

    def figures(self) -> Mapping[str, int]:
        """Lessons given, and the log time of the last one (0: none)."""
        return self._teacher.figures()


class _EngineSchool:
    """Implements runners.teacher.School for one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._store = engine, engine.site.store

    @property
    def place(self) -> Path:
        """The data directory."""
        return self._engine.site.data

    def last(self) -> Lesson | None:
        """The newest lesson."""
        lessons = self._store.lessons()
        return lessons[-1] if lessons else None

    def marks(self) -> tuple[int, int]:
        """Highest ids: what one process wrote is complete."""
        return self._store.marks()

    def fresh(self, after: int, until: int) -> int:
        """Ids of one process have no holes."""
        return until - after

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Write a lesson down."""
        return self._store.ask(until, marks)

    def answer(self, lesson: Lesson, sha256: str) -> None:
        """Write its answer down. Raises OSError on a full disk."""
        self._store.answer(lesson, sha256)

    def wake(self) -> None:
        """Have the engine look."""
        self._engine.wake()

    def publish(self, lesson: Lesson) -> None:
        """Enter the model with the next turn."""
        installed = min(int(p.fold.grader.versions.get("model", 0)) for p in self._engine.site.partitions)
        if installed < lesson.id:
            payload = {"sha256": lesson.result, "version": lesson.id}
            self._engine.later(Entry(Kind.MODEL, payload, fail=lambda why: self.publish(lesson)))
