"""The timers of open warnings, earliest first. A heap whose entries may be out of date; the warning itself is right."""

from collections.abc import Mapping
from heapq import heapify, heappop, heappush

from alerts.lifecycle import Life
from pipeline.state import NEVER


class Dues:
    """When the next warning must be looked at. Nothing is cancelled: an entry that no longer holds is passed over."""

    def __init__(self, lives: Mapping[bytes, Life]) -> None:
        self._lives = lives
        self._heap: list[tuple[int, bytes]] = []

    def schedule(self, life: Life) -> None:
        """Note when this warning is due, if that has changed."""
        due = life.next_due
        if due == life.scheduled:
            return
        life.scheduled = due
        if due != NEVER:
            heappush(self._heap, (due, life.subject.key))
        if len(self._heap) > 4 * len(self._lives) + 64:
            self.rebuild()

    def soonest(self) -> int:
        """The earliest due, NEVER without one."""
        heap = self._heap
        while heap:
            due, key = heap[0]
            life = self._lives.get(key)
            if life is not None and life.next_due == due:
                return due
            heappop(heap)
        return NEVER

    def pop(self, until: int) -> Life | None:
        """The next warning due by `until`, in order (due, subject key)."""
        if self.soonest() > until:
            return None
        _, key = heappop(self._heap)
        life = self._lives[key]
        life.scheduled = NEVER
        return life

    def rebuild(self) -> None:
        """Make the heap anew from the warnings."""
        self._heap = []
        for key, life in self._lives.items():
            life.scheduled = life.next_due
            if life.scheduled != NEVER:
                self._heap.append((life.scheduled, key))
        heapify(self._heap)
