"""The page and the headers of every answer."""

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from console.api.answers import on_refusal
from console.api.headers import MOST_BYTES, Headers
from console.api.page import files_in, page_router
from console.api.problems import REASONS, Refusal
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> httpx.AsyncClient:
    """A built page, served."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>forewarn</title>", encoding="utf-8")
    (dist / "assets" / "index-abc.js").write_text("export const a = 1;\n" * 200, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (dist / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    app = FastAPI()
    app.include_router(page_router(dist))
    app.add_exception_handler(Refusal, on_refusal)
    app.add_middleware(Headers, secure=False)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize("path", ["/", "/queue", "/warnings/abc?level=red", "/sign-in"])
async def test_every_view_is_the_page(site: httpx.AsyncClient, path: str) -> None:
    response = await site.get(path)
    assert response.status_code == 200
    assert "<title>forewarn</title>" in response.text
    assert response.headers["cache-control"] == "no-cache"


async def test_built_files_last_and_travel_squeezed(site: httpx.AsyncClient) -> None:
    response = await site.get("/assets/index-abc.js")
    assert response.headers["content-encoding"] == "gzip"
    assert response.text.startswith("export const a")
    assert "immutable" in response.headers["cache-control"]
    again = await site.get("/assets/index-abc.js", headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304
    plain = await site.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})
    assert plain.text == response.text
    assert len(gzip.compress(plain.content)) < len(plain.content)


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/way-out.txt", "/nothing.js"]
)
async def test_nothing_beside_the_built_files_can_be_asked_for(site: httpx.AsyncClient, path: str) -> None:
    response = await site.get(path)
    assert response.status_code == 404
    assert "secret" not in response.text


async def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    assert files_in(tmp_path / "nowhere") == {}
    app = FastAPI()
    app.include_router(page_router(tmp_path / "nowhere"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        response = await client.get("/")
    assert response.status_code == 503
    assert "make web" in response.text


@pytest.mark.parametrize("path", ["/", "/api/v1/queue", "/healthz", "/api/v1/nothing", "/api/v1/openapi.json"])
async def test_every_answer_carries_the_policy(town: Town, path: str) -> None:
    async with town.client() as client:
        response = await client.get(path)
    policy = response.headers["content-security-policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "report-uri"):
        assert part in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_what_a_browser_blocked_is_kept(town: Town) -> None:
    report = {"csp-report": {"violated-directive": "script-src", "blocked-uri": "inline", "other": "x"}}
    async with town.client() as client:
        assert (await client.post("/api/v1/csp-reports", json=report)).status_code == 204
        assert (await client.post("/api/v1/csp-reports", content=b"x" * 20_000)).status_code == 413
        assert (await client.post("/api/v1/csp-reports", content=b"{")).status_code == 422
    assert town.app.state.policy_reports == [{"violated-directive": "script-src", "blocked-uri": "inline"}]


async def test_too_much_is_refused_before_it_is_read(town: Town, officer: Person) -> None:
    response = await officer.client.post("/api/v1/commands", content=b"x" * (MOST_BYTES + 1))
    assert (response.status_code, response.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "reason"), [("GET", "/api/v1/nothing", "not_found"), ("PUT", "/api/v1/queue", "wrong_method")]
)
async def test_what_is_not_there_is_a_problem_in_words(town: Town, method: str, path: str, reason: str) -> None:
    async with town.client() as client:
        response = await client.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["reason"] == reason


def test_every_reason_is_told_in_both_languages_with_a_remedy() -> None:
    for reason, told in REASONS.items():
        assert all((told.zh, told.en, told.zh_remedy, told.en_remedy)), reason
        assert 400 <= told.status < 600
        assert Refusal(reason).body()["title"] == told.en
