"""Who may do what where: every route declares an action, and a matrix of route x role x area holds for all of them."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from console.api.access import MAY, WHOLE_SITE, Action, Principal, authorize
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import Role
from console.api.signing import May, Public
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio
ROLES: tuple[Role, ...] = get_args(Role)
AREAS = {"own": "east-1", "child": "east-1-a", "sibling": "east-2", "parent": "east"}
"""Where somebody sits, as seen from the place of the warning that is asked for: east-1's own people see its grids."""
SUBJECT = "T-00000"
"""A matter in the grid east-1-a."""
SEES = {"own": True, "child": True, "sibling": False, "parent": True}

# What is sent to each route, and the permission it needs. A route that is not listed fails the test below.
ASKED: dict[tuple[str, str], Any] = {
    ("POST", "/api/v1/session"): None,
    ("GET", "/api/v1/session"): None,
    ("DELETE", "/api/v1/session"): None,
    ("GET", "/api/v1/queue"): None,
    ("GET", "/api/v1/groups"): None,
    ("GET", "/api/v1/warnings/{id}"): None,
    ("GET", "/api/v1/warnings/{id}/explanation"): None,
    ("POST", "/api/v1/warnings/{id}/commands"): {"command": "note", "remark": "已电话联系"},
    ("GET", "/api/v1/commands/{key}"): None,
    ("POST", "/api/v1/commands"): [],
    ("GET", "/api/v1/stream"): None,
    ("GET", "/api/v1/territory"): None,
    ("GET", "/api/v1/sources"): None,
    ("GET", "/api/v1/scoreboard"): None,
    ("POST", "/api/v1/reload"): None,
    ("GET", "/api/v1/deadletters"): None,
    ("GET", "/api/v1/deadletters/{id}"): None,
    ("POST", "/api/v1/deadletters/{id}/replay"): {"record": {"id": "x"}},
    ("POST", "/api/v1/deadletters/{id}/drop"): {"reason": "test"},
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("POST", "/api/v1/csp-reports"): None,
    ("GET", "/{path:path}"): None,
}
# The route asks only for a session that may see warnings; what is done to one has a permission of its own.
ALSO: dict[tuple[str, str], Action] = {("POST", "/api/v1/warnings/{id}/commands"): "warning:note"}
OF_ONE_WARNING = {route for route in ASKED if "/warnings/{id}" in route[1]}
UNTRIED = {("GET", "/api/v1/stream"), ("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")}
"""Tried in tests of their own: one never ends, one begins sessions, one ends ours."""


