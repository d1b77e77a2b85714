"""How it looks: nothing is cut off, covered or pushed out, axe finds nothing, every word is of a catalogue."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Sit
from tests.browser.desk import WEB, Desk, Language

pytestmark = pytest.mark.real
Ids = Callable[..., list[str]]
LAYOUT = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8").partition("\n")[2]
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
FORMS = ("acknowledge", "confirm", "decline", "assign", "note", "close")
FULL, ZOOMED = (1366, 768), (683, 384)
"""The window, and the same at 200 % zoom: half as many pixels of the page."""


def views(desk: Desk, warnings: Ids) -> "list[tuple[str, Callable[[], None]]]":
    """Every view of the console and how to get there."""
    orange = warnings("orange", awaiting=True)[0]

    def form(name: str) -> Callable[[], None]:
        def open() -> None:
            desk.open(orange)
            desk.act(name, "keyboard")
            expect(desk.form).to_be_visible()

        return open

    def filters() -> None:
        desk.go()
        desk.page.locator("form.bar button[aria-expanded]").click()

    def selected() -> None:
        desk.go("?mode=list")
        expect(desk.lines.first).to_be_visible()
        desk.press("j", "x", "j", "x")

    def shown() -> None:
        desk.go("?mode=list&q=nothing-like-this")
        expect(desk.page.get_by_text(desk.t("blank.no_match"))).to_be_visible()

    def help() -> None:
        desk.go()
        desk.press("?")

    return [
        ("groups", lambda: desk.go()),
        ("list", lambda: desk.go("?mode=list")),
        ("detail", lambda: desk.open(orange)),
        ("red", lambda: desk.open(warnings("red")[0], "mode=groups")),
        *((f"form {name}", form(name)) for name in FORMS),
        ("filters", filters),
        ("selected", selected),
        ("no match", shown),
        ("not found", lambda: desk.go("?open=ffffffff")),
        ("sources", lambda: desk.go(path="/sources")),
        ("results", lambda: desk.go(path="/scoreboard")),
        ("help", help),
    ]


def settled(page: Page) -> None:
    """Wait until nothing is loading and the fonts are there."""
    expect(page.locator(".bone")).to_have_count(0)
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("size", [FULL, ZOOMED], ids=["1366x768", "200%"])
def test_nothing_is_cut_off_covered_or_pushed_out(
    sit: Sit, warnings: Ids, dark: bool, language: Language, size: tuple[int, int]
) -> None:
    desk = sit("second", language, dark=dark, width=size[0], height=size[1], scale=FULL[0] / size[0])
    wrong = []
    for name, show in views(desk, warnings):
        show()
        settled(desk.page)
        wrong += [f"{name}: {problem}" for problem in desk.page.evaluate(LAYOUT)]
    assert "\n".join(wrong) == ""


PLANTED = """<!doctype html>
<style>body{margin:0} div{position:absolute;width:100px;height:20px;white-space:nowrap}</style>
<div style="overflow:hidden">a text that is much longer than its box</div>
<div style="top:40px;overflow:hidden;height:8px">too low</div>
<div style="top:80px">one</div><div style="top:84px;left:4px">another</div>
<button style="position:absolute;top:120px">press</button><button style="position:absolute;top:126px">me</button>
<div style="top:160px;left:2000px">far away</div>
"""


def test_what_is_cut_off_covered_or_pushed_out_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(PLANTED)
    found = "\n".join(page.evaluate(LAYOUT))
    page.close()
    for problem in ("cut off sideways", "cut off in height", "overlap: ", "controls overlap", "scrolls sideways"):
        assert problem in found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_axe_finds_nothing(sit: Sit, warnings: Ids, dark: bool, language: Language) -> None:
    desk = sit("second", language, dark=dark)
    wrong = []
    for name, show in views(desk, warnings):
        show()
        settled(desk.page)
        desk.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in found["violations"]:
            nodes = [node["html"][:120] for node in violation["nodes"][:3]]
            wrong.append(f"{name}: {violation['id']} {nodes}")
    assert "\n".join(wrong) == ""


def test_nothing_is_said_but_by_a_catalogue(sit: Sit, warnings: Ids) -> None:
    desk = sit("second", "en")
    desk.page.evaluate("localStorage.setItem('forewarn.language', 'en-XA')")
    plain = []
    for name, show in views(desk, warnings):
        if name.startswith(("form", "selected", "no match")):
            continue
        show()
        settled(desk.page)
        plain += [f"{name}: {text}" for text in desk.page.evaluate(HARD_CODED)]
    assert "\n".join(plain) == ""


HARD_CODED = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element.closest("[data-said], kbd, svg, .brand")) continue;
    const text = node.data.replace(/\\[[^\\]]*·\\]/g, "");
    if (/[a-zA-Z]{2}/.test(text)) found.push(text.trim());
  }
  return found;
}"""
"""Texts outside the brackets of the pseudo-locale, but for what the server says and the keys."""
