"""A demonstration: its past is folded, it goes on by itself, people sign in by link, what they do changes the city."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from alerts.store import Store
from connectors.simulator import City
from pipeline.errors import ConfigError
from runners.demo.demo import Demo, run_demo
from runners.demo.folder import DemoFolder
from runners.demo.past import fold_past
from runners.live.sources import plan

PATIENCE_S = 60.0


@dataclass
class Shown:
    """A demonstration on a thread, and what it said."""

    data: Path
    links: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    is_ready: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return self.links[0].partition("/signin")[0]

    def say(self, text: str) -> None:
        self.links.append(text)
        if len(self.links) == 2:
            self.is_ready.set()

    browsers: dict[int, httpx.Client] = field(default_factory=dict)

    def client(self, link: int) -> httpx.Client:
        """The browser that signed in by one of the links."""
        if link not in self.browsers:
            client = self.browsers[link] = httpx.Client(base_url=self.url, timeout=PATIENCE_S)
            token = self.links[link].partition("#token=")[2]
            found = client.post("/api/v1/session", json={"token": token})
            assert found.status_code == 200, found.text
        return self.browsers[link]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A small city with four days of past at the greatest speed."""
    show = Shown(tmp_path_factory.mktemp("demo") / "data")
    asked = Demo(data=show.data, port=0, seed=3, speed=600.0, per_day=120, sensors=64, grids=24, days=4)
    ended = threading.Event()
    stop: list[Any] = []

    def show_it() -> None:
        run_demo(asked, show.shares.append, show.say, started=stop.append)
        ended.set()

    thread = threading.Thread(target=show_it, daemon=True)
    thread.start()
    assert show.is_ready.wait(PATIENCE_S)
    yield show
    for browser in show.browsers.values():
        browser.close()
    stop[0].stop()
    assert ended.wait(PATIENCE_S)


def test_progress_runs_from_nothing_to_all(shown: Shown) -> None:
    assert shown.shares == sorted(shown.shares)
    assert shown.shares[-1] == 1.0


def test_two_links_sign_two_people_in_and_each_only_once(shown: Shown) -> None:
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/signin#token=\S+", link) for link in shown.links)
    roles = [shown.client(link).get("/api/v1/session").json()["principal"]["role"] for link in (0, 1)]
    assert roles == ["duty_officer", "approver"]
    again = httpx.post(f"{shown.url}/api/v1/session", json={"token": shown.links[0].partition("#token=")[2]})
    assert again.status_code in (401, 403)


def test_the_folder_says_that_all_is_synthetic_and_keeps_the_truth_apart(shown: Shown) -> None:
    assert orjson.loads((shown.data / "demo.json").read_bytes())["synthetic"] is True
    lines = (shown.data / "city" / "truth.jsonl").read_bytes().splitlines()
    assert all(orjson.loads(line)["synthetic"] for line in lines)
    assert len(lines) > 300


def accepted(client: httpx.Client) -> dict[str, int]:
    """What each source's door has taken."""
    return {source["name"]: source["accepted"] for source in client.get("/api/v1/sources").json()}


def test_the_city_goes_on_by_itself(shown: Shown) -> None:
    client = shown.client(1)
    before = accepted(client)
    until = time.monotonic() + PATIENCE_S
    tries = iter(lambda: accepted(client) if time.monotonic() < until else None, None)
    assert any(all(now[name] > before[name] for name in before) for now in tries if now)
    session = client.get("/api/v1/session").json()["site"]
    assert (session["kind"], session["speed"]) == ("simulated", 600.0)


def test_the_board_compares_with_a_rule_that_knows_deadlines_only(shown: Shown) -> None:
    board = shown.client(1).get("/api/v1/scoreboard").json()
    incidents = {one["policy"]: one["value"] for one in board["figures"] if one["id"] == "incidents"}
    assert incidents["forewarn"] == incidents["deadline_only"] > 10
    assert [policy["id"] for policy in board["policies"]] == ["forewarn", "deadline_only"]


def test_an_earlier_demonstration_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    city = City(seed=1, grids=12)
    DemoFolder(tmp_path / "a", city)
    DemoFolder(tmp_path / "a", city)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letters.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no demonstration"):
        DemoFolder(tmp_path / "b", city)
    assert (tmp_path / "b" / "letters.txt").read_text() == "mine"


def test_the_past_ends_where_the_city_goes_on_though_a_model_was_learned_at_its_end(tmp_path: Path) -> None:
    data, city = tmp_path / "data", City(seed=5, grids=24, per_day=120, sensors=8)
    folder = DemoFolder(data, city)
    fold_past(plan(folder.config), data, city, days=20, hours=1, tell=lambda share: None)
    store = Store(data / "store.db", readonly=True)
    applied, lessons = store.applied("signals", 0), store.lessons()
    store.close()
    assert any(lesson.result for lesson in lessons)
    assert applied is not None
    assert applied.now <= city.span(20)[1]