def routes(app: Any) -> Iterator[tuple[tuple[str, str], APIRoute]]:
    """Every route by method and path, those of included routers too; the framework's own serves OpenAPI."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield (method, route.path), route
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router)
        else:
            assert route.path == "/api/v1/openapi.json"


def guards(dependant: Dependant) -> list[May | Public]:
    """What a request of this route has to pass."""
    found = [each.call for each in dependant.dependencies if isinstance(each.call, May | Public)]
    return found + [guard for each in dependant.dependencies for guard in guards(each)]


async def test_every_route_declares_one_action(town: Town) -> None:
    without = [key for key, route in routes(town.app) if len(guards(route.dependant)) != 1]
    assert without == []


async def test_every_route_stands_in_the_matrix(town: Town) -> None:
    assert {key for key, _ in routes(town.app)} == ASKED.keys()


async def test_only_these_routes_ask_nobody_who_they_are(town: Town) -> None:
    public = {key for key, route in routes(town.app) if guards(route.dependant)[0].action == "public"}
    assert public == {
        ("POST", "/api/v1/session"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("POST", "/api/v1/csp-reports"),
        ("GET", "/{path:path}"),
    }


async def warning_of(person: Person, subject: str) -> str:
    """Id of the warning about a matter."""
    found: str = (await person.ask("/queue", q=subject))["items"][0]["id"]
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seat", [*AREAS, "whole"])
@pytest.mark.parametrize("changes_warnings", [True])
async def test_a_route_lets_in_whom_its_action_allows(town: Town, role: Role, seat: str) -> None:
    warning = await warning_of(await town.person("finder"), SUBJECT)
    area = AREAS.get(seat, "root")
    person = await town.person("asker", role, area)
    principal = town.app.state.room.principal(town.accounts.session(person.client.cookies["forewarn"]))
    for key, route in routes(town.app):
        if key in UNTRIED or guards(route.dependant)[0].action == "public":
            continue
        method, path = key
        action = ALSO.get(key, guards(route.dependant)[0].action)
        asked = path.removeprefix("/api/v1").replace("{key}", "command-000")
        asked = asked.replace("{id}", warning if key in OF_ONE_WARNING else "1")
        response = await person.send(asked, ASKED[key], method, key=f"key-{seat}-{role}")
        allowed = action in MAY[role] and (action not in WHOLE_SITE or seat == "whole")
        seen = SEES.get(seat, True) or key not in OF_ONE_WARNING
        expected = 403 if not allowed else 404 if not seen else 200
        got = response.status_code
        if key == ("GET", "/api/v1/scoreboard") or (allowed and "deadletters/" in path):
            assert got in (200, 204, 404), (key, role, seat, response.text)
        elif key == ("GET", "/api/v1/commands/{key}"):
            assert got == 202, (key, role, seat, response.text)
        elif key in OF_ONE_WARNING and not seen:
            assert got in (403, 404), (key, role, seat, response.text)
            assert got == 404 or not allowed
        else:
            assert got == expected, (key, role, seat, response.text)
    assert principal.area == area


@pytest.mark.parametrize("seat", AREAS)
async def test_a_list_holds_what_lies_in_ones_area_and_nothing_else(town: Town, seat: str) -> None:
    whole = await (await town.person("all")).ask("/queue", limit=500)
    person = await town.person("asker", area=AREAS[seat])
    below = {"own": {"east-1-a"}, "child": {"east-1-a"}, "sibling": {"east-2"}, "parent": {"east-1-a", "east-2"}}[seat]
    expected = {row["id"] for row in whole["items"] if row["place"]["id"] in below}
    page = await person.ask("/queue", limit=500)
    groups = await person.ask("/groups")
    assert {row["id"] for row in page["items"]} == expected
    assert sum(page["counts"][level] for level in ("red", "orange", "yellow", "blue")) == len(expected)
    assert {group["place"]["id"] for group in groups["items"]} == below
    # Neither a filter nor a search widens it.
    assert (await person.ask("/queue", place="west", limit=500))["items"] == []
    found = await person.ask("/queue", q="T-", limit=500, closed="true")
    assert {row["id"] for row in found["items"]} <= expected


@pytest.mark.parametrize("role", ROLES)
async def test_the_places_of_the_tree_are_those_of_ones_area(town: Town, role: Role) -> None:
    person = await town.person("asker", role, "east-1")
    assert {place["id"] for place in (await person.ask("/territory"))["places"]} == {"east-1", "east-1-a"}


async def test_an_area_that_is_gone_from_the_tree_sees_nothing(town: Town) -> None:
    person = await town.person("asker", area="atlantis")
    assert (await person.ask("/queue"))["total"] == 0


async def test_nobody_signed_in_gets_nothing(town: Town) -> None:
    async with town.client() as client:
        for key, route in routes(town.app):
            if guards(route.dependant)[0].action != "public":
                path = key[1].replace("{id}", "1111").replace("{key}", "command-000")
                response = await client.request(key[0], path, json=ASKED[key])
                assert response.status_code == 401, key
                assert response.json()["reason"] == "not_signed_in"


def test_every_query_takes_the_scope_first() -> None:
    no_queries = {"close", "principal", "office_code", "view"}
    for name, method in inspect.getmembers(Room, inspect.isfunction):
        if not name.startswith("_") and name not in no_queries:
            first = list(inspect.signature(method).parameters.values())[1]
            assert (first.name, first.default) == ("scope", inspect.Parameter.empty), name


def test_every_action_is_given_to_somebody_and_the_machines_keeper_decides_about_no_warning() -> None:
    given = frozenset().union(*MAY.values())
    assert given | {"public"} == set(get_args(Action))
    assert not [action for action in MAY["administrator"] if action.startswith("warning:") and action != "warning:read"]
    assert "text:read" not in MAY["administrator"]


def test_authorize_hands_out_the_scope_or_refuses() -> None:
    seen = Principal("li", "duty_officer", "", "", "east", frozenset({7, 8}))
    assert authorize(seen, "queue:read") == frozenset({7, 8})
    assert authorize(seen, "warning:note", 7) == frozenset({7, 8})
    with pytest.raises(Refusal) as outside:
        authorize(seen, "warning:note", 9)
    assert outside.value.reason == "not_found"
    with pytest.raises(Refusal) as forbidden:
        authorize(seen, "config:reload")
    assert forbidden.value.reason == "no_permission"
