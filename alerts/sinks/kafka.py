"""Warnings as messages of a Kafka topic: one for each warning of a notification, as CloudEvents in binary mode.

    key       the warning's id, so that what is told of one warning stays in order
    headers   ce_specversion ce_id ce_type ce_source ce_subject ce_time content-type
    value     JSON: what the notification says to all (`audience`, `office`, `kind`, `at`, caption, note) and its item

`ce_id` is the notification's key and the item's place in it: told again after a crash it is the same, and a reader
that has seen it drops it. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from alerts.deliver import Receipt

TYPE = "forewarn.warning."
"""Before the action (`remind`, `dispatch` ...) in `ce_type`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a topic."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Producer(Protocol):
    """A way into topics; a runner hands it in."""

    def send(self, topic: str, messages: Sequence[Message]) -> Receipt:
        """Send messages and wait until enough brokers have them all. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """Where warnings go: a producer, the topic, and what the site calls itself (`ce_source`)."""

    producer: Producer
    topic: str
    source: str


class Kafka:
    """Tells one topic."""

    name = "kafka"

    def __init__(self, way: Way) -> None:
        self._way = way

    def deliver(self, key: str, body: Mapping[str, Any]) -> Receipt:
        """Send a message for each warning; ok once the brokers have all of them."""
        return self._way.producer.send(self._way.topic, list(messages(key, body, self._way.source)))


def messages(key: str, body: Mapping[str, Any], source: str) -> Iterator[Message]:
    """The messages of a notification, in order."""
    to_all = {name: value for name, value in body.items() if name != "items"}
    at = datetime.fromtimestamp(body["at"] / 1_000_000, UTC).isoformat(timespec="milliseconds")
    for place, item in enumerate(body["items"]):
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"{key}.{place}",
            "ce_type": TYPE + item["action"],
            "ce_source": source,
            "ce_subject": item["warning"],
            "ce_time": at.replace("+00:00", "Z"),
            "content-type": "application/json",
        }
        yield Message(
            key=item["warning"].encode(),
            value=orjson.dumps({"notification": key, **to_all, **item}),
            headers=tuple((name, value.encode()) for name, value in headers.items()),
        )
