"""The stream of changes over a real server: nothing lost, nothing from outside the area, never silent, revocable."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from console.api.hub import Pace, Reader, event
from console.api.rows import cursor_of, cursor_text
from console.api.shapes import Row
from tests.console.api.conftest import Person, Town, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def changes_warnings() -> bool:
    return True


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    id: str
    data: Any


class Listener:
    """Reads one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, *names: str, within_s: float = 8.0) -> Event:
        """The next event of one of these names; all others are passed over."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self._event()
                if event.name in names:
                    return event

    async def _event(self) -> Event:
        name, id, data = "", "", ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("id: "):
                id = line[4:]
            elif line.startswith("data: "):
                data = line[6:]
            elif not line and name:
                return Event(name, id, json.loads(data))
        raise EOFError


@asynccontextmanager
async def listening(url: str, person: Person, cursor: str = "") -> AsyncIterator[Listener]:
    """A stream of somebody's session."""
    headers = {"last-event-id": cursor} if cursor else {}
    cookies = {"forewarn": person.client.cookies["forewarn"]}
    async with (
        httpx.AsyncClient(base_url=url, cookies=cookies, timeout=10) as client,
        client.stream("GET", "/api/v1/stream", headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        listener = Listener(response)
        await listener.next("beat")
        yield listener


async def test_a_change_reaches_every_browser_with_row_counts_and_cursor(town: Town, officer: Person) -> None:
    page = await officer.ask("/queue")
    row = page["items"][0]
    async with served(town.app) as url, listening(url, officer) as one, listening(url, officer) as two:
        await officer.tell(row["id"], "acknowledge")
        for listener in (one, two):
            event = await listener.next("changes")
            told = Row.model_validate(event.data["rows"][0])
            assert (told.id, told.state, told.taken_by) == (row["id"], "acknowledged", "duty-1")
            assert event.data["counts"] == page["counts"]
            assert event.id == event.data["cursor"] == cursor_text(town.site.cursor())


async def test_what_was_missed_comes_first(town: Town, officer: Person) -> None:
    page = await officer.ask("/queue")
    ids = [row["id"] for row in page["items"][:3]]
    for id in ids:
        await officer.tell(id, "note", remark="已联系")
    async with served(town.app) as url, listening(url, officer, page["cursor"]) as listener:
        event = await listener.next("changes")
        assert {row["id"] for row in event.data["rows"]} == set(ids)
        assert event.data["cursor"] == cursor_text(town.site.cursor())


async def test_who_has_seen_everything_is_told_nothing_old(town: Town, officer: Person) -> None:
    page = await officer.ask("/queue")
    async with served(town.app) as url, listening(url, officer, page["cursor"]) as listener:
        await officer.tell(page["items"][4]["id"], "note", remark="新的")
        event = await listener.next("changes", "reset")
        assert [row["id"] for row in event.data["rows"]] == [page["items"][4]["id"]]


@pytest.mark.parametrize("cursor", ["signals-0:999999", "nonsense", "signals-7:1", "signals-0:-4"])
async def test_a_cursor_of_another_life_asks_for_a_snapshot(town: Town, officer: Person, cursor: str) -> None:
    async with served(town.app) as url, listening(url, officer, cursor) as listener:
        await listener.next("reset")


@pytest.mark.parametrize("pace", [Pace(most_rows=2)])
async def test_after_too_much_a_snapshot_is_asked_for(town: Town, officer: Person) -> None:
    page = await officer.ask("/queue")
    for row in page["items"][:9]:
        await officer.tell(row["id"], "note", remark="已联系")
    async with served(town.app) as url, listening(url, officer, page["cursor"]) as listener:
        await listener.next("reset")


async def test_when_the_sites_own_queue_overflows_browsers_take_a_snapshot(town: Town, officer: Person) -> None:
    town.site.bound = 1
    page = await officer.ask("/queue")
    async with served(town.app) as url, listening(url, officer) as listener:
        # Both within one turn of the loop: nobody can read in between.
        for row in page["items"][:3]:
            key = f"flood-{row['number']}-{row['id']}"
            await town.site.command(
                {"id": key, "warning": row["id"], "principal": "x", "command": "note", "remark": "x"}
            )
        await listener.next("reset")
        await officer.tell(page["items"][5]["id"], "note", remark="再来")
        await listener.next("changes")


async def test_nobody_hears_of_what_lies_outside_their_area(town: Town, officer: Person) -> None:
    west = await town.person("west", area="west")
    page = await officer.ask("/queue", limit=500)
    outside = next(row for row in page["items"] if row["place"]["id"].startswith("east"))
    inside = next(row for row in page["items"] if row["place"]["id"].startswith("west"))
    async with served(town.app) as url, listening(url, west) as listener:
        await officer.tell(outside["id"], "note", remark="x")
        await officer.tell(inside["id"], "note", remark="x")
        rows = []
        while inside["id"] not in rows:
            rows += [row["id"] for row in (await listener.next("changes")).data["rows"]]
        assert outside["id"] not in rows


async def test_a_revoked_sessions_stream_ends_within_five_seconds(town: Town, officer: Person) -> None:
    async with served(town.app) as url, listening(url, officer) as listener:
        town.accounts.revoke("duty-1")
        event = await listener.next("bye", within_s=5)
        assert event.data == {"reason": "revoked"}
        with pytest.raises(EOFError):
            await listener.next("changes")


@pytest.mark.parametrize("pace", [Pace(check_s=0.05)])
async def test_a_narrower_area_holds_for_the_open_stream_too(town: Town, officer: Person) -> None:
    page = await officer.ask("/queue", limit=500)
    outside = next(row for row in page["items"] if row["place"]["id"].startswith("east"))
    other = await town.person("other")
    async with served(town.app) as url, listening(url, officer) as listener:
        town.accounts.change("duty-1", role="duty_officer", office="", post="", area="west")
        reader = next(iter(town.app.state.hub._readers))
        async with asyncio.timeout(5):
            while reader.scope is None:
                await asyncio.sleep(0.01)
        await other.tell(outside["id"], "note", remark="x")
        assert (await listener.next("changes")).data["rows"] == []


@pytest.mark.parametrize("pace", [Pace(beat_s=0.2)])
async def test_it_is_never_silent(town: Town, officer: Person) -> None:
    async with served(town.app) as url, listening(url, officer) as listener:
        event = await listener.next("beat", within_s=2)
        assert event.data.keys() == {"at", "now"}


@pytest.mark.parametrize("pace", [Pace(sources_s=0.05, sources_fresh_s=0.05)])
async def test_a_source_that_falls_silent_is_told(town: Town, officer: Person) -> None:
    status: Any = dict.fromkeys(
        ("accepted", "applied", "duplicate", "late", "dead_lettered", "dropped_fields", "pending"), 0
    )
    status |= {"name": "town", "state": "receiving", "last_at": town.site.now(), "interval_s": 60.0}
    town.site.status = [status]
    async with served(town.app) as url, listening(url, officer) as listener:
        await listener.next("sources")
        town.site.status = [status | {"state": "interrupted"}]
        event = await listener.next("sources")
        assert event.data[0]["state"] == "interrupted"


async def test_a_server_that_stops_says_so(town: Town, officer: Person) -> None:
    async with served(town.app) as url, listening(url, officer) as listener:
        await town.app.state.end_streams()
        assert (await listener.next("bye")).data == {"reason": "stopping"}


async def test_a_reader_too_slow_gets_one_reset_in_place_of_all_that_waits() -> None:
    reader = Reader(None, 16)
    for number in range(20):
        reader.put(b"%d" % number)
    assert await reader.next(1) == event("reset", {})
    reader.put(b"after")
    assert await reader.next(1) == b"after"


@pytest.mark.parametrize("cursor", [{}, {"signals-0": 3}, {"signals-0": 12, "signals-11": 0, "site-0": 5}])
def test_a_cursor_goes_there_and_back(cursor: dict[str, int]) -> None:
    assert cursor_of(cursor_text(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["signals-0", "signals-0:", "readings-0:1", "signals-x:1", "a:1", "signals-0:1,", "１"]
)
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert cursor_of(text) is None


@pytest.mark.parametrize("pace", [Pace(beat_s=0.5)])
async def test_how_long_a_change_took_to_a_browser_is_told_to_the_site(town: Town, officer: Person) -> None:
    row = (await officer.ask("/queue", limit=1))["items"][0]
    async with served(town.app) as url, listening(url, officer) as listener:
        await officer.tell(row["id"], "note", remark="x")
        await listener.next("changes")
        await listener.next("beat", within_s=15)
    assert len(town.site.browser_seconds) == 1
    assert 0 < town.site.browser_seconds[0] < 5
