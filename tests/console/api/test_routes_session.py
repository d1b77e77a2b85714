"""Signing in and out, and what a session is worth."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from console.api.accounts import IDLE_US, LIFE_US, Accounts
from console.api.app import application
from console.api.attempts import MOST_PAIR
from console.api.shapes import Problem, Session
from tests.console.api.conftest import PASSWORD, Person, Town

pytestmark = pytest.mark.anyio


async def test_a_password_signs_in_and_the_session_says_who_and_where(town: Town) -> None:
    town.accounts.add("li", "approver", password=PASSWORD, office="housing", post="审核岗", area="east")
    async with town.client() as client:
        response = await client.post("/api/v1/session", json={"name": "LI", "password": PASSWORD})
        session = Session.model_validate((await client.get("/api/v1/session")).json())
    assert response.status_code == 200
    assert (session.principal.name, session.principal.role, session.principal.post) == ("li", "approver", "审核岗")
    assert session.principal.office is not None
    assert session.principal.office.zh == "区住建局"
    assert session.principal.area.id == "east"
    assert session.caption.zh == "内部关注级，非法定预警"
    assert ("signed_in", {"principal": "li", "role": "approver"}) in town.site.facts


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(town: Town) -> None:
    town.add("li", "approver")
    async with town.client() as client:
        response = await client.post("/api/v1/session", json={"token": town.accounts.token("li")})
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("forewarn=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_behind_tls_the_cookie_is_bound_to_the_host(town: Town) -> None:
    town.add("li", "approver")
    app = application(town.site, town.accounts, secure=True)
    secure = Town(town.folder, town.site, town.accounts, town.clock, app)
    async with secure.client() as client:
        response = await client.post("/api/v1/session", json={"token": town.accounts.token("li")})
    app.state.room.close()
    assert response.headers["set-cookie"].startswith("__Host-forewarn=")
    assert "Secure" in response.headers["set-cookie"]
    assert "strict-transport-security" in response.headers


async def test_a_token_signs_in_once(town: Town) -> None:
    town.add("li", "approver")
    token = town.accounts.token("li")
    async with town.client() as client:
        first = await client.post("/api/v1/session", json={"token": token})
        again = await client.post("/api/v1/session", json={"token": token})
    assert (first.status_code, again.status_code) == (200, 401)
    assert again.json()["reason"] == "used_token"


@pytest.mark.parametrize("name", ["li", "nobody"])
async def test_a_wrong_password_and_an_unknown_name_are_told_alike(town: Town, name: str) -> None:
    town.accounts.add("li", "approver", password=PASSWORD)
    async with town.client() as client:
        response = await client.post("/api/v1/session", json={"name": name, "password": "wrong wrong wrong"})
    assert response.status_code == 401
    body = Problem.model_validate(response.json())
    assert body.reason == "wrong_credentials"
    assert "wrong wrong" not in response.text


async def test_after_five_failures_even_the_right_password_waits(town: Town) -> None:
    town.accounts.add("li", "approver", password=PASSWORD)
    async with town.client() as client:
        for _ in range(MOST_PAIR):
            await client.post("/api/v1/session", json={"name": "li", "password": "wrong wrong wrong"})
        response = await client.post("/api/v1/session", json={"name": "Li", "password": PASSWORD})
        assert response.status_code == 429
        town.clock.move(seconds=int(response.headers["retry-after"]))
        assert (await client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})).status_code == 200


async def test_many_attempts_at_once_do_not_all_slip_through(town: Town) -> None:
    town.accounts.add("li", "approver", password=PASSWORD)
    async with town.client() as client:
        wrong = {"name": "li", "password": "wrong wrong wrong"}
        answers = await asyncio.gather(*(client.post("/api/v1/session", json=wrong) for _ in range(12)))
    assert sorted(each.status_code for each in answers) == [401] * MOST_PAIR + [429] * (12 - MOST_PAIR)


async def test_signing_out_ends_the_session(town: Town, officer: Person) -> None:
    cookie = officer.client.cookies["forewarn"]
    assert (await officer.send("/session", method="DELETE")).status_code == 204
    officer.client.cookies.set("forewarn", cookie)
    stolen = await officer.client.get("/api/v1/queue")
    assert stolen.status_code == 401
    assert stolen.json()["text"]["zh"] == "登录已失效。"


async def test_a_session_ends_when_nobody_uses_it(town: Town, officer: Person) -> None:
    town.clock.us += IDLE_US - 1
    await officer.ask("/session")
    town.clock.us += IDLE_US - 1
    await officer.ask("/session")
    town.clock.us += IDLE_US + 60_000_000
    assert (await officer.client.get("/api/v1/session")).status_code == 401


async def test_a_session_ends_however_much_it_is_used(town: Town, officer: Person) -> None:
    for _ in range(LIFE_US // (IDLE_US // 2) - 1):
        town.clock.us += IDLE_US // 2
        await officer.ask("/session")
    town.clock.us += IDLE_US // 2
    assert (await officer.client.get("/api/v1/session")).status_code == 401


async def test_a_disabled_account_is_out_at_once(town: Town, officer: Person) -> None:
    town.accounts.disable("duty-1")
    assert (await officer.client.get("/api/v1/session")).status_code == 401


async def test_a_change_without_the_sessions_proof_is_refused(town: Town, officer: Person) -> None:
    officer.csrf = "0" * 64
    response = await officer.send("/session", method="DELETE")
    assert (response.status_code, response.json()["reason"]) == (403, "wrong_csrf")
    await officer.ask("/session")


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_another_site_cannot_sign_anybody_in(town: Town, headers: dict[str, str]) -> None:
    town.add("li", "approver")
    async with town.client() as client:
        body = {"token": town.accounts.token("li")}
        response = await client.post("/api/v1/session", json=body, headers=headers)
    assert response.status_code == 403


async def test_an_invalid_body_never_comes_back(town: Town) -> None:
    async with town.client() as client:
        response = await client.post("/api/v1/session", json={"name": "li", "password": 12345678901234})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "12345678901234" not in response.text
    assert response.json()["errors"][0]["field"] == "body.password"


@pytest.fixture
async def second(town: Town) -> AsyncIterator[FastAPI]:
    """Another server of the same site."""
    accounts = Accounts(town.accounts.database.url, clock=town.clock)
    app = application(town.site, accounts)
    yield app
    await app.state.end_streams()
    app.state.room.close()
    accounts.close()


def browser_at(app: FastAPI, like: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same browser, led to another server."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=like.cookies)


async def test_who_signed_in_at_one_server_is_signed_in_at_another(town: Town, second: FastAPI) -> None:
    officer = await town.person("duty-1")
    elsewhere = browser_at(second, officer.client)
    assert (await elsewhere.get("/api/v1/session")).json()["csrf"] == officer.csrf
    town.accounts.revoke("duty-1")
    assert (await elsewhere.get("/api/v1/session")).status_code == 401


async def test_a_link_shown_to_two_servers_at_once_signs_in_once(town: Town, second: FastAPI) -> None:
    town.add("duty-1", "duty_officer")
    token, one, other = town.accounts.token("duty-1"), town.client(), browser_at(second, town.client())
    asked = (client.post("/api/v1/session", json={"token": token}) for client in (one, other))
    assert sorted(response.status_code for response in await asyncio.gather(*asked)) == [200, 401]
