"""The trainer of a cluster: one holds the lease and asks, every partition gets the model, another takes over."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alerts.copying import copy_tables, store_tables
from alerts.database import Database
from alerts.leases import Leases
from alerts.lessons import FencedLessons, LeaseLost
from alerts.store import Store
from config.learning import Learning
from config.load import load_settings
from pipeline.errors import LogUnavailable
from pipeline.frame import Frame, Kind
from runners.clock import SetClock
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.moving import move
from runners.cluster.pg_models import ModelTable
from runners.cluster.trainer import LEASE, ClusterTrainer
from runners.live.sources import plan
from runners.teacher import InForce
from runners.trial.kafka import TrialKafka
from tests.integration.town import Server, Worker
from tests.runners.live.test_trainer import live_through
from tests.runners.live.town import BEGIN, lay_out, running

LIMIT_S = 60.0
TARGETS = [{"name": "breach", "rule": "breach", "window_days": 0.1, "hold_days": 0.1}]
LEARNING = Learning(min_labels=50)


class Kept:
    """Logs of two partitions in memory; the first `failing` appends find no broker."""

    def __init__(self, failing: int = 0) -> None:
        self.entries: list[tuple[int, dict[str, object]]] = []
        self.failing = failing
        self._positions: dict[str, int] = {}

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Keep the payloads of model entries."""
        if self.failing:
            self.failing -= 1
            raise LogUnavailable("no broker")
        for body in frames:
            frame = Frame.from_bytes(body, 0)
            assert frame.kinds.tolist() == [Kind.MODEL]
            self.entries.append((partition, frame.others[0]))
        return len(self.entries) - 1

    def position(self, source: str) -> int:
        """What is kept."""
        return self._positions.get(source, 0)

    def advance(self, source: str, position: int) -> None:
        """Keep it."""
        self._positions[source] = max(position, self.position(source))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve hours of a town of two partitions, in which nobody learned."""
    folder = tmp_path_factory.mktemp("school")
    config = lay_out(folder / "town", targets=TARGETS, partition_count=2, partitions=["north", "south"])
    clock = SetClock(BEGIN)
    with running(config, folder / "data", clock) as site:
        live_through(site, clock, 0, 12)
    return folder


@pytest.fixture
def school(lived: Path, database: str) -> str:
    """The database of a cluster with what the town decided and what came of it."""
    Store(database).close()
    here, there = Store(lived / "data" / "store.db", readonly=True), Database(database)
    with there.transaction() as connection:
        copy_tables(here.engine, connection, store_tables(), lambda table, count: None)
    here.close()
    there.close()
    return database


@pytest.fixture
def in_force(lived: Path) -> InForce:
    made = plan(lived / "town" / "site.yaml")
    return lambda: (made.settings.model_copy(update={"learning": LEARNING}), made.rules)


@contextmanager
def trainer(
    url: str, logs: Kept, in_force: InForce, holder: str = "a", lease_s: float = 2.0
) -> Iterator[ClusterTrainer]:
    """A trainer that runs while the block does."""
    store, database = Store(url), Database(url)
    made = ClusterTrainer(
        store, Leases(database), logs, in_force, url=url, partitions=2, holder=holder,
        clock=lambda: BEGIN, lease_s=lease_s, look_s=0.05,
    )  # fmt: skip
    made.start()
    try:
        yield made
    finally:
        made.stop()
        store.close()
        database.close()


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < limit, f"it was not so within {LIMIT_S} s"
        pause.wait(0.02)


def lessons(url: str) -> list[tuple[int, str | None]]:
    store = Store(url)
    try:
        return [(lesson.id, lesson.result) for lesson in store.lessons()]
    finally:
        store.close()


def test_a_model_is_learned_from_all_partitions_and_entered_into_each(school: str, in_force: InForce) -> None:
    logs = Kept()
    with trainer(school, logs, in_force):
        until(lambda: len(logs.entries) == 2)
    ((number, sha256),) = lessons(school)
    assert logs.entries == [(p, {"sha256": sha256, "version": number}) for p in (0, 1)]
    database = Database(school)
    assert ModelTable(database).load(str(sha256))
    database.close()


def test_a_lesson_ends_where_the_slowest_partition_is(school: str, in_force: InForce) -> None:
    store = Store(school)
    slowest = min(applied.now for number in (0, 1) if (applied := store.applied("signals", number)))
    store.close()
    with trainer(school, Kept(), in_force):
        until(lambda: lessons(school))
    store = Store(school)
    assert [lesson.until for lesson in store.lessons()] == [slowest]
    store.close()


def test_entries_are_repeated_until_every_partition_has_them(school: str, in_force: InForce) -> None:
    logs = Kept(failing=3)
    with trainer(school, logs, in_force):
        until(lambda: len(logs.entries) == 2)
    assert {partition for partition, _ in logs.entries} == {0, 1}


def test_a_second_one_stands_by_and_takes_over_within_the_lease(school: str, in_force: InForce) -> None:
    database = Database(school)
    leases = Leases(database)
    gone = leases.take(LEASE, "killed", 1.0)
    assert gone is not None
    with trainer(school, Kept(), in_force, "b") as second:
        assert second.state == "standby"
        begun = time.monotonic()
        until(lambda: leases.holder(LEASE) == "b")
        assert time.monotonic() - begun < 2.0
    assert leases.holder(LEASE) is None
    database.close()


def test_what_a_zombie_answers_changes_nothing(school: str, in_force: InForce) -> None:
    database, store = Database(school), Store(school)
    leases = Leases(database)
    old = leases.take(LEASE, "zombie", 0.0)
    assert old is not None
    zombie = FencedLessons(store, LEASE, old, 2)
    lesson = zombie.ask(zombie.lowest_now(), store.marks())
    logs = Kept()
    with trainer(school, logs, in_force, "b"):
        until(lambda: len(logs.entries) == 2)
        with pytest.raises(LeaseLost):
            zombie.answer(lesson, "0" * 64)
        with pytest.raises(LeaseLost):
            zombie.ask(lesson.until + 1, (lesson.decisions, lesson.labels))
    assert {entry["version"] for _, entry in logs.entries} == {lesson.id}
    assert "0" * 64 not in {result for _, result in lessons(school)}
    store.close()
    database.close()


def test_a_lesson_that_nobody_answered_is_taken_up(school: str, in_force: InForce) -> None:
    store = Store(school)
    (mark,) = [store.ask(BEGIN + 11 * 3_600_000_000, store.marks())]
    store.close()
    logs = Kept()
    with trainer(school, logs, in_force):
        until(lambda: len(logs.entries) == 2)
    assert lessons(school)[0][0] == mark.id
    assert lessons(school)[0][1]


def test_a_model_that_was_answered_and_not_entered_is_entered_by_the_next_one(school: str, in_force: InForce) -> None:
    store = Store(school)
    lesson = store.ask(BEGIN + 12 * 3_600_000_000, store.marks())
    store.answer(lesson, "ab" * 32)
    store.close()
    logs = Kept()
    logs.advance("model@0", lesson.id)
    with trainer(school, logs, in_force):
        until(lambda: logs.entries)
    assert logs.entries == [(1, {"sha256": "ab" * 32, "version": lesson.id})]


FROZEN = """
import sys, time
from alerts.database import Database
from alerts.leases import Leases
from tests.integration.test_cluster_trainer import Kept, trainer, LEARNING
from runners.live.sources import plan
from pathlib import Path
made = plan(Path(sys.argv[2]))
settings = made.settings.model_copy(update={"learning": LEARNING.model_copy(update={"min_labels": 10**6})})
with trainer(sys.argv[1], Kept(), lambda: (settings, made.rules), "first", 1.0) as one:
    while one.state == "standby":
        time.sleep(0.01)
    print("holds", flush=True)
    while one.state != "standby":
        time.sleep(0.01)
    print("stands by", flush=True)
