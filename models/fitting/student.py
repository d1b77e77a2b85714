"""Everything the trainer keeps about one target: its learners, the examples they learned, its calibration."""

from dataclasses import dataclass

import numpy as np

from models.cells import Cells
from models.champion import TargetModel, untrained
from models.fitting.calibrator import Calibrator
from models.fitting.join import Matured, joined, no_rows
from models.fitting.learners import LEARNERS
from models.learner import UNIT, Index, Learner, Scorer, sigmoid
from models.rows import Schema

KEPT = 60_000
"""Matured examples of a target that are remembered, to read again when bins are cut anew."""


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """An outcome to learn: its name, the days a label is held after its decision, its rate before any label."""

    name: str
    hold_days: float
    prior: float


class Student:
    """Takes matured examples of one target, learns them, gives the model of its target."""

    def __init__(self, schema: Schema, target: TargetSpec, seed: int) -> None:
        self.target, self._seed = target, seed
        self._cells: Cells | None = None
        self._learners: dict[str, Learner] = {}
        self._calibrators = Calibrator(), Calibrator()
        self._rows, self._y = [no_rows(schema)], np.empty(0, dtype=np.uint8)
        self._new: list[Matured] = []
        self._labels = self._failed = 0
        self._loss = 0.0

    def take(self, matured: Matured) -> None:
        """Account for new examples by the score they were given, and remember them for learning."""
        y = matured.y
        if not len(y):
            return
        self._labels += len(y)
        self._failed += int(y.sum())
        self._new.append(matured)
        # Only what a trained model scored says how its scores should be read.
        for calibrator, later in zip(self._calibrators, (False, True), strict=True):
            own = matured.scored & (matured.later == later)
            calibrator.learn(matured.raw[own], y[own])
        p = sigmoid(matured.raw / UNIT)
        self._loss -= float(np.log(np.where(y == 1, p, 1 - p)).sum())

    def learn(self, cells: Cells, now: int) -> None:
        """Learn what was taken since the last time, or everything kept if the cells are new."""
        rows, y = joined([no_rows(cells.schema), *(part.rows for part in self._new)]), self._y[:0]
        y = np.concatenate([y, *(part.y for part in self._new)])
        self._rows, self._y, self._new = [*self._rows, rows], np.concatenate([self._y, y]), []
        if cells is not self._cells:
            self._cells, rows, y = cells, joined(self._rows), self._y
            self._learners = {name: make(cells, self.target.prior, self._seed) for name, make in LEARNERS.items()}
        if len(y):
            index = cells.index(rows)
            for learner in self._learners.values():
                learner.learn(index, y, now)
        if len(self._y) > 2 * KEPT:
            self._rows, self._y = [joined(self._rows).take(slice(-KEPT, None))], self._y[-KEPT:]

    def model(self, recent: Index, min_labels: int) -> TargetModel:
        """The average of its learners, centred on `recent` rows; the prior while labels are few or all alike."""
        if self._labels < min_labels or not 0 < self._failed < self._labels:
            return untrained(self.target.prior)
        first, later = (calibrator.calibration() for calibrator in self._calibrators)
        model = TargetModel(self._parts(len(self._learners)), 0, first, later)
        return model.centred(recent, self.target.prior)

    def _parts(self, voices: int) -> dict[str, Scorer]:
        """What each learner has to say at its share; learners that are silent yet leave theirs to the others."""
        said = {name: learner.scorer(1.0 / voices) for name, learner in self._learners.items()}
        parts = {name: part for name, part in said.items() if part is not None}
        return parts if len(parts) in {0, voices} else self._parts(len(parts))

    def facts(self) -> dict[str, float]:
        """Labels used, failures among them, mean log-loss of the raw scores given before."""
        return {"labels": self._labels, "failed": self._failed, "log_loss": self._loss / max(1, self._labels)}
