"""The real servers for trial: they serve, they can be hurt, and they never outlive whoever started them."""

import os
import select
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from runners.trial.process import Child, PartMissing, TrialFailed, cache_folder, free_ports


def answers(address: str) -> bool:
    """Whether somebody listens there."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def test_each_database_is_empty_and_what_is_committed_is_on_disk(postgres: TrialPostgres) -> None:
    with psycopg.connect(postgres.database()) as one:
        one.execute("CREATE TABLE kept (n int)")
    with psycopg.connect(postgres.database()) as other:
        assert other.execute("SELECT to_regclass('kept')").fetchone() == (None,)
        assert other.execute("SHOW fsync").fetchone() == ("on",)


def test_a_killed_postgresql_comes_back_with_what_was_committed(postgres: TrialPostgres, database: str) -> None:
    with psycopg.connect(database) as db:
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postgres.kill()
    assert not answers(f"127.0.0.1:{postgres.port}")
    postgres.start()
    with psycopg.connect(database) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_paused_postgresql_keeps_connections_and_answers_nothing(postgres: TrialPostgres, database: str) -> None:
    with closing(psycopg.connect(database)) as db:
        postgres.pause()
        db.pgconn.send_query(b"SELECT 1")
        assert not readable(db.fileno(), 0.2)
        postgres.resume()
        assert readable(db.fileno(), 30.0)


def readable(number: int, within_s: float) -> bool:
    """Whether bytes came."""
    return bool(select.select([number], [], [], within_s)[0])


def test_a_broker_listens_on_loopback_only_and_is_gone_when_killed(kafka: TrialKafka) -> None:
    [address] = kafka.bootstrap
    assert address.startswith("127.0.0.1:")
    assert answers(address)
    kafka.kill(1)
    assert not answers(address)
    kafka.start_broker(1)
    assert answers(address)


START = """
import os, signal, sys
from pathlib import Path
from runners.trial.postgres import TrialPostgres
with TrialPostgres(Path(sys.argv[1])) as server:
    print(server.port, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("postgres")
def test_a_server_dies_with_the_process_that_started_it() -> None:
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            [sys.executable, "-c", START, name], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == -9
        until_gone(f"127.0.0.1:{int(done.stdout)}")


def until_gone(address: str) -> None:
    """Wait for a port to be free; the kernel needs a moment."""
    for _ in range(1_000):
        if not answers(address):
            return
        os.sched_yield()
    raise AssertionError(f"{address} still answers")


def test_a_port_in_use_is_named(kafka: TrialKafka) -> None:
    port = int(kafka.bootstrap[0].rpartition(":")[2])
    with pytest.raises(TrialFailed, match=f"port {port} on 127.0.0.1 is in use"):
        free_ports(1, first=port)


def test_a_server_that_ends_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    child = Child("teapot", ["sh", "-c", "echo no coffee; exit 1"], tmp_path / "log", tmp_path)
    child.start()
    with pytest.raises(TrialFailed, match=r"teapot ended while starting:\nno coffee"):
        child.ready(lambda: False)


def test_a_machine_without_java_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(PartMissing, match="apt-get install default-jre-headless"):
        TrialKafka(tmp_path / "kafka").__enter__()


def test_what_was_resolved_is_kept_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "forewarn"