"""


def is_said(process: "subprocess.Popen[bytes]", line: bytes) -> bool:
    """Whether a process says a line, among what it logs."""
    assert process.stdout is not None
    return any(said == line for said in process.stdout)


def test_one_that_was_frozen_past_its_lease_stands_by_when_it_wakes(
    school: str, lived: Path, in_force: InForce
) -> None:
    root = Path(__file__).parents[2]
    first = subprocess.Popen(
        [sys.executable, "-c", FROZEN, school, str(lived / "town" / "site.yaml")],
        stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    try:
        assert is_said(first, b"holds\n")
        first.send_signal(signal.SIGSTOP)
        logs = Kept()
        with trainer(school, logs, in_force, "second"):
            until(lambda: len(logs.entries) == 2)
            first.send_signal(signal.SIGCONT)
            assert is_said(first, b"stands by\n")
        assert first.wait(LIMIT_S) == 0
    finally:
        first.kill()
        first.wait()
        assert first.stdout is not None
        first.stdout.close()


def test_servers_learn_for_workers_and_the_next_one_takes_over_when_the_holder_is_killed(
    lived: Path, kafka: TrialKafka, database: str, prefix: str, tmp_path: Path
) -> None:
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    learning = {"enabled": True, "min_labels": 50, "publish_every_hours": 6}
    shape = {"targets": TARGETS, "partition_count": 2, "partitions": ["north", "south"], "learning": learning}
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    there = {"runner": "kafka", "kafka": brokers, "postgres": {"url": database}}
    config = lay_out(tmp_path / "cluster", **shape, **there)
    assert move(tmp_path / "data", config).is_equal
    leases = Leases(Database(database))
    first = Server(config)
    second, worker = Server(config, like=first), Worker(config)
    try:
        first.start()
        until(lambda: leases.holder(LEASE))
        holder = leases.holder(LEASE)
        second.start()
        until(lambda: len(models_in(config)) == 2)
        assert len({(entry["version"], entry["sha256"]) for entry in models_in(config)}) == 1
        first.end(signal.SIGKILL)
        begun = time.monotonic()
        until(lambda: leases.holder(LEASE) not in (None, holder))
        assert time.monotonic() - begun < 15.0
        until(lambda: not behind(config, database))
    finally:
        second.end()
        worker.end()
    assert models_in(config)


def models_in(config: Path) -> list[dict[str, Any]]:
    """Model entries of all partitions."""
    log = KafkaLog(load_settings(config).kafka)
    frames = [Frame.from_bytes(body, offset) for number in (0, 1) for offset, body in log.read("signals", number)]
    log.close()
    return [entry for frame in frames if Kind.MODEL in frame.kinds for entry in frame.others if "sha256" in entry]


def behind(config: Path, database: str) -> list[int]:
    """Signals partitions whose model entry no worker has folded."""
    log, store = KafkaLog(load_settings(config).kafka), Store(database)
    found = []
    for number in (0, 1):
        own = [offset for offset, body in log.read("signals", number) if Kind.MODEL in Frame.from_bytes(body, 0).kinds]
        applied = store.applied("signals", number)
        if applied is None or applied.offset < max(own):
            found.append(number)
    log.close()
    store.close()
    return found
