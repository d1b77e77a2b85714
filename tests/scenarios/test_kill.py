"""A run that is killed again and again ends like one that was left alone: nothing lost, nothing twice."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
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
            # A shell that starts us in the background has SIGINT ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
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
        with closing(sqlite3.connect(f"{(data / 'log.db').as_uri()}?mode=ro", uri=True)) as log:
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
    whole, kills = frames_in(undisturbed), 0
    # A run that ends before it is hit is no kill; what is left is then spent on starts of the finished one.
    for frames in [*sorted(dice.randrange(whole) for _ in range(KILLS)), *[0] * KILLS]:
        running = Running(city, data)
        running.reaches(frames)
        time.sleep(dice.uniform(0, 0.25))
        kills += running.end(signal.SIGKILL) == -signal.SIGKILL
        if kills == KILLS:
            break
    assert kills == KILLS
    assert Running(city, data).wait() == 0
    assert differences(data, undisturbed) == []
    assert (data / "warnings.jsonl").read_bytes() == (undisturbed / "warnings.jsonl").read_bytes()
    assert (data / "scores.csv").read_bytes() == (undisturbed / "scores.csv").read_bytes()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stopped_and_started_again_gives_the_same_warnings(
    how: signal.Signals, city: Path, undisturbed: Path, tmp_path: Path
) -> None:
    data = tmp_path / "stopped"
    running = Running(city, data)
    assert running.reaches(frames_in(undisturbed) // 2)
    assert running.end(how) != 0
    assert Running(city, data).wait() == 0
    assert differences(data, undisturbed) == []
    assert (data / "warnings.jsonl").read_bytes() == (undisturbed / "warnings.jsonl").read_bytes()


def differences(left: Path, right: Path) -> list[str]:
    """What `forewarn verify` finds wrong."""
    return [f"{finding.check}: {finding.detail}" for finding in verify(left, right) if not finding.ok]


def one_less(table: str) -> str:
    """SQL that drops the last row of a table."""
    return f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})"


TAMPERED = {
    "a label": ("store.db", one_less("labels")),
    "a transition": ("store.db", one_less("transitions")),
    "a lesson": ("store.db", one_less("lessons")),
    "a count": ("store.db", "UPDATE tallies SET count = count + 1 WHERE name = 'applied'"),
    "a digest": ("store.db", "UPDATE offsets SET digests = replace(digests, 'transitions', 'transition')"),
    "a transition's cause": (
        "store.db",
        "UPDATE transitions SET body = replace(body, 'raised', 'lowered') WHERE id = 1",
    ),
    "the last frame": ("log.db", one_less("signals_0")),
    "how far the source was read": ("log.db", "UPDATE cursors SET position = position - 1"),
}


@pytest.mark.parametrize(("file", "change"), TAMPERED.values(), ids=TAMPERED)
def test_verify_finds_what_was_tampered_with(file: str, change: str, undisturbed: Path, tmp_path: Path) -> None:
    data = tamper(undisturbed, tmp_path / "tampered", file, change)
    assert differences(data, undisturbed) != []


def test_verify_finds_a_frame_that_is_missing(undisturbed: Path, tmp_path: Path) -> None:
    data = tamper(undisturbed, tmp_path / "gap", "log.db", "DELETE FROM signals_0 WHERE offset = 3")
    assert any("has no frame 3" in found for found in differences(data, undisturbed))


def test_verify_finds_a_flipped_byte(undisturbed: Path, tmp_path: Path) -> None:
    flip = (
        "UPDATE signals_0 SET body = CAST(substr(body, 1, 99) || x'00' || substr(body, 101) AS BLOB) WHERE offset = 3"
    )
    data = tamper(undisturbed, tmp_path / "flipped", "log.db", flip)
    assert any("checksum does not match" in found for found in differences(data, undisturbed))


def test_verify_finds_nothing_wrong_with_a_plain_copy(undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "copy")
    assert differences(tmp_path / "copy", undisturbed) == []


def tamper(source: Path, copy: Path, file: str, change: str) -> Path:
    """A copy of a data directory with one thing changed by SQL."""
    shutil.copytree(source, copy)
    with closing(sqlite3.connect(copy / file)) as db, db:
        assert db.execute(change).rowcount >= 1
    return copy
