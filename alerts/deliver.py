"""From wishes to notifications: grouped by office, tried again with patience, always under the same key.

Nothing here opens anything: a sink tells one notification and says what came of it; who calls keeps the state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from alerts.deliveries import Delivery, Wish
from alerts.sentences import CAPTION_EN, CAPTION_ZH, NOT_FOR_RANKING_EN, NOT_FOR_RANKING_ZH

MINUTE_US = 60_000_000
DIGEST_US = 10 * MINUTE_US
"""How long what is not urgent is gathered for an office."""
FIRST_RETRY_US, LONGEST_RETRY_US = 1_000_000, 3_600_000_000
ATTEMPTS = 40
"""Attempts after which a notification counts as failed; at the longest pause that is a day and a half."""
LARGEST = 200
"""Warnings in one notification."""

Words = Callable[[Mapping[str, Any]], tuple[str, str]]
"""A transition as a sentence, in Chinese and in English."""
Called = Callable[[int], Mapping[str, str]]
"""An office's id and names (`id`, `zh`, `en`) by its code."""
Planned = tuple[str, dict[str, Any], int]
"""Key, body and due time (µs) of a notification."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one attempt; `detail` in words, without content."""

    ok: bool
    detail: str = ""


class Sink(Protocol):
    """Where notifications go."""

    name: str

    def deliver(self, key: str, body: Mapping[str, Any]) -> Receipt:
        """Tell one notification; the same key again must not tell anybody twice. Raises nothing."""
        ...


def grouped(wishes: Sequence[Wish], sink: str, now: int, words: Words, called: Called) -> list[Planned]:
    """Notifications for these wishes, by office and audience: what is urgent at once, the rest as a digest."""
    groups: dict[tuple[str, int, bool], list[Wish]] = {}
    for wish in wishes:
        intent = wish.intent
        groups.setdefault((intent["audience"], intent["office"], bool(intent["is_now"])), []).append(wish)
    planned = []
    for (audience, office, is_now), own in groups.items():
        for begin in range(0, len(own), LARGEST):
            part = own[begin : begin + LARGEST]
            body = {
                "audience": audience,
                "office": dict(called(office)),
                "kind": "now" if is_now else "digest",
                "at": now,
                "caption": {"zh": CAPTION_ZH, "en": CAPTION_EN},
                "note": {"zh": NOT_FOR_RANKING_ZH, "en": NOT_FOR_RANKING_EN},
                "items": [_item(wish, words) for wish in part],
            }
            planned.append((_key(sink, audience, office, part), body, now if is_now else now + DIGEST_US))
    return planned


def attempt(delivery: Delivery, sink: Sink, now: int) -> tuple[dict[str, Any], Receipt]:
    """Try once; the new state of the delivery, and the receipt."""
    receipt = sink.deliver(delivery.key, delivery.body)
    tried = delivery.attempts + 1
    if receipt.ok:
        return {"id": delivery.id, "state": "sent", "attempts": tried, "due": delivery.due}, receipt
    pause = min(LONGEST_RETRY_US, FIRST_RETRY_US << min(delivery.attempts, 20))
    state = "waiting" if tried < ATTEMPTS else "failed"
    return {"id": delivery.id, "state": state, "attempts": tried, "due": now + pause}, receipt


def fact_of(delivery: Delivery, receipt: Receipt) -> dict[str, Any]:
    """The receipt as a fact of the log."""
    body = delivery.body
    return {
        "receipt": delivery.key,
        "sink": delivery.sink,
        "ok": receipt.ok,
        "attempt": delivery.attempts + 1,
        "audience": body["audience"],
        "office": body["office"]["id"],
        "warnings": [[item["warning"], item["number"]] for item in body["items"]],
    }


def _item(wish: Wish, words: Words) -> dict[str, Any]:
    zh, en = words(wish.transition)
    names = ("warning", "number", "action", "level", "visible", "awaiting")
    return {name: wish.intent[name] for name in names} | {"sentence": {"zh": zh, "en": en}}


def _key(sink: str, audience: str, office: int, part: Sequence[Wish]) -> str:
    """The same wishes give the same key, whenever they are planned."""
    told = blake2b(f"{sink}\x1f{audience}\x1f{office}".encode(), digest_size=16)
    for wish in part:
        told.update(f"\x1f{wish.intent['warning']}\x1f{wish.intent['number']}".encode())
    return told.hexdigest()
