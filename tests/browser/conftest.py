"""A real browser before a real site. Both are needed: without the one or the other the tests skip loudly."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.city import City, running
from tests.browser.desk import WEB, Desk, Language

Sit = Callable[..., Desk]


def _lacking(message: str) -> None:
    if os.environ.get("FOREWARN_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver, for one file at a time: while it lives no other test of this process may run an event loop."""
    if not (WEB / "dist" / "index.html").is_file():
        _lacking("the page is not built: run `make page`")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium of the machine."""
    path = os.environ.get("FOREWARN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        _lacking("no Chromium on this machine; set FOREWARN_CHROMIUM to one")
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    expect.set_options(timeout=20_000)
    yield browser
    browser.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """The city, fresh."""
    with running(tmp_path) as city:
        yield city


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What went wrong in a page behind its reader's back; a test that leaves anything here fails."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def sit(browser: Browser, city: City, faults: list[str]) -> Iterator[Sit]:
    """Seat somebody at a desk: signed in, in a browser of their own."""
    contexts = []

    def seat(
        name: str = "officer",
        language: Language = "en",
        *,
        dark: bool = False,
        width: int = 1366,
        height: int = 768,
        scale: float = 1,
        path: str = "/",
    ) -> Desk:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            locale=language,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        answer = httpx.post(f"{city.url}/api/v1/session", json={"token": city.accounts.token(name)})
        cookie = answer.headers["set-cookie"].partition(";")[0].partition("=")
        context.add_cookies([{"name": cookie[0], "value": cookie[2], "url": city.url}])
        page = context.new_page()
        _watch(page, faults)
        desk = Desk(page, language, city.url)
        desk.go(path=path)
        return desk

    yield seat
    for context in contexts:
        context.close()


def _watch(page: Page, faults: list[str]) -> None:
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
    )


@pytest.fixture
def warnings(city: City) -> Callable[..., list[str]]:
    """Ids of open warnings by the level they are proposed at."""

    def found(level: str, *, awaiting: bool | None = None) -> list[str]:
        with httpx.Client(base_url=f"{city.url}/api/v1") as client:
            client.post("/session", json={"token": city.accounts.token("officer")})
            rows = client.get("/queue", params={"level": level}).json()["items"]
        return [row["id"] for row in rows if awaiting is None or bool(row["awaiting"]) == awaiting]

    return found
