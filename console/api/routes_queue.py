"""The list of warnings and its groups."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Response

from alerts.queue import Filters
from console.api.access import Principal
from console.api.answers import answer, unwrapped, wrapped
from console.api.filters import Asked
from console.api.shapes import GroupPage, Order, QueuePage
from console.api.signing import RoomOf, may

router = APIRouter(prefix="/api/v1", tags=["queue"])
_KEYS: dict[str, tuple[type, ...]] = {"worst": (int, int, int, str), "due": (int, int, str), "newest": (int, str)}


@router.get("/queue", response_model=QueuePage)
async def queue(
    room: RoomOf,
    principal: Annotated[Principal, may("queue:read")],
    asked: Annotated[Asked, Depends()],
    order: Order = "worst",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Warnings in order: worst first and then what falls due first, or the newest, or what falls due first."""
    scope, key = principal.places, unwrapped(after, _KEYS[order])

    def ask() -> dict[str, Any]:
        page = room.page(scope, asked.filters(room, scope), order, limit, key)
        return page | {"next": wrapped(page["next"])}

    return answer(await to_thread.run_sync(ask))


@router.get("/groups", response_model=GroupPage)
async def groups(
    room: RoomOf, principal: Annotated[Principal, may("queue:read")], asked: Annotated[Asked, Depends()]
) -> Response:
    """The same warnings by place, category and kind of subject, worst first."""
    scope = principal.places

    def ask() -> dict[str, Any]:
        filters: Filters = asked.filters(room, scope)
        return room.groups(scope, filters)

    return answer(await to_thread.run_sync(ask))
