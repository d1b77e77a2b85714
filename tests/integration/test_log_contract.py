"""What whoever reads or appends to a log may rely on, whether it is a file of SQLite or topics of Kafka."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from kafka import TopicPartition

from config.cluster import Kafka
from pipeline.errors import LogGap
from runners.cluster import kafka_topics
from runners.cluster.kafka_client import Clients
from runners.cluster.log_kafka import KafkaLog
from runners.log_sqlite import Logs
from runners.trial.kafka import TrialKafka

FRAMES = [b"zero", b"one", b"two"]


class Log(Protocol):
    """What both have in common."""

    def append(self, log: str, partition: int, frames: list[bytes]) -> int: ...
    def read(
        self, log: str, partition: int, after: int = -1, until: int | None = None
    ) -> Iterator[tuple[int, bytes]]: ...
    def frame(self, log: str, partition: int, offset: int) -> bytes | None: ...
    def next_offset(self, log: str, partition: int) -> int: ...
    def partitions(self) -> list[tuple[str, int]]: ...
    def close(self) -> None: ...


class SqliteCase:
    """A log in a file; pruning is what sealing a segment does to it."""

    def __init__(self, path: Path) -> None:
        self.log = Logs(path)

    def prune(self, before: int) -> None:
        """Take the oldest frames of signals-0 away."""
        self.log.db.execute("DELETE FROM signals_0 WHERE offset < ?", (before,))


class KafkaCase:
    """Topics on a broker; pruning is what retention does to them."""

    def __init__(self, kafka: TrialKafka, prefix: str) -> None:
        self.settings = Kafka(bootstrap=kafka.bootstrap, prefix=prefix, replication=1, min_insync=1)
        kafka_topics.init(self.settings, 2)
        self.log = KafkaLog(self.settings)

    def prune(self, before: int) -> None:
        """Take the oldest frames of signals-0 away."""
        admin = Clients(self.settings).administrator()
        admin.delete_records({TopicPartition(self.settings.topic("signals"), 0): before})
        admin.close()


Case = SqliteCase | KafkaCase


@pytest.fixture(params=["sqlite", "kafka"])
def case(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> Iterator[Case]:
    """Each log in turn, empty."""
    made: Case
    made = SqliteCase(tmp_path / "log.db") if request.param == "sqlite" else kafka_case(request, prefix)
    yield made
    made.log.close()


def kafka_case(request: pytest.FixtureRequest, prefix: str) -> KafkaCase:
    """The broker starts only when it is asked for."""
    return KafkaCase(request.getfixturevalue("kafka"), prefix)


@pytest.fixture
def log(case: Case) -> Log:
    """A log with three frames in signals-0."""
    case.log.append("signals", 0, FRAMES)
    return case.log


def test_offsets_count_the_frames_of_a_partition(log: Log) -> None:
    assert log.append("signals", 0, [b"three"]) == 3
    assert log.append("signals", 1, [b"other"]) == 0
    assert log.append("site", 0, [b"site"]) == 0
    assert log.partitions() == [("signals", 0), ("signals", 1), ("site", 0)]
    assert log.next_offset("signals", 0) == 4


def test_what_was_appended_is_read_at_once(log: Log) -> None:
    assert list(log.read("signals", 0)) == list(enumerate(FRAMES))
    assert list(log.read("signals", 0, after=1)) == [(2, b"two")]


def test_reading_stops_where_it_is_asked_to(log: Log) -> None:
    assert list(log.read("signals", 0, until=1)) == [(0, b"zero"), (1, b"one")]
    assert list(log.read("signals", 0, after=0, until=1)) == [(1, b"one")]
    assert list(log.read("signals", 0, after=1, until=1)) == []


def test_reading_ends_at_the_logs_end(log: Log) -> None:
    assert list(log.read("signals", 0, after=2)) == []
    assert list(log.read("signals", 0, after=2, until=9)) == []
    assert list(log.read("readings", 0)) == []


def test_nothing_is_in_a_partition_that_is_not_there(log: Log) -> None:
    assert list(log.read("signals", 7)) == []
    assert log.frame("signals", 7, 0) is None


def test_a_frame_is_found_by_its_offset(log: Log) -> None:
    assert [log.frame("signals", 0, offset) for offset in (0, 2, 3)] == [b"zero", b"two", None]


def test_reading_may_be_left_early_and_nested(log: Log) -> None:
    outer = log.read("signals", 0)
    assert next(outer) == (0, b"zero")
    assert next(log.read("signals", 0, after=1)) == (2, b"two")
    assert log.frame("signals", 0, 0) == b"zero"
    assert list(outer) == [(1, b"one"), (2, b"two")]


def test_a_frame_may_be_a_mebibyte(log: Log) -> None:
    large = bytes(1 << 20)
    assert log.append("signals", 0, [large, b"after"]) == 3
    assert [(offset, len(body)) for offset, body in log.read("signals", 0, after=2)] == [(3, 1 << 20), (4, 5)]


def test_what_was_pruned_is_a_gap_that_says_where_the_log_goes_on(case: Case, log: Log) -> None:
    case.prune(2)
    with pytest.raises(LogGap, match="has no frame 0; the next one is 2") as found:
        list(log.read("signals", 0))
    assert found.value.next == 2
    assert list(log.read("signals", 0, after=1)) == [(2, b"two")]
    assert [log.frame("signals", 0, offset) for offset in (1, 2)] == [None, b"two"]
    assert log.append("signals", 0, [b"three"]) == 3


def test_no_other_name_is_a_log(log: Log) -> None:
    with pytest.raises(ValueError, match="no such log"):
        log.append("signals_0; DROP TABLE meta; --", 0, [b""])
    with pytest.raises(ValueError, match="no such log"):
        log.append("deadletter", 0, [b""])


# of Kafka alone ---------------------------------------------------------------------------------------------------


@pytest.fixture
def topics(kafka: TrialKafka, prefix: str) -> Iterator[KafkaCase]:
    """Empty topics."""
    made = KafkaCase(kafka, prefix)
    yield made
    made.log.close()


def test_a_log_that_moved_in_keeps_its_numbers(topics: KafkaCase) -> None:
    log = KafkaLog(topics.settings, base=lambda log, partition: 100 if (log, partition) == ("signals", 0) else 0)
    assert log.append("signals", 0, FRAMES) == 100
    assert [offset for offset, _ in log.read("signals", 0, after=100, until=101)] == [101]
    assert (log.frame("signals", 0, 102), log.frame("signals", 0, 2)) == (b"two", None)
    assert (log.first_offset("signals", 0), log.next_offset("signals", 0)) == (100, 103)
    with pytest.raises(LogGap, match="has no frame 40; the next one is 100"):
        list(log.read("signals", 0, after=39))
    log.close()


def test_an_emptied_log_tells_the_gap_too(topics: KafkaCase) -> None:
    topics.log.append("signals", 0, FRAMES)
    topics.prune(3)
    with pytest.raises(LogGap, match="the next one is 3"):
        list(topics.log.read("signals", 0, after=1))
    with pytest.raises(LogGap, match="the next one is 3"):
        list(topics.log.read("signals", 0, after=0, until=1))
    assert list(topics.log.read("signals", 0, after=2)) == []


def test_several_appenders_get_offsets_of_their_own(topics: KafkaCase) -> None:
    logs = [KafkaLog(topics.settings) for _ in range(2)]
    found: list[tuple[int, bytes]] = []

    def append(number: int) -> None:
        for index in range(20):
            body = b"%d-%d" % (number, index)
            found.append((logs[number % 2].append("signals", 0, [body]), body))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(topics.log.read("signals", 0)) == sorted(found)
    assert len(found) == 80
    for log in logs:
        log.close()


def test_frames_of_several_partitions_go_together(topics: KafkaCase) -> None:
    sent = [("signals", 0, b"a"), ("site", 0, b"b"), ("signals", 0, b"c"), ("signals", 1, b"d")]
    assert topics.log.append_many(sent) == [0, 0, 1, 0]
    assert [topics.log.frame(*place) for place in (("signals", 0, 1), ("signals", 1, 0))] == [b"c", b"d"]
