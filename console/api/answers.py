"""Answers as bytes: rows are rendered already, so nothing is validated again on the way out (a test does)."""

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from console.api.problems import MEDIA_TYPE, REASONS, Refusal
from pipeline.errors import ForewarnError


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that no cache keeps."""
    return Response(
        orjson.dumps(body), status, {"cache-control": "no-store", **(headers or {})}, media_type="application/json"
    )


def problem(refusal: Refusal) -> Response:
    """A refusal as it travels."""
    headers = {"cache-control": "no-store", **refusal.headers}
    return Response(orjson.dumps(refusal.body()), refusal.status, headers, media_type=MEDIA_TYPE)


def wrapped(key: list[Any] | None) -> str | None:
    """The key of a page's end as one word."""
    return None if key is None else base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def unwrapped(text: str | None, kinds: tuple[type, ...]) -> list[Any] | None:
    """The key that `wrapped` made, if its values are of these kinds. Raises Refusal."""
    if not text:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = None
    is_key = isinstance(key, list) and tuple(map(type, key)) == kinds
    if not is_key or any(type(part) is int and abs(part) >= 1 << 63 for part in key):
        raise Refusal("unknown_filter", "`after` is not the `next` of a page in this order")
    return list(key)


async def on_refusal(request: Request, error: Exception) -> Response:
    """Exception handler."""
    assert isinstance(error, Refusal)
    return problem(error)


async def on_invalid(request: Request, error: Exception) -> Response:
    """What pydantic found wrong, field by field; never what was sent, it may hold a password."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": ".".join(map(str, each["loc"])), "type": each["type"], "problem": each["msg"]}
        for each in error.errors()[:20]
    ]
    return problem(Refusal("invalid", errors=errors))


async def on_status(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: unknown routes and methods, broken bodies."""
    status = getattr(error, "status_code", 500)
    by_status = {404: "not_found", 405: "wrong_method", 413: "too_large", 422: "invalid", 400: "invalid"}
    reason = by_status.get(status, "internal")
    assert REASONS[reason]
    return problem(Refusal(reason, headers=getattr(error, "headers", None)))


async def on_no_storage(request: Request, error: Exception) -> Response:
    """A full disk, or a database that does not answer: nothing was kept."""
    return problem(Refusal("no_storage", headers={"retry-after": "5"}))


async def on_site_error(request: Request, error: Exception) -> Response:
    """What the site says it cannot do now; a person can mend it."""
    assert isinstance(error, ForewarnError)
    wait = {"retry-after": str(math.ceil(getattr(error, "retry_after_s", 5)))}
    return problem(Refusal("no_storage", headers=wait) if error.retryable else Refusal("internal"))
