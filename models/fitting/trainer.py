"""The trainer without a process around it: decisions and labels go in, now and then a new champion comes out.

Scores first and learns after: what a decision was scored with is kept beside it, and calibration and log-loss are
taken from that score once the label may be used. It reads no clock and no file; the same calls give the same arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibrate import Calibration
from models.cells import Cells, quantile_edges
from models.champion import Champion, TargetModel, untrained
from models.fitting.join import EarlyLabel, Join, Matured
from models.fitting.learners import LEARNERS
from models.learner import UNIT, Learner, Scorer, sigmoid
from models.rows import Rows, Schema

__all__ = ["EarlyLabel", "Published", "TargetSpec", "Trainer"]

KEPT = 60_000
"""Matured examples of a target that are remembered, to read again when bins are cut anew."""
SAMPLE = 20_000
"""Latest feature rows that bins are cut from."""


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """An outcome to learn: its name, the days a label is held after its decision, its rate before any label."""

    name: str
    hold_days: float
    prior: float


@dataclass(frozen=True, slots=True)
class Published:
    """A new version of the champion as plain arrays, with a JSON-able head that also says how it was made."""

    head: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class Trainer:
    """Joins, learns in order, publishes at most once per call of `learn_until`."""

    def __init__(
        self,
        schema: Schema,
        targets: Sequence[TargetSpec],
        *,
        min_labels: int = 200,
        seed: int = 0,
        patience_days: float = 90.0,
    ) -> None:
        self._schema, self._targets, self._min_labels = schema, tuple(targets), min_labels
        self._join = Join(schema, [target.hold_days for target in targets], patience_days)
        self.champion = Champion.untrained(schema, [t.name for t in targets], [t.prior for t in targets])
        self._cells = Cells(schema)
        self._seen = 0
        self._next_binning = 0
        self._sample = np.empty((0, len(schema.values)), dtype=np.float32)
        self._students = [_Student(schema, target, self._cells, seed) for target in targets]
        self._fresh = 0

    def decide(self, heads: NDArray[np.void], rows: Rows) -> None:
        """Add n decisions (`DECISION`) and their rows; they are scored by the champion of this moment."""
        raw = [scores.raw for scores in self.champion.score_all(rows)]
        self._join.decide(heads, rows, np.stack(raw, axis=1))
        self._sample = np.concatenate([self._sample, rows.values])
        if len(self._sample) > 2 * SAMPLE:
            self._sample = self._sample[-SAMPLE:]
        self._seen += len(rows)

    def know(self, labels: NDArray[np.void]) -> None:
        """Add matured outcomes (`LABEL`), each no earlier than it is known."""
        self._join.know(labels)

    def learn_until(self, now_us: int) -> Published | None:
        """Learn every label that may be used by `now_us`; a new version if enough were new, else None.

        Raises EarlyLabel when a label in hand is known only after `now_us`.
        """
        self._join.check(now_us)
        # Subjects have at most two decisions: fewer labels than half of what is needed cannot be enough.
        if 2 * self._join.waiting_labels + self._fresh < self._min_labels:
            return None
        for student, matured in zip(self._students, self._join.matured(now_us), strict=True):
            student.take(matured)
            self._fresh += len(matured.y)
        if self._fresh < self._min_labels:
            return None
        self._fresh = 0
        self._cut_bins()
        models = [student.learn(self._cells, now_us, self._min_labels) for student in self._students]
        self.champion = Champion([target.name for target in self._targets], self._cells, models)
        head, arrays = self.champion.to_arrays()
        facts = {student.target.name: student.facts() for student in self._students}
        return Published({**head, "now": now_us, "facts": facts}, arrays)

    def _cut_bins(self) -> None:
        """Cut the bins anew each time four times as many rows were seen; learners then read what is kept again."""
        if self._seen < self._next_binning:
            return
        self._next_binning = 4 * self._seen
        self._cells = Cells(self._schema, quantile_edges(self._sample[-SAMPLE:]))


class _Student:
    """Everything about one target: its learners, its examples, its calibration."""

    def __init__(self, schema: Schema, target: TargetSpec, cells: Cells, seed: int) -> None:
        self.target, self._seed, self._cells = target, seed, cells
        self._learners: dict[str, Learner] = {}
        self._codes = np.empty((0, len(schema.codes)), dtype=np.uint32)
        self._values = np.empty((0, len(schema.values)), dtype=np.float32)
        self._y = np.empty(0, dtype=np.uint8)
        self._unlearned = 0
        self._labels = self._failed = 0
        self._loss = 0.0

    def take(self, matured: Matured) -> None:
        """Account for new examples by the score they were given, and remember them for learning."""
        self._labels += len(matured.y)
        self._failed += int(matured.y.sum())
        p = sigmoid(matured.raw / UNIT)
        self._loss -= float(np.log(np.where(matured.y == 1, p, 1 - p)).sum())
        self._codes = np.concatenate([self._codes, matured.rows.codes])
        self._values = np.concatenate([self._values, matured.rows.values])
        self._y = np.concatenate([self._y, matured.y])
        self._unlearned += len(matured.y)

    def learn(self, cells: Cells, now: int, min_labels: int) -> TargetModel:
        """Learn what was taken since, or everything kept if the cells are new; the prior while labels are few."""
        if cells is not self._cells or not self._learners:
            self._cells, self._unlearned = cells, len(self._y)
            self._learners = {name: make(cells, self.target.prior, self._seed) for name, make in LEARNERS.items()}
        new = slice(len(self._y) - self._unlearned, None)
        if self._unlearned:
            index = cells.index(Rows(self._codes[new], self._values[new]))
            for learner in self._learners.values():
                learner.learn(index, self._y[new], now)
        self._codes, self._values, self._y = self._codes[-KEPT:], self._values[-KEPT:], self._y[-KEPT:]
        self._unlearned = 0
        if self._labels < min_labels or not 0 < self._failed < self._labels:
            return untrained(self.target.prior)
        return TargetModel(self._parts(), 0, Calibration.identity())

    def _parts(self) -> dict[str, Scorer]:
        ready = {name: learner for name, learner in self._learners.items() if learner.scorer(1.0) is not None}
        parts = {name: learner.scorer(1.0 / len(ready)) for name, learner in ready.items()}
        return {name: part for name, part in parts.items() if part is not None}

    def facts(self) -> dict[str, float]:
        """Labels used, failures among them, mean log-loss of the scores given before."""
        return {"labels": self._labels, "failed": self._failed, "log_loss": self._loss / max(1, self._labels)}
