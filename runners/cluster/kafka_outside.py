"""Topics of others: one that is read as a source, and one into which warnings are told."""

from collections.abc import Sequence
from pathlib import Path

from kafka import TopicPartition

from alerts.deliver import Receipt
from alerts.sinks.kafka import Message
from config.cluster import Brokers
from connectors.kafka_source import Record
from pipeline.errors import ConfigError, CorruptData, LogUnavailable
from runners.cluster.kafka_client import Clients, translated
from runners.cluster.kafka_sender import Outgoing, Sender

AT_ONCE = 2_000
"""Records of one poll at most."""


class OutsideTopic:
    """Implements connectors.kafka_source.Topic: of no group; whoever reads keeps the offsets.

    Raises LogUnavailable, also later; ConfigError for files of the configuration that cannot be read.
    """

    def __init__(self, name: str, brokers: Brokers, folder: Path) -> None:
        self.name = name
        self._clients = Clients(brokers, folder)
        # What was deleted is noticed by the offsets that come instead.
        self._consumer = self._clients.consumer(auto_offset_reset="earliest", max_poll_records=AT_ONCE)

    def partitions(self) -> Sequence[int]:
        """Numbers of its partitions as of now."""
        with translated(self._clients.where):
            found = self._consumer.partitions_for_topic(self.name)
        if not found:
            raise LogUnavailable(f"{self._clients.where}: there is no topic {self.name}, or it may not be read")
        return sorted(found)

    def span(self, partition: int) -> tuple[int, int]:
        """Offset of the first record that is still there, and of the next one."""
        place = TopicPartition(self.name, partition)
        with translated(self._clients.where):
            return self._consumer.beginning_offsets([place])[place], self._consumer.end_offsets([place])[place]

    def seek(self, partition: int, offset: int) -> None:
        """Read a partition from this offset on."""
        place = TopicPartition(self.name, partition)
        with translated(self._clients.where):
            if place not in self._consumer.assignment():
                self._consumer.assign([*self._consumer.assignment(), place])
            self._consumer.seek(place, offset)

    def poll(self, wait_s: float) -> Sequence[Record]:
        """Records that came, partition by partition."""
        with translated(self._clients.where):
            found = self._consumer.poll(timeout_ms=round(wait_s * 1000))
        return [
            Record(place.partition, record.offset, record.value, {name: told or b"" for name, told in record.headers})
            for place in sorted(found)
            for record in found[place]
        ]

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()


class OutsideProducer:
    """Implements alerts.sinks.kafka.Producer: acknowledged by all brokers in step, without repeats of its own."""

    def __init__(self, brokers: Brokers, folder: Path) -> None:
        self._clients = Clients(brokers, folder)
        self._sender = Sender(self._clients)

    def send(self, topic: str, messages: Sequence[Message]) -> Receipt:
        """Send messages and wait until enough brokers have them all."""
        records = [Outgoing(topic, told.value, key=told.key, headers=tuple(told.headers)) for told in messages]
        try:
            self._sender.send(records)
        except (LogUnavailable, ConfigError, CorruptData) as error:
            return Receipt(False, str(error))
        return Receipt(True)

    def close(self) -> None:
        """Let go of the connections."""
        self._sender.close()
