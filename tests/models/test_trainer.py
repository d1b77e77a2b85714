"""The trainer learns in order, from held labels only, and gives the same champion however it was fed."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from models.champion import Champion
from models.checks import SCHEMA, auc, rows_by_lot
from models.fitting.trainer import EarlyLabel, Published, TargetSpec, Trainer
from tests.models.stream import DAY, decisions, labels

N = 6_000
A_DAY = 100


def stream(
    trainer: Trainer, y: NDArray[np.uint8], *, pieces: int = 1, delay: int = 2, raw: NDArray[np.int64] | None = None
) -> Iterator[Published | None]:
    """Feeds a hundred subjects a day, their labels `delay` days later; yields what each day's learning gave.

    Puts the raw score of each subject, given on its day, into `raw`.
    """
    rows, _ = rows_by_lot(N)
    numbers = np.arange(N)
    for day in range(N // A_DAY + delay):
        today = numbers[day * A_DAY : (day + 1) * A_DAY]
        if raw is not None and len(today):
            raw[today] = trainer.champion.score(rows.take(today), 0).raw
        for part in np.array_split(today, pieces):
            trainer.decide(decisions(part, day * DAY + part, 1), rows.take(part))
        past = numbers[max(0, day - delay) * A_DAY : max(0, day - delay + 1) * A_DAY] if day >= delay else numbers[:0]
        for part in np.array_split(past, pieces):
            trainer.know(labels(part, y[part], day * DAY + part))
        yield trainer.learn_until((day + 1) * DAY)


def trained(y: NDArray[np.uint8], *, pieces: int = 1) -> list[Published]:
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 1.0, 0.2)])
    return [published for published in stream(trainer, y, pieces=pieces) if published is not None]


@pytest.fixture(scope="module")
def versions() -> list[Published]:
    return trained(rows_by_lot(N)[1])


def test_the_last_version_ranks_what_it_never_saw(versions: list[Published]) -> None:
    rows, y = rows_by_lot(3_000, seed=99)
    champion = Champion.from_arrays(versions[-1].arrays, versions[-1].head)
    assert auc(champion.score(rows, 0).raw, y) > 0.95


def test_probabilities_are_calibrated(versions: list[Published]) -> None:
    rows, y = rows_by_lot(3_000, seed=99)
    p = Champion.from_arrays(versions[-1].arrays, versions[-1].head).score(rows, 0).probability / 10_000
    top = np.argsort(-p)[:300]
    assert p.mean() == pytest.approx(y.mean(), abs=0.02)
    assert p[top].mean() == pytest.approx(y[top].mean(), abs=0.05)


def test_the_head_says_what_was_learned(versions: list[Published]) -> None:
    facts = versions[-1].head["facts"]["overdue"]
    assert facts["labels"] == N
    assert facts["failed"] == int(rows_by_lot(N)[1].sum())
    assert 0.0 < facts["log_loss"] < 0.5


def test_a_version_needs_new_labels() -> None:
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 0.0, 0.2)], min_labels=200)
    rows, y = rows_by_lot(300)
    trainer.decide(decisions(np.arange(300), 0, 1), rows)
    trainer.know(labels(np.arange(199), y[:199], known_at=DAY))
    assert trainer.learn_until(DAY) is None
    trainer.know(labels(np.array([199]), y[199:200], known_at=2 * DAY))
    assert trainer.learn_until(2 * DAY) is not None
    assert trainer.learn_until(3 * DAY) is None


def test_late_in_a_long_history_a_version_needs_more() -> None:
    trainer, n = Trainer(SCHEMA, [TargetSpec("overdue", 0.0, 0.2)], min_labels=10), 4_030
    rows, y = rows_by_lot(n)
    trainer.decide(decisions(np.arange(n), 0, 1), rows)
    for day, (first, after) in enumerate([(0, 4_000), (4_000, 4_019), (4_019, 4_020)], start=1):
        trainer.know(labels(np.arange(first, after), y[first:after], known_at=day * DAY))
        assert (trainer.learn_until(day * DAY) is not None) == (day != 2)


def test_how_it_was_fed_changes_nothing(versions: list[Published]) -> None:
    for one, other in zip(versions, trained(rows_by_lot(N)[1], pieces=7), strict=True):
        assert one.head == other.head
        assert list(one.arrays) == list(other.arrays)
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


def test_labels_by_lot_teach_nothing() -> None:
    by_lot = np.random.default_rng(4).permutation(rows_by_lot(N)[1])
    raw = np.zeros(N, dtype=np.int64)
    for _ in stream(Trainer(SCHEMA, [TargetSpec("overdue", 1.0, 0.2)]), by_lot, raw=raw):
        pass
    assert 0.47 < auc(raw[N // 5 :], by_lot[N // 5 :]) < 0.53


def test_labels_that_mean_something_are_learned_as_the_days_go_by() -> None:
    _, y = rows_by_lot(N)
    raw = np.zeros(N, dtype=np.int64)
    for _ in stream(Trainer(SCHEMA, [TargetSpec("overdue", 1.0, 0.2)]), y, raw=raw):
        pass
    assert auc(raw[N // 5 :], y[N // 5 :]) > 0.95


def test_labels_withheld_leave_the_prior() -> None:
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 1.0, 0.2)])
    trainer.decide(decisions(np.arange(500), 0, 1), rows_by_lot(500)[0])
    assert trainer.learn_until(400 * DAY) is None
    assert set(trainer.champion.score(rows_by_lot(50)[0], 0).probability.tolist()) == {2000}


def test_labels_all_alike_leave_the_prior() -> None:
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 0.0, 0.2)])
    trainer.decide(decisions(np.arange(500), 0, 1), rows_by_lot(500)[0])
    trainer.know(labels(np.arange(500), np.zeros(500, np.uint8), known_at=DAY))
    published = trainer.learn_until(DAY)
    assert published is not None
    assert Champion.from_arrays(published.arrays, published.head).trained == (False,)


def test_a_planted_leak_is_caught() -> None:
    trainer = Trainer(SCHEMA, [TargetSpec("overdue", 0.0, 0.2)])
    rows, y = rows_by_lot(500)
    trainer.decide(decisions(np.arange(500), 0, 1), rows)
    trainer.know(labels(np.arange(500), y, known_at=np.where(np.arange(500) == 321, 9 * DAY, DAY)))
    with pytest.raises(EarlyLabel):
        trainer.learn_until(8 * DAY)


def test_what_is_known_later_moves_nothing_before(versions: list[Published]) -> None:
    _, y = rows_by_lot(N)
    noisy = y.copy()
    noisy[3_000:] = np.random.default_rng(6).integers(0, 2, N - 3_000)
    early = [version for version in versions if version.head["until"] <= 32 * DAY]
    for one, other in zip(early, trained(noisy), strict=False):
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    assert len(early) > 5
