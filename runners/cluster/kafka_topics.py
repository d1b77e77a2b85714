"""The topics of a site: made from the configuration, the same again changes nothing, and no partition count changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from config.cluster import Kafka
from pipeline.errors import ConfigError
from runners.cluster.kafka_client import MAX_RECORD_BYTES, Clients, check_codec, translated

State = Literal["made", "there", "changed"]
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the configuration wants it, and what came of it. `settings`: names and values as Kafka has them."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]
    state: State = "there"

    @property
    def retention_days(self) -> float:
        """For how long the brokers keep it."""
        return int(self.settings["retention.ms"]) / _DAY_MS


def init(settings: Kafka, partition_count: int, folder: Path = Path(), *, timeout_s: float = 10.0) -> list[Topic]:
    """Make the topics that are not there yet, and set on the others what the configuration says.

    Raises LogUnavailable, and ConfigError with every problem: then nothing was made or set.
    """
    check_codec(settings.compression)
    clients = Clients(settings, folder, timeout_s=timeout_s)
    admin = clients.administrator()
    try:
        with translated(clients.where):
            wanted = plan(settings, partition_count)
            found = {row["name"]: row for row in admin.describe_topics() if row["name"] in {t.name for t in wanted}}
            brokers = len(admin.describe_cluster()["brokers"])
            problems = _problems(settings, wanted, found, brokers)
            if problems:
                raise ConfigError(problems)
            _make(admin, [topic for topic in wanted if topic.name not in found])
            changed = _set(admin, [topic for topic in wanted if topic.name in found])
    finally:
        admin.close()
    return [
        replace(topic, state="changed" if topic.name in changed else "there" if topic.name in found else "made")
        for topic in wanted
    ]


def plan(settings: Kafka, partition_count: int) -> list[Topic]:
    """The topics that a configuration asks for."""
    days = settings.retention
    wanted = (
        ("signals", partition_count, days.signals),
        ("readings", partition_count, days.readings),
        ("site", 1, days.site),
        ("deadletter", 1, days.deadletter),
    )
    return [
        Topic(settings.topic(log), count, settings.replication, _settings(settings.min_insync, kept))
        for log, count, kept in wanted
    ]


def leaders(settings: Kafka, log: str, folder: Path = Path()) -> dict[int, int]:
    """Node id of the broker that leads each partition of a log; -1 where none does. Raises LogUnavailable."""
    clients = Clients(settings, folder)
    admin = clients.administrator()
    try:
        with translated(clients.where):
            [topic] = admin.describe_topics([settings.topic(log)])
            return {row["partition_index"]: row["leader_id"] for row in topic["partitions"]}
    finally:
        admin.close()


def _settings(min_insync: int, days: float) -> dict[str, str]:
    kept = int(days * _DAY_MS)
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(kept),
        "retention.bytes": "-1",
        # What is too old goes segment by segment: a segment may not span much of the retention.
        "segment.ms": str(max(60_000, min(7 * _DAY_MS, kept // 8))),
        "min.insync.replicas": str(min_insync),
        "max.message.bytes": str(MAX_RECORD_BYTES),
        # The broker's clock decides what is too old, whatever a sender's clock says.
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
    }


def _problems(settings: Kafka, wanted: Sequence[Topic], found: Mapping[str, dict[str, Any]], brokers: int) -> list[str]:
    problems = []
    if settings.min_insync > settings.replication:
        problems.append(
            f"kafka.min_insync: {settings.min_insync} of {settings.replication} replicas can never be in sync;"
            " set it to less than kafka.replication"
        )
    if brokers < settings.replication:
        problems.append(
            f"kafka.replication: {settings.replication} replicas need as many brokers, there are {brokers};"
            " for a trial set kafka.replication: 1 and kafka.min_insync: 1"
        )
    for topic in wanted:
        if topic.name in found:
            problems += _differences(topic, found[topic.name]["partitions"])
    return problems


def _differences(topic: Topic, rows: Sequence[dict[str, Any]]) -> list[str]:
    problems = []
    if len(rows) != topic.partitions:
        problems.append(
            f"partition_count: topic {topic.name} has {len(rows)} partitions and the configuration says"
            f" {topic.partitions}; matters would change their partition, so this is for life. Keep {len(rows)}, or"
            " begin anew under another kafka.prefix and an empty database: docs/operations/cluster.md, Partitions"
        )
    copies = min((len(row["replica_nodes"]) for row in rows), default=0)
    if rows and copies != topic.replication:
        problems.append(
            f"kafka.replication: topic {topic.name} has {copies} replicas and the configuration says"
            f" {topic.replication}; move them with Kafka's own kafka-reassign-partitions, or say {copies}"
        )
    return problems


def _make(admin: KafkaAdminClient, topics: Sequence[Topic]) -> None:
    if topics:
        admin.create_topics(
            {
                topic.name: {
                    "num_partitions": topic.partitions,
                    "replication_factor": topic.replication,
                    "configs": dict(topic.settings),
                }
                for topic in topics
            }
        )
        admin.wait_for_topics([topic.name for topic in topics])


def _set(admin: KafkaAdminClient, topics: Sequence[Topic]) -> list[str]:
    """Names of the topics on which something was set."""
    changed = []
    for topic in topics:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
        now = admin.describe_configs([resource], config_filter="all")["topic"][topic.name]
        differing = {name: value for name, value in topic.settings.items() if now[name]["value"] != value}
        if differing:
            answer = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, differing)])
            if answer["topic"][topic.name] != "OK":
                raise ConfigError([f"topic {topic.name}: {answer['topic'][topic.name]}"])
            changed.append(topic.name)
    return changed
