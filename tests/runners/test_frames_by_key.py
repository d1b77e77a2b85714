"""Frames are read one by one, few of them, and config entries are found wherever they are."""

from pathlib import Path

import numpy as np

from pipeline.calendar import WorkCalendar
from pipeline.frame import Frame, Kind, frame_of_others
from pipeline.rules import FoldRules
from runners.explain.explanation import EntryState
from runners.explain.frames_by_key import FRAMES, FramesByKey, config_offsets
from runners.log_sqlite import Logs

UTC = WorkCalendar(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))


def config(version: int) -> bytes:
    """A config entry's frame, as a site appends it."""
    payload = {"version": version, "rules": FoldRules(UTC, version=version).to_json(), "settings": {"site": {}}}
    return frame_of_others([(Kind.CONFIG, version, payload)]).to_bytes()


def command() -> bytes:
    """A frame that speaks of rules but holds none."""
    return frame_of_others([(Kind.COMMAND, 5, {"command": "note", "remark": '"others":[{"rules":{}'})]).to_bytes()


def test_config_entries_are_found_and_nothing_else(tmp_path: Path) -> None:
    with Logs(tmp_path / "log.db") as logs:
        logs.append("signals", 0, [config(1), command(), config(2), command(), config(3)])
        assert list(config_offsets(logs, "signals", 0)) == [0, 2, 4]


def test_a_frame_is_read_once_and_one_that_is_gone_is_told_apart(tmp_path: Path) -> None:
    with Logs(tmp_path / "log.db") as logs:
        logs.append("signals", 0, [config(1)])
        frames = FramesByKey(logs, "signals", 0)
        first = frames.frame(0)
        assert isinstance(first, Frame)
        assert frames.frame(0) is first
        assert frames.frame(7) is EntryState.PRUNED
        assert len(frames) == 2


def test_beyond_the_limit_nothing_is_read(tmp_path: Path) -> None:
    with Logs(tmp_path / "log.db") as logs:
        logs.append("signals", 0, [command()] * (FRAMES + 2))
        frames = FramesByKey(logs, "signals", 0)
        found = [frames.frame(offset) for offset in range(FRAMES + 2)]
        assert found[FRAMES:] == [EntryState.NOT_READ, EntryState.NOT_READ]
        assert all(isinstance(each, Frame) for each in found[:FRAMES])
        assert len(frames) == FRAMES
