"""Histogram gradient boosting by scikit-learn, refitted now and then on the matured examples, exported to plain arrays.

Trees see the plain columns (codes and value bins), never running rates of labels: cold rates mislead them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.boosted import LEAVES, NODES, ORDINALS, Boosted
from models.cells import Cells
from models.learner import UNIT, Arrays, Flags, Index, to_units

DAY = 86_400_000_000
KEPT = 30_000
"""Examples remembered for refits; the oldest go first."""
KNOWN_CODES = 250
"""Codes of one column that trees can tell apart, the most frequent ones."""
GROWN, AGED = 1.25, 1.1
"""Growth of the examples that is worth a fit, at once and after 30 days."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted `model`, the ordinals `x` (n, columns; NaN for 0) it was fitted to, the positions of their `columns`,
    and the cells of `known` codes with their ordinals."""

    model: HistGradientBoostingClassifier
    x: NDArray[np.float64]
    columns: Index
    known: dict[str, NDArray[Any]]


class Boosting:
    """Remembers examples and refits when they grew by a quarter, or after 30 days by a tenth."""

    def __init__(
        self, cells: Cells, prior: float, *, seed: int = 0, rounds: int = 80, rate: float = 0.09, kept: int = KEPT
    ) -> None:
        n_hashed = cells.width - len(cells.schema.values)
        self._cells, self._seed, self._rounds, self._rate, self._kept = cells, seed, rounds, rate, kept
        self._n_codes = len(cells.schema.codes)
        self._columns = np.array([*range(self._n_codes), *range(n_hashed, cells.width)], dtype=np.intp)
        # Pieces as they came, put together for a fit.
        self._index = [np.empty((len(self._columns), 0), dtype=np.int32)]
        self._y = np.empty(0, dtype=np.uint8)
        self._seen = 0
        self._fitted_seen = 0
        self._fitted_at = 0
        self._arrays: dict[str, NDArray[Any]] | None = None
        self._scorers: dict[float, Boosted] = {}

    def learn(self, index: Index, y: Flags, at: int) -> None:
        """Remember n labelled rows; refit where it is due."""
        self._index.append(index[self._columns].astype(np.int32))
        if sum(piece.shape[1] for piece in self._index) > 2 * self._kept:
            self._remembered()
        self._y = np.concatenate([self._y, y])[-self._kept :]
        self._seen += len(y)
        grown = self._seen >= GROWN * self._fitted_seen
        old = at - self._fitted_at >= 30 * DAY and self._seen >= AGED * self._fitted_seen
        if (grown or old) and min(self._y.sum(), len(self._y) - self._y.sum()) >= 10:
            self._arrays, self._scorers = self._fit(), {}
            self._fitted_seen, self._fitted_at = self._seen, at

    def scorer(self, share: float) -> Boosted | None:
        """The trees of the last fit."""
        if self._arrays is None:
            return None
        if share not in self._scorers:
            self._scorers[share] = Boosted(self._cells, _scaled(self._arrays, share))
        return self._scorers[share]

    def fitted(self) -> "Fit":
        """A fit to what is remembered."""
        ordinals, known = self._ordinals()
        # A column that is the same everywhere has nothing to split on, and would cost as much as any other.
        varied = np.flatnonzero((ordinals != ordinals[:, :1]).any(axis=1))
        x = np.where(ordinals == 0, np.nan, ordinals - 1.0)[varied].T
        if not len(varied):
            varied, x = np.zeros(1, dtype=np.intp), np.zeros((len(self._y), 1))
        model = HistGradientBoostingClassifier(
            max_iter=self._rounds,
            learning_rate=self._rate,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=20,
            l2_regularization=1.0,
            # Columns drawn by seed at each node make the trees less alike: + .002 to .005 AUC on real incidents.
            max_features=0.4,
            max_bins=255,
            categorical_features=(varied < self._n_codes).tolist(),
            early_stopping=False,
            random_state=self._seed,
        )
        return Fit(model.fit(x, self._y), x, varied, known)

    def _fit(self) -> dict[str, NDArray[Any]]:
        fit = self.fitted()
        base = float(np.ravel(fit.model._baseline_prediction)[0])
        return {"base": np.array([base]), **fit.known, **_exported(fit)}

    def _ordinals(self) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
        """Examples as small ordinals, and the ordinals of the code cells that are known."""
        index = self._remembered()
        out = np.empty(index.shape, dtype=np.int64)
        cells, numbers = [np.empty(0, np.uint32)], [np.empty(0, np.int32)]
        for position, (column, own) in enumerate(zip(self._columns, index, strict=True)):
            if position >= self._n_codes:
                out[position] = own - self._cells.region(int(column))[0]
                continue
            found, where, count = np.unique(own, return_inverse=True, return_counts=True)
            # Frequent codes first; equal counts in the order of their cells, so that a refit is repeatable.
            rank = np.empty(len(found), dtype=np.int64)
            rank[np.lexsort((found, -count))] = np.arange(1, len(found) + 1)
            rank[rank > KNOWN_CODES] = 0
            out[position] = rank[where]
            cells.append(found[rank > 0].astype(np.uint32))
            numbers.append(rank[rank > 0].astype(np.int32))
        return out, {"cell": np.concatenate(cells), "ordinal": np.concatenate(numbers)}

    def _remembered(self) -> NDArray[np.int32]:
        """Cells of the examples, oldest first, shape (columns, n)."""
        self._index = [np.concatenate(self._index, axis=1)[:, -self._kept :]]
        return self._index[0]

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Examples and the last fit."""
        counters = np.array([self._seen, self._fitted_seen, self._fitted_at], dtype=np.int64)
        fitted = {f"fit/{name}": array for name, array in (self._arrays or {}).items()}
        return {"index": self._remembered(), "y": self._y, "counters": counters, **fitted}

    def restore(self, state: Arrays) -> None:
        """Examples and fit of `to_state`."""
        self._index, self._y, self._scorers = [np.array(state["index"])], np.array(state["y"]), {}
        self._seen, self._fitted_seen, self._fitted_at = (int(number) for number in state["counters"])
        fitted = {name.removeprefix("fit/"): array for name, array in state.items() if name.startswith("fit/")}
        self._arrays = fitted or None


