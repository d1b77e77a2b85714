"""The model in use: for each target the plain average, on the logit, of unlike learners, and a calibration.

The average beats weights by recent loss, which chase noise while labels are late. It is additive in fixed point, so a
row gets the same score in any batch. Ranking uses the raw score, levels the calibrated probability.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.additive import Additive
from models.calibrate import Calibration
from models.cells import Cells
from models.learner import UNIT, Arrays, Index, Scorer, Units, sigmoid, to_units
from models.registry import SCORERS
from models.rows import Rows, Schema


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n rows: `raw` logits before calibration in 1/65536, calibrated `probability` in 1/10,000."""

    raw: NDArray[np.int64]
    probability: NDArray[np.uint16]


class TargetModel:
    """The scorers of one target by name, their sum, and its calibrations: of first decisions, and of `later` ones.

    Who is still undecided days later fails at another rate than all who came; one curve for both is wrong for each.
    """

    def __init__(
        self, parts: Mapping[str, Scorer], base: int, calibration: Calibration, later: Calibration | None = None
    ) -> None:
        self.parts, self.base, self.calibration, self.later = parts, base, calibration, later or calibration
        # Additive parts become one table: as many lookups as one of them has.
        additive = [part for part in parts.values() if isinstance(part, Additive)]
        rest = [part for part in parts.values() if not isinstance(part, Additive)]
        self._summed: list[Scorer] = [*additive[:1], *rest]
        for part in additive[1:]:
            first = self._summed[0]
            assert isinstance(first, Additive)
            self._summed[0] = first.plus(part)

    @property
    def is_trained(self) -> bool:
        """Whether anything but the prior speaks."""
        return bool(self.parts)

    def centred(self, index: Index, rate: float) -> "TargetModel":
        """The same model, shifted so that its raw scores mean `rate` over the rows of `index`.

        While labels are late their share of failures is that of the fast ones, and swings by weeks; a raw score that
        followed it could not be compared across versions. The level is left to the calibration.
        """
        raw = self.score(index).raw / UNIT
        shift = 0.0
        for _ in range(30 if len(raw) else 0):
            mean = float(np.clip(sigmoid(raw + shift).mean(), 1e-6, 1 - 1e-6))
            step = float(np.log(rate / (1 - rate)) - np.log(mean / (1 - mean)))
            shift += step
            if abs(step) < 1e-9:
                break
        # A copy keeps the sum of the parts, which is dear to make again.
        out = copy(self)
        out.base += int(to_units(shift))
        return out

    def score(self, index: Index, later: NDArray[np.bool_] | None = None) -> Scores:
        """Scores of the rows of `index`; `later` marks those of decisions after their subject's first."""
        raw = np.full(index.shape[1], self.base, dtype=np.int64)
        for part in self._summed:
            raw += part.score(index)
        probability = self.calibration.probability(raw)
        if later is not None:
            probability = np.where(later, self.later.probability(raw), probability)
        return Scores(raw, probability)

    def contributions(self, index: Index) -> Units:
        """Contributions of the columns of the index to the score of each row, the base last, shape (n, width + 1)."""
        out = np.zeros((index.shape[1], len(index) + 1), dtype=np.int64)
        for part in self._summed:
            out += part.contributions(index)
        out[:, -1] += self.base
        return out


