"""Signing in and out."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, Request, Response

from alerts.names import rfc3339
from alerts.sentences import CAPTION_EN, CAPTION_ZH, NOT_FOR_RANKING_EN, NOT_FOR_RANKING_ZH
from console.api.access import MAY, ROLE_TEXTS, Principal
from console.api.accounts import Signed
from console.api.answers import answer
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import Session, SignIn
from console.api.signing import (
    Public,
    RoomOf,
    forget_cookie,
    may,
    refuse_other_sites,
    secret_of,
    set_cookie,
    signed_of,
)

router = APIRouter(prefix="/api/v1", tags=["session"])
HASHING = 2
"""Passwords that are checked at once: each takes 19 MiB and 25 ms of a core."""


@router.post("/session", response_model=Session, dependencies=[Depends(Public())])
async def sign_in(
    request: Request, proof: SignIn, room: RoomOf, content_type: Annotated[str, Header()] = ""
) -> Response:
    """Sign in with name and password, or with a one-time token. Sets the session's cookie."""
    # A form of another site cannot send JSON without asking first.
    if not content_type.startswith("application/json"):
        raise Refusal("invalid", "send application/json")
    refuse_other_sites(request)
    address = request.client.host if request.client else ""
    name = proof.name or ("token" if proof.token else "")
    attempts = request.app.state.attempts
    if wait := attempts.wait_s(name, address):
        raise Refusal("too_many", f"try again in {wait} s", headers={"retry-after": str(wait)})
    attempts.begin(name, address)
    if proof.token:
        begun = await to_thread.run_sync(room.accounts.redeem, proof.token)
    elif proof.name and proof.password:
        limiter: CapacityLimiter = request.app.state.hashing
        begun = await to_thread.run_sync(room.accounts.sign_in, proof.name, proof.password, limiter=limiter)
    else:
        raise Refusal("invalid", "give `name` and `password`, or `token`")
    if begun is None:
        # A name without an account is not written down: it may be a password typed into the wrong field.
        if await to_thread.run_sync(room.accounts.is_known, proof.name or ""):
            await room.site.fact("sign_in_refused", {"principal": proof.name})
        raise Refusal("used_token" if proof.token else "wrong_credentials")
    attempts.succeed(name, address)
    secret, signed = begun
    earlier = secret_of(request)
    if earlier:
        await to_thread.run_sync(room.accounts.sign_out, earlier)
    await room.site.fact("signed_in", {"principal": signed.user.name, "role": signed.user.role})
    response = answer(await to_thread.run_sync(session_info, room, signed))
    set_cookie(request, response, secret)
    return response


@router.get("/session", response_model=Session)
async def who(request: Request, room: RoomOf, principal: Annotated[Principal, may("session")]) -> Response:
    """Who is signed in."""
    return answer(await to_thread.run_sync(session_info, room, signed_of(request)))


@router.delete("/session", status_code=204)
async def sign_out(request: Request, room: RoomOf, principal: Annotated[Principal, may("session")]) -> Response:
    """Sign out: this session ends, its stream too."""
    await to_thread.run_sync(room.accounts.sign_out, secret_of(request))
    await room.site.fact("signed_out", {"principal": principal.name, "role": principal.role})
    response = Response(status_code=204)
    forget_cookie(request, response)
    return response


def session_info(room: Room, signed: Signed) -> dict[str, Any]:
    """The session as it is sent."""
    user, view, site = signed.user, room.view, room.site
    principal = room.principal(signed)
    zh, en = ROLE_TEXTS[user.role]
    return {
        "principal": {
            "name": user.name,
            "role": user.role,
            "role_text": {"zh": zh, "en": en},
            "office": view.named(user.office) if user.office else None,
            "post": user.post,
            "area": view.named(user.area),
            "may": sorted(action for action in MAY[user.role] if principal.may(action)),
        },
        "csrf": signed.csrf,
        "expires": rfc3339(signed.until),
        "site": {
            "name": {
                "zh": view.settings.site.name_zh or view.settings.site.name,
                "en": view.settings.site.name_en or view.settings.site.name,
            },
            "kind": "simulated" if site.simulated else "live",
            "speed": site.speed,
            "zone": view.settings.site.zone,
            "languages": list(view.settings.site.languages),
            "now": rfc3339(site.now()),
        },
        "caption": {"zh": CAPTION_ZH, "en": CAPTION_EN},
        "not_for_ranking": {"zh": NOT_FOR_RANKING_ZH, "en": NOT_FOR_RANKING_EN},
        "version": _version(),
    }


def _version() -> str:
    try:
        return version("forewarn")
    except PackageNotFoundError:
        return ""
