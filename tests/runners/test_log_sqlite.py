"""The log: frames under gap-free offsets, whole or not at all, with all that belongs to them."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import CorruptData, LogBusy, LogGap, NewerData
from runners.log_sqlite import Lease, Logs

FRAMES = [b"zero", b"one", b"two"]
LETTER = ("town", "7", "bad_time", "at", "is no time", "write it so", 12, "ab", b"redacted")


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A log with three frames."""
    logs = Logs(tmp_path / "log.db")
    with logs.transaction():
        logs.append("signals", 0, FRAMES)
    return logs


def tamper(logs: Logs, change: str) -> None:
    """Change the file behind the log's back."""
    with closing(sqlite3.connect(logs.path)) as db, db:
        db.execute(change)


def test_offsets_count_the_frames_of_a_partition(logs: Logs) -> None:
    assert logs.append("signals", 0, [b"three"]) == 3
    assert logs.append("signals", 1, [b"other"]) == 0
    assert logs.append("site", 0, [b"site"]) == 0
    assert logs.partitions() == [("signals", 0), ("signals", 1), ("site", 0)]
    assert list(logs.read("signals", 0, after=1)) == [(2, b"two"), (3, b"three")]


def test_reading_stops_where_it_is_asked_to(logs: Logs) -> None:
    assert list(logs.read("signals", 0, until=1)) == [(0, b"zero"), (1, b"one")]
    assert list(logs.read("readings", 0)) == []


def test_a_transaction_that_fails_leaves_nothing(logs: Logs) -> None:
    with pytest.raises(ValueError, match="no such log"), logs.transaction():
        logs.advance("town", logs.append("signals", 0, [b"lost"]) + logs.append("unknown", 0, [b"fails"]))
    assert (logs.next_offset("signals", 0), logs.position("town")) == (3, 0)
    with logs.transaction():
        assert logs.append("signals", 0, [b"kept"]) == 3


def test_a_missing_frame_is_a_gap(logs: Logs) -> None:
    tamper(logs, "DELETE FROM signals_0 WHERE offset = 1")
    with pytest.raises(LogGap, match="has no frame 1; the next one is 2"):
        list(logs.read("signals", 0))


def test_a_flipped_byte_is_found(logs: Logs) -> None:
    tamper(logs, "UPDATE signals_0 SET body = x'6f6f65' WHERE offset = 1")
    with pytest.raises(CorruptData, match="frame 1: checksum does not match"):
        list(logs.read("signals", 0))
    with pytest.raises(CorruptData):
        logs.frame("signals", 0, 1)


def test_a_log_of_a_later_version_is_refused(logs: Logs) -> None:
    logs.remember("schema", "99")
    with pytest.raises(NewerData, match="upgrade forewarn"):
        Logs(logs.path)


def test_the_clock_of_a_log_is_fixed_when_it_is_made(tmp_path: Path) -> None:
    Logs(tmp_path / "log.db", clock="wall").close()
    assert Logs(tmp_path / "log.db", clock="recorded").clock == "wall"


def test_the_first_to_register_a_matter_fixes_its_partition(logs: Logs) -> None:
    logs.direct([(b"k", 1, "town/7")])
    logs.direct([(b"k", 2, "town/8")])
    assert logs.matter(b"k") == (1, "town/7")
    assert logs.matter_key("7") == b"k"
    assert logs.matter(b"other") is None


def test_a_matter_is_found_by_its_whole_id_only(logs: Logs) -> None:
    logs.direct([(b"a", 0, "town/1_7"), (b"b", 0, "town/127")])
    assert logs.matter_key("1_7") == b"a"
    assert logs.matter_key("%7") is None


def test_a_code_keeps_its_first_name(logs: Logs) -> None:
    logs.name({1: ("office", "roads")})
    logs.name({1: ("office", "other"), 2: ("place", "north")})
    assert logs.names() == {1: "roads", 2: "north"}


def test_texts_go_when_their_time_is_over(logs: Logs) -> None:
    logs.keep_texts(0, 1, [(0, "early")], until=100)
    logs.keep_texts(0, 2, [(0, "late")], until=200)
    assert logs.erase_texts(before=150) == 1
    assert (logs.text(0, 1, 0), logs.text(0, 2, 0)) == (None, "late")
    assert logs.erase_texts() == 1
    assert list(logs.read("signals", 0)) == list(enumerate(FRAMES))


def test_erased_texts_leave_no_bytes_behind(logs: Logs) -> None:
    with logs.transaction():
        logs.keep_texts(0, 1, [(0, "UNIQUE-CANARY " * 400)], until=100)
    logs.erase_texts()
    logs.close()
    assert b"UNIQUE-CANARY" not in logs.path.read_bytes()


def test_dead_letters_are_found_by_reason(logs: Logs) -> None:
    logs.bury([LETTER, (*LETTER[:2], "too_large", *LETTER[3:])])
    assert [letter["reason"] for letter in logs.deadletters()] == ["bad_time", "too_large"]
    [letter] = logs.deadletters("bad_time")
    assert (letter["position"], letter["detail"], letter["body"]) == ("7", "is no time", b"redacted")


def test_a_source_is_remembered_as_far_as_it_was_read(logs: Logs) -> None:
    logs.advance("town", 5)
    logs.advance("town", 8)
    assert (logs.position("town"), logs.position("other")) == (8, 0)


def test_tallies_add_up(logs: Logs) -> None:
    logs.tally({"bad_time": 2})
    logs.tally({"bad_time": 1, "late": 1})
    assert logs.tallies() == {"bad_time": 3, "late": 1}


def test_no_other_name_is_a_log(logs: Logs) -> None:
    with pytest.raises(ValueError, match="no such log"):
        logs.append("signals_0; DROP TABLE meta; --", 0, [b""])


def test_a_reader_writes_nothing_and_needs_a_log(logs: Logs, tmp_path: Path) -> None:
    reader = Logs(logs.path, readonly=True)
    assert [offset for offset, _ in reader.read("signals", 0)] == [0, 1, 2]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.advance("town", 1)
    with pytest.raises(FileNotFoundError, match="give the --data folder"):
        Logs(tmp_path / "nothing.db", readonly=True)


TAKE = "import sys; from pathlib import Path; from runners.log_sqlite import Lease; Lease(Path(sys.argv[1]))"


def test_a_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    asked = [sys.executable, "-c", TAKE, str(tmp_path)]
    second = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "is in use by process" in second.stderr
    lease.release()
    assert subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0


def test_the_refusal_names_the_process_and_leaves_its_name(tmp_path: Path) -> None:
    import os

    lease = Lease(tmp_path)
    for _ in range(2):
        with pytest.raises(LogBusy, match=f"process {os.getpid()}"):
            Lease(tmp_path)
    lease.release()
    Lease(tmp_path).release()
