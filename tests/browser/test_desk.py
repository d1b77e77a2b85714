"""The duty desk: addresses, the list that holds still, what is old, what is not there, what is not allowed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.city import HOUR, City, danger, record
from tests.browser.conftest import Sit
from tests.browser.desk import Desk

pytestmark = pytest.mark.real
Ids = Callable[..., list[str]]


SILENT = """
window.AudioContext = class extends AudioContext {
  get state() { return this.woken ? "running" : "suspended"; }
  async resume() { this.woken = true; }
};
"""
"""A browser that is silent until somebody has clicked; whether Chromium is one depends on what it did before."""


def far_away(desk: Desk) -> None:
    """Take the pointer off the list."""
    desk.page.mouse.move(1_000, 500)


def test_every_view_is_an_address_and_back_works(sit: Sit) -> None:
    desk = sit()
    desk.page.get_by_role("button", name=desk.t("desk.list")).click()
    desk.page.get_by_label(desk.t("filter.order")).select_option("due")
    desk.page.get_by_role("button", name=re.compile(f"^{desk.t('level.orange')}")).click()
    expect(desk.page).to_have_url(f"{desk.url}/?mode=list&level=orange&order=due")
    expect(desk.lines).to_have_count(3)
    desk.page.reload()
    expect(desk.lines).to_have_count(3)
    desk.page.go_back()
    expect(desk.page).to_have_url(f"{desk.url}/?mode=list&order=due")
    expect(desk.lines).not_to_have_count(3)


def test_a_matter_is_found_by_its_number(sit: Sit) -> None:
    desk = sit()
    desk.go("?mode=list")
    desk.press("/")
    desk.page.keyboard.type("GD2026000005")
    expect(desk.lines).to_have_count(1)
    desk.press("Escape", "j", "Enter")
    expect(desk.detail).to_contain_text("GD2026000005")


def test_no_match_says_so_and_clears_the_filters(sit: Sit) -> None:
    desk = sit()
    desk.go("?mode=list&q=nothing")
    desk.page.get_by_role("button", name=desk.t("filter.clear")).last.click()
    expect(desk.lines.first).to_be_visible()
    expect(desk.page).to_have_url(f"{desk.url}/?mode=list")


def test_a_group_opens_to_its_warnings(sit: Sit) -> None:
    desk = sit()
    group = desk.page.locator("[role=treeitem][aria-expanded]").first
    group.click()
    expect(desk.page.locator("[role=treeitem][aria-level='2']").first).to_be_visible()
    expect(group).to_have_attribute("aria-expanded", "true")


def test_the_first_click_of_a_page_counts_while_it_unlocks_the_sound(sit: Sit) -> None:
    desk = sit()
    desk.page.add_init_script(SILENT)
    desk.page.reload()
    banner = desk.page.get_by_role("button", name=desk.t("sound.blocked"))
    expect(banner).to_be_visible()
    group = desk.page.locator("[role=treeitem][aria-expanded]").first
    group.hover()
    before = group.bounding_box()
    desk.page.mouse.down()
    # As slow as a hand: were the sound unlocked at the press, the banner would be gone by now.
    desk.page.wait_for_timeout(400)
    desk.page.mouse.up()
    expect(banner).to_be_hidden()
    expect(group).to_have_attribute("aria-expanded", "true")
    assert group.bounding_box() == before


def test_while_something_is_open_the_list_holds_still_and_arrivals_wait(sit: Sit, city: City, warnings: Ids) -> None:
    desk = sit()
    desk.open(warnings("blue")[0])
    expect(desk.lines.first).to_be_visible()
    total = int(desk.page.locator(".status p").inner_text().split()[0])
    before = desk.lines.evaluate_all("lines => lines.map(line => line.id)")
    city.send([record(n, city.clock.now() - 8 * HOUR, due="2026-11-22T00:00:00Z") for n in (901, 902)])
    pill = desk.page.get_by_role("button", name=desk.t("desk.arrived", n=2))
    expect(pill).to_be_visible()
    assert desk.lines.evaluate_all("lines => lines.map(line => line.id)") == before
    pill.click()
    expect(desk.page.locator(".status")).to_contain_text(desk.t("desk.total", n=total + 2))


def test_a_free_list_takes_arrivals_in_by_itself(sit: Sit, city: City) -> None:
    desk = sit()
    desk.go("?mode=list")
    far_away(desk)
    expect(desk.lines.first).to_be_visible()
    total = int(desk.page.locator(".status p").inner_text().split()[0])
    city.send([danger(903, city.clock.now())])
    expect(desk.lines.first).to_contain_text(desk.t("state.awaiting_two"))
    expect(desk.page.locator(".status")).to_contain_text(desk.t("desk.total", n=total + 1))


def test_red_shows_at_once_though_the_list_is_held(sit: Sit, city: City, warnings: Ids) -> None:
    desk = sit()
    desk.open(warnings("blue")[0])
    city.send([danger(904, city.clock.now())])
    strip = desk.page.get_by_role("list", name=desk.t("desk.reds"))
    expect(strip.get_by_role("button")).to_have_count(1)
    expect(desk.page.locator("p[aria-live=assertive]")).to_contain_text(desk.t("level.red"))
    strip.get_by_role("button").click()
    expect(desk.detail).to_contain_text("GD2026000904")


def test_the_bands_of_the_strip_filter_the_list(sit: Sit) -> None:
    desk = sit()
    desk.go("?mode=list")
    desk.page.get_by_role("button", name=re.compile(f"^{desk.t('state.awaiting')}")).click()
    expect(desk.lines).to_have_count(6)


def test_every_number_can_be_asked(sit: Sit, warnings: Ids) -> None:
    desk = sit()
    desk.open(warnings("orange")[0])
    desk.page.get_by_role("button", name=desk.t("ask.about", about=desk.t("figure.cutoff"))).click()
    expect(desk.page.get_by_role("note")).to_have_text(desk.t("figure.cutoff_means"))


def test_the_text_is_shown_only_to_who_asks_and_that_is_noted(sit: Sit, warnings: Ids) -> None:
    desk = sit()
    desk.open(warnings("orange")[0])
    desk.detail.locator("summary").click()
    expect(desk.detail.locator(".text")).to_have_count(0)
    desk.page.get_by_role("button", name=desk.t("evidence.read")).click()
    expect(desk.detail.locator(".text")).to_contain_text("希望尽快处理")


def test_a_warning_that_is_not_there_says_so_and_leads_back(sit: Sit) -> None:
    desk = sit()
    desk.go("?open=ffffffffffffffff")
    expect(desk.page.get_by_text(desk.t("blank.not_found"))).to_be_visible()
    desk.page.get_by_role("button", name=desk.t("detail.back")).click()
    expect(desk.page).to_have_url(f"{desk.url}/")


def test_an_administrator_sees_warnings_and_can_do_nothing_to_them(sit: Sit, warnings: Ids) -> None:
    desk = sit("keeper")
    desk.go(f"?open={warnings('orange')[0]}")
    expect(desk.page.get_by_text(desk.t("act.none"))).to_be_visible()
    desk.press("a")
    expect(desk.form).to_have_count(0)


def test_who_may_not_mend_dead_letters_is_told_so(sit: Sit) -> None:
    desk = sit("officer")
    desk.go(path="/sources")
    expect(desk.page.get_by_text(desk.t("dead.denied"))).to_be_visible()


def test_a_dead_letter_is_shown_repaired_and_replayed(sit: Sit, city: City) -> None:
    city.send([b'{"id": "x1", "matter": "GD1", "at": "2026-11-23T01:00:00Z", "step": "no such step"}'])
    desk = sit("second")
    desk.go(path="/sources")
    desk.page.locator("button.head").click()
    record = desk.page.get_by_label(desk.t("dead.record"))
    record.fill(record.input_value().replace("no such step", "registered"))
    desk.page.get_by_role("button", name=desk.t("dead.replay")).click()
    expect(desk.page.get_by_text(desk.t("dead.replayed"))).to_be_visible()
    expect(desk.page.get_by_text(desk.t("dead.none"))).to_be_visible()


def test_a_dead_letter_that_is_still_wrong_stays_and_says_why_and_is_dropped_with_a_reason(
    sit: Sit, city: City
) -> None:
    city.send([b'{"id": "x2", "matter": "GD1", "at": "not a time", "step": "registered"}'])
    desk = sit("second")
    desk.go(path="/sources")
    desk.page.locator("button.head").click()
    desk.page.get_by_role("button", name=desk.t("dead.replay")).click()
    expect(desk.page.get_by_role("alert").filter(has_text=desk.t("reason.bad_time"))).to_be_visible()
    expect(desk.page.get_by_role("button", name=desk.t("dead.drop"), exact=True)).to_be_disabled()
    desk.page.get_by_label(desk.t("dead.drop_reason")).fill("来源确认无法补报")
    desk.page.get_by_role("button", name=desk.t("dead.drop"), exact=True).click()
    expect(desk.page.get_by_text(desk.t("dead.none"))).to_be_visible()


def test_language_and_theme_are_switched_and_kept(sit: Sit) -> None:
    desk = sit(language="en")
    desk.page.get_by_role("button", name="中文").click()
    expect(desk.page.get_by_role("link", name="值班台")).to_be_visible()
    desk.page.get_by_role("button", name="跟随系统").click()
    desk.page.get_by_role("button", name="浅色").click()
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    desk.page.reload()
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_help_lists_every_key(sit: Sit) -> None:
    desk = sit()
    desk.press("?")
    keys = set(desk.page.locator("dialog kbd").all_inner_texts())
    assert {"j", "k", "Enter", "x", "/", "?", "Esc", "a", "y", "d", "g", "n", "c", "o", "u"} <= keys
    desk.press("Escape")
    expect(desk.page.locator("dialog")).to_have_count(0)
