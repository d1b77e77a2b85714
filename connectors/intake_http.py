"""Signals over HTTP: one CloudEvent or a batch, answered once everything taken is durable.

202  {"accepted": 998, "duplicate_batch": false, "rejected": [{"index", "reason", "field", "detail", "remedy"}]}
400  the body is no CloudEvent at all      401 no key or signature      403 the key is not for this source
409  this Idempotency-Key came before with other content      413 too large      415 another content type
429  full, and 503 the disk is full or the site is stopping: with Retry-After; nothing of it was taken
"""

import time
import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connectors.cloud_events import Events, events, source_names
from connectors.signatures import check_signature
from pipeline.errors import ForewarnError, Reason, Refused

PATH = "/api/v1/intake"
SCOPE = "intake"
MAX_BODY = 10_000_000
"""Bytes of a request, as sent."""
MAX_UNPACKED = 40_000_000
"""Bytes of a request once unpacked."""
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one record of a request was not taken; `index` is its place in the request."""

    index: int
    reason: str
    field: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a request: records taken, whether all of it was taken before, and what was not taken."""

    accepted: int
    duplicate_batch: bool = False
    rejected: Sequence[Rejection] = field(default_factory=tuple)


class NotNow(ForewarnError):
    """Nothing was taken; the same request may succeed after `retry_after_s`."""

    status = 503
    retryable = True

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Full(NotNow):
    """More is waiting than may wait."""

    status = 429


class OtherContent(Exception):
    """An idempotency key came before with other content."""


class Gate(Protocol):
    """What the router hands records to; a runner implements it."""

    def is_source(self, name: str) -> bool:
        """Whether such a source is configured and can be pushed to."""
        ...

    def secret(self, name: str) -> bytes | None:
        """What a source signs with; None for one that does not sign."""
        ...

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
        """Take records, durably. Raises NotNow, Full, OtherContent.

        key : the sender's name for this request, '' without one. indexes : place of each record in the request.
        refused : what was no record already (place, why, bytes).
        """
        ...


class Key(Protocol):
    """What an API key may do."""

    @property
    def source(self) -> str:
        """The source that it speaks for; '' for any."""
        ...

    @property
    def scopes(self) -> Collection[str]:
        """What it is good for."""
        ...


CheckKey = Callable[[str], Key | Awaitable[Key | None] | None]
"""The key of a secret, None for no key in force; awaitable where that takes a while."""


def intake_router(gate: Gate, check: CheckKey, *, wall: Callable[[], float] = time.time) -> APIRouter:
    """`POST /api/v1/intake`; `wall` tells the seconds against which signed times are held."""
    router = APIRouter()
    intake = _Intake(gate, check, wall)
    # A plain route: what FastAPI does for parameters and models would cost a single signal a third of its time.
    router.add_route(PATH, intake.post, methods=["POST"])
    return router


class _Problem(Exception):
    def __init__(self, status: int, refused: Refused) -> None:
        super().__init__(str(refused))
        self.status, self.refused = status, refused


