"""The web application: accounts, routes, stream and page put together around a running site."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from alerts.database import UNAVAILABLE
from console.api import (
    routes_deadletters,
    routes_queue,
    routes_session,
    routes_site,
    routes_stream,
    routes_warning,
)
from console.api.accounts import Accounts
from console.api.answers import on_invalid, on_no_storage, on_refusal, on_site_error, on_status
from console.api.attempts import Attempts
from console.api.commands import Commands
from console.api.headers import Headers
from console.api.hub import Hub, Pace
from console.api.page import page_router
from console.api.ports import LiveSite
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import Problem
from pipeline.errors import ForewarnError

_DESCRIPTION = (
    "内部关注级，非法定预警。不作为考核、问责、排名依据。 Internal levels, not statutory warnings; not for appraisal, "
    "discipline or ranking. Changes need the header X-CSRF of the session, commands an Idempotency-Key."
)


def application(
    site: LiveSite,
    accounts: Accounts,
    *,
    routers: Sequence[APIRouter] = (),
    secure: bool = False,
    pace: Pace | None = None,
) -> FastAPI:
    """The application of one site.

    Parameters
    ----------
    site : a running one. accounts : its people.
    routers : more routes, each of which authorises by itself (intake by API key). secure : behind TLS; without it the
    cookie is a plain one, for the loopback address only. pace : of the stream.

    Call `end_streams` of the application's state before stopping the server: open streams would hold it up.
    """
    room = Room(site, accounts)
    hub = Hub(room, pace or Pace())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.close()
        room.close()

    app = FastAPI(
        title="forewarn",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    app.state.room, app.state.hub, app.state.secure = room, hub, secure
    app.state.commands = Commands(room)
    app.state.attempts = Attempts(accounts.clock)
    app.state.hashing = CapacityLimiter(routes_session.HASHING)
    app.state.texts_seen = {}
    app.state.policy_reports = []
    app.state.end_streams = hub.close
    for part in (routes_session, routes_queue, routes_warning, routes_stream, routes_site, routes_deadletters):
        app.include_router(part.router)
    for router in routers:
        app.include_router(router)
    app.include_router(page_router())
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_status)
    app.add_exception_handler(OSError, on_no_storage)
    app.add_exception_handler(sqlite3.OperationalError, on_no_storage)
    for error in UNAVAILABLE:
        app.add_exception_handler(error, on_no_storage)
    app.add_exception_handler(ForewarnError, on_site_error)
    app.add_middleware(Headers, secure=secure)
    return app
