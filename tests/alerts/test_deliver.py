"""Delivery: who is told together, how often it is tried, and that a key stays what it was."""

from collections.abc import Mapping
from typing import Any

import pytest

from alerts.deliver import ATTEMPTS, DIGEST_US, LARGEST, LONGEST_RETRY_US, Receipt, attempt, fact_of, grouped
from alerts.deliveries import Delivery, Wish

NOW = 1_772_413_200_000_000


def wish(number: int, *, office: int = 7, audience: str = "office", is_now: bool = True) -> Wish:
    """A wish about warning `number`."""
    intent = {
        "warning": f"{number:032x}", "number": 1, "audience": audience, "action": "remind", "office": office,
        "level": 2, "visible": 2, "awaiting": 0, "is_now": is_now,
    }  # fmt: skip
    return Wish(number, intent, {"warning": intent["warning"], "number": 1})


def planned(*wishes: Wish) -> list[tuple[str, dict[str, Any], int]]:
    return grouped(wishes, "sink", NOW, lambda transition: ("事", "fact"), lambda code: {"id": str(code)})


class Fickle:
    """A sink that says what it is told to say."""

    name = "sink"

    def __init__(self, *, ok: bool) -> None:
        self.ok = ok
        self.keys: list[str] = []

    def deliver(self, key: str, body: Mapping[str, Any]) -> Receipt:
        """Remember the key."""
        self.keys.append(key)
        return Receipt(self.ok, "" if self.ok else "refused")


def test_an_office_is_told_of_all_its_warnings_at_once() -> None:
    found = planned(wish(1), wish(2), wish(3, office=8), wish(4, audience="duty_desk"))
    assert [(body["audience"], body["office"]["id"], len(body["items"])) for _, body, _ in found] == [
        ("office", "7", 2), ("office", "8", 1), ("duty_desk", "7", 1),
    ]  # fmt: skip


def test_what_is_urgent_goes_at_once_and_the_rest_as_a_digest() -> None:
    (_, urgent, at_once), (_, digest, later) = planned(wish(1), wish(2, is_now=False))
    assert (urgent["kind"], at_once) == ("now", NOW)
    assert (digest["kind"], later) == ("digest", NOW + DIGEST_US)


def test_every_notification_carries_caption_and_sentence() -> None:
    ((_, body, _),) = planned(wish(1))
    assert body["caption"]["zh"] == "内部关注级，非法定预警"
    assert body["items"][0]["sentence"] == {"zh": "事", "en": "fact"}


def test_many_warnings_are_told_in_parts() -> None:
    assert [len(body["items"]) for _, body, _ in planned(*map(wish, range(LARGEST + 1)))] == [LARGEST, 1]


def test_the_same_wishes_have_the_same_key_and_others_another() -> None:
    assert planned(wish(1))[0][0] == planned(wish(1))[0][0]
    assert len({planned(wish(1))[0][0], planned(wish(2))[0][0], planned(wish(1, office=8))[0][0]}) == 3


def delivery(attempts: int = 0) -> Delivery:
    key, body, due = planned(wish(1))[0]
    return Delivery(1, key, "sink", body, attempts, due)


def test_what_was_told_is_sent_and_has_a_receipt() -> None:
    state, receipt = attempt(delivery(), Fickle(ok=True), NOW)
    assert (state["state"], state["attempts"]) == ("sent", 1)
    fact = fact_of(delivery(), receipt)
    assert (fact["receipt"], fact["ok"], fact["warnings"]) == (delivery().key, True, [[f"{1:032x}", 1]])


@pytest.mark.parametrize(("attempts", "pause_s"), [(0, 1), (1, 2), (5, 32), (11, 2048), (30, 3600)])
def test_what_was_not_told_is_tried_again_with_growing_patience(attempts: int, pause_s: int) -> None:
    state, _ = attempt(delivery(attempts), Fickle(ok=False), NOW)
    assert (state["state"], state["due"]) == ("waiting", NOW + pause_s * 1_000_000)
    assert state["due"] - NOW <= LONGEST_RETRY_US


def test_after_many_attempts_it_counts_as_failed() -> None:
    assert attempt(delivery(ATTEMPTS - 1), Fickle(ok=False), NOW)[0]["state"] == "failed"
