"""A town with people signed in, over ASGI; and the same behind a real server for streams."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from console.api.accounts import Accounts
from console.api.app import application
from console.api.hub import Pace
from console.api.shapes import Role
from runners.trial.postgres import TrialPostgres
from tests.console.api.cluster_town import ClusterTown, copied, forget, move
from tests.console.api.town import TownSite, build

PASSWORD = "correct horse battery staple"
TOWNS = iter(range(1, 1_000_000))
COMMAND_NUMBERS = iter(range(1, 1_000_000))


class Clock:
    """Wall time that stands still until it is moved."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.us

    def move(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.us += round((minutes * 60 + seconds) * 1e6)


class Person:
    """Somebody at a browser."""

    def __init__(self, client: httpx.AsyncClient, csrf: str) -> None:
        self.client, self.csrf = client, csrf

    async def ask(self, path: str, **query: Any) -> Any:
        """GET, and the answer as JSON."""
        response = await self.client.get(f"/api/v1{path}", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def send(self, path: str, body: Any = None, method: str = "POST", key: str = "") -> httpx.Response:
        """A change, with the session's proof."""
        headers = {"x-csrf": self.csrf} | ({"idempotency-key": key} if key else {})
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def tell(self, warning: str, command: str, key: str = "", **fields: Any) -> httpx.Response:
        """A command to a warning."""
        key = key or f"command-{next(COMMAND_NUMBERS)}"
        return await self.send(f"/warnings/{warning}/commands", {"command": command, **fields}, key=key)


@dataclass
class Town:
    """Everything a test may touch."""

    folder: Path
    site: TownSite
    accounts: Accounts
    clock: Clock
    app: FastAPI

    def client(self, *, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Nobody in particular."""
        transport = httpx.ASGITransport(self.app, client=(address, 1), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def add(self, name: str, role: Role, area: str = "root") -> None:
        """Make an account; who must be quick signs in by token."""
        self.accounts.add(name, role, area=area, office="housing", post="值班岗")

    async def person(self, name: str, role: Role = "duty_officer", area: str = "root") -> Person:
        """Somebody with an account of this role and area, signed in."""
        self.add(name, role, area)
        return await self.sign_in(name, self.client())

    async def sign_in(self, name: str, client: httpx.AsyncClient) -> Person:
        """Sign in by one-time token."""
        response = await client.post("/api/v1/session", json={"token": self.accounts.token(name)})
        assert response.status_code == 200, response.text
        return Person(client, response.json()["csrf"])


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's configuration and data directory; to be copied."""
    folder = tmp_path_factory.mktemp("town")
    build(folder)
    return folder


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def pace() -> Pace:
    """That of the stream as shipped; a test that waits for something names a quicker one."""
    return Pace()


@pytest.fixture(scope="session")
def cluster_history(history: Path, postgres: TrialPostgres) -> str:
    """URL of a database with the town's; to be copied."""
    url = postgres.database("town")
    move(history / "out", url)
    return url


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def kept(request: pytest.FixtureRequest) -> str:
    """Where store, directory and accounts of the town are."""
    return str(request.param)


@pytest.fixture(scope="module")
def shared_url(cluster_history: str) -> str:
    """URL of a database for tests that change accounts alone."""
    return copied(cluster_history, f"town{next(TOWNS)}")


@pytest.fixture
def changes_warnings() -> bool:
    """Whether a test changes the store; then it gets one of its own."""
    return False


@pytest.fixture
async def town(
    request: pytest.FixtureRequest, history: Path, tmp_path: Path, pace: Pace, kept: str, changes_warnings: bool
) -> AsyncIterator[Town]:
    """The town, running."""
    folder = tmp_path / "town"
    shutil.copytree(history, folder)
    clock = Clock()
    if kept == "file":
        site, accounts = TownSite(folder), Accounts(folder / "accounts.db", clock=clock)
    else:
        begin = request.getfixturevalue("cluster_history" if changes_warnings else "shared_url")
        url = copied(begin, f"town{next(TOWNS)}") if changes_warnings else begin
        site, accounts = ClusterTown(folder, url), Accounts(url, clock=clock)
        forget(accounts)
    app = application(site, accounts, pace=pace)
    yield Town(folder, site, accounts, clock, app)
    await app.state.end_streams()
    app.state.room.close()
    accounts.close()
    site.close()


@pytest.fixture
async def officer(town: Town) -> Person:
    """A duty officer of the whole town."""
    return await town.person("duty-1")


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real server on the loopback address; its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await app.state.end_streams()
        server.should_exit = True
        await task
