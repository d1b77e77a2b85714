"""Sends records and waits until they are safe: one place that knows how a producer of kafka-python can be lost."""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from kafka import KafkaProducer
from kafka import errors as kafka_errors

from runners.cluster.kafka_client import Clients, translated


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record; without a partition its key decides, without a key any."""

    topic: str
    value: bytes
    partition: int | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Sender:
    """A producer that is made when it is needed, and made anew after an error; may be used by several threads.

    Parameters
    ----------
    clients : of the brokers. compression : of what is sent.
    """

    def __init__(self, clients: Clients, compression: str = "none") -> None:
        self._clients, self._compression = clients, compression
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None

    def send(self, records: Sequence[Outgoing]) -> list[int]:
        """Offset of each, once every in-sync replica has them all; those of one partition are in order.

        Raises LogUnavailable: it is not known then which were kept, and sending them again may repeat them;
        ConfigError for a record that the topic does not take.
        """
        producer = self._made()
        try:
            with translated(self._clients.where):
                sent = [
                    producer.send(
                        record.topic,
                        value=record.value,
                        partition=record.partition,
                        key=record.key,
                        headers=list(record.headers),
                    )
                    for record in records
                ]
                # Each has its own time limit; this one is for a thread that sends no more.
                return [int(future.get(timeout=2 * self._clients.timeout_s).offset) for future in sent]
        except Exception:
            self._discard(producer)
            raise

    def partition_count(self, topic: str) -> int:
        """How many partitions a topic has. Raises LogUnavailable, also when there is no such topic."""
        with translated(self._clients.where):
            return len(self._made().partitions_for(topic))

    def close(self) -> None:
        """Let go of the connections; what was acknowledged stays."""
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            _end(producer)

    def _made(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = self._clients.producer(self._compression)
            return self._producer

    def _discard(self, producer: KafkaProducer) -> None:
        """After an error sequence numbers are in doubt, and one that lost a batch in flight may never send again."""
        with self._lock:
            is_current = self._producer is producer
            if is_current:
                self._producer = None
        if is_current:
            _end(producer)


def _end(producer: KafkaProducer) -> None:
    with contextlib.suppress(kafka_errors.KafkaError):
        producer.close(timeout=0)
    # When a batch is still on its way, `close` gives up before it has told the sending thread to end.
    producer._sender.force_close()
