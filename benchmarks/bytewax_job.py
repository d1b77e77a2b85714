"""One job on both sides: 300,000 JSON readings of 5,000 sensors, count + EWMA + threshold per sensor.

Bytewax runs it as its manual does it, in one worker and in memory; ours runs it durably, through log and store. Both
must raise the same alarms, reading by reading, or the figure is refused.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure
from benchmarks.readings import FRAME, START_MS, best_of, in_groups, one_by_one
from models.scan import Series
from pipeline.code_index import EMPTY, CodeIndex
from pipeline.effects import Effects
from pipeline.frame import Frame
from pipeline.readings import ReadingsFold

GAIN = 0.125
"""A power of two, so that both sides round alike."""
THRESHOLD = 24.0
WARM_UP = 10


class Line(msgspec.Struct, gc=False):
    """One reading as Bytewax's side decodes it: with the same decoder as ours."""

    sensor: str
    at: int
    value: float


class CountEwma:
    """Our side: count + EWMA + threshold in columns."""

    def __init__(self) -> None:
        self.codes: NDArray[np.int64] = np.zeros(1 << 13, np.int64)
        self.count: NDArray[np.int64] = np.zeros(1 << 13, np.int64)
        self.level: NDArray[np.float64] = np.zeros(1 << 13)
        self.index = CodeIndex()
        self.alarms = 0

    def step(self, frame: Frame) -> Effects:
        """Count, compare with the EWMA so far, then move it."""
        codes = frame.readings["sensor"]
        slots = self.index.find(codes, self.codes)
        if (slots == EMPTY).any():
            fresh = np.unique(codes[slots == EMPTY])
            self.codes[self.index.insert(fresh, self.codes)] = fresh
            slots = self.index.find(codes, self.codes)
        order = np.argsort(slots, kind="stable")
        series = Series(slots[order])
        value = frame.readings["value"][order]
        count = self.count[series.slots][series.of] + series.rank + 1
        gain = np.where(count == 1, 1.0, GAIN)
        before = self.level[series.slots]
        level = series.linear(1.0 - gain, gain * value, before)
        far = np.abs(value - series.before(level, before)) > THRESHOLD
        self.count[series.slots], self.level[series.slots] = count[series.last], level[series.last]
        effects = Effects()
        for place in np.flatnonzero(far & (count > WARM_UP)).tolist():
            self.alarms += 1
            effects.to_signals.append({"seq": self.alarms, "sensor": int(codes[order[place]]), "value": value[place]})
        return effects


def job_lines(readings: int = 300_000, sensors: int = 5_000, seed: int = 1) -> list[bytes]:
    """Lines of sensors drawn at random, so that a frame holds some of them several times."""
    random = np.random.default_rng(seed)
    who = random.integers(0, sensors, readings)
    # quarters: exact in binary, far from rounding at the threshold
    value = np.round(4 * (random.normal(50, 10, sensors)[who] + random.normal(0, 4, readings))) / 4
    value += np.where(random.random(readings) < 1e-3, 60.0, 0.0)
    rows = zip(who.tolist(), range(readings), value.tolist(), strict=True)
    return [
        b'{"sensor": "S06-%05d", "at": %d, "value": %.2f}' % (who, START_MS + place, value)
        for who, place, value in rows
    ]


def bytewax_run(lines: list[bytes]) -> tuple[float, int]:
    """Seconds and alarms of Bytewax."""
    from time import perf_counter

    import bytewax.operators as op
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, TestingSource, run_main

    decoder = msgspec.json.Decoder(Line)
    alarms: list[Any] = []

    def decoded(batch: list[bytes]) -> list[tuple[str, float]]:
        return [(line.sensor, line.value) for line in map(decoder.decode, batch)]

    def watched(state: tuple[int, float] | None, value: float) -> tuple[tuple[int, float], list[float]]:
        if state is None:
            return (1, value), []
        count, level = state
        alarm = [value] if count >= WARM_UP and abs(value - level) > THRESHOLD else []
        return (count + 1, (1.0 - GAIN) * level + GAIN * value), alarm

    flow = Dataflow("count_ewma_threshold")
    source = op.input("lines", flow, TestingSource(lines, batch_size=FRAME))
    keyed = op.flat_map_batch("decode", source, decoded)
    op.output("alarms", op.stateful_flat_map("watch", keyed, watched), TestingSink(alarms))
    begun = perf_counter()
    run_main(flow)  # type: ignore[no-untyped-call]
    return perf_counter() - begun, len(alarms)


def readings_vs_bytewax(readings: int = 300_000) -> list[Figure]:
    """Our durable path over Bytewax in memory on the identical job, turn by turn in one run."""
    lines = job_lines(readings)
    blocks = [b"\n".join(lines[first : first + FRAME]) for first in range(0, readings, FRAME)]
    peers, ours, singles, tiers = [], [], [], []
    for _ in range(3):
        seconds, expected = bytewax_run(lines)
        peers.append(seconds)
        fold = CountEwma()
        ours.append(best_of(lambda folder, fold=fold: in_groups(folder, blocks, fold), times=1))
        if fold.alarms != expected:
            raise RuntimeError(f"not the same job: {fold.alarms} alarms here, {expected} on the other side")
        singles.append(best_of(lambda folder: one_by_one(folder, blocks, CountEwma()), times=1)[0])
        tiers.append(best_of(lambda folder: in_groups(folder, blocks, ReadingsFold()), times=1))
    peer = readings / min(peers)
    return [
        figure("readings_vs_bytewax", readings / min(ours), "readings/s", goal=1.5, peer=peer, goal_is_ratio=True),
        figure("readings_vs_bytewax_one_frame_a_commit", readings / min(singles), "readings/s", peer=peer),
        figure("readings_vs_bytewax_whole_tier", readings / min(tiers), "readings/s", peer=peer),
    ]
