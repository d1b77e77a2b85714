"""Somebody at a desk: a page of a real browser, told what to do in the words that stand on it."""

import json
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, expect

WEB = Path(__file__).parents[2] / "console" / "web"
Language = Literal["zh-CN", "en"]
Way = Literal["mouse", "keyboard"]
KEYS = {
    "acknowledge": "a",
    "confirm": "y",
    "decline": "d",
    "assign": "g",
    "note": "n",
    "close": "c",
    "reopen": "o",
    "undo": "u",
}


def catalogue(language: Language) -> dict[str, str]:
    """The messages of a language."""
    found: dict[str, str] = json.loads((WEB / "src" / "words" / f"{language}.json").read_text(encoding="utf-8"))
    return found


class Desk:
    """A signed-in page."""

    def __init__(self, page: Page, language: Language, url: str) -> None:
        self.page, self.language, self.url = page, language, url
        self._words = catalogue(language)

    def t(self, key: str, **slots: Any) -> str:
        """A message as the page says it."""
        text = self._words[key]
        for name, value in slots.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def said(self, text: dict[str, str]) -> str:
        """Words of the server in the page's language."""
        return text["zh" if self.language == "zh-CN" else "en"]

    # places on the page ------------------------------------------------------------------------------------------

    @property
    def lines(self) -> Locator:
        """Lines of the list that are in sight."""
        return self.page.locator("[role=option], [role=treeitem]")

    @property
    def detail(self) -> Locator:
        """The open warning."""
        return self.page.locator("article.detail")

    @property
    def notice(self) -> Locator:
        """What came of the last act."""
        return self.page.locator("footer.acts .notice")

    @property
    def form(self) -> Locator:
        """The form of an act."""
        return self.page.locator("footer.acts form")

    # doing -------------------------------------------------------------------------------------------------------

    def go(self, query: str = "", path: str = "/") -> None:
        """Open a view by its address and wait until it is there."""
        self.page.goto(f"{self.url}{path}{query}")
        expect(self.page.locator("header").first).to_be_visible()

    def open(self, warning: str, query: str = "mode=list") -> None:
        """Open one warning."""
        self.go(f"?{query}&open={warning}")
        expect(self.detail.locator("h1")).to_be_visible()
        expect(self.page.locator("footer.acts [role=toolbar] button").first).to_be_visible()

    def press(self, *keys: str) -> None:
        """Keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def act(self, name: str, way: Way) -> None:
        """Begin an act by its button or by its key."""
        if way == "keyboard":
            self.press(KEYS[name])
        else:
            self.page.locator("footer.acts button", has_text=self.t(f"command.{name}")).first.click()

    def send(self, name: str, way: Way) -> None:
        """Send the form that is open."""
        if way == "keyboard":
            self.press("Control+Enter")
        else:
            self.form.get_by_role("button", name=self.t(f"submit.{name}"), exact=True).click()

    def done(self, name: str, n: int = 1) -> None:
        """The page says that it was done."""
        expect(self.notice).to_contain_text(self.t(f"done.{name}", n=n))
