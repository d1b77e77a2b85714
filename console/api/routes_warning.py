"""One warning: its detail, its story, and what people do to it."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from console.api.access import Principal
from console.api.answers import answer
from console.api.commands import Commands
from console.api.detail import detail, text_of
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import BulkCommand, Command, Detail, Pending, Verdict
from console.api.signing import RoomOf, may

router = APIRouter(prefix="/api/v1", tags=["warnings"])
Id = Annotated[str, Path(min_length=4, max_length=64, pattern=r"^[^\x00]*$")]
BULK = 200
_ANSWERS: dict[int | str, dict[str, Any]] = {202: {"model": Pending}, 409: {"model": Verdict}}


def _commands(request: Request) -> Commands:
    commands: Commands = request.app.state.commands
    return commands


async def _note_view(request: Request, room: Room, principal: Principal, warning: str) -> None:
    """Say in the site log that a protected field was looked at; once an hour of log time is enough."""
    seen: dict[tuple[str, str], int] = request.app.state.texts_seen
    hour = room.site.now() // 3_600_000_000
    if seen.get((principal.name, warning)) != hour:
        if len(seen) > 10_000:
            seen.clear()
        await room.site.fact("text_viewed", {"principal": principal.name, "role": principal.role, "warning": warning})
        seen[principal.name, warning] = hour


@router.get("/warnings/{id}", response_model=Detail)
async def one(
    request: Request,
    id: Id,
    room: RoomOf,
    principal: Annotated[Principal, may("warning:read")],
    text: Annotated[bool, Query()] = True,
) -> Response:
    """All that is known of a warning. The redacted text comes with its own permission, and looking at it is noted."""
    found = await to_thread.run_sync(detail, room, principal.places, principal, id)
    if found is None:
        raise Refusal("not_found")
    if text and principal.may("text:read"):
        said = await to_thread.run_sync(text_of, room, principal.places, id)
        if said is not None:
            await _note_view(request, room, principal, id)
            found["text"] = said
    return answer(found)


@router.get("/warnings/{id}/explanation")
async def story(request: Request, id: Id, room: RoomOf, principal: Annotated[Principal, may("text:read")]) -> Response:
    """The whole story with every weight and every entry, texts included."""
    row = await to_thread.run_sync(room.queue.row, principal.places, id)
    if row is None:
        raise Refusal("not_found")
    await _note_view(request, room, principal, id)
    return answer(await to_thread.run_sync(room.site.explain, id))


@router.post("/warnings/{id}/commands", response_model=Verdict, responses=_ANSWERS)
async def command(
    request: Request,
    id: Id,
    sent: Command,
    principal: Annotated[Principal, may("warning:read")],
    idempotency_key: Annotated[str, Header()] = "",
) -> Response:
    """Do something to a warning; the answer is the fold's. The same key again gives the same answer."""
    status, body = await _commands(request).obey(principal, id, sent, idempotency_key)
    return answer(body, status)


@router.get("/commands/{key}", response_model=Verdict, responses={202: {"model": Pending}})
async def verdict(request: Request, key: str, principal: Annotated[Principal, may("warning:read")]) -> Response:
    """What came of a command one gave earlier."""
    status, body = await _commands(request).verdict(principal, key)
    return answer(body, 200 if status == 409 else status)


@router.post("/commands", response_model=list[dict[str, Any]])
async def commands(
    request: Request,
    sent: Annotated[list[BulkCommand], Body(max_length=BULK)],
    principal: Annotated[Principal, may("warning:read")],
) -> Response:
    """One command to each of several warnings; a verdict or a problem each, in their order."""
    out = []
    for each in sent:
        try:
            status, body = await _commands(request).obey(principal, each.warning, each, each.id)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body() | {"id": each.id, "warning": each.warning}
        out.append(body | {"status": status})
    return answer(out)
