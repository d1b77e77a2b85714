"""The logs of a cluster put together: frames where frames are, everything beside them in the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.cluster.logs import ClusterLogs
from runners.log_sqlite import Logs

pytestmark = pytest.mark.real
FRAMES = [b"zero", b"one", b"two"]


@pytest.fixture
def frames(tmp_path: Path) -> Logs:
    """Frames in a file, which keep the same promises as those of Kafka."""
    return Logs(tmp_path / "frames.db", clock="wall")


@pytest.fixture
def logs(frames: Logs, database: str) -> Iterator[ClusterLogs]:
    with ClusterLogs(frames, database) as logs:
        yield logs


def test_frames_are_read_as_they_were_appended(logs: ClusterLogs) -> None:
    assert logs.append("signals", 1, FRAMES) == 0
    assert logs.next_offset("signals", 1) == 3
    assert list(logs.read("signals", 1, 0, 1)) == [(1, b"one")]
    assert (logs.frame("signals", 1, 2), logs.frame("signals", 1, 3)) == (b"two", None)
    assert logs.partitions() == [("signals", 1)]


def test_a_cluster_lives_by_the_wall(logs: ClusterLogs) -> None:
    assert (logs.clock, logs.is_wall) == ("wall", True)


def test_what_belongs_to_frames_is_in_the_database(logs: ClusterLogs, frames: Logs) -> None:
    with logs.transaction():
        logs.name({1: ("place", "east")})
        logs.direct([(b"k" * 16, 1, "town/7")])
    assert (logs.named(1), logs.matter(b"k" * 16)) == ("east", (1, "town/7"))
    assert (frames.named(1), frames.matter(b"k" * 16)) == ("", None)


def test_a_frame_that_was_appended_stays_whatever_fails_around_it(logs: ClusterLogs) -> None:
    def append() -> None:
        with logs.transaction():
            logs.tally({"accepted": 1})
            logs.append("signals", 0, FRAMES[:1])
            raise KeyError

    with pytest.raises(KeyError):
        append()
    assert (logs.next_offset("signals", 0), logs.tallies()) == (1, {})
