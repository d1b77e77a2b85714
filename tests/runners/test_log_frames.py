"""What a log holds and nobody can fold is passed over alike by whoever reads it."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.columns import pack
from pipeline.errors import LogGap, NewerData, Reason
from pipeline.frame import Kind, frame_of_others
from runners.log_frames import Passed, decoded, first_of, frames_after
from runners.log_sqlite import Logs

TICK = frame_of_others([(Kind.TICK, 1, {})]).to_bytes()
NOT_FRAMES = {
    "nothing": None,
    "empty": b"",
    "words": b"no frame at all",
    "cut": TICK[:-9],
    "columns without kinds": pack({"v": 1, "others": []}, {"now": np.zeros(1, np.int64)}),
    "kinds of another type": pack(
        {"v": 1, "others": []}, {"kinds": np.zeros(1, np.int64), "now": np.zeros(1, np.int64)}
    ),
    "an entry without its payload": pack(
        {"v": 1, "others": []}, {"kinds": np.array([6], np.uint8), "now": np.zeros(1, np.int64)}
    ),
    "a head that is a list": pack([], {}),  # type: ignore[arg-type]
}


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A log of five ticks."""
    made = Logs(tmp_path / "log.db", clock="wall")
    made.append("signals", 0, [TICK] * 5)
    return made


@pytest.mark.parametrize("body", NOT_FRAMES.values(), ids=NOT_FRAMES.keys())
def test_bytes_that_are_no_frame_become_one_without_entries_that_tells_why(body: bytes | None) -> None:
    frame = decoded(body, 7)
    assert isinstance(frame, Passed)
    assert (frame.offset, first_of(frame), len(frame), frame.reason) == (7, 7, 0, Reason.UNREADABLE)
    assert frame.told().rejected == [{"reason": "unreadable", "id": "", "offset": 7, "index": 0, "until": 7}]


def test_a_frame_of_a_newer_version_is_never_passed_over() -> None:
    with pytest.raises(NewerData):
        decoded(TICK.replace(b'"v":1', b'"v":9'), 0)


def test_frames_that_are_gone_are_an_error_for_whoever_must_have_them(logs: Logs) -> None:
    logs.db.execute("DELETE FROM signals_0 WHERE offset < 3")
    with pytest.raises(LogGap):
        list(frames_after(logs, "signals", 0, -1))


def test_frames_that_are_gone_are_one_step_for_whoever_goes_on(logs: Logs) -> None:
    logs.db.execute("DELETE FROM signals_0 WHERE offset < 3")
    lost, *frames = frames_after(logs, "signals", 0, -1, may_lose=True)
    assert isinstance(lost, Passed)
    assert (lost.reason, first_of(lost), lost.offset, lost.told().counts) == (Reason.LOST, 0, 2, {Reason.LOST: 3})
    assert [frame.offset for frame in frames] == [3, 4]
