"""Nothing listens where the documentation does not say so: every process of ours is looked at from outside."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.trial.kafka import TrialKafka
from runners.trial.process import free_ports
from tests.integration.town import Server, begin, settle_in, until
from tests.runners.live.served import Served
from tests.runners.live.town import lay_out

_LISTENING = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def listening(pid: int) -> set[tuple[str, int]]:
    """Address, as the kernel writes it, and port of every socket on which a process or a child of it listens."""
    sockets = {os.readlink(fd) for each in family(pid) for fd in _descriptors(each)}
    found = set()
    for table in _TABLES:
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            address, _, port = words[1].partition(":")
            if words[3] == _LISTENING and f"socket:[{words[9]}]" in sockets:
                found.add((address, int(port, 16)))
    return found


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def _descriptors(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    return [f"{folder}/{name}" for name in os.listdir(folder) if os.path.islink(f"{folder}/{name}")]


LOOPBACK = "0100007F"
"""127.0.0.1, as the kernel writes it."""


@pytest.fixture
def config(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Path:
    """The town on a cluster."""
    return settle_in(tmp_path / "town", kafka, database, prefix)


def test_a_worker_listens_on_its_metrics_port_alone(config: Path) -> None:
    [port] = free_ports(1)
    process = begin(["worker", "--config", str(config), "--metrics-port", str(port)], {})
    try:
        until(lambda: bool(listening(process.pid)), process)
        assert listening(process.pid) == {(LOOPBACK, port)}
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_a_server_listens_on_its_port_alone(config: Path) -> None:
    server = Server(config)
    server.begin()
    process = server.process
    assert process is not None
    try:
        until(lambda: bool(listening(process.pid)), process)
        assert listening(process.pid) == {(LOOPBACK, server.port)}
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_an_embedded_site_listens_on_its_port_alone(tmp_path: Path) -> None:
    site = Served(lay_out(tmp_path / "town"), tmp_path / "data")
    site.start()
    assert site.process is not None
    assert listening(site.process.pid) == {(LOOPBACK, site.port)}
    site.process.terminate()
    site.process.communicate(timeout=60)
