"""Folding under supervision: the entry that the fold cannot bear is refused alone, and alike in every replay.

When a frame raises, the fold is taken back to a checkpoint, reads up to that frame, and takes it entry by entry. What
an entry did before it raised is undone the same way. The same bytes raise again, so every replay refuses the same.
"""

from collections.abc import Callable, Iterable

from pipeline.effects import Effects
from pipeline.errors import ForewarnError
from pipeline.frame import Frame
from pipeline.topology import Topology

Rewind = Callable[[int], tuple[Topology, int]]
"""A fold as it was after some frame before this offset, and that frame's offset (-1: before the first)."""
Reread = Callable[[int, int], Iterable[Frame]]
"""The log's frames after one offset and before another, in order."""


class Supervised:
    """A fold that never raises for what stands in a frame.

    What a person must mend (ForewarnError), MemoryError and errors of input and output stop the partition.
    """

    def __init__(self, fold: Topology, rewind: Rewind, reread: Reread) -> None:
        self.fold = fold
        self._rewind = rewind
        self._reread = reread
        self._refused: dict[int, set[int]] = {}

    def step(self, frame: Frame) -> list[Effects]:
        """What the frame yields: as one, or entry by entry when something in it must be refused."""
        if frame.offset not in self._refused:
            try:
                return [self.fold.step(frame)]
            except (MemoryError, OSError, ForewarnError):
                raise
            except Exception:  # noqa: BLE001  the one place where a frame's content may not stop the partition
                self._refused[frame.offset] = set()
                self._go_back(frame.offset)
        return self._step_singly(frame)

    def _step_singly(self, frame: Frame) -> list[Effects]:
        refused = self._refused[frame.offset]
        found: list[Effects] = []
        index = 0
        while index < len(frame):
            part = frame.entry(index)
            if index in refused:
                found.append(self.fold.refuse(part, first_index=index))
                index += 1
                continue
            try:
                found.append(self.fold.step(part, first_index=index))
                index += 1
            except (MemoryError, OSError, ForewarnError):
                raise
            except Exception:  # noqa: BLE001  see above
                refused.add(index)
                self._go_back(frame.offset)
                found, index = [], 0
        return found

    def _go_back(self, before: int) -> None:
        self.fold, offset = self._rewind(before)
        for frame in self._reread(offset, before):
            self.step(frame)
