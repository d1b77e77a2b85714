"""How long after a kill until the first newly committed frame, with 400,000 open matters in the checkpoint.

A small site is lived for real; its rows are then multiplied under other keys, so that 400,000 open matters take seconds
to make and not minutes. A process folds frames on top of them and is killed with SIGKILL in the middle of its work; the
figure is a fresh one's time from its start, Python's own included, to its first commit.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure
from benchmarks.matter_lines import START
from benchmarks.memory import FRAME, lives, rules
from pipeline.calendar import DAY_US
from pipeline.frame import Frame
from runners.embedded import Site

LIVED = 4_000
"""Matters lived for real before they are multiplied."""
KILLED_AFTER = 60
"""Frames that the killed process folds at most."""
_ROOT = Path(__file__).parents[1]


def ready_after_kill(matters: int = 400_000) -> list[Figure]:
    """Seconds from the start of a process to its first newly committed frame; the best of three kills."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(_command("build", folder, matters), check=True, cwd=_ROOT)
        seconds = []
        for turn in range(3):
            _kill_in_the_middle(folder, frames=KILLED_AFTER // 2 + 7 * turn)
            begun = perf_counter()
            ready = subprocess.Popen(_command("ready", folder), stdout=subprocess.PIPE, cwd=_ROOT)
            assert ready.stdout is not None
            line = ready.stdout.readline()
            seconds.append(perf_counter() - begun)
            held = int(ready.communicate()[0] or 0)
            if not line.startswith(b"committed") or held < matters:
                raise RuntimeError(f"not ready after the kill: {held} matters, status {ready.returncode}")
    return [figure("ready_after_kill", min(seconds), "s", goal=1.5, higher_is_better=False)]


def _kill_in_the_middle(folder: str, frames: int) -> None:
    worker = subprocess.Popen(_command("work", folder), stdout=subprocess.PIPE, cwd=_ROOT)
    assert worker.stdout is not None
    for _ in range(frames):
        if not worker.stdout.readline():
            raise RuntimeError(f"the worker ended by itself; status {worker.wait()}")
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "benchmarks.restart", *map(str, words)]


def build(folder: Path, matters: int) -> None:
    """Make a data directory whose newest checkpoint holds so many open matters."""
    # no checkpoint before the one that holds them all
    site = Site(folder, rules(), durable=False, checkpointing=False)
    site.configure(rules(), {}, 0)
    _feed(site, lives(0, LIVED))
    partition = site.partitions[0]
    head, arrays = partition.fold.checkpoint()
    partition.fold.restore(head, multiplied(head, arrays, matters // LIVED))
    partition.fold.ready()
    partition.checkpoint()
    site.close()


def multiplied(head: dict[str, Any], arrays: dict[str, NDArray[Any]], times: int) -> dict[str, NDArray[Any]]:
    """The arrays of a checkpoint with every matter `times` times under keys of its own; changes the sizes in `head`."""
    out = dict(arrays)
    tile = np.repeat(np.arange(times), LIVED)
    matters = np.tile(arrays["matters.rows"], times)
    words = np.ascontiguousarray(matters["key"]).view(np.uint64).reshape(-1, 2)
    words[:, 0] ^= tile.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
    matters["key"] = words.view("V16")[:, 0]
    sizes = {name: len(arrays[f"{name}.rows"]) for name in ("steps", "clocks")}
    for name, table in (("first", "steps"), ("last", "steps"), ("clock", "clocks")):
        matters[name] += tile * sizes[table]
    out["matters.rows"] = matters
    for name, size in sizes.items():
        rows = np.tile(arrays[f"{name}.rows"], times)
        rows["next"] = np.where(rows["next"] >= 0, rows["next"] + np.repeat(np.arange(times), size) * size, -1)
        out[f"{name}.rows"] = rows
    for name in ("matters", "steps", "clocks"):
        head["tables"][name]["size"] = len(out[f"{name}.rows"])
    count = len(out["steps.rows"])
    out["seen.runs.id"] = np.sort(np.random.default_rng(1).integers(0, 1 << 63, count, np.uint64))
    out["seen.runs.content"] = np.zeros(count, np.uint32)
    out["seen.runs.day"] = np.full(count, START // DAY_US, np.int32)
    out["seen.sizes"] = np.array([count])
    return out


def _feed(site: Site, frames: Sequence[Frame], *, tells: bool = False) -> None:
    partition = site.partitions[0]
    for frame in frames:
        with site.logs.transaction():
            frame.offset = site.logs.append("signals", 0, [frame.to_bytes()])
        partition.step([frame])
        if tells:
            print("committed", frame.offset, flush=True)


def main(what: str, folder: str, matters: str = "0") -> None:
    """One of the three processes: build, work until killed, or start and commit one frame."""
    path = Path(folder)
    if what == "build":
        build(path, int(matters))
        return
    site = Site(path, rules())
    # Every life begins where the log ends, so that its matters are new ones.
    first = LIVED + site.partitions[0].offset * FRAME
    if what == "work":
        for turn in range(KILLED_AFTER):
            _feed(site, lives(first + turn * FRAME, FRAME), tells=True)
        return
    _feed(site, lives(first, FRAME)[:1], tells=True)
    if "sklearn" in sys.modules or "river" in sys.modules:
        raise RuntimeError("learners were imported on the way to readiness")
    print(site.partitions[0].fold.county.matters.size, flush=True)
    os._exit(0)  # a last checkpoint would only be waited for


if __name__ == "__main__":
    main(*sys.argv[1:])
