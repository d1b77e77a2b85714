"""An embedded site moves to Kafka and PostgreSQL: the same offsets and digests, refusals, and a broken run."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from alerts.database import Database
from alerts.register import PgRegister
from alerts.store import Store
from config.load import load_settings
from console.api.accounts import Accounts
from pipeline.county import FOLD_VERSION
from pipeline.errors import ConfigError, LogBusy
from pipeline.frame import Kind, frame_of_others
from runners.clock import SetClock
from runners.cluster.kafka_topics import init
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import EDGE_KEY, ClusterLogs
from runners.cluster.moved import Moved, MovedLog, lines
from runners.cluster.moving import move
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import fold_logs
from runners.live.site import Live
from runners.log_sqlite import Lease, Logs
from runners.trial.kafka import TrialKafka
from tests.runners.live.town import BEGIN, HOUR, lay_out, moment, overdue, record, run, running, send, until_folded

SHAPE: dict[str, Any] = {"partition_count": 2, "partitions": ["north", "south"]}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town that lived for a day: matters, readings, ticks, a change of configuration, a sign-in."""
    folder = tmp_path_factory.mktemp("lived")
    config = lay_out(folder / "town", **SHAPE)
    clock = SetClock(BEGIN)
    with running(config, folder / "data", clock) as site:
        for hour in range(24):
            live_on(site, clock, hour)
        lay_out(folder / "town", **SHAPE, rescore_hour=7)
        assert run(site.reload())["ok"]
        live_on(site, clock, 24)
    accounts = Accounts(folder / "data" / "accounts.db")
    accounts.add("wang", "approver", password="a long password")
    accounts.close()
    return folder


@pytest.fixture
def house(lived: Path, tmp_path: Path) -> Path:
    """Its data directory, for one test alone."""
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    return tmp_path / "data"


