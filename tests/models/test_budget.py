"""The budget gate on simulated streams: calm, bursty, drifting, weekly, nearly empty."""

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from models.budget import Gate

LOWEST = 3000.0
DAYS, BURN_IN = 120, 20
Scores = NDArray[np.float64]
Stream = Callable[[np.random.Generator], Iterator[Scores]]


def scores(draw: np.random.Generator, n: int) -> Scores:
    return LOWEST + 3000 * np.exp(draw.normal(0, 0.5, n))


def calm(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 500) for _ in range(DAYS))


def bursts_of_number(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 2500 if draw.random() < 0.1 else 150) for _ in range(DAYS))


def bursts_of_score(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 500) + (4000 if draw.random() < 0.1 else 0) for _ in range(DAYS))


def drifting(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 500) * (1 + 2 * day / DAYS) for day in range(DAYS))


def jumping(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 500) * (1 + day // 30 % 2) for day in range(DAYS))


def weekly(draw: np.random.Generator) -> Iterator[Scores]:
    return (scores(draw, 500 if day % 7 < 5 else 60) for day in range(DAYS))


def tied(draw: np.random.Generator) -> Iterator[Scores]:
    return (np.floor(scores(draw, 500) / 500) * 500 + draw.random(500) for _ in range(DAYS))


STREAMS: list[Stream] = [calm, bursts_of_number, bursts_of_score, drifting, jumping, weekly, tied]


def passed_per_day(gate: Gate, stream: Iterator[Scores]) -> NDArray[np.int64]:
    return np.array([sum(gate.passes(float(score), day) for score in today) for day, today in enumerate(stream)])


@pytest.mark.parametrize("budget", [2, 4, 10, 30])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_the_budget_is_kept(stream: Stream, budget: int) -> None:
    per_day = passed_per_day(Gate(budget, LOWEST), stream(np.random.default_rng(7)))[BURN_IN:]
    assert abs(per_day.mean() / budget - 1) <= 0.2
    assert np.percentile(per_day, 95) <= 1.5 * budget


def test_what_passes_is_the_top_of_the_day() -> None:
    gate, kept, top = Gate(10, LOWEST), list[float](), list[float]()
    for day, today in enumerate(calm(np.random.default_rng(1))):
        passed = [float(score) for score in today if gate.passes(float(score), day)]
        if day >= BURN_IN:
            kept += passed
            top += sorted(today.tolist())[-10:]
    assert np.mean(kept) > 0.95 * np.mean(top)


def test_no_day_goes_beyond_one_and_a_half_budgets_not_even_the_first() -> None:
    per_day = passed_per_day(Gate(10, LOWEST), bursts_of_score(np.random.default_rng(3)))
    assert per_day[0] == 15
    assert per_day.max() == 15


def test_with_fewer_candidates_than_budget_all_of_them_pass() -> None:
    draw = np.random.default_rng(5)
    crowded = [scores(draw, 1000) for _ in range(30)]
    quiet = [scores(draw, 6) for _ in range(30)]
    per_day = passed_per_day(Gate(10, LOWEST), iter(crowded + quiet))
    assert (per_day[33:] == 6).all()


def test_a_budget_below_one_a_day_is_one_every_few_days() -> None:
    per_day = passed_per_day(Gate(0.25, LOWEST), calm(np.random.default_rng(2)))
    assert per_day.max() == 1
    assert 0.2 <= per_day[BURN_IN:].mean() <= 0.3


def test_no_budget_lets_nothing_pass() -> None:
    assert passed_per_day(Gate(0, LOWEST), calm(np.random.default_rng(2))).sum() == 0


def test_those_past_the_budget_by_right_take_at_most_half_of_it() -> None:
    gate, passed = Gate(10, LOWEST), list[int]()
    for day, today in enumerate(calm(np.random.default_rng(4))):
        for _ in range(100):
            gate.count(day)
        passed.append(sum(gate.passes(float(score), day) for score in today))
    assert np.mean(passed[BURN_IN:]) == pytest.approx(5, rel=0.2)


def test_one_by_right_does_not_close_a_gate_of_one_a_day() -> None:
    gate = Gate(1, LOWEST)
    gate.count(0)
    assert gate.passes(9000.0, 0)


def test_a_gate_goes_on_from_its_state_as_if_nothing_had_happened() -> None:
    stream = list(weekly(np.random.default_rng(6)))
    whole, first = Gate(4, LOWEST), Gate(4, LOWEST)
    expected = passed_per_day(whole, iter(stream))
    begun = passed_per_day(first, iter(stream[:50]))
    second = Gate.from_state(json.loads(json.dumps(first.to_state())))
    rest = [sum(second.passes(float(x), day) for x in today) for day, today in enumerate(stream[50:], start=50)]
    assert [*begun, *rest] == expected.tolist()
    assert second.to_state() == whole.to_state()
