"""`forewarn kafka init`: topics from the configuration, again and again, and what it refuses."""

import json
import sys
from pathlib import Path

import pytest

from config.cluster import Kafka, TopicDays
from pipeline.errors import ConfigError, LogUnavailable
from runners.cli import main
from runners.cluster.kafka_topics import init, leaders
from runners.trial.kafka import TrialKafka


@pytest.fixture
def settings(kafka: TrialKafka, prefix: str) -> Kafka:
    """Of a site that has no topics yet."""
    return Kafka(bootstrap=kafka.bootstrap, prefix=prefix, replication=1, min_insync=1)


def states(settings: Kafka, partition_count: int) -> list[str]:
    """What came of each topic."""
    return [topic.state for topic in init(settings, partition_count)]


def test_the_topics_are_made_once(settings: Kafka) -> None:
    assert states(settings, 3) == ["made"] * 4
    assert states(settings, 3) == ["there"] * 4
    assert [len(leaders(settings, log)) for log in ("signals", "readings", "site", "deadletter")] == [3, 3, 1, 1]


def test_what_is_missing_is_made_and_what_differs_is_set(settings: Kafka) -> None:
    init(settings, 2)
    longer = settings.model_copy(update={"retention": TopicDays(readings=30.0)})
    found = init(longer, 2)
    assert [topic.state for topic in found] == ["there", "changed", "there", "there"]
    assert [topic.retention_days for topic in found] == [1_100.0, 30.0, 1_100.0, 14.0]
    assert states(longer, 2) == ["there"] * 4


def test_a_partition_count_is_for_life(settings: Kafka) -> None:
    init(settings, 2)
    with pytest.raises(ConfigError) as refused:
        init(settings.model_copy(update={"retention": TopicDays(readings=30.0)}), 3)
    assert [line.split(" partitions and")[0] for line in refused.value.problems] == [
        f"partition_count: topic {settings.prefix}.signals has 2",
        f"partition_count: topic {settings.prefix}.readings has 2",
    ]
    assert "docs/operations/cluster.md" in refused.value.problems[0]
    assert states(settings, 2) == ["there"] * 4, "a refusal sets nothing"


def test_more_replicas_than_brokers_are_refused_before_anything_is_made(settings: Kafka) -> None:
    with pytest.raises(ConfigError, match="3 replicas need as many brokers, there are 1") as refused:
        init(settings.model_copy(update={"replication": 3, "min_insync": 4}), 2)
    assert "4 of 3 replicas can never be in sync" in refused.value.problems[0]
    assert states(settings, 2) == ["made"] * 4


def test_other_brokers_than_asked_for_are_named() -> None:
    with pytest.raises(LogUnavailable, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        init(Kafka(bootstrap=("127.0.0.1:1",)), 1, timeout_s=1.0)


def test_a_compression_that_is_not_installed_is_refused_by_name(settings: Kafka) -> None:
    with pytest.raises(ConfigError, match=r"kafka\.compression: zstd needs the package zstandard"):
        init(settings.model_copy(update={"compression": "zstd"}), 1)


def test_the_command_prints_what_there_is(
    settings: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.yaml"
    kafka = {"bootstrap": list(settings.bootstrap), "prefix": settings.prefix, "replication": 1, "min_insync": 1}
    config.write_text(json.dumps({"runner": "kafka", "partition_count": 2, "kafka": kafka}))
    for extra in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["forewarn", "kafka", "init", "--config", str(config), *extra])
        with pytest.raises(SystemExit, match="0"):
            main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == f"{settings.prefix}.signals made 2 partitions, 1 replicas, 1 in sync, 1100 days".split()
    rows = json.loads("\n".join(lines[4:]))
    assert [(row["state"], row["partitions"]) for row in rows] == [("there", n) for n in (2, 2, 1, 1)]
