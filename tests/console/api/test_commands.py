"""What people do to warnings over HTTP: the fold decides, everybody is told, and a repeat changes nothing."""

import asyncio
from typing import Any

import pytest

from console.api.shapes import Verdict
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio


@pytest.fixture
def changes_warnings() -> bool:
    return True


async def first(person: Person, **query: Any) -> dict[str, Any]:
    """The first row of a list."""
    row: dict[str, Any] = (await person.ask("/queue", **query))["items"][0]
    return row


async def test_acknowledging_names_who_and_until_when(town: Town, officer: Person) -> None:
    row = await first(officer)
    response = await officer.tell(row["id"], "acknowledge", expected=row["number"])
    verdict = Verdict.model_validate(response.json())
    assert (response.status_code, verdict.ok, verdict.reason) == (200, True, "applied")
    assert verdict.row is not None
    assert (verdict.row.state, verdict.row.taken_by) == ("acknowledged", "duty-1")
    assert verdict.row.next_update_by is not None
    assert verdict.row.next_update_by > verdict.row.at
    assert verdict.row.sentence.zh == row["sentence"]["zh"]


async def test_a_named_next_update_is_kept(town: Town, officer: Person) -> None:
    row = await first(officer)
    response = await officer.tell(row["id"], "acknowledge", next_update_by="2024-04-01T12:00:00+08:00")
    assert response.json()["row"]["next_update_by"] == "2024-04-01T04:00:00Z"


@pytest.mark.parametrize("text", ["tomorrow", "2024-04-01T12:00:00"])
async def test_a_next_update_without_a_zone_is_refused(town: Town, officer: Person, text: str) -> None:
    row = await first(officer)
    response = await officer.tell(row["id"], "acknowledge", next_update_by=text)
    assert (response.status_code, response.json()["reason"]) == (422, "invalid")


async def test_red_needs_two_people(town: Town, officer: Person) -> None:
    approver = await town.person("approver-1", "approver")
    row = await first(officer, level="red")
    assert (row["level"], row["proposed"], row["awaiting"]) == ("yellow", "red", 2)
    one = (await officer.tell(row["id"], "confirm")).json()
    assert (one["ok"], one["row"]["level"], one["row"]["awaiting"]) == (True, "orange", 1)
    same = await officer.tell(row["id"], "confirm")
    assert (same.status_code, same.json()["ok"], same.json()["reason"]) == (200, False, "same_person")
    two = (await approver.tell(row["id"], "confirm")).json()
    assert (two["ok"], two["row"]["level"], two["row"]["awaiting"]) == (True, "red", 0)


async def test_of_two_people_at_once_the_second_is_told(town: Town, officer: Person) -> None:
    other = await town.person("duty-2")
    row = await first(officer)
    one, two = await asyncio.gather(
        officer.tell(row["id"], "acknowledge", expected=row["number"]),
        other.tell(row["id"], "acknowledge", expected=row["number"]),
    )
    assert sorted([one.status_code, two.status_code]) == [200, 409]
    stale = next(each.json() for each in (one, two) if each.status_code == 409)
    assert (stale["ok"], stale["reason"]) == (False, "stale")
    assert stale["row"]["state"] == "acknowledged"
    assert stale["text"]["zh"] == "该事项刚被他人更新，请核对后再操作。"


async def test_the_same_key_again_is_answered_again_and_obeyed_once(town: Town, officer: Person) -> None:
    row = await first(officer)
    answers = [await officer.tell(row["id"], "note", key="same-key-0", remark="已联系") for _ in range(2)]
    assert [each.json()["number"] for each in answers] == [row["number"] + 1] * 2
    other = await officer.tell(row["id"], "note", key="same-key-0", remark="别的内容")
    assert (other.status_code, other.json()["reason"]) == (409, "duplicate")


async def test_keys_of_different_people_never_meet(town: Town, officer: Person) -> None:
    other = await town.person("duty-2")
    row = await first(officer)
    await officer.tell(row["id"], "note", key="same-key-0", remark="一")
    assert (await other.tell(row["id"], "note", key="same-key-0", remark="二")).json()["ok"]


