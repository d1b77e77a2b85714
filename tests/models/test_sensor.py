"""The cheap tier: every reading against its own sensor, alike one by one and a frame at a time."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.scan import Series
from models.sensor import STATE, TOP, Scores, Tier, score

slots = st.lists(st.integers(0, 6), min_size=1, max_size=60).map(sorted)


def scores_of(values: Any, frame: int = 1000, tier: Tier | None = None) -> Scores:
    """Scores of one sensor that speaks every second, folded in frames of this size."""
    state = np.zeros(1, np.dtype(STATE))
    parts: list[Scores] = []
    values = np.asarray(values, np.float64)
    for first in range(0, len(values), frame):
        value = values[first : first + frame]
        elapsed = np.full(len(value), 1e6)
        found, moved = score(tier or Tier(), Series(np.zeros(len(value), np.int64)), state, value, elapsed)
        for name, column in moved.items():
            state[name] = column
        parts.append(found)
    return Scores(*(np.concatenate([getattr(part, name) for part in parts]) for name in Scores.__slots__))


def noise(size: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(20.0, 1.0, size)


@given(slots, st.integers(0, 1000))
def test_a_linear_recurrence_by_doubling_is_the_one_by_loop(sorted_slots: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    series = Series(np.array(sorted_slots))
    keep, add = random.random(len(sorted_slots)), random.normal(size=len(sorted_slots))
    state = dict(enumerate(random.normal(size=7)))
    initial = np.array([state[slot] for slot in series.slots.tolist()])
    expected = []
    for place, slot in enumerate(sorted_slots):
        state[slot] = keep[place] * state[slot] + add[place]
        expected.append(state[slot])
    np.testing.assert_allclose(series.linear(keep, add, initial), expected, rtol=1e-12, atol=1e-12)


@given(slots, st.integers(0, 1000))
def test_a_fading_peak_by_doubling_is_the_one_by_loop(sorted_slots: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    series = Series(np.array(sorted_slots))
    keep, least = random.random(len(sorted_slots)), random.random(len(sorted_slots))
    state = dict(enumerate(random.random(7)))
    initial = np.array([state[slot] for slot in series.slots.tolist()])
    expected = []
    for place, slot in enumerate(sorted_slots):
        state[slot] = max(keep[place] * state[slot], least[place])
        expected.append(state[slot])
    np.testing.assert_allclose(series.peak(keep, least, initial), expected, rtol=1e-12)


@given(slots, st.integers(0, 1000))
def test_the_latest_mark_is_looked_for_in_the_own_series_only(sorted_slots: list[int], seed: int) -> None:
    marked = np.random.default_rng(seed).random(len(sorted_slots)) < 0.3
    expected = []
    for place, slot in enumerate(sorted_slots):
        own = [q for q in range(place + 1) if marked[q] and sorted_slots[q] == slot]
        expected.append(own[-1] if own else -1)
    assert Series(np.array(sorted_slots)).latest(marked).tolist() == expected


def test_a_huge_neighbour_costs_a_sensor_no_digits() -> None:
    series = Series(np.array([0] * 50 + [1] * 50))
    keep, add = np.full(100, 0.9), np.concatenate([np.full(50, 1e15), np.full(50, 1e-6)])
    alone = Series(np.zeros(50, np.int64)).linear(keep[50:], add[50:], np.zeros(1))
    assert series.linear(keep, add, np.zeros(2))[50:].tolist() == alone.tolist()


def test_frames_of_any_size_give_the_same_scores() -> None:
    values = noise(2000)
    values[1200] += 40.0
    whole, single = scores_of(values, 1000), scores_of(values, 7)
    for name in Scores.__slots__:
        np.testing.assert_allclose(getattr(whole, name), getattr(single, name), rtol=1e-9, atol=1e-9)


def test_a_spike_is_scored_before_it_moves_what_is_usual() -> None:
    values = noise(1000)
    values[900] = 32.0
    scores = scores_of(values)
    assert 10.0 < scores.level[900] < 14.0
    assert abs(scores.expected[900] - 20.0) < 0.5


def test_a_young_sensor_is_not_judged() -> None:
    tier = Tier(warm_up=50)
    values = noise(60)
    values[[10, 49, 55]] = 1e6
    scores = scores_of(values, tier=tier)
    assert not scores.level[:50].any()
    assert not scores.rate[:50].any()
    assert scores.level[50] > 0.0


def test_one_absurd_reading_does_not_blind_its_sensor() -> None:
    values = noise(3000)
    values[1000] = 1e9
    values[1500] = 40.0
    assert scores_of(values).level[1500] > 8.0


def test_a_sensor_that_becomes_noisy_shows_in_its_spread() -> None:
    values = noise(2000)
    values[1500:] = 20.0 + 4.0 * (values[1500:] - 20.0)
    scores = scores_of(values)
    assert scores.spread[200:1500].max() < 1.8
    assert scores.spread[1540:1600].min() > 2.0


def test_a_step_counts_per_usual_interval() -> None:
    tier, value = Tier(), np.concatenate([np.tile([0.0, 1.0], 100), [10.0]])
    found = []
    for last in (1e6, 10e6):
        elapsed = np.append(np.full(200, 1e6), last)
        scores, _ = score(tier, Series(np.zeros(201, np.int64)), np.zeros(1, np.dtype(STATE)), value, elapsed)
        found.append(float(scores.rate[-1]))
    np.testing.assert_allclose(found[0], 10.0 * found[1], rtol=1e-6)


def test_one_outage_hardly_changes_the_usual_interval() -> None:
    elapsed = np.full(400, 60e6)
    elapsed[300] = 60e6 * 1000
    scores, _ = score(Tier(), Series(np.zeros(400, np.int64)), np.zeros(1, np.dtype(STATE)), noise(400), elapsed)
    np.testing.assert_allclose(scores.interval[300], 60e6)
    assert scores.interval[301] < 2.5 * 60e6


def test_a_sensor_that_never_moved_has_a_score_with_an_end() -> None:
    scores = scores_of([5.0] * 100 + [6.0, 6.0])
    assert scores.level[:100].max() < 1e-3
    assert scores.level[100] == TOP
    assert np.isfinite(scores.spread).all()
