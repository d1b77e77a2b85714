"""A run that is killed again and again ends like one that was left alone: nothing lost, nothing twice."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runners.run_files import run_files
from runners.verify import verify

KILLS = 20
LIMIT_S = 60.0
"""A process that made no headway in this time is a failure, not a reason to wait on."""


class Running:
    """`forewarn run` as a process of its own on the simulated city."""

    def __init__(self, city: Path, data: Path) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", "run", "--config", str(city / "site.yaml"), "--data", str(data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def reaches(self, frames: int) -> bool:
        """Wait until the log holds so many frames; False when the process ended before."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            if frames_in(self.data) >= frames:
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        raise AssertionError(f"frame {frames} was not reached within {LIMIT_S} s")

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; its exit status."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; its exit status."""
        _, said = self.process.communicate(timeout=LIMIT_S)
        assert b"Traceback" not in said, said.decode()
        return self.process.returncode


def frames_in(data: Path) -> int:
    """Frames in the log of a directory, asked from outside; 0 while there is none."""
    try:
        with sqlite3.connect(f"{(data / 'log.db').as_uri()}?mode=ro", uri=True) as log:
            return int(log.execute("SELECT count(*) FROM signals_0").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.fixture(scope="module")
def undisturbed(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a run that nobody disturbed."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    run_files(city / "site.yaml", data)
    return data


def test_a_run_killed_twenty_times_ends_like_one_that_was_not(city: Path, undisturbed: Path, tmp_path: Path) -> None:
    data, dice = tmp_path / "killed", random.Random(20_240_501)
    whole = frames_in(undisturbed)
    moments = sorted(dice.randrange(whole + 1) for _ in range(KILLS))
    for frames in moments:
        running = Running(city, data)
        assert running.reaches(frames), "the run ended before it could be killed"
        time.sleep(dice.uniform(0, 0.3))
        running.end(signal.SIGKILL)
    assert Running(city, data).wait() == 0
    assert [f"{finding.check}: {finding.detail}" for finding in verify(data, undisturbed) if not finding.ok] == []
    assert (data / "warnings.jsonl").read_bytes() == (undisturbed / "warnings.jsonl").read_bytes()
    assert (data / "scores.csv").read_bytes() == (undisturbed / "scores.csv").read_bytes()
