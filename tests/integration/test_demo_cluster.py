"""`make demo-cluster`: everything on one machine, alive on one worker too, and gone when it is told to stop."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.town import until

WITHIN_S = 120.0


class Shown:
    """The demonstration as a process, and what it said."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.said = ""
        command = [sys.executable, "-m", "runners.demo.cluster", "--port", str(self.port), "--data", str(folder)]
        small = ["--metrics-port", "0", "--partitions", "2", "--per-day", "1500", "--hours", "3"]
        self.process = subprocess.Popen(
            command + small, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line

    def found(self, pattern: str) -> list[str]:
        """What it said that matches."""
        return re.findall(pattern, self.said)

    @property
    def config(self) -> str:
        """Its configuration."""
        return self.found(r"configuration (\S+)")[0]

    def reached(self) -> dict[str, int]:
        """How far the folds of signals are, by partition."""
        said = re.findall(r"(signals-\d)\t@(\d+)", self.digests().stdout)
        return {log: int(offset) for log, offset in said}

    def digests(self) -> "subprocess.CompletedProcess[str]":
        """The store's digests beside those of a replay."""
        command = [sys.executable, "-m", "runners.cli", "digest", "--config", self.config]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)


@pytest.fixture
def shown(tmp_path: Path, kafka: object, postgres: object) -> Iterator[Shown]:
    """A small one that has started. (The servers that are asked for say what this machine lacks.)"""
    shown = Shown(tmp_path / "demo")
    try:
        until(lambda: len(shown.found("signin#token=")) == 2 or shown.process.poll() is not None, within_s=WITHIN_S)
        yield shown
    finally:
        if shown.process.poll() is None:
            shown.process.send_signal(signal.SIGINT)
        shown.process.wait(WITHIN_S)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_lives_on_one_worker_and_gives_the_digests_of_a_replay(shown: Shown) -> None:
    workers = [int(pid) for pid in shown.found(r"worker \d: process (\d+)")]
    assert len(workers) == 2, shown.said
    until(lambda: len(shown.reached()) == 2, within_s=WITHIN_S)
    before = shown.reached()
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: all(offset > before[log] for log, offset in shown.reached().items()), within_s=WITHIN_S)
    compared = shown.digests()
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert compared.stdout.count("equal") >= 6
    shown.process.send_signal(signal.SIGINT)
    shown.process.wait(WITHIN_S)
    assert shown.process.returncode == 0, shown.said
    assert not any(alive(pid) for pid in workers)
