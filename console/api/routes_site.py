"""The site itself: places and offices, sources, results, configuration, health."""

import json
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from alerts.names import rfc3339
from config.territory import ROOT
from console.api.access import Principal
from console.api.answers import answer
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import Ready, Reloaded, Scoreboard, SourceInfo, Territory
from console.api.signing import Public, RoomOf, may
from console.api.source_words import source_infos

router = APIRouter(tags=["site"])
_REPORT_BYTES = 8_192
_REPORTS = 100
_TOLD = ("violated-directive", "effectiveDirective", "blocked-uri", "blockedURL", "source-file", "sourceFile")


@router.get("/api/v1/territory", response_model=Territory)
async def territory(room: RoomOf, principal: Annotated[Principal, may("territory:read")]) -> Response:
    """Places of one's area, with outlines where the site has them; all offices and categories."""
    return answer(await to_thread.run_sync(territory_info, room, principal.area))


@router.get("/api/v1/sources", response_model=list[SourceInfo])
async def sources(room: RoomOf, principal: Annotated[Principal, may("sources:read")]) -> Response:
    """How every source is doing."""
    return answer(source_infos(room.site.sources(), room.view))


@router.get("/api/v1/scoreboard", response_model=Scoreboard)
async def scoreboard(room: RoomOf, principal: Annotated[Principal, may("scoreboard:read")]) -> Response:
    """Results against the ground truth of a simulated site."""
    found = await to_thread.run_sync(room.site.scoreboard)
    if found is None:
        raise Refusal("no_scoreboard")
    return answer(found)


@router.post("/api/v1/reload", response_model=Reloaded)
async def reload(room: RoomOf, principal: Annotated[Principal, may("config:reload")]) -> Response:
    """Read the configuration anew; a bad one is refused whole and the old one lives."""
    found = await room.site.reload()
    await room.site.fact("reloaded", {"principal": principal.name, "role": principal.role, "ok": bool(found["ok"])})
    return answer(found, 200 if found["ok"] else 422)


@router.get("/healthz", dependencies=[Depends(Public())])
async def health() -> Response:
    """The process answers."""
    return answer({"ok": True})


@router.get("/readyz", response_model=Ready, dependencies=[Depends(Public())])
async def ready(room: RoomOf) -> Response:
    """Whether the site takes work: 200, else 503 with the reason."""
    found = room.site.readiness()
    body = {"ready": found.ready, "reason": found.reason, "now": rfc3339(found.now), "lag_s": found.lag_us / 1e6}
    return answer(body, 200 if found.ready else 503)


@router.post("/api/v1/csp-reports", status_code=204, dependencies=[Depends(Public())])
async def policy_report(request: Request) -> Response:
    """What a browser says it blocked by the content security policy; the newest hundred are kept in memory."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _REPORT_BYTES:
            raise Refusal("too_large")
    try:
        said: Any = json.loads(body or b"null")
    except ValueError:
        raise Refusal("invalid", "not JSON") from None
    reports: list[dict[str, str]] = request.app.state.policy_reports
    for each in said if isinstance(said, list) else [said]:
        report = each.get("csp-report", each.get("body", each)) if isinstance(each, dict) else {}
        if isinstance(report, dict):
            named = (
                "violated-directive",
                "effectiveDirective",
                "blocked-uri",
                "blockedURL",
                "source-file",
                "sourceFile",
            )
            reports.append({name: str(report[name])[:200] for name in named if name in report})
    del reports[:-_REPORTS]
    return Response(status_code=204)


def territory_info(room: Room, area: str) -> dict[str, Any]:
    """Places below an area, offices and categories as they are sent."""
    view = room.view
    seen = set(view.tree.below(area))
    outlines = _outlines(room)
    places = [
        {
            **view.named(place.id),
            "parent": place.parent if place.parent in seen or place.parent == ROOT else None,
            "level": place.level,
            "outline": outlines.get(place.id),
        }
        for place in view.settings.places
        if place.id in seen
    ]
    offices = [{**view.named(o.id), "kind": o.kind, "place": o.place} for o in view.settings.offices]
    if not offices:
        offices = [{**view.named(id), "kind": "", "place": ROOT} for id in _named(room, "office")]
    categories = [
        {**view.named(c.id), "hazard": c.hazard, "default_office": c.default_office} for c in view.settings.categories
    ]
    if not categories:
        categories = [{**view.named(id), "hazard": False, "default_office": None} for id in _named(room, "category")]
    return {"places": places, "offices": offices, "categories": categories}


def _named(room: Room, kind: str) -> list[str]:
    """Ids that the log has met, where the configuration names none; 1,000 at most."""
    return room.directory.ids(kind, 1000)


def _outlines(room: Room) -> dict[str, dict[str, Any]]:
    """Geometry by place, from outlines.geojson beside the data; none where there is no such file."""
    path = room.site.data / "outlines.geojson"
    if not path.is_file():
        return {}
    found = json.loads(path.read_bytes())
    return {str(each.get("id", "")): each.get("geometry") for each in found.get("features", ())}