def _scaled(arrays: Arrays, share: float) -> dict[str, NDArray[Any]]:
    """Floats to units; each step of a path is rounded so that the steps sum to leaf minus root."""
    leaf, expected = to_units(arrays["leaf"] * share), to_units(arrays["path"] * share)
    delta = np.diff(expected, axis=2)
    out = {name: arrays[name] for name in ("column", "left", "goes_left", "cell", "ordinal", "path_column")}
    return {
        **out,
        "base": np.array([round(float(arrays["base"][0]) * share * UNIT)], dtype=np.int64),
        "leaf": leaf.astype(np.int32),
        "path_delta": delta.astype(np.int32),
    }


def _exported(fit: Fit) -> dict[str, NDArray[Any]]:
    trees = [iteration[0] for iteration in fit.model._predictors]
    n = len(trees)
    out: dict[str, NDArray[Any]] = {
        "leaf": np.zeros((n, LEAVES)),
        "path": np.zeros((n, LEAVES, NODES + 1)),
        "path_column": np.zeros((n, LEAVES, NODES), dtype=np.int8),
        "column": np.full((n, NODES), -1, dtype=np.int8),
        "left": np.zeros((n, NODES), dtype=np.uint8),
        "goes_left": np.zeros((n, NODES, ORDINALS // 8), dtype=np.uint8),
    }
    for number, tree in enumerate(trees):
        _Walk(out, number, tree, fit.columns).visit(0, [], [])
    return out


class _Walk:
    """Depth-first through one tree, left before right: leaves get their bits in that order."""

    def __init__(self, out: dict[str, NDArray[Any]], number: int, tree: Any, columns: Index) -> None:
        self._out, self._number, self._tree, self._columns = out, number, tree, columns
        self._leaves = self._nodes = 0

    def visit(self, at: int, columns: list[int], expected: list[float]) -> None:
        """Export the subtree at node `at`; `columns` and `expected` are those of the nodes above it."""
        node = self._tree.nodes[at]
        if node["is_leaf"]:
            self._leaf(float(node["value"]), columns, expected)
            return
        mine, first = self._nodes, self._leaves
        self._nodes += 1
        column = int(self._columns[node["feature_idx"]])
        below = [*columns, column], [*expected, self._mean(at)]
        self.visit(int(node["left"]), *below)
        out, number = self._out, self._number
        out["column"][number, mine] = column
        out["left"][number, mine] = (1 << self._leaves) - (1 << first)
        out["goes_left"][number, mine] = np.packbits(self._goes_left(node))
        self.visit(int(node["right"]), *below)

    def _leaf(self, value: float, columns: list[int], expected: list[float]) -> None:
        out, number, leaf = self._out, self._number, self._leaves
        self._leaves += 1
        out["leaf"][number, leaf] = value
        out["path"][number, leaf] = [*expected, *([value] * (NODES + 1 - len(expected)))]
        out["path_column"][number, leaf, : len(columns)] = columns

    def _mean(self, at: int) -> float:
        """Expectation of a node: the mean of the leaves below it, weighted by their examples."""
        node = self._tree.nodes[at]
        if node["is_leaf"]:
            return float(node["value"])
        left, right = int(node["left"]), int(node["right"])
        n_left, n_right = (float(self._tree.nodes[child]["count"]) for child in (left, right))
        return (n_left * self._mean(left) + n_right * self._mean(right)) / (n_left + n_right)

    def _goes_left(self, node: Any) -> NDArray[np.bool_]:
        """Which ordinals (0 = missing) take the left branch."""
        out = np.empty(ORDINALS, dtype=bool)
        out[0] = node["missing_go_to_left"]
        if node["is_categorical"]:
            bits = self._tree.raw_left_cat_bitsets[node["bitset_idx"]].astype("<u4").view(np.uint8)
            out[1:] = np.unpackbits(bits, bitorder="little")[: ORDINALS - 1]
        else:
            out[1:] = np.arange(ORDINALS - 1) <= node["num_threshold"]
        return out
