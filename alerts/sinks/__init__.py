"""Sinks: where notifications go. One file and one line of `SINKS` each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alerts.deliver import Sink
from alerts.sinks.json_lines import JsonLines
from alerts.sinks.kafka import Kafka, Way


@dataclass(frozen=True, slots=True)
class Means:
    """What sinks are made of: the data directory, and a way into a topic (None: the sink `kafka` is not wanted)."""

    data: Path
    kafka: Way | None = None


SINKS: Mapping[str, Callable[[Means], Sink | None]] = {
    JsonLines.name: lambda means: JsonLines(means.data),
    Kafka.name: lambda means: Kafka(means.kafka) if means.kafka else None,
}
"""Every sink by its name; None where the means for it are not there."""
