"""The champion: prior until it has learned, exact whatever the batch, explained to the unit."""

import numpy as np
import pytest

from models.champion import Champion, Scores
from models.checks import SCHEMA, rows_by_lot
from models.fitting.trainer import TargetSpec, Trainer
from models.learner import UNIT
from models.rows import Rows
from tests.models.stream import DAY, decisions, labels


@pytest.fixture(scope="module")
def champion() -> Champion:
    rows, y = rows_by_lot(3_000)
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 1.0, 0.2), TargetSpec("repeated", 1.0, 0.1)])
    trainer.decide(decisions(np.arange(3_000), at=0, targets=1), rows)
    trainer.know(labels(np.arange(3_000), y, known_at=DAY))
    published = trainer.learn_until(2 * DAY)
    assert published is not None
    return Champion.from_arrays(published.arrays, published.head)


def test_an_untrained_champion_gives_every_row_its_prior() -> None:
    untrained = Champion.untrained(SCHEMA, ("overdue", "repeated"), 0.1234)
    scores = untrained.score(rows_by_lot(50)[0], 1)
    assert set(scores.probability.tolist()) == {1234}
    assert set((scores.raw / UNIT).round(3).tolist()) == {round(float(np.log(0.1234 / 0.8766)), 3)}


def test_a_target_without_labels_stays_at_its_prior(champion: Champion) -> None:
    assert champion.trained == (True, False)
    assert set(champion.score(rows_by_lot(50)[0], 1).probability.tolist()) == {1000}


def test_scores_have_the_promised_types(champion: Champion) -> None:
    scores = champion.score(rows_by_lot(5)[0], 0)
    assert (str(scores.raw.dtype), str(scores.probability.dtype)) == ("int64", "uint16")


@pytest.mark.parametrize("size", [1, 3, 99, 100, 101, 1_000])
def test_the_batch_does_not_matter(champion: Champion, size: int) -> None:
    rows = rows_by_lot(1_000, seed=8)[0]
    whole = champion.score(rows, 0)
    pieces = [champion.score(rows.take(slice(at, at + size)), 0) for at in range(0, 1_000, size)]
    assert np.array_equal(whole.raw, np.concatenate([piece.raw for piece in pieces]))
    assert np.array_equal(whole.probability, np.concatenate([piece.probability for piece in pieces]))


def test_an_explanation_sums_to_the_raw_score(champion: Champion) -> None:
    rows = rows_by_lot(100, seed=9)[0]
    raw = champion.score(rows, 0).raw
    for row, parts in enumerate(champion.explain(rows, 0)):
        assert sum(part for _, part in parts) == raw[row]
        assert [name for name, _ in parts][-1] == "base"
        assert {name for name, _ in parts[:-1]} == {*SCHEMA.codes, *SCHEMA.values}


def test_the_heaviest_reason_comes_first(champion: Champion) -> None:
    rows, _ = rows_by_lot(200, seed=10)
    failed = int(np.flatnonzero(rows.codes[:, 0] == 1)[0])
    assert champion.explain(rows, 0)[failed][0][0] == "category"


def test_a_champion_comes_back_from_its_arrays(champion: Champion) -> None:
    head, arrays = champion.to_arrays()
    again = Champion.from_arrays(arrays, head)
    rows = rows_by_lot(300, seed=12)[0]
    for one, other in zip(champion.score_all(rows), again.score_all(rows), strict=True):
        assert same(one, other)


def test_all_targets_at_once_are_each_target_alone(champion: Champion) -> None:
    rows = rows_by_lot(300, seed=13)[0]
    assert all(same(each, champion.score(rows, number)) for number, each in enumerate(champion.score_all(rows)))


def test_no_rows_give_no_scores(champion: Champion) -> None:
    none = Rows(np.empty((0, 3), np.uint32), np.empty((0, 2), np.float32))
    assert len(champion.score(none, 0).raw) == 0


def same(one: Scores, other: Scores) -> bool:
    return np.array_equal(one.raw, other.raw) and np.array_equal(one.probability, other.probability)


def test_later_decisions_have_a_calibration_of_their_own() -> None:
    # The same rows, of which one in ten fails at the first decision and nine in ten at the second.
    n = 8_000
    rows, lot = rows_by_lot(n)[0], np.random.default_rng(5).random(n)
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 0.0, 0.2)])
    for half, day in ((slice(0, n // 2), 0), (slice(n // 2, n), 1)):
        numbers = np.arange(n)[half]
        later = numbers % 2
        heads = decisions(numbers, at=day * DAY, targets=1)
        heads["number"] = later
        trainer.decide(heads, rows.take(half))
        y = (lot[half] < np.where(later, 0.9, 0.1)).astype(np.uint8)
        trainer.know(labels(numbers, y, known_at=day * DAY))
        trainer.learn_until((day + 1) * DAY)
    later = np.arange(1_000) % 2 == 1
    p = trainer.champion.score(rows.take(slice(0, 1_000)), 0, later).probability / 10_000
    assert p[~later].mean() < 0.3 < 0.7 < p[later].mean()
