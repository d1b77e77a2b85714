"""Trees scored by surviving leaves are the trees that scikit-learn fitted."""

import numpy as np

from models.boosted import LEAVES
from models.cells import Cells, quantile_edges
from models.checks import SCHEMA, rows_by_lot
from models.fitting.boosting import DAY, Boosting
from models.learner import UNIT, Flags, Index
from models.rows import Rows

CELLS = Cells(SCHEMA, quantile_edges(rows_by_lot(4_000)[0].values))


def examples(n: int, seed: int = 7) -> tuple[Index, Flags]:
    rows, y = rows_by_lot(n, seed)
    return CELLS.index(rows), y


def test_scores_are_those_of_scikit_learn() -> None:
    index, y = examples(2_000)
    learner = Boosting(CELLS, 0.2)
    learner.learn(index, y, 0)
    scorer = learner.scorer(1.0)
    fit = learner.fitted()
    assert scorer is not None
    rounding = 0.5 * (len(scorer.to_arrays()["leaf"]) + 1) / UNIT
    assert np.abs(scorer.score(index) / UNIT - fit.model.decision_function(fit.x)).max() < rounding


def test_trees_stay_within_a_byte_of_leaves() -> None:
    learner = Boosting(CELLS, 0.2)
    learner.learn(*examples(3_000), 0)
    scorer = learner.scorer(1.0)
    assert scorer is not None
    assert scorer.to_arrays()["leaf"].shape[1] == LEAVES


def test_it_refits_when_examples_grew_by_a_quarter() -> None:
    learner, (index, y) = Boosting(CELLS, 0.2), examples(2_000)
    learner.learn(index[:, :1_000], y[:1_000], 0)
    first = learner.to_state()["fit/leaf"]
    learner.learn(index[:, 1_000:1_249], y[1_000:1_249], DAY)
    assert learner.to_state()["fit/leaf"] is first
    learner.learn(index[:, 1_249:1_250], y[1_249:1_250], DAY)
    assert learner.to_state()["fit/leaf"] is not first


def test_it_remembers_so_many_examples_and_no_more() -> None:
    learner, (index, y) = Boosting(CELLS, 0.2, kept=500), examples(2_000)
    for start in range(0, 2_000, 400):
        learner.learn(index[:, start : start + 400], y[start : start + 400], 0)
    assert learner.to_state()["index"].shape[1] == 500


def test_an_unknown_code_goes_the_way_of_a_missing_one() -> None:
    learner = Boosting(CELLS, 0.2)
    learner.learn(*examples(2_000), 0)
    scorer = learner.scorer(1.0)
    assert scorer is not None
    values = np.zeros((2, 2), dtype=np.float32)
    strange = CELLS.index(Rows(np.array([[99_991, 5, 2], [77_773, 5, 2]], dtype=np.uint32), values))
    assert len(set(scorer.score(strange).tolist())) == 1


def test_a_column_without_any_value_is_borne() -> None:
    rows, y = rows_by_lot(1_000)
    index = CELLS.index(Rows(rows.codes, np.stack([rows.values[:, 0], np.full(1_000, np.nan, np.float32)], axis=1)))
    learner = Boosting(CELLS, 0.2)
    learner.learn(index, y, 0)
    assert learner.scorer(1.0) is not None


def test_columns_that_never_vary_are_left_out() -> None:
    rows, y = rows_by_lot(1_000)
    learner = Boosting(CELLS, 0.2)
    learner.learn(CELLS.index(Rows(np.where([True, False, True], rows.codes, 5).astype(np.uint32), rows.values)), y, 0)
    assert learner.fitted().columns.tolist() == [0, 2, 3, 4]


def test_rows_all_alike_are_borne() -> None:
    learner = Boosting(CELLS, 0.2)
    learner.learn(np.repeat(examples(1)[0], 100, axis=1), np.arange(100, dtype=np.uint8) % 2, 0)
    assert learner.scorer(1.0) is not None