class _Intake:
    def __init__(self, gate: Gate, check: CheckKey, wall: Callable[[], float]) -> None:
        self.gate, self.check, self.wall = gate, check, wall

    async def post(self, request: Request) -> Response:
        """Answer one request."""
        try:
            body = await _body(request)
            source, key = await self._sender(request, body)
            found = await self._events(request, body, source)
            if not source:
                source = self._named(found)
            accepted = await self.gate.accept(
                source,
                found.data,
                key=(key or request.headers.get("idempotency-key", ""))[:MAX_KEY],
                indexes=found.indexes,
                refused=found.refused,
                is_batch=found.is_batch,
            )
        except _Problem as problem:
            return _refusal(problem.status, problem.refused)
        except NotNow as full:
            wait = str(max(1, round(full.retry_after_s)))
            return _answer(full.status, {"detail": str(full)}, {"retry-after": wait})
        except OtherContent as other:
            return _refusal(409, Refused(Reason.CONFLICTING_DUPLICATE, "idempotency-key", str(other), "use a new key"))
        return _answer(202, accepted)

    async def _sender(self, request: Request, body: bytes) -> tuple[str, str]:
        """The source that sends, '' where only the events can say, and the id under which it was signed."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        named = request.query_params.get("source", "")
        name = named
        if scheme.lower() == "bearer" and secret:
            found = self.check(secret.strip())
            key = await found if isinstance(found, Awaitable) else found
            if key is None:
                raise _Problem(401, Refused(Reason.UNKNOWN_SOURCE, "authorization", "no such key in force"))
            if SCOPE not in key.scopes or (named and key.source and named != key.source):
                raise _Problem(403, Refused(Reason.UNKNOWN_SOURCE, "authorization", "this key is not for that"))
            name = key.source or named
        elif "webhook-signature" not in request.headers or not named:
            remedy = "send Authorization: Bearer <key>, or sign and name ?source="
            raise _Problem(401, Refused(Reason.MISSING_FIELD, "authorization", "no key", remedy))
        elif not self.gate.is_source(named) or self.gate.secret(named) is None:
            raise _Problem(401, Refused(Reason.UNKNOWN_SOURCE, "source", "cannot be pushed to without a key"))
        if not name:
            return "", ""
        if not self.gate.is_source(name):
            raise _Problem(403, Refused(Reason.UNKNOWN_SOURCE, "source", f"{name!r} is not configured for HTTP"))
        signs = self.gate.secret(name)
        if signs is None:
            return name, ""
        try:
            return name, check_signature(signs, request.headers, body, self.wall())
        except Refused as refused:
            raise _Problem(401, refused) from refused

    async def _events(self, request: Request, body: bytes, source: str) -> Events:
        try:
            return events(request.headers.get("content-type", ""), request.headers, body)
        except Refused as refused:
            if source:
                # A body that is nothing at all is one dead letter, so that the source can be seen to send rubbish.
                await self.gate.accept(source, (), refused=[(0, refused, body)])
            raise _Problem(415 if refused.field == "content-type" else 400, refused) from refused

    def _named(self, found: Events) -> str:
        """The one source that all events of a request name, for a key that may speak for several."""
        names = set(source_names(found.sources))
        name = next(iter(names), "")
        if len(names) != 1 or not self.gate.is_source(name):
            told = (
                "no event names one"
                if not names
                else f"{', '.join(sorted(names))[:80]!r} is not one that is configured"
            )
            raise _Problem(403, Refused(Reason.UNKNOWN_SOURCE, "source", told, "one configured source a request"))
        if self.gate.secret(name) is not None:
            raise _Problem(401, Refused(Reason.MISSING_FIELD, "webhook-signature", "name ?source= and sign"))
        return name


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    unpack = None
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "gzip":
        unpack = zlib.decompressobj(31)
    elif encoding != "identity":
        raise _Problem(415, Refused(Reason.BAD_ENCODING, "content-encoding", encoding[:40], "gzip, or none"))
    sent = 0
    async for part in request.stream():
        sent += len(part)
        if unpack is not None:
            try:
                part = unpack.decompress(part, MAX_UNPACKED + 1 - size)
            except zlib.error as error:
                raise _Problem(400, Refused(Reason.BAD_ENCODING, "", "is no gzip", "")) from error
        size += len(part)
        if sent > MAX_BODY or size > MAX_UNPACKED or (unpack is not None and unpack.unconsumed_tail):
            told = f"more than {MAX_BODY} bytes, or {MAX_UNPACKED} unpacked"
            raise _Problem(413, Refused(Reason.TOO_LARGE, "", told, "send it in parts"))
        parts.append(part)
    if unpack is not None and not unpack.eof:
        raise _Problem(400, Refused(Reason.TRUNCATED, "", "the gzip stream ends too early", "send it again"))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _refusal(status: int, refused: Refused) -> Response:
    rejection = Rejection(0, refused.reason.value, refused.field, refused.detail, refused.remedy)
    return _answer(status, Accepted(0, rejected=(rejection,)))


def _answer(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")
