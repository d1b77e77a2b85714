"""What waits for the engine's thread: prepared groups, entries, errands; an emergency and a command go first."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from connectors.intake_http import NotNow
from runners.live.work import Entry, Errand, Group

STOPPING = "the site is stopping"
Work = tuple[list[Group], list[Entry], list[Errand]]


class Inbox:
    """The queues, one condition for all; once closed nothing gets in any more."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self._groups: deque[Group] = deque()
        self._entries: list[Entry] = []
        self._errands: list[Errand] = []
        self._has_news = self._is_closed = False

    def offer(self, group: Group) -> bool:
        """Put in a prepared group; False when it is closed."""
        with self.condition:
            if self._is_closed:
                return False
            if any(part.is_emergency for part in group.parts):
                self._groups.appendleft(group)
            else:
                self._groups.append(group)
            self.condition.notify()
            return True

    def enter(self, *entries: Entry) -> bool:
        """Put in entries; False when it is closed."""
        with self.condition:
            if self._is_closed:
                return False
            self._entries += entries
            self.condition.notify()
            return True

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Put in a call; its outcome comes by the future."""
        errand = Errand(call)
        with self.condition:
            if self._is_closed:
                errand.future.set_exception(NotNow(STOPPING, 5.0))
            else:
                self._errands.append(errand)
                self.condition.notify()
        return errand.future

    def wake(self) -> None:
        """Have the thread look again."""
        with self.condition:
            self._has_news = True
            self.condition.notify()

    def has_work(self) -> bool:
        """Whether anything waits."""
        return bool(self._groups or self._entries or self._errands or self._has_news)

    def take(self, wait: Callable[[threading.Condition], None]) -> Work:
        """Everything that waits; `wait` is called before, with the condition held."""
        with self.condition:
            wait(self.condition)
            return self._emptied()

    def close(self) -> Work:
        """Let nothing in any more; what was still there."""
        with self.condition:
            self._is_closed = True
            return self._emptied()

    def _emptied(self) -> Work:
        self._has_news = False
        groups, self._groups = list(self._groups), deque()
        entries, self._entries = self._entries, []
        errands, self._errands = self._errands, []
        return groups, entries, errands


def refuse(entries: Sequence[Entry], why: Exception) -> None:
    """Tell of each entry that it could not be appended."""
    for entry in entries:
        entry.fail(why)
