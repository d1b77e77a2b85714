"""Every figure of a cluster beside its goal, on a real Kafka and a real PostgreSQL of this machine.

    python -m benchmarks.cluster [NAME...]

Brokers, database and workers share the machine, so a worker has less of it than one of its own would give; ratios are
taken in one run.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
from kafka.admin import NewTopic

from alerts.database import Database
from benchmarks.cluster_browser import accepted_to_browser
from benchmarks.cluster_parts import Cluster, Process, cluster, servers
from benchmarks.cluster_restart import restart
from benchmarks.figure import Figure, figure
from benchmarks.matter_lines import settings as city_settings
from benchmarks.readings import FRAME, sensor_lines
from benchmarks.signals import prepared
from config.load import canonical
from config.settings import Settings
from connectors.readings import decode
from pipeline.columns import unpack
from pipeline.frame import Frame, Kind, frame_of_others, frame_of_readings
from runners.cluster.kafka_client import Clients
from runners.cluster.pg_models import ModelTable
from runners.log_sqlite import Logs
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from runners.wiring import fold_rules

Parts = tuple[Path, TrialKafka, TrialPostgres]
READINGS = 2_000_000
PEER_READINGS = 60_000
SIGNALS = 60_000
LONG_READINGS = 10_000_000
SENSORS = 5_000
BATCH = 64
"""Frames that are sent at once."""


def begin(site: Cluster, settings: Settings, now: int) -> None:
    """Write the configuration to every log, as the first server of a new site does."""
    rules = fold_rules(settings)
    payload = {"version": 1, "rules": rules.to_json(), "settings": canonical(settings)}
    genesis = frame_of_others([(Kind.CONFIG, now, payload)]).to_bytes()
    plain = frame_of_others([(Kind.CONFIG, now, {"settings": payload["settings"]})]).to_bytes()
    for partition in range(settings.partition_count):
        site.log.append("signals", partition, [genesis])
        site.log.append("readings", partition, [plain])
    site.log.append("site", 0, [genesis])


def reading_frames(count: int, turn: int = 0) -> list[bytes]:
    """Frames of readings as intake writes them; each turn goes on where the one before ended."""
    found = []
    for block in sensor_lines(count, SENSORS):
        readings = decode(block).readings
        readings["at"] += turn * (count // SENSORS + 1) * 60_000_000
        frame = frame_of_readings(readings, int(readings["at"].max()))
        frame.others = [{"source": "sensors"}]
        found.append(frame.to_bytes())
    return found


def sent(site: Cluster, log: str, partition: int, frames: list[bytes]) -> int:
    """Append frames in batches; the offset of the last one."""
    for first in range(0, len(frames), BATCH):
        site.log.append(log, partition, frames[first : first + BATCH])
    return site.log.next_offset(log, partition) - 1


def pace(site: Cluster, workers: list[Process], goals: dict[tuple[str, int], int], warm: int) -> tuple[float, float]:
    """Wall and CPU seconds of the workers from the offset `warm` to the goals."""
    site.reach(dict.fromkeys(goals, warm), workers)
    begun, cpu = perf_counter(), sum(worker.cpu_s() for worker in workers)
    done = {at: site.offset(*at) for at in goals}
    wall = site.reach(goals, workers) - begun
    spent = sum(worker.cpu_s() for worker in workers) - cpu
    share = sum(goals[at] - done[at] for at in goals)
    return wall / share, spent / share


def readings(parts: Parts) -> list[Figure]:
    """Readings a second of one worker, each frame in a transaction, beside one Faust event per record."""
    base = city_settings()[0]
    with cluster(parts, "readings", base) as site:
        begin(site, site.settings, 0)
        last = sent(site, "readings", 0, reading_frames(READINGS))
        worker = site.worker()
        try:
            wall, cpu = pace(site, [worker], {("readings", 0): last}, last // 10)
        finally:
            worker.stop()
    peer = single_events(parts)
    return [
        figure("cluster_readings", FRAME / wall, "readings/s", goal=300_000),
        figure("cluster_readings_vs_single", FRAME / wall, "readings/s", goal=20, peer=peer, goal_is_ratio=True),
        figure("cluster_readings_cpu", 1e6 * cpu / FRAME, "µs", higher_is_better=False),
    ]


def single_events(parts: Parts) -> float:
    """Readings a second of a worker that takes one event per record."""
    _, kafka, _ = parts
    lines = [line for block in sensor_lines(PEER_READINGS, SENSORS) for line in block.splitlines()]
    clients = Clients(Settings().kafka.model_copy(update={"bootstrap": kafka.bootstrap}))
    admin = clients.administrator()
    admin.create_topics([NewTopic("peer", 1, 1)])
    admin.close()
    producer = clients.producer(linger_ms=20)
    for line in lines:
        producer.send("peer", value=line, partition=0)
    producer.flush()
    producer.close()
    command = [sys.executable, "-m", "benchmarks.faust_peer", kafka.bootstrap[0], "peer", str(len(lines))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return len(lines) / float(done.stdout)


def city_frames() -> tuple[list[bytes], int, dict[str, Path], Any]:
    """A recorded log of the simulated city: frames, how many are for learning, models, and the folder they lie in."""
    folder = tempfile.TemporaryDirectory()
    way, lines = prepared(Path(folder.name), SIGNALS, is_burst=True)
    learned = way.site.logs.next_offset("signals", 0)
    for first in range(0, len(lines), FRAME):
        way.take(lines[first : first + FRAME])
    way.site.close()
    with Logs(Path(folder.name) / "log.db", readonly=True) as logs:
        frames = [bytes(body) for _, body in logs.read("signals", 0)]
    models = {path.stem: path for path in (Path(folder.name) / "models").glob("*.fwc")}
    return frames, learned, models, folder


def others(frames: list[bytes]) -> list[bytes]:
    """The same happenings to other matters, for a second partition."""
    found = []
    for offset, body in enumerate(frames):
        frame = Frame.from_bytes(body, offset)
        if len(frame.signals):
            frame.signals = frame.signals.copy()
            for name in ("id", "matter"):
                words = np.ascontiguousarray(frame.signals[name]).view(np.uint64).reshape(-1, 2)
                words[:, 0] ^= np.uint64(0xD1B54A32D192ED03)
                frame.signals[name] = words.view("V16")[:, 0]
        found.append(frame.to_bytes())
    return found


def signals(parts: Parts) -> list[Figure]:
    """Signals a second of one worker with a learned champion; CPU seconds a signal with one worker and with two."""
    frames, learned, models, folder = city_frames()
    base = city_settings()[0]
    costs: dict[int, float] = {}
    rate = 0.0
    for count in (1, 2):
        with cluster(parts, f"signals{count}", base, partitions=2) as site:
            database = Database(site.url)
            for path in models.values():
                ModelTable(database).keep(*unpack(path.read_bytes()))
            site.log.append("site", 0, frames[:1])
            both = (frames, others(frames))
            last = {("signals", n): sent(site, "signals", n, own) for n, own in enumerate(both)}
            workers = [site.worker() for _ in range(count)]
            try:
                wall, costs[count] = pace(site, workers, last, learned + 2)
            finally:
                for worker in workers:
                    worker.stop()
            if count == 1:
                rate = FRAME / wall
    folder.cleanup()
    off = 100 * abs(costs[2] / costs[1] - 1)
    return [
        figure("cluster_signals", rate, "signals/s", goal=8_000),
        figure("cluster_signals_cpu", 1e6 * costs[1] / FRAME, "µs", higher_is_better=False),
        figure("cluster_cpu_two_workers", off, "%", goal=10, higher_is_better=False),
    ]


def takeover(parts: Parts) -> list[Figure]:
    """Seconds from `kill -9` of one of two workers until every partition makes progress again."""
    base = city_settings()[0]
    with cluster(parts, "takeover", base, partitions=4) as site:
        begin(site, site.settings, 0)
        first, second = site.worker(), site.worker()
        tick = frame_of_others([(Kind.TICK, 1, {})]).to_bytes()

        def all_progress(workers: list[Process]) -> float:
            ends = {("signals", number): site.log.append("signals", number, [tick]) for number in range(4)}
            return site.reach(ends, workers, 60)

        try:
            all_progress([first, second])
            sleep(15)  # until both have their share
            all_progress([first, second])
            killed = perf_counter()
            first.kill()
            seconds = all_progress([second]) - killed
        finally:
            first.stop()
            second.stop()
    return [figure("cluster_takeover", seconds, "s", goal=10, higher_is_better=False)]


def memory(parts: Parts) -> list[Figure]:
    """Growth of a worker's memory from two to ten million readings of the same sensors."""
    base = city_settings()[0]
    with cluster(parts, "memory", base) as site:
        begin(site, site.settings, 0)
        worker = site.worker()
        sizes = []
        try:
            for turn in range(5):
                last = sent(site, "readings", 0, reading_frames(LONG_READINGS // 5, turn))
                site.reach({("readings", 0): last}, [worker])
                sizes.append(worker.resident_mib())
        finally:
            worker.stop()
    growth = 100 * (sizes[-1] / sizes[0] - 1)
    return [
        figure("cluster_memory", sizes[-1], "MiB", higher_is_better=False),
        figure("cluster_memory_growth", growth, "%", goal=5, higher_is_better=False),
    ]


SUITE: dict[str, Callable[[Parts], list[Figure]]] = {
    "readings": readings,
    "signals": signals,
    "takeover": takeover,
    "restart": restart,
    "memory": memory,
    "browser": accepted_to_browser,
}


def main(names: list[str]) -> None:
    """Print the figures, each beside its goal."""
    with servers() as parts:
        for name, run in SUITE.items():
            if names and name not in names:
                continue
            for each in run(parts):
                goal = "" if each.goal is None else f"goal {each.goal:,g}"
                ratio = "" if each.ratio is None else f"{each.ratio:.1f} x {each.peer:,.0f}"
                told = {True: "passed", False: "MISSED", None: ""}[each.passed]
                print(
                    f"{each.name:28s} {each.measured:14,.1f} {each.unit:12s} {ratio:18s} {goal:14s} {told}", flush=True
                )


if __name__ == "__main__":
    main(sys.argv[1:])
