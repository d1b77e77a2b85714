"""A site of two county partitions on real servers, what happens there, and workers as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np
from kafka import TopicPartition

from alerts.database import Database
from alerts.store import Store
from config.learning import Target
from config.load import canonical, load_settings
from config.settings import Settings
from pipeline.county import FOLD_VERSION
from pipeline.frame import READING, Frame, Kind, frame_of_others, frame_of_readings
from pipeline.ids import code64
from pipeline.signal import Step
from pipeline.testing import Happening, entry, frames_of, hours, tick
from runners.cluster.kafka_client import Clients
from runners.cluster.kafka_topics import init
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import ClusterLogs
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import fold_logs
from runners.trial.kafka import TrialKafka
from runners.trial.process import free_ports
from runners.wiring import fold_rules

ROOT = Path(__file__).parents[2]
LIMIT_S = 90.0
PARTITIONS = 2
TARGET = Target(name="late", rule="breach", window_days=0, prior=0.4)
Place = tuple[str, int]


def matters(number: int, count: int, hour: float = 0.0) -> list[Frame]:
    """What happens to some matters of a partition within a few days, as frames of three entries."""
    chance = Random(number)
    told = []
    for each in range(count):
        name, begin = f"{number}/{each}", hour + each * 0.1
        told.append(Happening(name, begin, Step.REGISTERED, due=begin + chance.choice([4, 30, 70]), category="noise"))
        if chance.random() < 0.6:
            told.append(Happening(name, begin + chance.choice([2, 20, 50]), Step.HANDED_OVER, office="works"))
        if chance.random() < 0.5:
            told.append(Happening(name, begin + chance.choice([3, 40, 90]), Step.CLOSED))
    entries = sorted(map(entry, told), key=lambda one: one.now)
    last = entries[-1].now
    late = [tick((last - hours(0)) / 3_600_000_000 + more) for more in (1, 30, 100)]
    return frames_of([*entries, *late], range(0, len(entries), 3))


def readings(number: int, count: int) -> list[Frame]:
    """Readings of two sensors, of which one goes beyond its limit."""
    found = []
    for turn in range(count):
        rows = np.zeros(2, READING)
        rows["sensor"] = [code64(f"gas-{number}"), code64(f"water-{number}")]
        rows["at"] = hours(turn / 10)
        rows["value"] = [90.0 if turn > count // 2 else 1.0 + turn % 3, 2.0 + turn % 5]
        found.append(frame_of_readings(rows, hours(turn / 10)))
    return found


class Town:
    """Topics, store and register of one site; `close` lets go of them."""

    def __init__(self, folder: Path, kafka: TrialKafka, database: str, prefix: str, /, **more: object) -> None:
        values = canonical(Settings(targets=(TARGET,))) | {
            "runner": "kafka",
            "partition_count": PARTITIONS,
            "kafka": {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1},
            "postgres": {"url": database},
            "sensors": [{"prefix": "gas-", "alarm_high": 50.0}],
            **more,
        }
        folder.mkdir(exist_ok=True)
        self.path = folder / "site.yaml"
        self.path.write_text(json.dumps(values), encoding="utf-8")
        self.settings = load_settings(self.path)
        init(self.settings.kafka, PARTITIONS)
        self.store = Store(database)
        self.database = Database(database)
        self.logs = ClusterLogs(KafkaLog(self.settings.kafka), self.database)
        self.begin()

    def close(self) -> None:
        """Let go of brokers and database."""
        self.logs.close()
        self.store.close()
        self.database.close()

    def begin(self) -> None:
        """Write the configuration to every log, as the first server of a site does."""
        payload = {"version": 1, "rules": fold_rules(self.settings).to_json(), "settings": canonical(self.settings)}
        for place in self.places:
            self.logs.append(*place, [frame_of_others([(Kind.CONFIG, hours(0), payload)]).to_bytes()])

    @property
    def places(self) -> list[Place]:
        """All partitions of all logs."""
        return [("site", 0), *((log, number) for log in ("signals", "readings") for number in range(PARTITIONS))]

    def happen(self, count: int = 30, hour: float = 0.0) -> None:
        """Append what happens in both counties."""
        for number in range(PARTITIONS):
            name = {code64(f"{kind}-{number}"): ("sensor", f"{kind}-{number}") for kind in ("gas", "water")}
            self.logs.name(name)
            self.logs.append("signals", number, [frame.to_bytes() for frame in matters(number, count, hour)])
            self.logs.append("readings", number, [frame.to_bytes() for frame in readings(number, count)])

    def reached(self, place: Place) -> int:
        """How far a partition is folded."""
        applied = self.store.applied(*place)
        return -1 if applied is None else applied.offset

    def is_folded(self) -> bool:
        """Whether all that is in the logs is folded, and nothing more comes."""
        return all(self.reached(place) == self.logs.next_offset(*place) - 1 for place in self.places)

    def is_forwarded(self) -> bool:
        """Whether the site has the counts of both counties, and each county the words of its sensors."""
        folded = fold_logs(self.logs, ModelTable(self.database)).counts
        sent = sum(len(self.store.outbox("signals", number, 0)) for number in range(PARTITIONS))
        return folded["site-0"]["applied"] + folded["site-0"]["late"] == sent > 0

    def metered(self, worker: "Worker", frames: int) -> bool:
        """Whether a worker has folded so many frames."""
        return worker.metric("forewarn_worker_frames_total") >= frames

    def has_checkpoint(self, place: Place) -> bool:
        """Whether the store has a checkpoint of a partition where it is."""
        found = PgCheckpoints(self.database, *place, FOLD_VERSION).read()
        return any(offset == self.reached(place) for offset, _ in found)

    def letters(self) -> list[dict[str, str]]:
        """Dead letters, sorted."""
        consumer = Clients(self.settings.kafka).consumer()
        place = TopicPartition(self.settings.kafka.topic("deadletter"), 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found = []
        while consumer.position(place) < consumer.end_offsets([place])[place]:
            for record in consumer.poll(timeout_ms=500).get(place, ()):
                headers = {name: text.decode() for name, text in record.headers}
                found.append({**headers, "body": record.value.decode()})
        consumer.close()
        return sorted(found, key=lambda one: (one["log"], one["partition"], one["offset"]))

    def append_signals(self, hour: float) -> None:
        """Append signals alone, which asks no database."""
        for number in range(PARTITIONS):
            frames = [frame.to_bytes() for frame in matters(number, 30, hour)]
            self.logs.append("signals", number, frames)

    def digests(self) -> dict[str, dict[str, str]]:
        """What the store says of every partition."""
        found = {f"{log}-{number}": self.store.applied(log, number) for log, number in self.places}
        return {name: applied.digests for name, applied in found.items() if applied is not None}

    def plain(self) -> dict[str, dict[str, str]]:
        """What a plain fold of the same logs gives, up to where the store is."""
        return fold_logs(Reached(self), ModelTable(self.database)).digests

    @contextmanager
    def worker(self, name: str = "") -> Iterator["Worker"]:
        """A worker as a process; it is gone afterwards."""
        running = Worker(self.path, name)
        try:
            yield running
        finally:
            running.end()


class Reached:
    """The logs of a site as far as they are folded: workers append to some of them while others are compared."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.names_of, self.frame, self.partitions = town.logs.names_of, town.logs.frame, town.logs.partitions

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames that are folded."""
        reached = self._town.reached((log, partition))
        return self._town.logs.read(log, partition, after, reached if until is None else min(until, reached))


class Worker:
    """`forewarn worker` as a process."""

    def __init__(self, config: Path, name: str = "") -> None:
        [self.port] = free_ports(1, None)
        words = ["worker", "--config", str(config), "--metrics-port", str(self.port), "--name", name]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", *words], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self, within_s: float = 30.0) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        return self.process.wait(within_s)

    def end(self) -> None:
        """Whatever state it is in, it is gone."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def cpu_s(self) -> float:
        """Seconds of processor time so far."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def listens(self) -> set[int]:
        """Ports on which this process listens."""
        own = {os.readlink(path) for path in Path(f"/proc/{self.process.pid}/fd").iterdir() if path.is_symlink()}
        rows = [
            line.split()
            for name in ("tcp", "tcp6")
            for line in Path(f"/proc/{self.process.pid}/net/{name}").read_text().splitlines()[1:]
        ]
        return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}

    def ready(self) -> tuple[int, str]:
        """Status and text of its readiness; 0 while nobody answers."""
        return self._asked("/readyz")

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        lines = self._asked("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].partition(" ")[0] == name)

    def owns(self) -> int:
        """How many partitions it has."""
        return int(self.metric("forewarn_worker_partitions"))

    def _asked(self, page: str) -> tuple[int, str]:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError):
            return 0, ""


def until(is_so: Callable[[], bool], workers: Sequence[Worker] = (), within_s: float = LIMIT_S) -> float:
    """Seconds until something holds; fails when it takes too long or one of the workers ends."""
    begun = time.monotonic()
    while not is_so():
        for worker in workers:
            assert worker.process.poll() is None, f"a worker ended with {worker.process.returncode}"
        assert time.monotonic() < begun + within_s, "it does not come to hold"
        time.sleep(0.05)
    return time.monotonic() - begun
