"""How fast readings go from JSON lines to committed effects, beside Bytewax on the same job, and what a sensor weighs.

The durable path: decode -> frame of 1,000 -> log (`synchronous=FULL`, a transaction of its own) -> fold -> effects and
offset in a second transaction (`NORMAL`, as the store has it). A frame is folded only after the log has it. The log is
written by a thread of its own, which commits what is waiting, at most `group` frames at once: while the disk confirms,
the frames before are folded.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from benchmarks.figure import Figure, figure
from connectors.readings import decode
from pipeline.effects import Effects
from pipeline.frame import Frame, frame_of_readings
from pipeline.readings import ReadingsFold
from runners.log_sqlite import Logs

FRAME = 1000
GROUP = 8
START_MS = 1_767_225_600_000


class Fold(Protocol):
    """What takes frames and gives effects."""

    def step(self, frame: Frame) -> Effects:
        """Fold one frame."""


def sensor_lines(readings: int, sensors: int, *, seed: int = 1, spikes: float = 1e-3) -> list[bytes]:
    """JSON lines of sensors that speak in turn, each about once a minute, in blocks of FRAME lines."""
    random = np.random.default_rng(seed)
    rounds = -(-readings // sensors)
    who = np.concatenate([random.permutation(sensors) for _ in range(rounds)])[:readings]
    at = START_MS + (np.arange(readings) * 60_000) // sensors
    value = random.normal(50, 20, sensors)[who] + random.normal(0, 1, readings)
    value += np.where(random.random(readings) < spikes, 60.0, 0.0)
    lines = [
        b'{"sensor": "S06-%07d", "at": %d, "value": %.2f}' % line
        for line in zip(who.tolist(), at.tolist(), value.tolist(), strict=True)
    ]
    return [b"\n".join(lines[first : first + FRAME]) for first in range(0, readings, FRAME)]


class Store:
    """Effects and offset, in one transaction a group of frames."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE assessments (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        self._db.execute("CREATE TABLE offsets (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL)")

    def apply(self, offset: int, effects: Iterable[Effects]) -> None:
        """Commit these effects and the offset of the last frame."""
        rows = [(one["seq"], json.dumps(one)) for each in effects for one in each.to_signals]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO assessments VALUES (?, ?)", rows)
        self._db.execute("INSERT OR REPLACE INTO offsets VALUES (0, ?)", (offset,))
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _frames(blocks: Iterable[bytes]) -> Iterator[tuple[Frame, bytes]]:
    for block in blocks:
        readings = decode(block).readings
        frame = frame_of_readings(readings, int(readings["at"].max()))
        yield frame, frame.to_bytes()


def one_by_one(folder: Path, blocks: list[bytes], fold: Fold) -> tuple[float, list[float]]:
    """Seconds for all, and for each frame, with one commit of log and store per frame and nothing at the same time."""
    store, taken = Store(folder / "store.db"), []
    with Logs(folder / "log.db", durable=True) as logs:
        begun = perf_counter()
        for block in blocks:
            since = perf_counter()
            for frame, data in _frames([block]):
                with logs.transaction():
                    frame.offset = logs.append("readings", 0, [data])
                store.apply(frame.offset, [fold.step(frame)])
            taken.append(perf_counter() - since)
        seconds = perf_counter() - begun
    store.close()
    return seconds, taken


def in_groups(folder: Path, blocks: list[bytes], fold: Fold, group: int = GROUP) -> float:
    """Seconds for all, with at most `group` frames a commit while earlier ones are folded."""
    store = Store(folder / "store.db")
    source = _frames(blocks)
    with Logs(folder / "log.db", durable=True) as logs, ThreadPoolExecutor(1) as writer:

        def commit(waiting: list[tuple[Frame, bytes]]) -> list[Frame]:
            with logs.transaction():
                first = logs.append("readings", 0, [data for _, data in waiting])
            for index, (frame, _) in enumerate(waiting):
                frame.offset = first + index
            return [frame for frame, _ in waiting]

        def settle(committed: list[Frame]) -> None:
            store.apply(committed[-1].offset, [fold.step(frame) for frame in committed])

        begun = perf_counter()
        running: Future[list[Frame]] | None = None
        waiting: list[tuple[Frame, bytes]] = []
        for item in source:
            waiting.append(item)
            if running is None or running.done() or len(waiting) >= group:
                committed = running.result() if running else []
                running, waiting = writer.submit(commit, waiting), []
                if committed:
                    settle(committed)
        for rest in (running.result() if running else [], commit(waiting) if waiting else []):
            if rest:
                settle(rest)
        seconds = perf_counter() - begun
    store.close()
    return seconds


def best_of(run: Any, times: int = 3) -> Any:
    """The quickest of a few runs, each in an empty folder: the others measure the neighbours on the machine."""
    results = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            results.append(run(Path(folder)))
    return min(results, key=lambda result: result[0] if isinstance(result, tuple) else result)


def readings_durable(readings: int = 500_000, sensors: int = 5_000) -> list[Figure]:
    """JSON lines to committed effects with the cheap tier on every reading: 100 a sensor, one in a thousand a spike."""
    blocks = sensor_lines(readings, sensors)
    grouped = best_of(lambda folder: in_groups(folder, blocks, ReadingsFold()))
    single, frames = best_of(lambda folder: one_by_one(folder, blocks, ReadingsFold()))
    fold, steps = ReadingsFold(), []
    for frame, _ in _frames(blocks):
        since = perf_counter()
        fold.step(frame)
        steps.append(perf_counter() - since)
    return [
        figure("readings_durable", readings / grouped, "readings/s", goal=400_000),
        figure("readings_durable_one_frame_a_commit", readings / single, "readings/s"),
        figure("readings_frame_p99", 1e3 * float(np.quantile(frames, 0.99)), "ms", higher_is_better=False),
        figure("readings_fold_alone", readings / sum(steps), "readings/s"),
        figure("readings_effects", fold.seq, "effects"),
        figure("disk_confirms", 1e3 * disk_confirms(), "ms", higher_is_better=False),
    ]


def disk_confirms(times: int = 100) -> float:
    """Median seconds of one fsync of 32 KiB: what no durable figure can be better than, frame by frame."""
    with tempfile.TemporaryFile() as file:
        taken = []
        for _ in range(times):
            file.write(bytes(32_768))
            file.flush()
            since = perf_counter()
            os.fsync(file.fileno())
            taken.append(perf_counter() - since)
    return float(np.median(taken))


def bytes_per_sensor(sensors: int = 1_000_000) -> list[Figure]:
    """Resident bytes that one more sensor costs, index and the edge's name cache included."""
    code = f"from benchmarks.readings import resident_bytes; print(resident_bytes({sensors}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    return [figure("bytes_per_sensor", int(done.stdout) / sensors, "B", goal=200, higher_is_better=False)]


def resident_bytes(sensors: int) -> int:
    """Growth of this process while it decodes and folds two readings of each sensor."""
    fold = ReadingsFold()
    fold.step(next(_frames(sensor_lines(FRAME, FRAME)))[0])
    before = _resident()
    for turn in range(2):
        for first in range(0, sensors, FRAME):
            lines = [
                b'{"sensor": "S06-%09d", "at": %d, "value": %.2f}' % (who, START_MS + 60_000 * (turn + 2), who % 97)
                for who in range(first, min(first + FRAME, sensors))
            ]
            for frame, _ in _frames([b"\n".join(lines)]):
                fold.step(frame)
    return _resident() - before


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _root() -> Path:
    return Path(__file__).parents[1]
