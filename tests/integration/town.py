"""The town on real brokers and a real database: its configuration, servers and workers as processes of their own."""

import atexit
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.load import load_settings
from console.api.accounts import Accounts
from console.api.keys import Keys
from runners.cluster.kafka_topics import init
from runners.trial.kafka import TrialKafka
from tests.runners.live.served import LIMIT_S, Served
from tests.runners.live.town import lay_out

PARTITIONS = 2
PLACES = [{"id": "north", "level": "county"}, {"id": "south", "level": "county"}]


def settle_in(folder: Path, kafka: TrialKafka, database: str, prefix: str, **changed: Any) -> Path:
    """Lay the town's configuration out, and make its topics; the path of the configuration."""
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    fixed = {"runner": "kafka", "partition_count": PARTITIONS, "kafka": brokers, "postgres": {"url": database}}
    path = lay_out(folder, **({"places": PLACES} | changed | fixed))
    settings = load_settings(path)
    init(settings.kafka, settings.partition_count, folder)
    return path


class Server(Served):
    """`forewarn serve` as a process; `li` may sign in, and a key may post for the hotline."""

    def __init__(self, config: Path, like: "Server | None" = None) -> None:
        self.config = config
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        self.key = like.key if like else self._key(load_settings(config).postgres.url)

    def _key(self, database: str) -> str:
        accounts = Accounts(database)
        try:
            accounts.add("li", "duty_officer", password="correct horse battery")
            return Keys(accounts).create("hotline")
        finally:
            accounts.close()

    def begin(self, **environment: str) -> None:
        """Start it without waiting."""
        command = ["serve", "--config", str(self.config), "--port", str(self.port), "--metrics-port", "0"]
        self.process = begin(command, environment)

    def wait_ready(self) -> None:
        """Wait until it takes work."""
        until(lambda: self.status("/readyz") == 200, self.process)

    def start(self, **environment: str) -> float:
        """Start it; seconds until it is ready."""
        begun = time.perf_counter()
        self.begin(**environment)
        self.wait_ready()
        return time.perf_counter() - begun

    def status(self, path: str) -> int:
        """Status of a request, 0 where nobody answers."""
        try:
            return self.request("GET", path)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def rows(self, me: dict[str, str]) -> list[dict[str, Any]]:
        """The queue's first page."""
        found: list[dict[str, Any]] = self.request("GET", "/api/v1/queue", None, **me)[1]["items"]
        return found


class Worker:
    """`forewarn worker` as a process."""

    def __init__(self, config: Path, name: str = "w1") -> None:
        self.process = begin(["worker", "--config", str(config), "--name", name], {})

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait; its exit status."""
        self.process.send_signal(how)
        self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode


def begin(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A `forewarn` command in the background; a test that fails leaves nothing running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.cli", *command], stderr=subprocess.PIPE, env=os.environ | environment
    )
    atexit.register(process.kill)
    return process


def until(
    holds: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None, within_s: float = LIMIT_S
) -> None:
    """Wait for something that other processes bring about; fails with what `process` said if it ends."""
    limit = time.monotonic() + within_s
    while not holds():
        if process is not None and process.poll() is not None:
            raise AssertionError(process.communicate()[1].decode())
        if time.monotonic() > limit:
            raise AssertionError(f"it did not come about within {within_s} s")
        time.sleep(0.02)
