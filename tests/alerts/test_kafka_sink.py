"""The sink of a topic: a message for each warning, told again under the same id, and never an exception."""

from collections.abc import Sequence
from typing import Any

import orjson

from alerts.deliver import Receipt
from alerts.sinks.kafka import Kafka, Message, Way, messages

ITEM = {"warning": "ab" * 16, "number": 3, "action": "remind", "level": 2, "visible": 2, "awaiting": 0, "sentence": {}}
BODY: dict[str, Any] = {
    "audience": "office", "office": {"id": "works"}, "kind": "now", "at": 1_772_413_200_123_456,
    "caption": {"zh": "内部关注级，非法定预警"}, "note": {}, "items": [ITEM, {**ITEM, "warning": "cd" * 16}],
}  # fmt: skip


class Brokers:
    """Keep what they are sent, or say why not."""

    def __init__(self, why_not: str = "") -> None:
        self.why_not = why_not
        self.kept: list[tuple[str, Message]] = []

    def send(self, topic: str, messages: Sequence[Message]) -> Receipt:
        """Keep all of them or none."""
        if self.why_not:
            return Receipt(False, self.why_not)
        self.kept += [(topic, message) for message in messages]
        return Receipt(True)


def told(brokers: Brokers) -> Receipt:
    return Kafka(Way(brokers, "city.warnings", "/forewarn/linxi")).deliver("0a", BODY)


def test_each_warning_is_a_message_under_its_own_id() -> None:
    brokers = Brokers()
    assert told(brokers).ok
    assert [(topic, message.key) for topic, message in brokers.kept] == [
        ("city.warnings", b"ab" * 16), ("city.warnings", b"cd" * 16),
    ]  # fmt: skip


def test_headers_are_those_of_a_cloud_event() -> None:
    first = next(messages("0a", BODY, "/forewarn/linxi"))
    assert dict(first.headers) == {
        "ce_specversion": b"1.0", "ce_id": b"0a.0", "ce_type": b"forewarn.warning.remind",
        "ce_source": b"/forewarn/linxi", "ce_subject": b"ab" * 16, "ce_time": b"2026-03-02T01:00:00.123Z",
        "content-type": b"application/json",
    }  # fmt: skip


def test_a_message_says_what_the_notification_says() -> None:
    value = orjson.loads(next(messages("0a", BODY, "")).value)
    assert (value["notification"], value["warning"], value["number"]) == ("0a", ITEM["warning"], 3)
    assert (value["office"], value["caption"]["zh"], "items" in value) == (
        {"id": "works"}, "内部关注级，非法定预警", False,
    )  # fmt: skip


def test_told_again_it_is_the_same_to_the_byte() -> None:
    brokers = Brokers()
    told(brokers)
    told(brokers)
    assert brokers.kept[:2] == brokers.kept[2:]


def test_every_message_of_a_notification_has_an_id_of_its_own() -> None:
    assert [dict(message.headers)["ce_id"] for message in messages("0a", BODY, "")] == [b"0a.0", b"0a.1"]


def test_brokers_that_did_not_take_it_are_told_by_the_receipt() -> None:
    assert told(Brokers("NotEnoughReplicas")) == Receipt(False, "NotEnoughReplicas")
