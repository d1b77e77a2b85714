"""Everything that can be done to a warning, by mouse and by keyboard, in both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Sit
from tests.browser.desk import Language, Way

pytestmark = [
    pytest.mark.real,
    pytest.mark.parametrize("language", ["zh-CN", "en"]),
    pytest.mark.parametrize("way", ["mouse", "keyboard"]),
]
Ids = Callable[..., list[str]]


def test_a_warning_is_opened_from_the_list(sit: Sit, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.go("?mode=list")
    expect(desk.lines.first).to_be_visible()
    if way == "mouse":
        desk.lines.nth(1).click()
    else:
        desk.press("j", "j", "Enter")
    expect(desk.detail.locator("h1")).to_be_visible()
    expect(desk.lines.nth(1)).to_have_attribute("aria-selected", "true")


def test_an_acknowledgement_names_its_next_update_and_can_be_undone(
    sit: Sit, warnings: Ids, language: Language, way: Way
) -> None:
    desk = sit(language=language)
    desk.open(warnings("yellow")[0])
    desk.act("acknowledge", way)
    if way == "mouse":
        desk.form.get_by_text(desk.t("until.two_hours")).click()
    else:
        desk.press("ArrowDown")
    desk.send("acknowledge", way)
    desk.done("acknowledge")
    expect(desk.detail).to_contain_text(desk.t("state.acknowledged"))
    expect(desk.detail).to_contain_text(desk.t("figure.next_update"))
    desk.act("undo", way)
    desk.done("undo")
    expect(desk.detail.locator(".state").first).to_have_text(desk.t("state.open"))


def test_orange_is_confirmed_by_one_person(sit: Sit, warnings: Ids, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.open(warnings("orange", awaiting=True)[0])
    desk.act("confirm", way)
    expect(desk.form).to_contain_text(desk.t("level.orange"))
    desk.send("confirm", way)
    desk.done("confirm")
    expect(desk.detail.locator("header b").first).to_have_text(desk.t("level.orange"))


def test_red_needs_a_second_person(sit: Sit, warnings: Ids, language: Language, way: Way) -> None:
    warning = warnings("red")[0]
    first, second = sit("officer", language), sit("second", language)
    first.open(warning)
    first.act("confirm", way)
    expect(first.form).to_contain_text(first.t("form.confirm_second"))
    first.send("confirm", way)
    first.done("confirm")
    expect(first.detail).to_contain_text(first.t("state.awaiting_second"))
    first.act("confirm", way)
    first.send("confirm", way)
    expect(first.notice).to_contain_text("红色" if language == "zh-CN" else "Red")
    second.open(warning)
    second.act("confirm", way)
    second.send("confirm", way)
    second.done("confirm")
    expect(second.detail.locator("header b").first).to_have_text(second.t("level.red"))


def test_a_proposal_is_declined_with_a_reason(sit: Sit, warnings: Ids, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.open(warnings("orange", awaiting=True)[0])
    desk.act("decline", way)
    expect(desk.form.get_by_role("button", name=desk.t("submit.decline"))).to_be_disabled()
    desk.page.keyboard.type("现场已有人处置")
    desk.send("decline", way)
    desk.done("decline")
    expect(desk.detail.locator("header b").first).to_have_text(desk.t("level.yellow"))
    expect(desk.detail).to_contain_text("现场已有人处置")


def test_it_is_assigned_to_an_office_that_exists_and_that_can_be_undone(
    sit: Sit, warnings: Ids, language: Language, way: Way
) -> None:
    desk = sit(language=language)
    desk.open(warnings("yellow")[0])
    office = desk.detail.locator("dl dd").first
    before = office.inner_text()
    name = "燃气公司" if language == "zh-CN" else "Gas Company"
    desk.act("assign", way)
    desk.page.keyboard.type("no such office")
    expect(desk.form.get_by_role("button", name=desk.t("submit.assign"))).to_be_disabled()
    desk.form.locator("input").fill(name[:2])
    desk.send("assign", way)
    desk.done("assign")
    expect(office).to_have_text(name)
    desk.act("undo", way)
    desk.done("undo")
    expect(office).to_have_text(before)


def test_a_note_stands_in_the_timeline(sit: Sit, warnings: Ids, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.open(warnings("blue")[0])
    desk.act("note", way)
    desk.page.keyboard.type("已电话联系承办单位")
    desk.send("note", way)
    desk.done("note")
    expect(desk.detail).to_contain_text("已电话联系承办单位")


def test_it_is_closed_with_an_outcome_and_reopened(sit: Sit, warnings: Ids, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.open(warnings("orange")[0])
    desk.act("close", way)
    expect(desk.form.get_by_role("button", name=desk.t("submit.close"), exact=True)).to_be_disabled()
    if way == "mouse":
        desk.form.get_by_text(desk.t("outcome.valuable"), exact=True).click()
    else:
        desk.press("Space", "ArrowDown")
    desk.send("close", way)
    desk.done("close")
    expect(desk.detail).to_contain_text(desk.t("outcome.valuable"))
    desk.act("reopen", way)
    desk.done("reopen")
    expect(desk.detail.locator("header")).to_contain_text(desk.t("state.open"))


def test_several_are_acknowledged_at_once(sit: Sit, language: Language, way: Way) -> None:
    desk = sit(language=language)
    desk.go("?mode=list&level=blue")
    expect(desk.lines.first).to_be_visible()
    if way == "mouse":
        for n in range(2):
            desk.lines.nth(n).locator("[data-check]").click()
    else:
        desk.press("j", "x", "j", "x")
    expect(desk.page.get_by_role("heading", name=desk.t("many.title", n=2))).to_be_visible()
    desk.act("acknowledge", way)
    desk.send("acknowledge", way)
    expect(desk.lines.nth(0)).to_contain_text(desk.t("state.acknowledged"))
    expect(desk.lines.nth(1)).to_contain_text(desk.t("state.acknowledged"))
