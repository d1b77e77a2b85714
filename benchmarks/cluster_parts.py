"""A cluster of real parts for the figures: Kafka, PostgreSQL, workers as processes of their own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from alerts.store import Store
from config.load import canonical, load_settings
from config.settings import Settings
from runners.cluster.log_kafka import KafkaLog
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres

POLL_S = 0.02
_ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One of our own commands as a process."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", *words], cwd=_ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        self.begun = perf_counter()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def cpu_s(self) -> float:
        """User and system seconds so far."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS

    def resident_mib(self) -> float:
        """Memory that it holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 2**20

    def check(self) -> None:
        """Raises RuntimeError when it has ended by itself."""
        if self._process.poll() is not None:
            raise RuntimeError(f"a process of the cluster ended with status {self._process.returncode}")

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


class Cluster:
    """Brokers, a database and topics of one configuration."""

    def __init__(self, folder: Path, kafka: TrialKafka, url: str, settings: Settings, partitions: int) -> None:
        self.path = folder / "site.yaml"
        where = {
            "runner": "kafka",
            "partition_count": partitions,
            "kafka": {"bootstrap": list(kafka.bootstrap), "prefix": folder.name, "replication": 1, "min_insync": 1},
            "postgres": {"url": url},
        }
        # Sources are pushed to where there is a server; a worker asks nobody for them.
        values = canonical(settings) | {"sources": [], "learning": {"enabled": False}} | where
        self.path.write_text(json.dumps(values), encoding="utf-8")
        self.settings = load_settings(self.path)
        init = [sys.executable, "-m", "runners.cli", "kafka", "init", "--config", str(self.path)]
        subprocess.run(init, check=True, cwd=_ROOT, stdout=subprocess.DEVNULL)
        self.store = Store(url)
        self.url = url
        self.log = KafkaLog(self.settings.kafka)

    def close(self) -> None:
        """Let go of log and store."""
        self.log.close()
        self.store.close()

    def worker(self) -> Process:
        """Start a worker."""
        return Process("worker", "--config", str(self.path))

    def offset(self, log: str, partition: int) -> int:
        """How far a partition is folded, -1 at the beginning."""
        applied = self.store.applied(log, partition)
        return -1 if applied is None else applied.offset

    def reach(self, goals: dict[tuple[str, int], int], workers: Sequence[Process], within_s: float = 300.0) -> float:
        """Wait until each (log, partition) is folded up to an offset; the moment (`perf_counter`)."""
        return until(lambda: all(self.offset(*at) >= goal for at, goal in goals.items()), workers, within_s)


def until(is_there: Callable[[], bool], workers: Sequence[Process], within_s: float = 300.0) -> float:
    """The moment (`perf_counter`) from which something holds. Raises RuntimeError when it takes too long."""
    end = perf_counter() + within_s
    while not is_there():
        for worker in workers:
            worker.check()
        if perf_counter() > end:
            raise RuntimeError(f"the workers were not done within {within_s:.0f} s")
        time.sleep(POLL_S)
    return perf_counter()


@contextmanager
def servers() -> Iterator[tuple[Path, TrialKafka, TrialPostgres]]:
    """One broker and one PostgreSQL in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="forewarn-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with TrialKafka(folder / "kafka", heap_mib=512) as kafka, TrialPostgres(folder / "postgres") as postgres:
            yield folder, kafka, postgres


@contextmanager
def cluster(
    parts: tuple[Path, TrialKafka, TrialPostgres], name: str, settings: Settings, *, partitions: int = 1
) -> Iterator[Cluster]:
    """Topics and a database of their own on these servers."""
    folder, kafka, postgres = parts
    own = folder / name
    own.mkdir()
    made = Cluster(own, kafka, postgres.database(), settings, partitions)
    try:
        yield made
    finally:
        made.close()
