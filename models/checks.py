"""What every learner promises, as one list: a new learner keeps all of it or is not taken in.

Each promise takes a `Subject` (a learner's name and how to make one) and raises AssertionError when it is broken. The
rows it tries are drawn from a fixed seed. Inspired by scikit-learn's and River's `check_estimator`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cells import Cells, quantile_edges
from models.learner import UNIT, Flags, Index, Learner, Scorer
from models.registry import SCORERS
from models.rows import Rows, Schema

SCHEMA = Schema(("category", "office", "channel"), ("hours", "load"), (("category", "office"), ("channel",)))
_NOW = 1_460_000_000_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """A learner under test: the name of its scorer in `SCORERS`, and a maker (cells, prior, seed)."""

    name: str
    make: Callable[[Cells, float, int], Learner]


def scoring_changes_nothing(subject: Subject) -> None:
    """Scores asked twice are equal, and what is learned afterwards does not depend on having been asked."""
    cells, index, y = _toy(900)
    asked, silent = subject.make(cells, 0.2, 3), subject.make(cells, 0.2, 3)
    for learner in (asked, silent):
        learner.learn(index[:, :600], y[:600], _NOW)
        if learner is asked:
            scorer = _scorer(learner)
            assert np.array_equal(scorer.score(index), scorer.score(index))
            scorer.contributions(index[:, :1])
        learner.learn(index[:, 600:], y[600:], _NOW)
    assert np.array_equal(_scorer(asked).score(index), _scorer(silent).score(index))


def state_is_everything(subject: Subject) -> None:
    """A learner restored from its state scores and learns on like the original."""
    cells, index, y = _toy(900)
    first, second = subject.make(cells, 0.2, 3), subject.make(cells, 0.2, 3)
    first.learn(index[:, :600], y[:600], _NOW)
    second.restore({name: array.copy() for name, array in first.to_state().items()})
    for learner in (first, second):
        learner.learn(index[:, 600:], y[600:], _NOW)
    assert np.array_equal(_scorer(first).score(index), _scorer(second).score(index))


def arrays_are_the_scorer(subject: Subject) -> None:
    """A scorer made again from its published arrays gives the same scores and contributions."""
    cells, index, scorer = _taught(subject)
    again = SCORERS[subject.name](cells, scorer.to_arrays())
    assert np.array_equal(scorer.score(index), again.score(index))
    assert np.array_equal(scorer.contributions(index), again.contributions(index))


def batch_does_not_matter(subject: Subject) -> None:
    """Rows score alike alone, in pieces and all together."""
    _, index, scorer = _taught(subject)
    whole = scorer.score(index)
    for size in (1, 7, 64, 300):
        pieces = [scorer.score(index[:, at : at + size]) for at in range(0, index.shape[1], size)]
        assert np.array_equal(whole, np.concatenate(pieces)), f"pieces of {size}"


def row_order_does_not_matter(subject: Subject) -> None:
    """A row's score does not depend on its neighbours."""
    _, index, scorer = _taught(subject)
    order = np.random.default_rng(5).permutation(index.shape[1])
    assert np.array_equal(scorer.score(index)[order], scorer.score(index[:, order]))


def the_unknown_is_scored(subject: Subject) -> None:
    """Codes never seen, missing codes, NaN and infinities give a modest logit."""
    cells, _, scorer = _taught(subject)
    values = np.array([[np.nan, np.nan], [np.inf, -np.inf], [1e30, -0.0]], dtype=np.float32)
    codes = np.array([[0, 0, 0], [4_000_000_001, 4_000_000_002, 4_000_000_003], [1, 0, 77]], dtype=np.uint32)
    assert np.all(np.abs(scorer.score(cells.index(Rows(codes, values)))) < 12 * UNIT)


