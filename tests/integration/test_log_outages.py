"""Brokers that are away: said within the time limit, nothing acknowledged is lost, and all goes on by itself."""

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.cluster import Kafka
from pipeline.errors import LogUnavailable
from runners.cluster import kafka_topics
from runners.cluster.kafka_client import Clients
from runners.cluster.log_kafka import KafkaLog
from runners.trial.kafka import TrialKafka

LIMIT_S = 4.0


@pytest.fixture
def settings(kafka3: TrialKafka, prefix: str) -> Kafka:
    """Topics with three replicas, of which two must be in sync."""
    found = Kafka(bootstrap=kafka3.bootstrap, prefix=prefix, replication=3, min_insync=2)
    kafka_topics.init(found, 1)
    return found


@pytest.fixture
def log(settings: Kafka) -> Iterator[KafkaLog]:
    """An empty log."""
    log = KafkaLog(settings, timeout_s=LIMIT_S)
    yield log
    log.close()


def insisting(log: KafkaLog, frame: bytes, within_s: float = 60.0) -> int:
    """Append as a runner does: again until it is acknowledged."""
    until = time.monotonic() + within_s
    while True:
        try:
            return log.append("signals", 0, [frame])
        except LogUnavailable:
            if time.monotonic() > until:
                raise


def test_when_the_leader_is_killed_another_broker_takes_over(
    kafka3: TrialKafka, settings: Kafka, log: KafkaLog
) -> None:
    before = [insisting(log, b"%d" % number) for number in range(20)]
    leader = kafka_topics.leaders(settings, "signals")[0]
    kafka3.kill(leader)
    try:
        after = [insisting(log, b"%d" % number) for number in range(20, 40)]
        assert kafka_topics.leaders(settings, "signals")[0] not in (leader, -1)
        bodies = [body for _, body in log.read("signals", 0)]
        assert {int(body) for body in bodies} == set(range(40))
        assert [log.frame("signals", 0, offset) for offset in before + after] == [b"%d" % n for n in range(40)]
    finally:
        kafka3.start_broker(leader)


def test_with_too_few_replicas_in_sync_nothing_is_acknowledged(
    kafka3: TrialKafka, settings: Kafka, log: KafkaLog
) -> None:
    assert log.append("signals", 0, [b"before"]) == 0
    leader = kafka_topics.leaders(settings, "signals")[0]
    others = [number for number in kafka3.numbers if number != leader]
    for number in others:
        kafka3.pause(number)
    try:
        began = time.monotonic()
        with pytest.raises(LogUnavailable):
            log.append("signals", 0, [b"during"])
        assert time.monotonic() - began < 3 * LIMIT_S
    finally:
        for number in others:
            kafka3.resume(number)
    kept = insisting(log, b"after")
    assert log.frame("signals", 0, 0) == b"before"
    assert log.frame("signals", 0, kept) == b"after"


def test_brokers_that_hang_are_told_from_an_empty_log(kafka3: TrialKafka, log: KafkaLog) -> None:
    log.append("signals", 0, [b"kept"])
    for number in kafka3.numbers:
        kafka3.pause(number)
    try:
        for asked in (lambda: list(log.read("signals", 0)), lambda: log.frame("signals", 0, 0)):
            began = time.monotonic()
            with pytest.raises(LogUnavailable):
                asked()
            assert time.monotonic() - began < 3 * LIMIT_S
    finally:
        for number in kafka3.numbers:
            kafka3.resume(number)
    until = time.monotonic() + 60
    while True:
        try:
            assert list(log.read("signals", 0)) == [(0, b"kept")]
            break
        except LogUnavailable:
            assert time.monotonic() < until


def test_topics_that_were_never_made_are_named(kafka3: TrialKafka) -> None:
    log = KafkaLog(Kafka(bootstrap=kafka3.bootstrap, prefix="nowhere"), timeout_s=1.0)
    with pytest.raises(LogUnavailable, match=r"topic nowhere\.signals is not there .* `forewarn kafka init`"):
        log.append("signals", 0, [b"lost"])
    log.close()


def test_no_broker_at_all_is_said_with_its_address() -> None:
    log = KafkaLog(Kafka(bootstrap=("127.0.0.1:1",)), timeout_s=1.0)
    with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1:1"):
        log.append("signals", 0, [b"lost"])
    log.close()


def test_attempts_that_find_no_broker_leave_nothing_behind() -> None:
    clients = Clients(Kafka(bootstrap=("127.0.0.1:1",)), timeout_s=0.2)

    def held() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    def attempt() -> None:
        for make in (clients.producer, clients.consumer, clients.administrator):
            with pytest.raises(LogUnavailable, match="does one run there"):
                make()

    attempt()
    threads, files = held()
    for _ in range(5):
        attempt()
    after = held()
    # What the last error still refers to goes with it; each attempt that stayed would be a thread or four files.
    assert after[0] == threads
    assert after[1] < files + 15
