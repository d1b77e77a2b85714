"""The queue over HTTP: order, filters, pages, groups, search."""

from typing import Any

import pytest

from console.api.shapes import GroupPage, QueuePage
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio
RANK = {"red": 4, "orange": 3, "yellow": 2, "blue": 1}


async def test_the_worst_come_first_then_what_falls_due_first(officer: Person) -> None:
    page = await officer.ask("/queue", limit=500)
    items = page["items"]
    keys = [(-RANK[row["proposed"]], row["clock"]["due"] if row["clock"] else "9") for row in items]
    assert keys == sorted(keys)
    assert {row["proposed"] for row in items} == {"red", "orange", "yellow", "blue"}
    assert page["total"] == len(items) == sum(page["counts"][level] for level in RANK)


async def test_an_answer_has_the_documented_shape(officer: Person) -> None:
    QueuePage.model_validate(await officer.ask("/queue"))
    GroupPage.model_validate(await officer.ask("/groups"))


@pytest.mark.parametrize("order", ["worst", "newest", "due"])
async def test_pages_follow_each_other_without_gap_or_repeat(officer: Person, order: str) -> None:
    whole = [row["id"] for row in (await officer.ask("/queue", order=order, limit=500))["items"]]
    found: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = await officer.ask("/queue", order=order, limit=7, **after)
        found += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == whole
    assert len(set(found)) == len(found) > 20


async def test_filters_narrow_and_are_counted(officer: Person) -> None:
    for query, holds in (
        ({"level": "red,orange"}, lambda row: row["proposed"] in ("red", "orange")),
        ({"category": "noise"}, lambda row: row["category"]["id"] == "noise"),
        ({"place": "east"}, lambda row: row["place"]["id"].startswith("east")),
        ({"office": "housing"}, lambda row: row["office"]["id"] == "housing"),
        ({"awaiting": "true"}, lambda row: row["awaiting"] > 0),
        ({"kind": "matter", "state": "open"}, lambda row: row["state"] == "open"),
    ):
        page = await officer.ask("/queue", limit=500, **query)
        assert page["items"], query
        assert all(map(holds, page["items"])), query
        assert page["total"] == len(page["items"])


async def test_a_filter_that_cannot_match_is_refused_in_words(town: Town, officer: Person) -> None:
    response = await officer.client.get("/api/v1/queue", params={"level": "purple"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["reason"] == "unknown_filter"
    assert "blue" in response.json()["detail"]


async def test_a_matter_is_found_by_its_number_or_a_part_of_it(officer: Person) -> None:
    exact = await officer.ask("/queue", q="T-00005")
    assert [row["subject"] for row in exact["items"]] == ["T-00005"]
    begin = await officer.ask("/queue", q="T-0001", limit=500)
    assert len(begin["items"]) > 5
    assert all("0001" in row["subject"] for row in begin["items"])
    end = await officer.ask("/queue", q="00005")
    assert [row["subject"] for row in end["items"]] == ["T-00005"]
    by_id = await officer.ask("/queue", q=exact["items"][0]["id"][:10])
    assert [row["id"] for row in by_id["items"]] == [exact["items"][0]["id"]]
    assert (await officer.ask("/queue", q="%"))["items"] == []


async def test_names_are_those_of_the_configuration_in_both_languages(officer: Person) -> None:
    row = (await officer.ask("/queue", q="T-00006"))["items"][0]
    assert row["office"] == {"id": "housing", "zh": "区住建局", "en": "Housing Bureau"}
    assert "噪声扰民" in row["sentence"]["zh"]
    assert "Noise" in row["sentence"]["en"]
    assert row["reason"]["zh"]


async def test_groups_count_what_the_list_shows(officer: Person) -> None:
    page = await officer.ask("/groups")
    queue = await officer.ask("/queue", limit=500)
    assert sum(group["total"] for group in page["items"]) == queue["total"]
    assert page["counts"] == queue["counts"]
    ranks = [RANK[group["worst"]["proposed"]] for group in page["items"]]
    assert ranks == sorted(ranks, reverse=True)
    for group in page["items"]:
        alike = await officer.ask("/queue", place=group["place"]["id"], category=group["category"]["id"], limit=500)
        assert alike["items"][0]["id"] == group["worst"]["id"]


@pytest.mark.parametrize("changes_warnings", [True])
async def test_closed_ones_are_hidden_until_asked_for(officer: Person) -> None:
    row = (await officer.ask("/queue", level="blue"))["items"][0]
    assert (await officer.tell(row["id"], "close", outcome="valuable")).json()["ok"]
    hidden = await officer.ask("/queue", limit=500)
    shown = await officer.ask("/queue", limit=500, closed="true")
    assert row["id"] not in [each["id"] for each in hidden["items"]]
    assert shown["items"][-1]["id"] == row["id"]
    assert shown["items"][-1]["outcome"] == "valuable"
    assert shown["total"] == hidden["total"] + 1


async def test_linked_counts_the_other_open_ones_of_its_place_and_kind(officer: Person) -> None:
    row = (await officer.ask("/queue"))["items"][0]
    alike = await officer.ask("/queue", place=row["place"]["id"], category=row["category"]["id"])
    assert row["linked"] == alike["total"] - 1
