"""The stream of changes to one browser: resumed by cursor, checked again and again, never silent for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from alerts.database import CANNOT_ASK
from alerts.names import rfc3339
from console.api.access import Principal, authorize
from console.api.hub import Hub, Reader, event
from console.api.problems import Refusal
from console.api.room import Room
from console.api.rows import cursor_of
from console.api.signing import RoomOf, may, secret_of

router = APIRouter(prefix="/api/v1", tags=["stream"])


@router.get("/stream", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(
    request: Request,
    room: RoomOf,
    principal: Annotated[Principal, may("stream:read")],
    last_event_id: Annotated[str, Header(max_length=2000)] = "",
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Changes from `Last-Event-ID` (or `after`: the cursor of a snapshot) on, else from now on."""
    hub: Hub = request.app.state.hub
    if hub.readers >= hub.pace.streams:
        raise Refusal("too_many", "too many open streams", headers={"retry-after": "10"})
    text = last_event_id or after
    seen = cursor_of(text) if text else None
    events = _events(room, hub, principal, secret_of(request), seen, is_resumed=bool(text))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, headers=headers, media_type="text/event-stream")


async def _events(
    room: Room, hub: Hub, principal: Principal, secret: str, seen: dict[str, int] | None, *, is_resumed: bool
) -> AsyncIterator[bytes]:
    loop, pace = asyncio.get_running_loop(), hub.pace
    # First take a place, then look at what was missed: nothing can fall between the two.
    reader = hub.join(principal.places)
    try:
        yield b"retry: 2000\n\n" + _beat(room)
        if is_resumed:
            now = {partition: number for partition, number in room.site.cursor().items() if number}
            if seen is None:
                yield event("reset", {})
            elif {partition: number for partition, number in seen.items() if number} != now:
                yield await hub.missed(reader.scope, seen, now)
        checked = beaten = loop.time()
        while True:
            data = await reader.next(max(0.05, min(pace.check_s + checked, pace.beat_s + beaten) - loop.time()))
            if data is None:
                yield event("bye", {"reason": "stopping"})
                return
            if data:
                yield data
                if reader.since:
                    room.site.reached(time.perf_counter() - reader.since)
            if loop.time() - checked >= pace.check_s:
                checked = loop.time()
                reason = await to_thread.run_sync(_recheck, room, secret, reader)
                if reason:
                    yield event("bye", {"reason": reason})
                    return
            if loop.time() - beaten >= pace.beat_s:
                beaten = loop.time()
                yield _beat(room)
    finally:
        hub.leave(reader)


def _recheck(room: Room, secret: str, reader: Reader) -> str:
    """Why the stream must end; '' while it may go on, with the area the account has now."""
    try:
        signed = room.accounts.session(secret)
        if signed is None:
            return "revoked"
        scope = authorize(room.principal(signed), "stream:read")
    except Refusal:
        return "no_permission"
    except CANNOT_ASK:  # asked again at the next check; a snapshot would not be given meanwhile
        return ""
    if scope != reader.scope:
        reader.scope = scope
    return ""


def _beat(room: Room) -> bytes:
    """A sign of life: the wall's time and the log's."""
    return event("beat", {"at": rfc3339(room.accounts.clock()), "now": rfc3339(room.site.now())})
