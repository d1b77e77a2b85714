"""A database that is away: what is asked is answered later or refused, and everything goes on when it is back."""

import asyncio

import httpx
import pytest

from console.api.ports import Change
from console.api.problems import REASONS
from runners.trial.postgres import TrialPostgres
from tests.console.api.conftest import Person, Town, served
from tests.console.api.test_stream import listening

pytestmark = [pytest.mark.anyio, pytest.mark.real, pytest.mark.parametrize("kept", ["postgres"])]


async def test_a_database_that_stands_still_holds_up_those_who_ask_it_alone(
    town: Town, officer: Person, postgres: TrialPostgres
) -> None:
    postgres.pause()
    try:
        waiting = [asyncio.create_task(officer.ask("/queue")) for _ in range(3)]
        async with asyncio.timeout(2):
            assert (await town.client().get("/healthz")).status_code == 200
        assert not [task for task in waiting if task.done()]
    finally:
        postgres.resume()
    assert all(page["items"] for page in await asyncio.gather(*waiting))


async def test_without_its_database_the_site_says_so_and_with_it_goes_on(
    town: Town, officer: Person, postgres: TrialPostgres
) -> None:
    async def asked() -> httpx.Response:
        return await officer.client.get("/api/v1/queue")

    postgres.stop()
    try:
        refused = await asked()
    finally:
        postgres.start()
    assert (refused.status_code, refused.json()["reason"]) == (REASONS["no_storage"].status, "no_storage")
    assert int(refused.headers["retry-after"]) > 0
    assert (await asked()).status_code == 200


async def test_a_stream_outlives_a_restart_of_the_database(
    town: Town, officer: Person, postgres: TrialPostgres
) -> None:
    newest = list(town.site.site.store.transitions(log="signals"))[-1]
    change = Change(town.site.cursor(), (newest,), town.site.now())
    async with served(town.app) as url, listening(url, officer) as listener:
        postgres.stop()
        try:
            town.site.hand_on(change)
            await listener.next("reset")
        finally:
            postgres.start()
        town.site.hand_on(change)
        event = await listener.next("changes")
    assert [row["id"] for row in event.data["rows"]] == [newest["warning"]]
