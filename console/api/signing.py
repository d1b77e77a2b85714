"""From a request to who sent it: cookie, cross-site checks, and the declared action of its route."""

from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Depends, Request, Response

from console.api.access import Action, Principal, authorize
from console.api.accounts import LIFE_US, Signed
from console.api.problems import Refusal
from console.api.room import Room

SECURE_COOKIE = "__Host-forewarn"
PLAIN_COOKIE = "forewarn"
"""Over plain HTTP on the loopback address a browser refuses the prefix `__Host-`."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def room_of(request: Request) -> Room:
    """What the routes share."""
    room: Room = request.app.state.room
    return room


def cookie_name(request: Request) -> str:
    """Name of the session's cookie."""
    return SECURE_COOKIE if request.app.state.secure else PLAIN_COOKIE


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Hand the browser its session; scripts cannot read it and other sites cannot make it be sent."""
    secure = request.app.state.secure
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=LIFE_US // 1_000_000,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def forget_cookie(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        cookie_name(request), path="/", secure=request.app.state.secure, httponly=True, samesite="strict"
    )


def secret_of(request: Request) -> str:
    """The session's secret; '' where there is none."""
    return request.cookies.get(cookie_name(request), "")


def signed_of(request: Request) -> Signed:
    """The session of a request that was let through."""
    signed: Signed = request.state.signed
    return signed


def _who(room: Room, secret: str) -> tuple[Signed, Principal] | None:
    signed = room.accounts.session(secret) if secret else None
    return None if signed is None else (signed, room.principal(signed))


def refuse_other_sites(request: Request) -> None:
    """A change must come from this site's own page, or from a program that is no browser."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refusal("wrong_csrf", "another site sent this request")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refusal("wrong_csrf", "the Origin is not this site")


class Public:
    """Marks a route that anybody may ask."""

    action: Action = "public"

    async def __call__(self) -> None:
        """Nothing to check."""


class May:
    """Lets a request through whose session may do `action`; the principal carries its scope."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Principal:
        """The principal. Raises Refusal."""
        # A database that does not answer holds up this request alone.
        found = await to_thread.run_sync(_who, room_of(request), secret_of(request))
        if found is None:
            raise Refusal("not_signed_in")
        signed, principal = found
        if request.method not in _SAFE:
            refuse_other_sites(request)
            if not compare_digest(request.headers.get("x-csrf", "").encode(), signed.csrf.encode()):
                raise Refusal("wrong_csrf", "the header X-CSRF is not the session's")
        authorize(principal, self.action)
        request.state.signed = signed
        return principal


def may(action: Action) -> Any:
    """A dependency: the principal, if it may do this."""
    return Depends(May(action))


RoomOf = Annotated[Room, Depends(room_of)]
