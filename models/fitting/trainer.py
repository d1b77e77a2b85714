"""The trainer without a process around it: decisions and labels go in, now and then a new champion comes out.

Scores first and learns after: what a decision was scored with is kept beside it, and calibration and log-loss are
taken from that score once the label may be used. It reads no clock and no file; the same calls give the same arrays,
and how decisions and labels were batched between two calls of `learn_until` changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cells import Cells, quantile_edges
from models.champion import Champion
from models.fitting.join import EarlyLabel, Join, joined, no_rows
from models.fitting.student import Student, TargetSpec
from models.rows import Rows, Schema

__all__ = ["EarlyLabel", "Published", "TargetSpec", "Trainer"]

SAMPLE = 20_000
"""Latest decisions that bins are cut from, and latest first decisions that scores are centred on."""
DECISIONS_A_SUBJECT = 2
GROWN = 0.005
"""Share by which the labels must have grown for a new version: a few more change little, and cost the same."""


@dataclass(frozen=True, slots=True)
class Published:
    """A new version of the champion as plain arrays, with a JSON-able head that also says how it was made."""

    head: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class Trainer:
    """Joins, learns in order, publishes at most once per call of `learn_until`.

    A target stays at its prior until it has `min_labels`; a version needs as many new ones over all targets. Decisions
    whose labels have not come `patience_days` after the longest hold are forgotten.
    """

    def __init__(
        self,
        schema: Schema,
        targets: Sequence[TargetSpec],
        *,
        min_labels: int = 200,
        seed: int = 0,
        patience_days: float = 90.0,
    ) -> None:
        self._names = [target.name for target in targets]
        self._min_labels = min_labels
        self._join = Join(schema, [target.hold_days for target in targets], patience_days)
        self._students = [Student(schema, target, seed) for target in targets]
        self._cells = Cells(schema)
        self._seen = self._next_bins = self._fresh = self._learned = 0
        self._new: list[tuple[NDArray[np.void], Rows]] = []
        self._recent, self._first = _Latest(schema), _Latest(schema)
        self.champion = Champion.untrained(schema, self._names, [target.prior for target in targets])

    def decide(self, heads: NDArray[np.void], rows: Rows) -> None:
        """Add n decisions (`DECISION`) and their rows; they are scored by the champion of this moment."""
        self._new.append((heads, rows))

    def know(self, labels: NDArray[np.void]) -> None:
        """Add matured outcomes (`LABEL`), each no earlier than it is known."""
        self._join.know(labels)

    def learn_until(self, now_us: int) -> Published | None:
        """Learn every label that may be used by `now_us`; a new version if enough were new, else None.

        Raises EarlyLabel when a label in hand is known only after `now_us`.
        """
        self._join.check(now_us)
        self._score()
        # Joining is spared on days on which it cannot be enough.
        if DECISIONS_A_SUBJECT * self._join.waiting_labels + self._fresh < self._enough():
            return None
        for student, matured in zip(self._students, self._join.matured(now_us), strict=True):
            student.take(matured)
            self._fresh += len(matured.y)
        if self._fresh < self._enough():
            return None
        self._learned += self._fresh
        self._fresh = 0
        return self._publish(now_us)

    def _enough(self) -> float:
        """New labels that are worth a version."""
        return max(self._min_labels, GROWN * self._learned)

    def _score(self) -> None:
        """Score what was decided since the last call, all at once: the champion has not changed in between."""
        if not self._new:
            return
        heads, rows = np.concatenate([heads for heads, _ in self._new]), joined([rows for _, rows in self._new])
        self._new = []
        raw = np.stack([scores.raw for scores in self.champion.score_all(rows)], axis=1)
        self._join.decide(heads, rows, raw, self.champion.trained)
        self._seen += len(rows)
        # Scores are centred on first decisions: how many later ones stand beside them swings with the hold and the day.
        first = np.flatnonzero(heads["number"] == 0)
        self._first.add(rows.take(first), heads["open"][first])
        self._recent.add(rows, heads["open"])

    def _publish(self, now: int) -> Published:
        if self._seen >= self._next_bins:
            # Bins are cut anew each time four times as many rows were seen; learners then read what is kept again.
            self._next_bins = 4 * self._seen
            self._cells = Cells(self._cells.schema, quantile_edges(self._recent.sample()[0].values))
        # Every fourth decision says as well where the scores lie as all of them.
        rows, open_bits = self._first.sample()
        first, were_open = self._cells.index(rows.take(slice(None, None, 4))), open_bits[::4]
        models = []
        for number, student in enumerate(self._students):
            student.learn(self._cells, now)
            was_open = (were_open >> number & 1).astype(bool)
            models.append(student.model(first[:, was_open], self._min_labels))
        self.champion = Champion(self._names, self._cells, models)
        head, arrays = self.champion.to_arrays()
        facts = {name: student.facts() for name, student in zip(self._names, self._students, strict=True)}
        return Published({**head, "until": now, "facts": facts}, arrays)


class _Latest:
    """The latest `SAMPLE` rows that were added, with their bits of open targets."""

    def __init__(self, schema: Schema) -> None:
        self._rows, self._open, self._n = [no_rows(schema)], [np.empty(0, dtype=np.uint8)], 0

    def add(self, rows: Rows, open_bits: NDArray[np.uint8]) -> None:
        """Add n rows; the copy that drops old ones is put off until as many again have come."""
        self._rows.append(rows)
        self._open.append(open_bits)
        self._n += len(rows)
        if self._n > 2 * SAMPLE:
            self.sample()

    def sample(self) -> tuple[Rows, NDArray[np.uint8]]:
        """The rows and their bits, oldest first."""
        rows, open_bits = joined(self._rows).take(slice(-SAMPLE, None)), np.concatenate(self._open)[-SAMPLE:]
        self._rows, self._open, self._n = [rows], [open_bits], len(rows)
        return rows, open_bits
