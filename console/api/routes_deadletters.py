"""Dead letters: what could not be taken in, shown redacted, mended and sent again, or given up."""

from collections.abc import Mapping
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Response

from connectors.redact import Redactor
from console.api.access import Principal
from console.api.answers import answer
from console.api.problems import Refusal
from console.api.shapes import DeadLetterInfo, DeadLetterPage, Dropped, Mended, Repaired
from console.api.signing import RoomOf, may

router = APIRouter(prefix="/api/v1/deadletters", tags=["dead letters"])


@router.get("", response_model=DeadLetterPage)
async def letters(
    room: RoomOf,
    principal: Annotated[Principal, may("deadletters:read")],
    source: Annotated[str, Query(max_length=200)] = "",
    reason: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[int | None, Query(ge=0, le=1 << 60)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Dead letters, newest first."""

    def ask() -> dict[str, Any]:
        rows = room.directory.letters(source, reason, after, limit + 1)
        reasons = room.directory.letter_reasons(source)
        page = rows[:limit]
        return {
            "total": reasons.get(reason, 0) if reason else sum(reasons.values()),
            "reasons": reasons,
            "items": [_letter(row) for row in page],
            "next": str(page[-1]["id"]) if len(rows) > limit else None,
        }

    return answer(await to_thread.run_sync(ask))


@router.get("/{id}", response_model=DeadLetterInfo)
async def letter(id: int, room: RoomOf, principal: Annotated[Principal, may("deadletters:read")]) -> Response:
    """One dead letter with its redacted body; looking at it is noted."""
    row = await to_thread.run_sync(room.directory.letter, _bounded(id))
    if row is None:
        raise Refusal("not_found")
    await room.site.fact("deadletter_viewed", {"principal": principal.name, "role": principal.role, "letter": id})
    return answer(_letter(row))


@router.post("/{id}/replay", response_model=Mended)
async def replay(
    id: int, sent: Repaired, room: RoomOf, principal: Annotated[Principal, may("deadletters:mend")]
) -> Response:
    """Put the repaired record through its source's gate; taken, the dead letter is gone."""
    row = await to_thread.run_sync(room.directory.letter, _bounded(id))
    if row is None:
        raise Refusal("not_found")
    found = await room.site.resubmit(id, row["source"], sent.record)
    said = {"principal": principal.name, "role": principal.role, "letter": id, "ok": bool(found["ok"])}
    await room.site.fact("deadletter_replayed", said)
    return answer({"id": id, **{name: found.get(name, "") for name in ("ok", "reason", "detail", "remedy")}})


@router.post("/{id}/drop", status_code=204)
async def drop(
    id: int, sent: Dropped, room: RoomOf, principal: Annotated[Principal, may("deadletters:mend")]
) -> Response:
    """Give a dead letter up, with a reason."""
    if not await room.site.discard(_bounded(id)):
        raise Refusal("not_found")
    reason = Redactor().redact(sent.reason)
    said = {"principal": principal.name, "role": principal.role, "letter": id, "reason": reason}
    await room.site.fact("deadletter_dropped", said)
    return Response(status_code=204)


def _letter(row: Mapping[str, Any]) -> dict[str, Any]:
    sha, body = row["sha256"], row.get("body")
    return {
        **{name: row[name] or "" for name in ("source", "reason", "field", "detail", "remedy")},
        "id": row["id"],
        "position": str(row["position"] or ""),
        "size": row["size"] or 0,
        "sha256": sha.hex() if isinstance(sha, bytes) else sha or "",
        "body": body.decode("utf-8", "replace") if isinstance(body, bytes) else body,
    }


def _bounded(id: int) -> int:
    """An id that SQLite can hold. Raises Refusal."""
    if not 0 <= id < 1 << 60:
        raise Refusal("not_found")
    return id