def the_obvious_is_learned(subject: Subject) -> None:
    """A category that nearly always fails ranks above the rest (AUC > .9 on rows not learned)."""
    cells, index, y = _toy(4_000)
    learner = subject.make(cells, 0.2, 3)
    learner.learn(index[:, :2_000], y[:2_000], _NOW)
    assert auc(_scorer(learner).score(index[:, 2_000:]), y[2_000:]) > 0.9


def noise_is_not_learned(subject: Subject) -> None:
    """Labels drawn by lot give an AUC of .47 to .53 on rows not learned."""
    cells, index, y = _toy(12_000)
    by_lot = np.random.default_rng(11).permutation(y)
    learner = subject.make(cells, 0.2, 3)
    learner.learn(index[:, :4_000], by_lot[:4_000], _NOW)
    assert 0.47 < auc(_scorer(learner).score(index[:, 4_000:]), by_lot[4_000:]) < 0.53


def explanations_add_up(subject: Subject) -> None:
    """The contributions of a row and the base sum to its score, to the unit, alone as in a batch."""
    _, index, scorer = _taught(subject)
    together = scorer.contributions(index)
    assert np.array_equal(together.sum(axis=1), scorer.score(index))
    for row in range(60):
        assert np.array_equal(scorer.contributions(index[:, row : row + 1])[0], together[row])


def a_share_is_a_share(subject: Subject) -> None:
    """Published at half its share, a learner's score halves, but for rounding."""
    cells, index, y = _toy(900)
    learner = subject.make(cells, 0.2, 3)
    learner.learn(index, y, _NOW)
    half = learner.scorer(0.5)
    assert half is not None
    assert np.max(np.abs(2 * half.score(index) - _scorer(learner).score(index))) < UNIT / 100


def equal_seeds_give_equal_models(subject: Subject) -> None:
    """Learning the same rows twice gives the same arrays."""
    (_, _, first), (_, _, second) = _taught(subject), _taught(subject)
    one, other = first.to_arrays(), second.to_arrays()
    assert list(one) == list(other)
    assert all(np.array_equal(one[name], other[name]) for name in one)


PROMISES: tuple[Callable[[Subject], None], ...] = (
    scoring_changes_nothing,
    state_is_everything,
    arrays_are_the_scorer,
    batch_does_not_matter,
    row_order_does_not_matter,
    the_unknown_is_scored,
    the_obvious_is_learned,
    noise_is_not_learned,
    explanations_add_up,
    a_share_is_a_share,
    equal_seeds_give_equal_models,
)


def auc(score: NDArray[np.int64], y: Flags) -> float:
    """Chance that a failure scores above a non-failure, ties counted half."""
    ordered = np.sort(score)
    rank = (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right") + 1) / 2
    failed = int(y.sum())
    return float((rank[y == 1].sum() - failed * (failed + 1) / 2) / (failed * (len(y) - failed)))


def rows_by_lot(n: int, seed: int = 7) -> tuple[Rows, Flags]:
    """n rows of `SCHEMA` and labels: category 1 nearly always fails, others seldom."""
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(1, high, n) for high in (6, 30, 4)], axis=1).astype(np.uint32)
    values = np.stack([rng.exponential(20.0, n), rng.normal(size=n)], axis=1).astype(np.float32)
    values[rng.random(n) < 0.1, 1] = np.nan
    fails = codes[:, 0] == 1
    y = np.where(rng.random(n) < 0.02, ~fails, fails).astype(np.uint8)
    return Rows(codes, values), y


def _toy(n: int) -> tuple[Cells, Index, Flags]:
    rows, y = rows_by_lot(n)
    cells = Cells(SCHEMA, quantile_edges(rows.values))
    return cells, cells.index(rows), y


def _taught(subject: Subject) -> tuple[Cells, Index, Scorer]:
    cells, index, y = _toy(900)
    learner = subject.make(cells, 0.2, 3)
    learner.learn(index, y, _NOW)
    return cells, index, _scorer(learner)


def _scorer(learner: Learner) -> Scorer:
    scorer = learner.scorer(1.0)
    assert scorer is not None, "a learner that has learned must have something to publish"
    return scorer
