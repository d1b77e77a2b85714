"""Intake over HTTP: who may send, what is answered, and that nothing too large gets in."""

import asyncio
import gzip
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from connectors.cloud_events import BATCH, STRUCTURED
from connectors.intake_http import MAX_BODY, PATH, Accepted, Full, NotNow, OtherContent, Rejection, intake_router
from connectors.signatures import signature
from pipeline.errors import Refused

EVENT = b'{"specversion":"1.0","id":"a","source":"/hotline","type":"signal","data":{"id":"1"}}'
BEARER = {"authorization": "Bearer good", "content-type": STRUCTURED}
SECRET = b"s" * 24
NOW = 1_800_000_000.0


@dataclass
class OpenGate:
    """A gate that remembers what it was handed; `answer` is raised when it is an exception."""

    answer: Accepted | Exception = field(default_factory=lambda: Accepted(1))
    handed: list[dict[str, Any]] = field(default_factory=list)

    def is_source(self, name: str) -> bool:
        return name in ("hotline", "signed")

    def secret(self, name: str) -> bytes | None:
        return SECRET if name == "signed" else None

    async def accept(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        key: str = "",
        indexes: Sequence[int] | None = None,
        refused: Sequence[tuple[int, Refused, bytes]] = (),
        is_batch: bool = False,
    ) -> Accepted:
        self.handed.append({"source": source, "records": list(records), "key": key, "refused": len(refused)})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class OneKey:
    source: str
    scopes: Collection[str]


KEYS = {
    "good": OneKey("hotline", {"intake"}),
    "any": OneKey("", {"intake"}),
    "reader": OneKey("hotline", set()),
    "signer": OneKey("signed", {"intake"}),
}


def post(body: bytes, headers: dict[str, str], gate: OpenGate | None = None, query: str = "") -> httpx.Response:
    """Answer to one request."""
    app = FastAPI()
    app.include_router(intake_router(gate or OpenGate(), KEYS.get, wall=lambda: NOW))

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as client:
            return await client.post(PATH + query, content=body, headers=headers)

    return asyncio.run(send())


def signed(body: bytes, at: float = NOW) -> dict[str, str]:
    """Headers of a request that is signed."""
    stamp = str(int(at))
    return {
        "content-type": STRUCTURED,
        "webhook-id": "m1",
        "webhook-timestamp": stamp,
        "webhook-signature": signature(SECRET, "m1", stamp, body),
    }


def test_what_is_durable_is_answered_202_with_what_was_not_taken() -> None:
    told = Accepted(1, rejected=(Rejection(1, "bad_time", "at", "no time", "RFC 3339"),))
    answer = post(b"[" + EVENT + b"," + EVENT + b"]", BEARER | {"content-type": BATCH}, OpenGate(told))
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "duplicate_batch": False,
        "rejected": [{"index": 1, "reason": "bad_time", "field": "at", "detail": "no time", "remedy": "RFC 3339"}],
    }


def test_the_source_is_the_one_of_the_key() -> None:
    gate = OpenGate()
    post(EVENT.replace(b"hotline", b"elsewhere"), BEARER, gate)
    assert gate.handed == [{"source": "hotline", "records": [b'{"id":"1"}'], "key": "", "refused": 0}]


def test_a_key_for_any_source_takes_the_one_that_the_events_name() -> None:
    gate = OpenGate()
    assert post(EVENT, BEARER | {"authorization": "Bearer any"}, gate).status_code == 202
    assert gate.handed[0]["source"] == "hotline"
    assert post(EVENT.replace(b"hotline", b"x"), BEARER | {"authorization": "Bearer any"}, gate).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer bad"}, 401),
        ({"authorization": "Basic Z29vZDo="}, 401),
        ({"authorization": "Bearer reader"}, 403),
    ],
)
def test_without_a_key_that_is_for_it_nothing_is_handed_on(headers: dict[str, str], status: int) -> None:
    gate = OpenGate()
    assert post(EVENT, {"content-type": STRUCTURED, **headers}, gate).status_code == status
    assert gate.handed == []


def test_a_key_is_for_its_own_source_alone() -> None:
    assert post(EVENT, BEARER, query="?source=signed").status_code == 403


def test_a_source_that_signs_needs_no_key_but_its_signature() -> None:
    gate = OpenGate()
    assert post(EVENT, signed(EVENT), gate, "?source=signed").status_code == 202
    assert gate.handed[0] | {"records": []} == {"source": "signed", "records": [], "key": "m1", "refused": 0}
    assert post(EVENT, signed(b"other"), gate, "?source=signed").status_code == 401
    assert post(EVENT, signed(EVENT, NOW - 301), gate, "?source=signed").status_code == 401


def test_a_key_alone_does_not_speak_for_a_source_that_signs() -> None:
    assert post(EVENT, BEARER | {"authorization": "Bearer signer"}).status_code == 401


def test_a_source_that_does_not_sign_cannot_be_named_without_a_key() -> None:
    assert post(EVENT, signed(EVENT), query="?source=hotline").status_code == 401


def test_a_full_site_says_when_to_come_again() -> None:
    answer = post(EVENT, BEARER, OpenGate(Full("full", 7)))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_site_that_cannot_write_says_so() -> None:
    answer = post(EVENT, BEARER, OpenGate(NotNow("the disk is full", 5)))
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (
        503,
        "5",
        {"detail": "the disk is full"},
    )


def test_a_key_that_came_with_other_content_is_a_conflict() -> None:
    answer = post(EVENT, BEARER | {"idempotency-key": "k"}, OpenGate(OtherContent("came before with other content")))
    assert (answer.status_code, answer.json()["rejected"][0]["reason"]) == (409, "conflicting_duplicate")


def test_a_body_that_is_nothing_is_a_dead_letter_and_answered_400() -> None:
    gate = OpenGate()
    answer = post(b"[{", BEARER | {"content-type": BATCH}, gate)
    assert (answer.status_code, answer.json()["rejected"][0]["reason"]) == (400, "broken_json")
    assert [handed["refused"] for handed in gate.handed] == [1]


def test_another_content_type_is_answered_415() -> None:
    assert post(b"id,matter", BEARER | {"content-type": "text/csv"}).status_code == 415


def test_what_is_too_large_is_not_read_to_its_end() -> None:
    assert post(b"x" * (MAX_BODY + 1), BEARER).status_code == 413


def test_gzip_is_unpacked_in_bounds() -> None:
    gate = OpenGate()
    packed = BEARER | {"content-encoding": "gzip"}
    assert post(gzip.compress(EVENT), packed, gate).status_code == 202
    assert gate.handed[0]["records"] == [b'{"id":"1"}']
    assert post(gzip.compress(bytes(60_000_000)), packed).status_code == 413
    assert post(gzip.compress(EVENT)[:-9], packed).status_code == 400
    assert post(b"no gzip", packed).status_code == 400
    assert post(EVENT, BEARER | {"content-encoding": "br"}).status_code == 415


def test_answers_are_json() -> None:
    assert json.loads(post(EVENT, BEARER).content) == {"accepted": 1, "duplicate_batch": False, "rejected": []}
