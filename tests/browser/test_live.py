"""Several people, broken connections, ended sessions: what each browser shows then."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.city import City, danger, running
from tests.browser.conftest import Sit

pytestmark = pytest.mark.real
Ids = Callable[..., list[str]]
PAYLOADS = (
    '<img src=x onerror="window.harmed=1">',
    "<script>window.harmed=1</script>",
    '"><svg onload=window.harmed=1>',
    "</style><style>*{display:none}</style>",
    "javascript:window.harmed=1",
    "{{constructor.constructor('window.harmed=1')()}}",
    '<a href="javascript:window.harmed=1" style="position:fixed;inset:0">x</a>',
    "\u202e反转\u0000\ufeff",
)


def test_signing_in_by_password_and_out(browser: Browser, city: City) -> None:
    city.accounts.add("guard", "duty_officer", area="root", password="four words make a password")
    page = browser.new_page(locale="en")
    page.goto(f"{city.url}/?mode=list")
    page.get_by_label("Name").fill("guard")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("Name or password is wrong")
    page.get_by_label("Password").fill("four words make a password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[role=option]").first).to_be_visible()
    page.locator(".who summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.close()


def test_a_link_signs_in_once_and_leaves_no_token_in_the_address(browser: Browser, city: City) -> None:
    link = city.link("officer")
    page = browser.new_page(locale="en")
    page.goto(link)
    expect(page.locator("[role=treeitem]").first).to_be_visible()
    assert "token" not in page.url
    page.context.clear_cookies()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("alert").first).to_contain_text("used or has expired")
    page.close()


def test_an_acknowledgement_shows_at_once_in_a_second_browser(sit: Sit, warnings: Ids) -> None:
    first, second = sit("officer"), sit("second", "zh-CN")
    warning = warnings("yellow")[0]
    first.open(warning)
    second.open(warning)
    first.act("acknowledge", "keyboard")
    first.send("acknowledge", "keyboard")
    expect(second.detail.locator("header")).to_contain_text(second.t("state.acknowledged"), timeout=1_000)
    expect(second.detail).to_contain_text("officer")


def test_of_two_who_act_at_once_the_second_is_told(sit: Sit, warnings: Ids) -> None:
    first, second = sit("officer"), sit("second")
    warning = warnings("yellow")[0]
    # The second browser hears nothing of the first, so it acts on what it saw.
    second.page.route("**/api/v1/stream", lambda route: route.abort())
    first.open(warning)
    second.open(warning)
    first.act("acknowledge", "keyboard")
    first.send("acknowledge", "keyboard")
    first.done("acknowledge")
    second.act("acknowledge", "keyboard")
    second.send("acknowledge", "keyboard")
    expect(second.notice).to_contain_text(second.t("verdict.stale"))
    expect(second.detail.locator("header")).to_contain_text(second.t("state.acknowledged"))


def test_what_cannot_be_saved_keeps_its_text_and_the_next_try_is_the_same_command(sit: Sit, warnings: Ids) -> None:
    desk = sit()
    desk.open(warnings("blue")[0])
    keys: list[str] = []
    desk.page.on(
        "request", lambda sent: keys.append(sent.headers["idempotency-key"]) if sent.method == "POST" else None
    )
    desk.act("note", "keyboard")
    desk.page.keyboard.type("已到现场")
    desk.page.route("**/commands", lambda route: route.abort())
    desk.send("note", "keyboard")
    expect(desk.form).to_contain_text(desk.t("act.unsaved"))
    expect(desk.form.locator("textarea")).to_have_value("已到现场")
    desk.page.unroute("**/commands")
    desk.send("note", "keyboard")
    desk.done("note")
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_a_revoked_session_ends_within_five_seconds(sit: Sit, city: City) -> None:
    desk = sit("officer")
    expect(desk.lines.first).to_be_visible()
    city.accounts.disable("officer")
    expect(desk.page.get_by_text(desk.t("signin.expired"))).to_be_visible(timeout=5_000)


def test_one_tab_reads_the_stream_for_all_and_another_takes_over(sit: Sit, city: City) -> None:
    desk = sit()
    desk.page.wait_for_function(
        "navigator.locks.query().then(locks => locks.held.some(lock => lock.name === 'forewarn.stream'))"
    )
    other = desk.page.context.new_page()
    streams: list[str] = []
    other.on("request", lambda sent: streams.append(sent.url) if sent.url.endswith("/stream") else None)
    other.goto(f"{desk.url}/?mode=list")
    expect(other.locator("[role=option]").first).to_be_visible()
    other.mouse.move(1_000, 500)
    city.send([danger(911, city.clock.now())])
    expect(other.locator(".status")).to_contain_text("22")
    assert streams == []
    desk.page.close()
    city.send([danger(912, city.clock.now())])
    expect(other.locator(".status")).to_contain_text("23")
    assert len(streams) == 1


def test_data_that_is_old_looks_old_and_says_since_when(sit: Sit) -> None:
    desk = sit()
    expect(desk.lines.first).to_be_visible()
    desk.page.clock.install()
    desk.page.context.set_offline(True)
    # What the page had still to hear when the line was cut may come late on a busy machine: time passes until then.
    for _ in range(5):
        desk.page.clock.fast_forward(40_000)
        if desk.page.locator("html[data-stale]").count():
            break
    expect(desk.page.locator("html")).to_have_attribute("data-stale", "")
    expect(desk.page.locator("p.stale")).to_be_visible()


def test_a_browser_that_slept_for_an_hour_comes_back_right(sit: Sit, city: City) -> None:
    desk = sit()
    desk.go("?mode=list")
    desk.page.mouse.move(1_000, 500)
    expect(desk.page.locator(".status")).to_contain_text("21")
    desk.page.clock.install()
    desk.page.context.set_offline(True)
    desk.page.clock.fast_forward(3_600_000)
    expect(desk.page.locator("p.stale")).to_be_visible()
    city.send([danger(n, city.clock.now()) for n in (921, 922)])
    desk.page.context.set_offline(False)
    expect(desk.page.locator("p.stale")).to_have_count(0, timeout=15_000)
    expect(desk.page.locator(".status")).to_contain_text("23")


def test_the_server_restarts_under_an_open_page_and_nothing_is_lost(sit: Sit, tmp_path: Path, browser: Browser) -> None:
    with running(tmp_path / "again") as city:
        page = browser.new_page(locale="en")
        page.goto(city.link("officer"))
        expect(page.locator("[role=treeitem]").first).to_be_visible()
        page.goto(f"{city.url}/?mode=list")
        expect(page.locator(".status")).to_contain_text("21")
        port = int(city.url.rpartition(":")[2])
    expect(page.get_by_text("Reconnecting")).to_be_visible()
    with running(tmp_path / "again", matters=0, port=port) as city:
        page.mouse.move(1_000, 500)
        city.send([danger(913, city.clock.now())])
        expect(page.locator(".status")).to_contain_text("22", timeout=15_000)
        expect(page.get_by_text("Reconnecting")).to_have_count(0)
    page.close()


def test_texts_are_shown_as_texts_and_break_no_policy(sit: Sit, city: City, warnings: Ids) -> None:
    desk = sit("second")
    warning = warnings("blue")[0]
    for payload in PAYLOADS:
        desk.open(warning)
        desk.act("note", "keyboard")
        desk.form.locator("textarea").fill(f"备注{payload}")
        desk.send("note", "keyboard")
        desk.done("note")
        desk.go(f"?mode=list&q={payload}")
    city.send([f'{{"id": "{n}", "matter": {payload!r}'.encode() for n, payload in enumerate(PAYLOADS)])
    desk.go(path="/sources")
    for head in desk.page.locator("button.head").all():
        head.click()
    desk.open(warning)
    expect(desk.detail).to_contain_text(PAYLOADS[0])
    assert desk.page.evaluate("window.harmed") is None
    assert city.server.app.state.policy_reports == []
