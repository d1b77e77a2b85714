"""The report of a back-test: recomputable by a stranger, the same every time, and one file to read."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from console.reports.report import write_report
from tests.console.conftest import BackTest


def report(folder: Path) -> dict[str, Any]:
    write_report(folder)
    told: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return told


def figure(task: dict[str, Any], name: str, by: str = "model", on: str = "headline", minus: str = "") -> dict[str, Any]:
    keys = (name, by, on, minus)
    found: dict[str, Any] = next(m for m in task["metrics"] if (m["name"], m["by"], m["on"], m["minus"]) == keys)
    return found


def test_a_stranger_recomputes_the_auc_by_the_printed_recipe(
    city: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = city()
    told = report(folder)
    monkeypatch.chdir(folder)
    exec(told["definitions"]["recipe"], {"TARGET": "late"})
    assert float(capsys.readouterr().out) == pytest.approx(figure(told["tasks"][0], "auc")["value"], abs=1e-6)


def test_the_same_files_give_the_same_bytes_wherever_they_lie(city: Callable[..., Path]) -> None:
    here, there = city("here"), city("there")
    write_report(here)
    write_report(there)
    write_report(there)
    for name in ("report.json", "report.html"):
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_every_figure_has_its_interval_around_it_and_a_definition(city: Callable[..., Path]) -> None:
    (task,) = report(city())["tasks"]
    for told in task["metrics"]:
        assert told["definition"]
        assert told["low"] <= told["value"] <= told["high"], told


def test_the_model_stands_beside_both_rules_on_the_same_rows(city: Callable[..., Path]) -> None:
    (task,) = report(city())["tasks"]
    for rule, on in (("rate_list", "headline"), ("rate_list", "landmarks"), ("clock_share", "clock")):
        ours, theirs, gain = (
            figure(task, "auc", on=on),
            figure(task, "auc", rule, on),
            figure(task, "auc", on=on, minus=rule),
        )
        assert ours["n"] == theirs["n"] == gain["n"]
        assert gain["value"] == pytest.approx(ours["value"] - theirs["value"], abs=2e-6)
    assert figure(task, "auc", minus="rate_list")["low"] > 0


def test_a_figure_of_fewer_than_ten_positives_is_null(back_test: BackTest) -> None:
    for number in range(40):
        back_test.row(f"M{number}", number, float(number % 5), int(number % 8 == 0))
    (task,) = report(back_test.write())["tasks"]
    assert figure(task, "auc")["value"] is None
    assert figure(task, "auc")["low"] is None


def test_readings_are_judged_on_every_row(back_test: BackTest) -> None:
    for number in range(200):
        back_test.row("pump", number / 24, float(number % 20 == 0), int(number % 20 < 2), kind="reading", share="")
    (task,) = report(back_test.write())["tasks"]
    assert (task["rows"], task["n"]) == ("all", 200)
    assert figure(task, "detection_at_1_percent", on="all")["value"] == 0.5


def test_a_series_without_labels_is_counted_as_such(back_test: BackTest) -> None:
    for number in range(30):
        back_test.row("well", number, 0.1 * number, kind="count", share="")
    (task,) = report(back_test.write())["tasks"]
    assert (task["n"], task["censored_rows"]) == (0, 30)
    assert all(told["value"] is None for told in task["metrics"])


def test_a_run_whose_matters_are_all_censored_is_a_report_too(back_test: BackTest) -> None:
    for number in range(30):
        back_test.row(f"M{number}", number, 0.1 * number)
    (task,) = report(back_test.write())["tasks"]
    assert (task["n"], task["censored_rows"]) == (0, 30)


def test_an_empty_run_is_a_report_too(back_test: BackTest) -> None:
    told = report(back_test.write())
    assert told["tasks"] == []
    assert "No row was scored" in (back_test.folder / "report.html").read_text(encoding="utf-8")


def test_offices_stand_in_order_of_name_and_small_ones_are_not_shown(city: Callable[..., Path]) -> None:
    folder = city()
    with (folder / "scores.csv").open("a") as file:
        file.write("X1,risk,late,2016-07-30T00:00:00Z,0.1,0.5,,,Annex,drain,0\n")
    told = report(folder)
    assert [row["office"] for row in told["offices"]] == ["Annex", "North", "South"]
    assert told["offices"][0]["matters"] is None
    assert sum(row["matters"] is None for row in told["offices"]) == 2


class Links(HTMLParser):
    """Collects what a page would fetch or run, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [name for name, _ in attrs if name in ("src", "href", "style") or name.startswith("on")]
        self.fetched += [tag] * (tag in ("script", "link", "iframe", "img"))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_without_script_or_anything_to_fetch(city: Callable[..., Path]) -> None:
    folder = city()
    write_report(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Links()
    page.feed(text)
    assert page.fetched == []
    assert page.open == []
    assert not re.search(r"https?://|@import|url\(", text)


def test_the_page_says_what_it_is_not(city: Callable[..., Path]) -> None:
    folder = city()
    write_report(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("内部关注级，非法定预警", "不作为考核、问责、排名依据", "prefers-color-scheme: dark", "历史回测报告"):
        assert words in text


def test_a_name_in_the_data_cannot_become_markup(back_test: BackTest) -> None:
    for number in range(60):
        back_test.row(f"M{number}", number, float(number % 7), number % 2, office="<script>alert(1)</script>")
    folder = back_test.write({"targets": [{"name": "late", "en": "<i>late</i>", "zh": "逾期"}]})
    write_report(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;i&gt;late" in text


def test_no_number_on_the_page_is_not_a_number(city: Callable[..., Path]) -> None:
    folder = city()
    write_report(folder)
    for name in ("report.json", "report.html"):
        assert not re.search(r"\bnan\b|\binf\b", (folder / name).read_text(encoding="utf-8"))
