"""Topics of others on a real broker: read as a source from where it was read to, and told of warnings."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from alerts.deliver import DIGEST_US, Receipt
from alerts.deliveries import Deliveries
from alerts.sinks.kafka import Message
from config.cluster import Brokers
from connectors.kafka_source import Record
from runners.clock import SetClock
from runners.cluster.kafka_outside import OutsideProducer, OutsideTopic
from runners.live.site import Live
from runners.trial.kafka import TrialKafka
from tests.runners.live.test_files import until
from tests.runners.live.town import BEGIN, HOUR, lay_out, overdue, record, running

LIMIT_S = 30.0


@pytest.fixture
def brokers(kafka: TrialKafka) -> Brokers:
    return Brokers(bootstrap=kafka.bootstrap)


def made(kafka: TrialKafka, name: str, partitions: int = 2, **config: str) -> str:
    """A topic that is there."""
    admin = KafkaAdminClient(bootstrap_servers=list(kafka.bootstrap))
    admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
    admin.close()
    return name


def sent(brokers: Brokers, topic: str, values: Sequence[bytes], **headers: str) -> None:
    """Write records to a topic as a stranger would."""
    named = tuple((name, value.encode()) for name, value in headers.items())
    producer = OutsideProducer(brokers, Path())
    # Keys spread them over the partitions.
    assert producer.send(topic, [Message(b"%d" % number, value, named) for number, value in enumerate(values)]).ok
    producer.close()


def town_of(folder: Path, brokers: Brokers, topic: str, **more: Any) -> Path:
    """The town whose hotline is a topic."""
    address = {"bootstrap": list(brokers.bootstrap)}
    source = {"name": "hotline", "mapping": "hotline.yaml", "kafka": {"topic": topic, "brokers": address}}
    return lay_out(folder, sources=[source], **more)


def all_of(topic: OutsideTopic, count: int) -> list[Record]:
    """So many records, waited for."""
    for partition in topic.partitions():
        topic.seek(partition, 0)
    found: list[Record] = []
    limit = time.monotonic() + LIMIT_S
    while len(found) < count and time.monotonic() < limit:
        found += topic.poll(0.2)
    return found


def applied(site: Live, count: int) -> Callable[[], bool]:
    return lambda: site.ledger.of("hotline")["applied"] == count


def test_a_topic_is_read_and_a_restart_goes_on(kafka: TrialKafka, brokers: Brokers, tmp_path: Path) -> None:
    topic = made(kafka, "source-goes-on")
    town = town_of(tmp_path / "town", brokers, topic)
    sent(brokers, topic, [record(number) for number in range(20)])
    with running(town, tmp_path / "data") as site:
        until(site, applied(site, 20))
    sent(brokers, topic, [record(number) for number in range(20, 30)])
    with running(town, tmp_path / "data") as site:
        until(site, applied(site, 30))
        assert site.ledger.of("hotline")["duplicate"] == 0


def test_a_poison_record_becomes_a_dead_letter(kafka: TrialKafka, brokers: Brokers, tmp_path: Path) -> None:
    topic = made(kafka, "source-poison", 1)
    sent(brokers, topic, [record(1), b"\xff{", b"", b"[1]", record(2)])
    with running(town_of(tmp_path / "town", brokers, topic), tmp_path / "data") as site:
        until(site, applied(site, 2))
        until(site, lambda: site.ledger.of("hotline")["dead_lettered"] == 3)
        reasons = [letter["reason"] for letter in site.call(site.site.logs.deadletters).result()]
    assert sorted(reasons) == ["bad_encoding", "empty_input", "wrong_type"]


def test_rubbish_pauses_the_source(kafka: TrialKafka, brokers: Brokers, tmp_path: Path) -> None:
    topic = made(kafka, "source-rubbish", 1)
    sent(brokers, topic, [b"{"] * 1_200)
    with running(town_of(tmp_path / "town", brokers, topic), tmp_path / "data") as site:
        until(site, lambda: site.topics.paused() == ["hotline"])


def test_a_topic_that_is_made_later_is_read_then(kafka: TrialKafka, brokers: Brokers, tmp_path: Path) -> None:
    with running(town_of(tmp_path / "town", brokers, "source-later"), tmp_path / "data") as site:
        made(kafka, "source-later", 1)
        sent(brokers, "source-later", [record(1)])
        until(site, applied(site, 1))


def test_what_retention_deleted_before_it_was_read_is_told(kafka: TrialKafka, brokers: Brokers, tmp_path: Path) -> None:
    topic = made(kafka, "source-retention", 1)
    town = town_of(tmp_path / "town", brokers, topic)
    sent(brokers, topic, [record(1)])
    with running(town, tmp_path / "data") as site:
        until(site, applied(site, 1))
    sent(brokers, topic, [record(number) for number in range(2, 7)])
    _deleted(kafka, topic, 4)
    with running(town, tmp_path / "data") as site:
        until(site, applied(site, 3))
        (letter,) = site.call(site.site.logs.deadletters).result()
    assert (letter["reason"], letter["detail"].split()[0]) == ("truncated", "3")


def test_a_warning_is_a_message_with_the_headers_of_a_cloud_event(
    kafka: TrialKafka, brokers: Brokers, tmp_path: Path
) -> None:
    topic = made(kafka, "sink-warnings", 2)
    sinks = {"json_lines": False, "kafka": {"topic": topic, "brokers": {"bootstrap": list(brokers.bootstrap)}}}
    source = made(kafka, "sink-source", 1)
    clock = SetClock(BEGIN)
    with running(town_of(tmp_path / "town", brokers, source, sinks=sinks), tmp_path / "data", clock) as site:
        sent(brokers, source, [overdue(1), overdue(2)])
        until(site, lambda: site.delivery.depth().get("waiting") == 1)
        clock.advance(DIGEST_US)
        until(site, lambda: site.delivery.depth() == {"sent": 1})
    reader = OutsideTopic(topic, brokers, Path())
    found = all_of(reader, 2)
    reader.close()
    assert {record.headers["ce_type"] for record in found} == {b"forewarn.warning.bulletin"}
    assert len({record.headers["ce_id"] for record in found}) == 2
    assert {orjson.loads(record.value or b"")["office"]["id"] for record in found} == {"works"}


def test_brokers_that_went_away_and_came_back_are_read_and_told_again(
    kafka: TrialKafka, brokers: Brokers, tmp_path: Path
) -> None:
    source, topic = made(kafka, "outage-source", 1), made(kafka, "outage-sink", 1)
    sinks = {"json_lines": False, "kafka": {"topic": topic, "brokers": {"bootstrap": list(brokers.bootstrap)}}}
    clock = SetClock(BEGIN)
    with running(town_of(tmp_path / "town", brokers, source, sinks=sinks), tmp_path / "data", clock) as site:
        sent(brokers, source, [overdue(1)])
        until(site, lambda: site.delivery.depth().get("waiting") == 1)
        kafka.kill(1)
        try:
            clock.advance(DIGEST_US)
            until(site, lambda: tries(site) >= 1)
        finally:
            kafka.start_broker(1)
        sent(brokers, source, [record(2)])
        clock.advance(HOUR)
        until(site, applied(site, 2))
        until(site, lambda: site.delivery.depth() == {"sent": 1})


def tries(site: Live) -> int:
    """Attempts of the one delivery that waits; asked on the engine's thread."""
    due = Deliveries(site.site.store).due(1 << 62)
    return due[0].attempts if due else 0


def test_a_topic_that_is_not_there_is_told_by_the_receipt(kafka: TrialKafka, brokers: Brokers) -> None:
    producer = OutsideProducer(brokers, Path())
    producer._clients.timeout_s = 2.0
    receipt: Receipt = producer.send("sink-nowhere", [Message(b"a", b"{}", ())])
    producer.close()
    assert not receipt.ok
    assert receipt.detail


def _deleted(kafka: TrialKafka, topic: str, before: int) -> None:
    from kafka import TopicPartition

    admin = KafkaAdminClient(bootstrap_servers=list(kafka.bootstrap))
    admin.delete_records({TopicPartition(topic, 0): before})
    admin.close()
