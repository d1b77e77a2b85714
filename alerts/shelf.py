"""Warnings that are shut: for a while they can be reopened, and what a person said when closing one holds."""

from collections.abc import Sequence
from typing import Any

from alerts.command import REMEMBERED_US
from alerts.lifecycle import Life, State
from pipeline.assessment import Assessment, Evidence


class Shelf:
    """Shut warnings by id, the earliest first, and the last one that a person closed by subject."""

    def __init__(self) -> None:
        self._shut: dict[str, Life] = {}
        self._settled: dict[bytes, str] = {}
        self._touched: set[str] = set()

    def add(self, life: Life) -> None:
        """Lay a warning by."""
        self._shut[life.id] = life
        self._touched.add(life.id)
        self._settle(life)

    def find(self, warning: str) -> Life | None:
        """The shut warning of this id, which stays where it is."""
        return self._shut.get(warning)

    def take(self, warning: str) -> Life | None:
        """The shut warning of this id, which leaves."""
        life = self._shut.pop(warning, None)
        if life is not None:
            self._touched.add(warning)
            if self._settled.get(life.subject.key) == warning:
                self._index()
        return life

    def is_remembered(self, key: bytes) -> bool:
        """Whether a person closed the last warning of this subject, not long ago."""
        return key in self._settled

    def is_settled(self, key: bytes, now: int, assessments: Sequence[Assessment], evidence: Evidence) -> bool:
        """Whether a person closed this subject's warning and neither a signal nor a hard rule has come since."""
        warning = self._settled.get(key)
        if warning is None:
            return False
        life = self._shut[warning]
        return now < life.closed_at + REMEMBERED_US and not life.is_news(evidence, assessments)

    def forget_old(self, now: int) -> None:
        """Forget what was shut too long ago to be reopened."""
        while self._shut:
            warning, life = next(iter(self._shut.items()))
            if life.closed_at + REMEMBERED_US > now:
                return
            del self._shut[warning]
            self._touched.add(warning)
            if self._settled.get(life.subject.key) == warning:
                del self._settled[life.subject.key]

    def _settle(self, life: Life) -> None:
        if life.state is not State.CLOSED:
            return
        other = self._shut.get(self._settled.get(life.subject.key, ""))
        if other is None or (other.closed_at, other.id) <= (life.closed_at, life.id):
            self._settled[life.subject.key] = life.id

    def _index(self) -> None:
        self._settled = {}
        for life in self._shut.values():
            self._settle(life)

    def to_state(self) -> list[list[Any]]:
        """Everything, JSON-able; forgets what was touched."""
        self._touched = set(self._shut)
        return self.to_delta()

    def to_delta(self) -> list[list[Any]]:
        """What changed since the last call; None for what left."""
        shut = self._shut
        delta = [[each, shut[each].to_state() if each in shut else None] for each in sorted(self._touched)]
        self._touched = set()
        return delta

    def patch(self, delta: list[list[Any]]) -> None:
        """Apply what `to_state` or `to_delta` returned."""
        for warning, state in delta:
            self._shut.pop(warning, None)
            if state is not None:
                self._shut[warning] = Life.from_state(state)
        self._shut = dict(sorted(self._shut.items(), key=lambda item: (item[1].closed_at, item[0])))
        self._index()
