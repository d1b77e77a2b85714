"""The readings fold: what begins, changes and ends to be wrong with a sensor."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.code_index import EMPTY, CodeIndex
from pipeline.columns import pack, unpack
from pipeline.frame import READING, Frame, Kind, frame_of_others, frame_of_readings
from pipeline.reading_rules import Limits, ReadingRules
from pipeline.readings import ReadingsFold
from pipeline.sensor_rows import SENSOR
from pipeline.state import NEVER

MINUTE = 60_000_000
START = 1_767_225_600_000_000
SENSOR_A, SENSOR_B = 11, -7


def rows_of(values: Any, sensor: int = SENSOR_A, first: int = START, every: int = MINUTE) -> NDArray[Any]:
    rows = np.zeros(len(values), READING)
    rows["sensor"], rows["value"] = sensor, values
    rows["at"] = first + every * np.arange(len(values))
    return rows


def frames_of(rows: NDArray[Any], size: int = 1000) -> list[Frame]:
    """Frames in which each reading arrives when it is taken."""
    now = np.maximum.accumulate(rows["at"])
    frames = []
    for first in range(0, len(rows), size):
        frame = frame_of_readings(rows[first : first + size], 0)
        frame.now, frame.offset = now[first : first + size], first // size
        frames.append(frame)
    return frames


def tick(now: int, offset: int = 99) -> Frame:
    frame = frame_of_others([(Kind.TICK, now, {})])
    frame.offset = offset
    return frame


def told(fold: ReadingsFold, frames: list[Frame]) -> list[dict[str, Any]]:
    return [effect for frame in frames for effect in fold.step(frame).to_signals]


def story(effects: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """(why, state, minute since the start) of each effect."""
    return [(effect["why"], effect["state"], (effect["at"] - START) // MINUTE) for effect in effects]


def noise(size: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(20.0, 1.0, size)


def test_a_usual_sensor_says_nothing() -> None:
    assert told(ReadingsFold(), frames_of(rows_of(noise(5000)))) == []


def test_a_spike_begins_and_ends_once_with_its_evidence() -> None:
    values = noise(1000)
    values[500] = 27.0
    effects = told(ReadingsFold(), frames_of(rows_of(values), 100))
    assert story(effects) == [("abnormal", "begins", 500), ("abnormal", "ends", 530)]
    begun, ended = effects
    assert (begun["seq"], ended["seq"]) == (1, 2)
    assert (begun["sensor"], begun["value"]) == (SENSOR_A, 27.0)
    assert begun["score"] >= 6.0
    assert abs(begun["expected"] - 20.0) < 0.5
    assert begun["evidence"] == [5, 5]
    assert ended["evidence"] == [5, 5]


def test_after_an_alarm_there_is_quiet() -> None:
    values = noise(1000)
    values[[500, 560, 620, 750]] = 27.0
    begun = [
        place for why, state, place in story(told(ReadingsFold(), frames_of(rows_of(values)))) if state == "begins"
    ]
    assert begun == [500, 750]


def test_a_trouble_that_stays_changes_after_the_quiet_period() -> None:
    values = noise(700)
    values[500:] += np.where(np.arange(200) % 2, 9.0, -9.0)
    rules = ReadingRules(spread=np.inf, rate=np.inf, abnormal=3.9, quiet_readings=5)
    states = [state for _, state, _ in story(told(ReadingsFold(rules), frames_of(rows_of(values))))]
    assert states[:2] == ["begins", "changes"]


def test_a_sensor_that_always_moved_is_stuck_when_it_rests() -> None:
    values = noise(1000)
    values[600:700] = 20.5
    assert story(told(ReadingsFold(), frames_of(rows_of(values)))) == [
        ("stuck", "begins", 659),
        ("stuck", "ends", 700),
    ]


def test_a_sensor_that_often_rests_is_not_stuck() -> None:
    values = np.repeat(noise(40), 50)
    rules = ReadingRules(spread=np.inf, abnormal=np.inf, rate=np.inf, stuck_readings=60, stuck_times=3.0)
    assert told(ReadingsFold(rules), frames_of(rows_of(np.append(values, [values[-1]] * 90)))) == []


def test_limits_can_say_that_a_sensor_may_rest() -> None:
    values = noise(1000)
    values[600:] = 20.5
    rules = ReadingRules(limits={SENSOR_A: Limits(stuck_readings=0)})
    assert told(ReadingsFold(rules), frames_of(rows_of(values))) == []


def test_a_silent_sensor_is_missing_from_its_due_time_on_whoever_tells_the_time() -> None:
    fold = ReadingsFold()
    told(fold, frames_of(rows_of(noise(20))))
    assert fold.step(tick(START + 28 * MINUTE)).to_signals == []
    (begun,) = fold.step(tick(START + 500 * MINUTE)).to_signals
    assert (begun["why"], begun["state"], begun["at"]) == ("missing", "begins", START + 29 * MINUTE)
    assert begun["expected"] == MINUTE
    (ended,) = told(fold, frames_of(rows_of([20.0], first=START + 600 * MINUTE)))
    assert (ended["why"], ended["state"], ended["at"]) == ("missing", "ends", START + 600 * MINUTE)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_silence_inside_a_frame_is_told_as_between_frames(size: int) -> None:
    rows = np.concatenate([rows_of(noise(20)), rows_of(noise(20), first=START + 100 * MINUTE)])
    assert story(told(ReadingsFold(), frames_of(rows, size))) == [("missing", "begins", 29), ("missing", "ends", 100)]


def test_ticks_change_no_effect() -> None:
    rows = np.concatenate([rows_of(noise(20)), rows_of(noise(20), first=START + 100 * MINUTE)])
    quiet, ticked = ReadingsFold(), ReadingsFold()
    told(quiet, frames_of(rows, 10))
    for frame in frames_of(rows, 10):
        ticked.step(tick(int(frame.now[0])))
        ticked.step(frame)
        ticked.step(tick(int(frame.now[-1])))
    assert ticked.digest.value == quiet.digest.value
    assert quiet.seq == 2


def test_of_many_sensors_each_is_missed_at_its_own_due_time() -> None:
    fold = ReadingsFold(ReadingRules(default=Limits(interval=MINUTE)))
    sensors = np.arange(1, 4001)
    rows = np.zeros(4000, READING)
    rows["sensor"], rows["at"] = sensors, START + sensors * 1000
    told(fold, frames_of(rows))
    told(fold, frames_of(rows_of([1.0], 2000, first=START + 5 * MINUTE)))
    early = fold.step(tick(START + 10 * MINUTE + 1500 * 1000)).to_signals
    late = fold.step(tick(START + 15 * MINUTE)).to_signals
    assert [effect["sensor"] for effect in early] == list(range(1, 1501))
    assert [effect["sensor"] for effect in late] == [*(one for one in range(1501, 4001) if one != 2000), 2000]
    assert fold.next_due == NEVER


def test_an_interval_that_is_configured_needs_no_habit() -> None:
    fold = ReadingsFold(ReadingRules(default=Limits(interval=MINUTE)))
    told(fold, frames_of(rows_of([20.0])))
    assert story(fold.step(tick(START + 11 * MINUTE)).to_signals) == [("missing", "begins", 10)]


def test_an_impossible_value_is_told_with_the_limit_it_passed() -> None:
    values = noise(300)
    values[200] = -3.0
    rules = ReadingRules(default=Limits(normal_low=0.0, normal_high=60.0), abnormal=np.inf, spread=np.inf, rate=np.inf)
    begun, ended = told(ReadingsFold(rules), frames_of(rows_of(values)))
    assert (begun["why"], begun["limit"], begun["expected"], begun["score"]) == ("out_of_range", "impossible", 0.0, 3.0)
    assert story([begun, ended]) == [("out_of_range", "begins", 200), ("out_of_range", "ends", 230)]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_alarm_limit_must_be_passed_for_its_time(size: int) -> None:
    values = np.full(60, 20.0) + np.arange(60) % 3
    values[10:12] = 55.0
    values[30:40] = 55.0
    rules = ReadingRules(limits={SENSOR_A: Limits(alarm_high=50.0, held=5 * MINUTE)}, calm_readings=3)
    effects = told(ReadingsFold(rules), frames_of(rows_of(values), size))
    assert story(effects) == [("out_of_range", "begins", 35), ("out_of_range", "ends", 42)]
    assert effects[0]["limit"] == "alarm"


def test_a_reading_that_comes_again_or_late_is_counted_and_changes_nothing() -> None:
    rows = rows_of(noise(10))
    fold, other = ReadingsFold(), ReadingsFold()
    told(other, frames_of(rows))
    again = np.concatenate([rows, rows[9:], rows[3:4], rows[9:]])
    counts = fold.step(frames_of(again)[0]).counts
    assert dict(counts) == {"applied": 10, "duplicate": 2, "late": 1}
    assert fold.sensors.known.tobytes() == other.sensors.known.tobytes()
    assert dict(fold.step(frames_of(rows)[0]).counts) == {"duplicate": 1, "late": 9}


def test_sensors_do_not_disturb_each_other() -> None:
    values = noise(900)
    values[700] = 30.0
    alone = told(ReadingsFold(), frames_of(rows_of(values)))
    both = np.concatenate([rows_of(values), rows_of(1e9 * noise(900, 5), SENSOR_B)])
    mixed = told(ReadingsFold(), frames_of(both[np.argsort(both["at"], kind="stable")]))
    assert [effect for effect in mixed if effect["sensor"] == SENSOR_A] == [
        {**effect, "evidence": [1, 1]} for effect in alone
    ]


def test_frames_of_any_size_give_the_same_digest() -> None:
    values = noise(3000)
    values[[700, 1500]] += 12.0
    values[2000:2100] = 20.0
    digests = set()
    for size in (1, 50, 1000):
        fold = ReadingsFold()
        told(fold, frames_of(rows_of(values), size))
        digests.add((fold.seq, fold.digest.value))
    assert len(digests) == 1
    assert fold.seq >= 4


def test_a_checkpoint_and_the_rest_make_the_whole() -> None:
    values = noise(3000)
    values[[700, 1490, 2500]] += 12.0
    frames = frames_of(rows_of(values), 100)
    whole = ReadingsFold()
    told(whole, frames)
    first = ReadingsFold()
    told(first, frames[:10])
    base = unpack(pack(*first.base()))
    told(first, [*frames[10:12], *frames_of(rows_of(noise(5), SENSOR_B, first=START + 1190 * MINUTE))])
    delta = unpack(pack(*first.delta()))
    second = ReadingsFold()
    second.restore(base, delta)
    assert len(second.sensors) == 2
    assert second.next_due == first.next_due
    for frame in frames[12:]:
        assert second.step(frame).to_signals == first.step(frame).to_signals
    assert (second.seq, second.digest.value) == (first.seq, first.digest.value)
    assert whole.seq > 0


def test_a_delta_holds_what_was_touched_alone() -> None:
    fold = ReadingsFold()
    told(fold, frames_of(np.concatenate([rows_of([1.0], sensor) for sensor in range(1, 101)])))
    fold.base()
    told(fold, frames_of(rows_of([2.0], 5, first=START + MINUTE)))
    _, arrays = fold.delta()
    assert arrays["rows"]["code"].tolist() == [5]
    assert len(fold.delta()[1]["slots"]) == 0


def test_scores_come_in_the_order_of_the_frame_and_keep_quiet_after_an_alarm() -> None:
    values = noise(400)
    values[300:] = 20.0 + 5.0 * (values[300:] - 20.0)
    both = np.concatenate([rows_of(values), rows_of(noise(400, 5), SENSOR_B)])
    rows = both[np.argsort(both["at"], kind="stable")]
    rules = ReadingRules()
    (columns,) = ReadingsFold(rules).step(frames_of(rows)[0], with_scores=True).series
    assert columns["sensor"].tolist() == rows["sensor"].tolist()
    assert columns["value"].tolist() == rows["value"].tolist()
    own = columns["score"][columns["sensor"] == SENSOR_A]
    assert (own[300:] >= rules.spread).sum() == 1
    assert (own[310:] > 0.4).all()


def test_new_rules_hold_from_the_next_frame_on() -> None:
    fold = ReadingsFold()
    frames = frames_of(rows_of(np.full(4, 20.0)), 2)
    assert told(fold, frames[:1]) == []
    fold.obey(ReadingRules(limits={SENSOR_A: Limits(normal_high=10.0)}))
    assert story(told(fold, frames[1:])) == [("out_of_range", "begins", 2)]


def test_an_index_finds_what_it_holds_and_nothing_else() -> None:
    random = np.random.default_rng(3)
    # low bits alike: every probe collides
    codes = np.unique(random.integers(-(2**40), 2**40, 3000)) << 12
    index, owned = CodeIndex(16), np.zeros(len(codes), np.int64)
    for first in range(0, len(codes), 700):
        part = codes[first : first + 700]
        owned[index.insert(part, owned)] = part
    assert index.find(codes, owned).tolist() == list(range(len(codes)))
    assert (index.find(codes + 1, owned) == EMPTY).all()


def test_a_sensor_is_small() -> None:
    assert SENSOR.itemsize <= 144