async def test_a_command_that_is_not_folded_yet_can_be_asked_for(town: Town, officer: Person) -> None:
    row = await first(officer)
    town.site.is_slow = True
    response = await officer.tell(row["id"], "note", key="later-key-0", remark="已联系")
    assert (response.status_code, response.json()) == (202, {"id": "later-key-0", "warning": row["id"]})
    assert (await officer.ask("/commands/later-key-0"))["ok"]
    waiting = await officer.client.get("/api/v1/commands/never-sent-0")
    assert waiting.status_code == 202


@pytest.mark.parametrize("key", ["", "short", "with space in it", "x" * 101])
async def test_a_command_needs_a_key(town: Town, officer: Person, key: str) -> None:
    row = await first(officer)
    response = await officer.send(f"/warnings/{row['id']}/commands", {"command": "note", "remark": "x"}, key=key)
    assert (response.status_code, response.json()["reason"]) == (422, "no_key")


async def test_what_people_write_is_redacted_before_it_is_kept(town: Town, officer: Person) -> None:
    row = await first(officer)
    await officer.tell(row["id"], "note", remark="来电人张伟，电话13812345678，已回复")
    detail = await officer.ask(f"/warnings/{row['id']}")
    remark = detail["timeline"][-1]["remark"]
    assert "13812345678" not in remark
    assert "[电话]" in remark
    log = b"".join(path.read_bytes() for path in town.site.data.glob("*.db*"))
    assert b"13812345678" not in log


async def test_assigning_needs_an_office_that_exists(town: Town, officer: Person) -> None:
    row = await first(officer)
    refused = await officer.tell(row["id"], "assign", office="ministry-of-magic")
    assert (refused.status_code, refused.json()["reason"]) == (422, "unknown_office")
    done = (await officer.tell(row["id"], "assign", office="roads-office")).json()
    assert done["row"]["office"]["zh"] == "区城管局"


async def test_undo_takes_back_the_last_assignment(town: Town, officer: Person) -> None:
    row = await first(officer)
    await officer.tell(row["id"], "assign", office="roads-office")
    undone = (await officer.tell(row["id"], "undo")).json()
    assert undone["ok"]
    assert undone["row"]["office"] == row["office"]


@pytest.mark.parametrize(
    ("command", "fields", "reason"),
    [
        ("decline", {}, "reason_required"),
        ("close", {}, "outcome_required"),
        ("reopen", {}, "not_allowed"),
        ("note", {}, "bad_command"),
    ],
)
async def test_the_folds_refusal_says_what_is_missing(
    town: Town, officer: Person, command: str, fields: dict[str, Any], reason: str
) -> None:
    row = await first(officer, level="red")
    response = await officer.tell(row["id"], command, **fields)
    verdict = Verdict.model_validate(response.json())
    assert (verdict.ok, verdict.reason) == (False, reason)
    assert verdict.text.zh
    assert verdict.number == row["number"]


async def test_several_at_once_get_a_result_each(town: Town, officer: Person) -> None:
    rows = (await officer.ask("/queue", level="blue"))["items"][:3]
    sent = [
        {"id": f"bulk-key-{n}", "warning": row["id"], "command": "note", "remark": "批量"} for n, row in enumerate(rows)
    ]
    sent.append({"id": "bulk-key-9", "warning": "0" * 32, "command": "note", "remark": "批量"})
    found = (await officer.send("/commands", sent)).json()
    assert [each["status"] for each in found] == [200, 200, 200, 404]
    assert [each["id"] for each in found] == [each["id"] for each in sent]
    assert all(each["ok"] for each in found[:3])


async def test_a_field_nobody_knows_is_refused(town: Town, officer: Person) -> None:
    row = await first(officer)
    response = await officer.tell(row["id"], "note", remark="x", colour="red")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "body.colour"


async def test_a_full_disk_is_told_and_reading_goes_on(town: Town, officer: Person) -> None:
    row = await first(officer)
    town.site.is_full = True
    response = await officer.tell(row["id"], "note", remark="x")
    assert (response.status_code, response.json()["reason"]) == (503, "no_storage")
    assert response.headers["retry-after"] == "5"
    await officer.ask("/queue")
    town.site.is_full = False
    assert (await officer.tell(row["id"], "note", remark="x")).json()["ok"]
