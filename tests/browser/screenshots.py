"""Pictures of every page, of a simulated city in a real Chromium: `python -m tests.browser.screenshots docs/images`."""

import base64
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

SHRINK = (Path(__file__).parent / "shrink.js").read_text(encoding="utf-8").partition("\n")[2]
PORT = 8497
SIZE, PHONE = (1366, 768), (390, 844)


@contextmanager
def demonstration() -> Iterator[list[str]]:
    """The links that sign in to a demonstration of its own, which ends with the block."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "runners.cli", "demo", "--port", str(PORT), "--data", f"{data}/demo"]
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert demo.stdout is not None
            links: list[str] = []
            for line in demo.stdout:
                links += [word for word in line.split() if "/signin#token=" in word]
                if len(links) == 2:
                    break
            yield links
        finally:
            demo.terminate()
            demo.wait(30)


def signed_in(browser: Browser, link: str, language: str) -> BrowserContext:
    """Somebody signed in, with a choice of language; theme and size come with each page."""
    context = browser.new_context(locale=language)
    page = context.new_page()
    page.goto(link)
    page.wait_for_selector("[role=treeitem]", timeout=30_000)
    page.close()
    return context


def view(context: BrowserContext, path: str, *, dark: bool = False, size: tuple[int, int] = SIZE) -> Page:
    """A page of the console, settled."""
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    page.goto(f"http://127.0.0.1:{PORT}{path}")
    page.wait_for_selector("header")
    page.mouse.click(size[0] - 8, size[1] - 8)
    page.wait_for_timeout(1_500)
    return page


def first_with_probability(page: Page) -> str:
    """Id of a warning that a model explains, the likeliest of the first hundred."""
    found: str = page.evaluate(
        """fetch('/api/v1/queue?level=orange&limit=100').then(answer => answer.json()).then(({items}) => items
             .filter(row => row.probability !== null)
             .sort((a, b) => b.probability - a.probability)
             .concat(items)[0].id)"""
    )
    return found


def shrunk(page: Page, picture: bytes) -> bytes:
    """The same picture in 256 colours at most."""
    small: str = page.evaluate(SHRINK, base64.b64encode(picture).decode())
    return base64.b64decode(small)


def shoot(folder: Path) -> None:
    """Take every picture."""
    with demonstration() as links, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        zh, en = (signed_in(browser, link, tongue) for link, tongue in zip(links, ("zh-CN", "en"), strict=True))

        page = view(zh, "/")
        warning = first_with_probability(page)
        shots = {"queue-zh": page}
        shots["detail-zh"] = view(zh, f"/?mode=list&level=orange&open={warning}")
        shots["detail-en-dark"] = view(en, f"/?mode=list&open={warning}", dark=True)
        shots["queue-en-dark"] = view(en, "/", dark=True)
        shots["sources-zh"] = view(zh, "/sources")
        shots["scoreboard-zh"] = view(zh, "/scoreboard")
        shots["scoreboard-en"] = view(en, "/scoreboard")
        shots["phone-zh"] = view(zh, "/?mode=list", size=PHONE)
        closing = view(en, f"/?mode=list&open={warning}")
        closing.keyboard.press("c")
        shots["close-en"] = closing
        nobody = browser.new_context(locale="zh-CN").new_page()
        nobody.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        nobody.goto(f"http://127.0.0.1:{PORT}/")
        nobody.wait_for_selector("form")
        shots["signin-zh"] = nobody

        folder.mkdir(parents=True, exist_ok=True)
        for name, shown in shots.items():
            (folder / f"{name}.png").write_bytes(shrunk(nobody, shown.screenshot()))
        browser.close()


if __name__ == "__main__":
    shoot(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
