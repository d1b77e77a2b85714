"""The steps of a day's matters, gathered kind by kind and then sorted by matter and time."""

from typing import Any

import numpy as np

from connectors.simulator.batch import Flags, Ints, Story
from pipeline.signal import Step


class Plan:
    """Gathers steps of `n` matters in columns."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._rows = np.arange(n)
        self._parts: list[tuple[Ints, Ints, Ints, Ints, Ints, Ints, Flags]] = []
        self.last = np.zeros(n, np.int64)
        """When the last step that followed the one before it was taken."""

    def add(
        self,
        step: Step | Ints,
        at: Ints,
        office: Ints,
        *,
        due: Ints | None = None,
        rival: Ints | None = None,
        when: Flags | None = None,
        upheld: Flags | None = None,
    ) -> None:
        """A step of every matter, or of those where `when` holds."""
        n = self._n
        rows = self._rows if when is None else self._rows[when]
        kind = np.full(n, int(step)) if isinstance(step, Step) else step
        dues = np.zeros(n, np.int64) if due is None else due
        rivals = np.full(n, -1) if rival is None else rival
        is_upheld = np.zeros(n, np.bool_) if upheld is None else upheld
        if when is None:
            self.last = np.maximum(self.last, at)
        self._parts.append((rows, at[rows], kind[rows], office[rows], dues[rows], rivals[rows], is_upheld[rows]))

    def follow(self, step: Ints, at: Ints, office: Ints, rival: Ints, when: Flags, upheld: Flags) -> None:
        """A step that comes at least a second after all before it."""
        at = np.maximum(at, self.last + 1)
        self.add(step, at, office, rival=rival, when=when, upheld=upheld)
        self.last = np.where(when, at, self.last)

    def story(self, **outcomes: Any) -> Story:
        """The outcomes with all steps, sorted."""
        row, at, step, office, due, rival, upheld = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.lexsort((at, row))
        row = row[order]
        starts = np.searchsorted(row, self._rows)
        return Story(
            row=row,
            at=at[order],
            step=step[order],
            number=np.arange(len(row)) - starts[row] + 1,
            office=office[order],
            due=due[order],
            rival=rival[order],
            upheld=upheld[order],
            is_off=np.zeros(len(row), np.bool_),
            **outcomes,
        )
