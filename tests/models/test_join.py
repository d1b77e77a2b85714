"""A label meets its decisions once they are old enough, and once only."""

import numpy as np
import pytest

from models.fitting.join import EarlyLabel, Join
from models.rows import Rows, Schema
from tests.models.stream import DAY, decisions, labels

SCHEMA = Schema(("category",), ("hours",))


def rows(n: int) -> Rows:
    return Rows(np.arange(n, dtype=np.uint32)[:, None], np.zeros((n, 1), dtype=np.float32))


def join_of(n: int = 3, *, hold: tuple[float, ...] = (7.0,), at: int = 0, targets: int = 1) -> Join:
    join = Join(SCHEMA, hold, patience_days=30.0)
    join.decide(decisions(np.arange(n), at, targets), rows(n), np.zeros((n, len(hold)), np.int64), [True] * len(hold))
    return join


def learned(join: Join, now: int, target: int = 0) -> list[int]:
    return [int(code) for code in join.matured(now)[target].rows.codes[:, 0]]


def test_a_label_waits_until_its_decision_is_as_old_as_the_window() -> None:
    join = join_of()
    join.know(labels(np.array([1]), np.array([1], np.uint8), known_at=DAY))
    assert learned(join, 7 * DAY - 1) == []
    assert learned(join, 7 * DAY) == [1]


def test_a_label_known_late_is_used_when_it_is_known() -> None:
    join = join_of()
    join.know(labels(np.array([1]), np.array([1], np.uint8), known_at=9 * DAY))
    assert learned(join, 9 * DAY) == [1]


def test_a_label_is_used_once() -> None:
    join = join_of()
    twice = labels(np.array([1, 1]), np.array([1, 0], np.uint8), known_at=np.array([DAY, 2 * DAY]))
    join.know(twice)
    matured = join.matured(8 * DAY)[0]
    assert matured.y.tolist() == [1]
    join.know(twice)
    assert learned(join, 9 * DAY) == []


def test_examples_come_in_the_order_in_which_they_became_usable() -> None:
    join = join_of()
    join.know(labels(np.array([2, 0, 1]), np.array([0, 0, 1], np.uint8), known_at=np.array([12, 9, 10]) * DAY))
    assert learned(join, 20 * DAY) == [0, 1, 2]


def test_only_targets_that_were_open_learn() -> None:
    join = join_of(hold=(0.0, 0.0), targets=0b10)
    both = [labels(np.array([1]), np.array([1], np.uint8), known_at=DAY, target=target) for target in (0, 1)]
    join.know(np.concatenate(both))
    assert [len(matured.y) for matured in join.matured(2 * DAY)] == [0, 1]


def test_both_decisions_of_a_subject_learn_from_its_label() -> None:
    join = join_of(1, hold=(0.0,))
    join.decide(decisions(np.array([0]), 5 * DAY, 1, number=1), rows(1), np.full((1, 1), 77, np.int64), [True])
    join.know(labels(np.array([0]), np.array([1], np.uint8), known_at=6 * DAY))
    assert sorted(join.matured(6 * DAY)[0].raw.tolist()) == [0, 77]


def test_subjects_that_share_half_their_key_are_two() -> None:
    join = join_of(1)
    other = labels(np.array([0]), np.array([1], np.uint8), known_at=DAY)
    other["subject"] = np.array([0, 9], dtype=">u8").view("V16")
    join.know(other)
    assert learned(join, 30 * DAY) == []


def test_what_is_learned_is_forgotten() -> None:
    join = join_of()
    join.know(labels(np.arange(3), np.zeros(3, np.uint8), known_at=DAY))
    join.matured(8 * DAY)
    assert (len(join), join.waiting_labels) == (0, 0)


def test_what_never_gets_a_label_is_forgotten_after_window_and_patience() -> None:
    join = join_of()
    join.matured(37 * DAY)
    assert len(join) == 3
    join.matured(37 * DAY + 1)
    assert len(join) == 0


def test_a_label_before_its_time_is_refused() -> None:
    join = join_of()
    join.know(labels(np.array([1]), np.array([1], np.uint8), known_at=3 * DAY))
    with pytest.raises(EarlyLabel):
        join.check(3 * DAY - 1)
    join.check(3 * DAY)
