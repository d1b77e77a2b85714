"""The site over HTTP: territory, sources, results, configuration, health, dead letters."""

import json
from typing import Any

import pytest

from console.api.ports import Readiness
from console.api.shapes import DeadLetterInfo, DeadLetterPage, Mended, Ready, SourceInfo, Territory
from tests.console.api.conftest import Person, Town
from tests.console.api.town import PLACES

pytestmark = pytest.mark.anyio


@pytest.fixture
async def approver(town: Town) -> Person:
    """Who may mend dead letters."""
    return await town.person("approver-1", "approver")


async def test_places_offices_and_categories_have_names_and_outlines(town: Town, officer: Person) -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    features = {"type": "FeatureCollection", "features": [{"type": "Feature", "id": "east", "geometry": square}]}
    (town.site.data / "outlines.geojson").write_text(json.dumps(features), encoding="utf-8")
    found = Territory.model_validate(await officer.ask("/territory"))
    assert {place.id for place in found.places} == PLACES.keys()
    assert next(place for place in found.places if place.id == "east").outline == square
    assert {office.zh for office in found.offices} == {"区住建局", "区城管局"}
    assert {category.en for category in found.categories} == {"Noise", "Broken road"}


async def test_sources_tell_their_state_and_counts(town: Town, officer: Person) -> None:
    counts = ("accepted", "applied", "duplicate", "late", "dead_lettered", "dropped_fields", "pending")
    status: Any = dict.fromkeys(counts, 3) | {"name": "town", "state": "never", "last_at": None, "interval_s": None}
    town.site.status = [status]
    (source,) = [SourceInfo.model_validate(each) for each in await officer.ask("/sources")]
    assert (source.name, source.state, source.last_at, source.accepted) == ("town", "never", None, 3)


async def test_only_a_simulated_site_has_a_results_board(town: Town, officer: Person) -> None:
    response = await officer.client.get("/api/v1/scoreboard")
    assert (response.status_code, response.json()["reason"]) == (404, "no_scoreboard")
    town.site.figures = {"figures": []}
    assert await officer.ask("/scoreboard") == {"figures": []}


async def test_a_reload_is_written_down(town: Town) -> None:
    keeper = await town.person("keeper", "administrator")
    response = await keeper.send("/reload")
    assert response.json() == {"ok": True, "version": 2, "problems": []}
    assert ("reloaded", {"principal": "keeper", "role": "administrator", "ok": True}) in town.site.facts


async def test_health_and_readiness_need_no_account(town: Town) -> None:
    async with town.client() as client:
        assert (await client.get("/healthz")).json() == {"ok": True}
        ready = await client.get("/readyz")
        assert ready.status_code == 200
        assert Ready.model_validate(ready.json()).ready
        town.site.state = Readiness(False, "the fold is 80 s behind", 0, 80_000_000)
        late = await client.get("/readyz")
    assert late.status_code == 503
    assert late.json()["lag_s"] == 80.0


async def test_a_dead_letter_is_listed_shown_mended_and_dropped(town: Town, approver: Person) -> None:
    page = DeadLetterPage.model_validate(await approver.ask("/deadletters"))
    assert page.total == 1
    (letter,) = page.items
    assert (letter.source, letter.reason, letter.body) == ("town", "unknown_category", None)
    assert letter.remedy
    shown = DeadLetterInfo.model_validate(await approver.ask(f"/deadletters/{letter.id}"))
    assert shown.body is not None
    assert "dragons" in shown.body
    response = await approver.send(f"/deadletters/{letter.id}/replay", {"record": {"id": "mended"}})
    assert Mended.model_validate(response.json()).ok
    assert town.site.resubmitted == [(letter.id, "town", {"id": "mended"})]
    dropped = await approver.send(f"/deadletters/{letter.id}/drop", {"reason": "来自13812345678的测试"})
    assert dropped.status_code == 204
    names = [name for name, _ in town.site.facts]
    assert names[-3:] == ["deadletter_viewed", "deadletter_replayed", "deadletter_dropped"]
    assert "13812345678" not in json.dumps(town.site.facts, ensure_ascii=False)


async def test_dead_letters_can_be_narrowed(approver: Person) -> None:
    assert (await approver.ask("/deadletters", reason="unknown_category"))["total"] == 1
    assert (await approver.ask("/deadletters", reason="too_large"))["items"] == []
    assert (await approver.ask("/deadletters", source="nobody"))["total"] == 0


@pytest.mark.parametrize("id", ["0", "999", str(1 << 62), str(1 << 70)])
async def test_a_dead_letter_that_is_not_there_is_told_as_such(approver: Person, id: str) -> None:
    assert (await approver.client.get(f"/api/v1/deadletters/{id}")).status_code == 404


async def test_the_description_names_every_route_and_its_problems(town: Town) -> None:
    async with town.client() as client:
        described = (await client.get("/api/v1/openapi.json")).json()
    assert "/api/v1/queue" in described["paths"]
    assert described["components"]["schemas"]["Problem"]["properties"].keys() >= {"reason", "remedy", "text"}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            assert told["responses"].keys() & {"200", "204"}, (method, path)