def live_on(site: Live, clock: SetClock, hour: int) -> None:
    """One hour: matters come and end, a sensor speaks, rubbish is refused."""
    now = clock.now()
    numbers = range(10 * hour, 10 * hour + 10)
    send(site, "hotline", [record(n, at=now) for n in numbers] + [overdue(1_000 + hour, at=now), b"{"])
    reading = {"sensor": f"g{hour % 3}", "at": moment(now), "value": float(hour)}
    send(site, "gauges", [orjson.dumps(reading)])
    clock.advance(HOUR // 2)
    send(site, "hotline", [record(n, "closed", at=clock.now()) for n in numbers if n % 3])
    clock.advance(HOUR // 2)
    run(until_folded(site))


@pytest.fixture
def there(house: Path, kafka: TrialKafka, database: str, prefix: str) -> Path:
    """The configuration of the cluster that the town moves to."""
    return to(house.parent / "town", kafka, database, prefix)


def to(folder: Path, kafka: TrialKafka, database: str, prefix: str, **changed: Any) -> Path:
    """The town's configuration with where it is to run."""
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    where = {"runner": "kafka", "kafka": brokers, "postgres": {"url": database}}
    config = yaml.safe_load((folder / "site.yaml").read_text())
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump({**config, **where, **changed}, allow_unicode=True))
    return path


def frames_of(config: Path, base: dict[tuple[str, int], int] | None = None) -> dict[tuple[str, int], list[Any]]:
    """Every frame in Kafka with its offset."""
    bases = base or {}
    log = KafkaLog(load_settings(config).kafka, base=lambda name, number: bases.get((name, number), 0))
    try:
        return {place: list(log.read(*place, bases.get(place, 0) - 1)) for place in log.partitions()}
    finally:
        log.close()


def frames_in(data: Path) -> dict[tuple[str, int], list[Any]]:
    """Every frame of a data directory with its offset."""
    with Logs(data / "log.db", readonly=True) as logs:
        return {place: found for place in logs.partitions() if (found := list(logs.read(*place)))}


def breaking(what: str, done: int) -> Callable[[str, int, int], None]:
    """A progress that breaks off, as a kill does, when so much of something was moved."""

    def tell(name: str, count: int, total: int) -> None:
        if name == what and count >= done:
            raise KeyboardInterrupt

    return tell


def problems(house: Path, config: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        move(house, config)
    return "\n".join(caught.value.problems)


# what moves -----------------------------------------------------------------------------------------------------------


def test_frames_keep_their_offsets_and_a_replay_there_gives_the_digests_of_the_site(house: Path, there: Path) -> None:
    moved = move(house, there)
    assert {log.log: log.digests for log in moved.logs} == dict.fromkeys(
        ["readings-0", "readings-1", "signals-0", "signals-1", "site-0"], "equal"
    )
    assert frames_of(there) == frames_in(house)


def test_the_store_says_there_what_it_said_here(house: Path, there: Path, database: str) -> None:
    move(house, there)
    here, moved = Store(house / "store.db", readonly=True), Store(database)
    assert list(moved.transitions()) == list(here.transitions())
    assert len(list(here.transitions())) > 40
    assert moved.queue() == here.queue()
    assert (moved.cursor(), moved.tallies(), moved.marks()) == (here.cursor(), here.tallies(), here.marks())
    here.close()
    moved.close()


def test_what_the_log_knows_beside_its_frames_moves_too(house: Path, there: Path, database: str) -> None:
    move(house, there)
    register = PgRegister(database)
    with Logs(house / "log.db", readonly=True) as logs:
        assert register.names() == logs.names()
        assert sorted(register.matters()) == sorted(logs.matters())
        assert register.seats() == logs.seats()
        assert register.tallies() == logs.tallies()
        assert register.text(1, 3, 0) == logs.text(1, 3, 0)
        assert [letter["sha256"] for letter in register.deadletters()] == [
            letter["sha256"] for letter in logs.deadletters()
        ]
        assert register.position("heard@hotline") == logs.position("heard@hotline") > 0
    assert bytes.fromhex(register.meta(EDGE_KEY) or "") == (house / "edge.key").read_bytes()
    register.close()


def test_people_sign_in_with_the_password_they_have(house: Path, there: Path, database: str) -> None:
    move(house, there)
    accounts = Accounts(database)
    assert accounts.sign_in("wang", "a long password") is not None
    accounts.add("li", "approver", password="another password")
    accounts.close()


def test_the_snapshot_moves_so_that_a_worker_need_not_begin_at_the_beginning(
    house: Path, there: Path, database: str
) -> None:
    move(house, there)
    with Logs(house / "log.db", readonly=True) as logs:
        last = logs.next_offset("signals", 1) - 1
    found = PgCheckpoints(Database(database), "signals", 1, FOLD_VERSION).read()
    assert next(offset for offset, _ in found) == last


def test_a_log_whose_beginning_was_pruned_keeps_its_numbers(house: Path, there: Path, database: str) -> None:
    db = sqlite3.connect(house / "log.db", isolation_level=None)
    db.execute("DELETE FROM signals_1 WHERE offset < 5")
    db.close()
    moved = move(house, there)
    assert [(log.first, log.digests[:6]) for log in moved.logs if log.log == "signals-1"] == [(5, "pruned")]
    register = PgRegister(database)
    assert (register.base("signals", 1), register.base("signals", 0)) == (5, 0)
    register.close()
    assert frames_of(there, {("signals", 1): 5})["signals", 1][0][0] == 5


def test_the_command_prints_a_table_and_nothing_but_json_when_asked(house: Path, there: Path) -> None:
    from typer.testing import CliRunner

    from runners.cli import app

    found = CliRunner().invoke(app, ["migrate", "--from", str(house), "--to", str(there), "--json"])
    assert found.exit_code == 0, found.output
    assert orjson.loads(found.stdout)["equal"]
    table = lines(Moved([MovedLog("signals-0", 5, 7, 3, "equal")], {"names": 1_200}, 2.5))
    assert table[1].split() == ["signals-0", "5", "to", "7", "3", "equal"]
    assert table[-1] == "a replay there gives the digests of this site; 2.5 s"


def test_a_worker_goes_on_from_there(house: Path, there: Path, database: str) -> None:
    moved = {log.log: log.last for log in move(house, there).logs}
    settings = load_settings(there)
    logs = ClusterLogs(KafkaLog(settings.kafka), database)
    late = frame_of_others([(Kind.TICK, BEGIN + 30 * HOUR, {})]).to_bytes()
    for number in (0, 1):
        assert logs.append("signals", number, [late]) == moved[f"signals-{number}"] + 1
    store = Store(database)
    # What it hands on comes to the signals again: it is done when nothing more came.
    while not all(applied(store, number) == logs.next_offset("signals", number) - 1 for number in (0, 1)):
        with worker(there):
            until(lambda: all(applied(store, n) == logs.next_offset("signals", n) - 1 for n in (0, 1)))
    folded = fold_logs(logs, ModelTable(logs.database))
    for number in (0, 1):
        own = store.applied("signals", number)
        assert own is not None
        assert folded.digests[f"signals-{number}"] == own.digests
    store.close()
    logs.close()


def applied(store: Store, number: int) -> int:
    """Offset of a signals partition in the store."""
    found = store.applied("signals", number)
    return -1 if found is None else found.offset


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    limit, pause = time.monotonic() + 60.0, threading.Event()
    while not is_so():
        assert time.monotonic() < limit, "it was not so within 60 s"
        pause.wait(0.05)


@contextmanager
def worker(config: Path) -> Iterator[None]:
    """A worker's process that runs while the block does, and ends cleanly."""
    process = subprocess.Popen([sys.executable, "-m", "runners.cli", "worker", "--config", str(config)])
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(30.0) == 0
    finally:
        process.kill()
        process.wait()


# what is refused ------------------------------------------------------------------------------------------------------


def test_a_site_that_runs_is_not_moved(house: Path, there: Path) -> None:
    lease = Lease(house)
    with pytest.raises(LogBusy, match="in use by process"):
        move(house, there)
    lease.release()


def test_another_number_of_partitions_is_refused(house: Path, kafka: TrialKafka, database: str, prefix: str) -> None:
    config = to(house.parent / "town", kafka, database, prefix, partition_count=3)
    assert "partition_count: is 3, the site has 2" in problems(house, config)


def test_topics_that_hold_something_are_refused(house: Path, there: Path) -> None:
    settings = load_settings(there)
    init(settings.kafka, settings.partition_count)
    log = KafkaLog(settings.kafka)
    log.append("signals", 1, [b"of somebody else"])
    log.close()
    assert f"{settings.kafka.topic('signals')}-1: is not empty" in problems(house, there)


def test_a_database_that_holds_something_is_refused(house: Path, there: Path, database: str) -> None:
    register = PgRegister(database)
    register.remember("edge_key", "00")
    register.close()
    assert "the table register_meta is not empty" in problems(house, there)


def test_a_store_that_is_behind_its_log_is_refused(house: Path, there: Path) -> None:
    with Logs(house / "log.db", clock="wall") as logs, logs.transaction():
        logs.append("site", 0, [b"not folded"])
    assert "the store is behind site-0" in problems(house, there)


def test_nobody_moves_in_twice(house: Path, there: Path) -> None:
    move(house, there)
    assert "moved in here before" in problems(house, there)


def test_a_worker_that_was_started_too_early_is_noticed(house: Path, there: Path, database: str) -> None:
    def tell(what: str, done: int, total: int) -> None:
        if what == "site-0":
            store = Store(database)
            store.apply("signals", 0, 0, BEGIN, {}, ())
            store.close()

    with pytest.raises(ConfigError, match="the table offsets has been written to; stop every worker"):
        move(house, there, tell)


# what breaks off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "done"), [("signals-0", 1), ("signals-1", 1), ("site-0", 1), ("names", 1), ("labels", 1), ("comparing", 3)]
)
def test_a_run_that_broke_off_goes_on_and_ends_alike(house: Path, there: Path, what: str, done: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(house, there, breaking(what, done))
    assert move(house, there).is_equal
    assert frames_of(there) == frames_in(house)


def test_another_site_cannot_go_on_where_one_broke_off(house: Path, there: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(house, there, breaking("names", 1))
    with Logs(house / "log.db", clock="wall") as logs, logs.transaction():
        logs.append("site", 0, [b"another end"])
    assert "another site moved in here" in problems(house, there)