class Champion:
    """Scores rows for every target from plain arrays; it never changes."""

    def __init__(self, targets: Sequence[str], cells: Cells, models: Sequence[TargetModel]) -> None:
        self.targets = tuple(targets)
        self.schema = cells.schema
        self.cells = cells
        self._models = tuple(models)
        # Equal weights are told in the order of names, whatever the order of the columns.
        self._names = sorted({*cells.owners()})
        self._owners = [self._names.index(name) for name in cells.owners()]

    @classmethod
    def untrained(cls, schema: Schema, targets: Sequence[str], prior: float | Sequence[float]) -> "Champion":
        """Every row gets the prior of its target, until there are labels to learn from."""
        priors = [prior] * len(targets) if isinstance(prior, float) else list(prior)
        return cls(targets, Cells(schema), [untrained(each) for each in priors])

    @property
    def trained(self) -> tuple[bool, ...]:
        """For each target whether it has learned anything yet."""
        return tuple(model.is_trained for model in self._models)

    def score(self, rows: Rows, target: int, later: NDArray[np.bool_] | None = None) -> Scores:
        """Scores of n rows for the target with number `target`; `later` marks those of decisions after the first."""
        return self._models[target].score(self.cells.index(rows), later)

    def score_all(self, rows: Rows, later: NDArray[np.bool_] | None = None) -> tuple[Scores, ...]:
        """Scores of n rows for every target; finds the cells once, so it is cheaper than one call per target."""
        index = self.cells.index(rows)
        return tuple(model.score(index, later) for model in self._models)

    def explain(self, rows: Rows, target: int) -> list[list[tuple[str, int]]]:
        """What each column adds to the raw score of each row, heaviest first, "base" last; sums exactly to it."""
        parts = self._models[target].contributions(self.cells.index(rows))
        totals = np.zeros((len(rows), len(self._names)), dtype=np.int64)
        for column, owner in enumerate(self._owners):
            totals[:, owner] += parts[:, column]
        order = np.argsort(-np.abs(totals), axis=1, kind="stable")
        weights = np.take_along_axis(totals, order, axis=1).tolist()
        names = self._names
        return [
            [*zip(map(names.__getitem__, row), row_weights, strict=True), ("base", base)]
            for row, row_weights, base in zip(order.tolist(), weights, parts[:, -1].tolist(), strict=True)
        ]

    def alone(self, learner: str) -> "Champion":
        """The same champion made of one of its learners only, to compare them; ranks alike, is not calibrated."""
        models = [
            TargetModel({n: p for n, p in m.parts.items() if n == learner}, 0, m.calibration, m.later)
            for m in self._models
        ]
        return Champion(self.targets, self.cells, models)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-able head and plain arrays; together they are the model."""
        arrays: dict[str, NDArray[Any]] = {f"cells/{name}": a for name, a in self.cells.to_arrays().items()}
        for number, model in enumerate(self._models):
            arrays[f"{number}/base"] = np.array([model.base], dtype=np.int64)
            for when, calibration in (("first", model.calibration), ("later", model.later)):
                arrays |= {f"{number}/{when}/{name}": array for name, array in calibration.to_arrays().items()}
            for part, scorer in model.parts.items():
                arrays |= {f"{number}/{part}/{name}": array for name, array in scorer.to_arrays().items()}
        head = {
            "targets": list(self.targets),
            "codes": list(self.schema.codes),
            "values": list(self.schema.values),
            "pairs": [list(pair) for pair in self.schema.pairs],
            "parts": [list(model.parts) for model in self._models],
        }
        return head, arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays, head: Mapping[str, Any]) -> "Champion":
        """The champion whose `to_arrays` gave `head` and `arrays`."""
        schema = Schema(tuple(head["codes"]), tuple(head["values"]), tuple(tuple(pair) for pair in head["pairs"]))
        cells = Cells.from_arrays(schema, _under(arrays, "cells"))
        models = []
        for number, names in enumerate(head["parts"]):
            own = _under(arrays, str(number))
            parts = {name: SCORERS[name](cells, _under(own, name)) for name in names}
            first, later = (Calibration(np.asarray(own[f"{when}/knots"])) for when in ("first", "later"))
            models.append(TargetModel(parts, int(own["base"][0]), first, later))
        return cls(head["targets"], cells, models)


def untrained(prior: float) -> TargetModel:
    """A target that has not learned yet: its prior, whatever the row."""
    return TargetModel({}, int(to_units(float(np.log(prior / (1 - prior))))), Calibration.constant(prior))


def _under(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    start = prefix + "/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
