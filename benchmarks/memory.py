"""What one more open matter costs in resident bytes: 6 steps, 2 clocks, its index entry and all else.

All of it goes through the real fold in a process of its own. Counted in: rows, indexes, timers, the ids remembered
against duplicates, places and offices; not text, which the fold never holds.
"""

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure
from benchmarks.matter_lines import GRIDS, START
from pipeline.calendar import DAY_US, MINUTE_US, utc_calendar
from pipeline.clocks import ClockRule, Unit
from pipeline.frame import Frame, frame_of_signals
from pipeline.rules import FoldRules, Target
from pipeline.signal import SIGNAL, Step

FRAME = 1000
LIFE = (Step.REGISTERED, Step.ROUTED, Step.ACCEPTED, Step.HANDLING, Step.UPDATED, Step.UPDATED)
CATEGORIES = 30
OFFICES = 60


def rules() -> FoldRules:
    """Three outcomes, one legal clock beside the due time that the source asserts, no rules of duty."""
    clock = ClockRule("handling", "city rules", Step.REGISTERED, (Step.REPORTED_DONE,), Unit.CALENDAR_DAYS, 60)
    # What raises no warning is enough here: how many warnings a site has is a matter of its budgets.
    quiet = {"raise_at": 10_001, "clear_at": 10_001, "raise_recurrence_days": 1e9, "clear_recurrence_days": 1e9}
    return FoldRules(
        calendar=utc_calendar(),
        targets=(Target("breach", "breach"), Target("repeated", "repeated"), Target("reopened", "reopened")),
        clocks=(clock,),
        clocks_of={0: (0,)},
        levels={"levels": [dict(quiet) for _ in range(4)], "categories": []},
    )


def lives(first: int, count: int) -> list[Frame]:
    """Frames in which matters `first` to `first + count` are registered and take five more steps."""
    return [part for step in range(len(LIFE)) for part in _frames(first, count, step)]


def _frames(first: int, count: int, step: int) -> list[Frame]:
    random = np.random.default_rng([first, step])
    number = np.arange(first, first + count, dtype=np.uint64)
    rows = np.zeros(count, SIGNAL)
    rows["values"] = np.nan
    rows["matter"] = _keys(number, 7)
    rows["id"] = _keys(number * np.uint64(8) + np.uint64(step), 11)
    rows["content"] = number
    rows["at"] = rows["now"] = START + (first * len(LIFE) + step * count + np.arange(count)) * 1_000
    rows["step"] = LIFE[step]
    same = np.random.default_rng(first)
    rows["category"] = 1 + same.integers(0, CATEGORIES, count)
    rows["place"] = 1 + same.integers(0, GRIDS, count)
    rows["office"] = 1 + same.integers(0, OFFICES, count)
    if step == 0:
        rows["due"] = rows["at"] + 5 * DAY_US + random.integers(0, 60, count) * MINUTE_US
    return [frame_of_signals(rows[start : start + FRAME]) for start in range(0, count, FRAME)]


def _keys(number: NDArray[np.uint64], salt: int) -> NDArray[Any]:
    """128-bit keys spread like hashes."""
    words = np.empty((len(number), 2), np.uint64)
    words[:, 0] = number * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(salt)
    words[:, 1] = number ^ np.uint64(salt << 40)
    return words.view("V16")[:, 0]


def resident_bytes(matters: int) -> int:
    """Growth of this process while the fold takes in so many matters, a checkpoint's delta taken now and then.

    Memory that was freed counts as given back, as it is after each base.
    """
    from runners.checkpoints import give_back
    from runners.wiring import topology

    fold = topology(rules(), {})
    offset = 0

    def fold_in(first: int, count: int) -> None:
        nonlocal offset
        for frame in lives(first, count):
            frame.offset = offset
            fold.step(frame)
            offset += 1
        fold.checkpoint(delta=True)

    fold_in(0, FRAME)
    gc.collect()
    before = resident()
    block = 2 * FRAME
    for first in range(FRAME, FRAME + matters, block):
        fold_in(first, min(block, FRAME + matters - first))
    gc.collect()
    give_back()
    return resident() - before


def resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_per_open_matter(matters: int = 150_000) -> list[Figure]:
    """Resident bytes that one more open matter costs."""
    code = f"from benchmarks.memory import resident_bytes; print(resident_bytes({matters}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    return [figure("bytes_per_open_matter", int(done.stdout) / matters, "B", goal=1_000, higher_is_better=False)]
