"""The sinks that a configuration asks for, made of what they need."""

from pathlib import Path

from alerts.deliver import Sink
from alerts.sinks import SINKS, Means
from alerts.sinks.kafka import Way
from config.settings import Settings


def sinks_of(settings: Settings, data: Path, folder: Path) -> list[Sink]:
    """The sinks of a configuration that lies in `folder`; one that it cannot name is on."""
    topic, way = settings.sinks.kafka, None
    if topic is not None:
        from runners.cluster.kafka_outside import OutsideProducer

        producer = OutsideProducer(topic.brokers or settings.kafka, folder)
        way = Way(producer, topic.topic, f"/forewarn/{settings.site.name}")
    means = Means(data, way)
    made = [make(means) for name, make in SINKS.items() if getattr(settings.sinks, name, True)]
    return [sink for sink in made if sink is not None]
