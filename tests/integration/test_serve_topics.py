"""A topic of others as a source of a cluster: one of several servers reads it, another goes on when that is killed."""

import signal
import time
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from alerts.sinks.kafka import Message
from config.cluster import Brokers
from runners.cluster.kafka_outside import OutsideProducer
from runners.trial.kafka import TrialKafka
from tests.integration.town import Server, Worker, settle_in, until
from tests.runners.live.town import records


def send(kafka: TrialKafka, topic: str, first: int, count: int) -> None:
    """Write registrations to the topic, as a stranger would."""
    producer = OutsideProducer(Brokers(bootstrap=kafka.bootstrap), Path())
    told = records(count, first, at=time.time_ns() // 1000)
    assert producer.send(topic, [Message(b"%d" % number, value, ()) for number, value in enumerate(told)]).ok
    producer.close()


def counts(server: Server, me: dict[str, str]) -> dict[str, Any]:
    """What became of the source's records."""
    found = server.request("GET", "/api/v1/sources", None, **me)[1]
    return next(each for each in found if each["name"] == "hotline")


def test_another_server_reads_on_where_the_one_that_was_killed_had_read_to(
    kafka: TrialKafka, database: str, prefix: str, tmp_path: Path
) -> None:
    topic = f"{prefix}.hotline"
    admin = KafkaAdminClient(bootstrap_servers=list(kafka.bootstrap))
    admin.create_topics([NewTopic(topic, 2, 1)])
    admin.close()
    source = {"name": "hotline", "mapping": "hotline.yaml", "kafka": {"topic": topic}}
    config = settle_in(tmp_path / "town", kafka, database, prefix, sources=[source])
    first, worker = Server(config), Worker(config)
    second = Server(config, like=first)
    try:
        first.start()
        send(kafka, topic, 0, 300)
        me = first.sign_in()
        until(lambda: counts(first, me)["applied"] == 300)
        second.start()
        send(kafka, topic, 300, 300)
        first.end(signal.SIGKILL)
        send(kafka, topic, 600, 300)
        me = second.sign_in()
        until(lambda: counts(second, me)["applied"] == 900)
        found = counts(second, me)
        # What was taken and not yet noted when the server was killed is read again, and known by its id.
        assert found["accepted"] == found["applied"] + found["duplicate"]
        assert (found["dead_lettered"], found["pending"]) == (0, 0)
    finally:
        second.end()
        worker.end(signal.SIGTERM)
