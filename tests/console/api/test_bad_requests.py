"""Whatever is sent, the answer is a problem in words and never a fault of the server."""

import base64
import json
from typing import Any

import pytest

from console.api.answers import unwrapped, wrapped
from console.api.problems import Refusal
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio
ODD = [
    "",
    "\x00",
    "x" * 5000,
    "'; DROP TABLE warnings; --",
    "％",
    "🦀",
    "-1",
    "1e999",
    "null",
    ",,,",
    "../..",
    "NaN",
    "\\",
]
WARNING = "/warnings/{id}"


@pytest.mark.parametrize("value", ODD)
async def test_odd_values_of_a_query_are_no_fault(town: Town, officer: Person, value: str) -> None:
    for path in ("/queue", "/groups"):
        for name in ("level", "kind", "office", "place", "category", "state", "q", "closed", "order", "limit", "after"):
            response = await officer.client.get(f"/api/v1{path}", params={name: value})
            assert response.status_code in (200, 422), (path, name, response.text)


def end_of(key: Any) -> str:
    """As `wrapped` does, for what it could not."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "key",
    [
        [0, 0, 1 << 80, "x"],
        [0, 0, 1 << 63, "x"],
        [0, 0, 1, 2],
        [0, 0],
        [True, 0, 0, "x"],
        [0, 0, 1.5, "x"],
        {"a": 1},
        [0, -(1 << 63) - 1, 0, "x"],
    ],
)
async def test_a_pages_end_that_nobody_sent_is_refused(town: Town, officer: Person, key: Any) -> None:
    response = await officer.client.get("/api/v1/queue", params={"after": end_of(key)})
    assert (response.status_code, response.json()["reason"]) == (422, "unknown_filter")


def test_a_pages_end_goes_there_and_back() -> None:
    key = [0, 3, (1 << 63) - 1, "abc"]
    assert unwrapped(wrapped(key), (int, int, int, str)) == key
    with pytest.raises(Refusal):
        unwrapped("!!!", (int, str))


@pytest.mark.parametrize("id", ["0000", "%00%00%00%00", "x" * 64, "'%20OR%201=1--", "％％％％"])
async def test_odd_ids_are_not_found(town: Town, officer: Person, id: str) -> None:
    for path in (f"/api/v1/warnings/{id}", f"/api/v1/warnings/{id}/explanation"):
        response = await officer.client.get(path)
        assert response.status_code in (404, 422), response.text
    response = await officer.send(f"/warnings/{id}/commands", {"command": "note", "remark": "x"}, key="odd-key-00")
    assert response.status_code in (404, 422)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 5000 + b"]" * 5000, b'{"command": "explode"}',
        b'{"command": "note", "remark": "\\ud800"}', b'{"command": "note", "expected": 1e400}',
        b'{"command": "note", "expected": 99999999999999999999999}', b'{"command": ["note"]}',
        b'{"command": "acknowledge", "next_update_by": "9999-12-31T23:59:59+00:00"}',
        b'{"command": "acknowledge", "next_update_by": "0001-01-01T00:00:00+14:00"}',
        b'{"command": "assign", "office": "\\u0000"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("changes_warnings", [True])
async def test_odd_commands_are_refused_or_answered(town: Town, officer: Person, body: bytes) -> None:
    row = (await officer.ask("/queue"))["items"][0]
    headers = {"x-csrf": officer.csrf, "idempotency-key": "odd-key-00", "content-type": "application/json"}
    response = await officer.client.post(f"/api/v1/warnings/{row['id']}/commands", content=body, headers=headers)
    assert response.status_code in (200, 409, 422), response.text
    await officer.ask("/queue")


async def test_odd_sign_ins_are_refused(town: Town) -> None:
    async with town.client() as client:
        for body in ({}, {"name": "\x00", "password": "\x00"}, {"token": "\x00"}, {"name": "x"}, {"password": "x"}):
            response = await client.post("/api/v1/session", json=body)
            assert response.status_code in (401, 422, 429), response.text
        surrogate = b'{"name": "\\ud800", "password": "\\ud800"}'
        headers = {"content-type": "application/json"}
        response = await client.post("/api/v1/session", content=surrogate, headers=headers)
        assert response.status_code in (401, 422, 429), response.text
        odd = await client.get("/api/v1/session", headers={"cookie": "forewarn=\x7f; forewarn=y"})
        assert odd.status_code == 401
