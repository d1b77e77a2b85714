"""One warning over HTTP: reasons, clocks, timeline, text with its own permission."""

import pytest

from console.api.shapes import Detail
from tests.console.api.conftest import Person, Town

pytestmark = pytest.mark.anyio


async def opened(person: Person, subject: str) -> Detail:
    """The detail of a matter's warning, of the documented shape."""
    found = await person.ask("/queue", q=subject)
    return Detail.model_validate(await person.ask(f"/warnings/{found['items'][0]['id']}"))


async def test_the_clock_has_its_legal_source_and_is_over(officer: Person) -> None:
    detail = await opened(officer, "T-00006")
    (clock,) = detail.clocks
    assert (clock.id, clock.zh, clock.legal_source) == ("five_days", "热线办理", "City rules Art. 5")
    # Registered on Monday 4 March 2024, 9:42 local: five working days end with Monday the 11th.
    assert (clock.started, clock.due) == ("2024-03-04T01:42:00Z", "2024-03-11T16:00:00Z")
    assert clock.overdue
    assert clock.share is not None
    assert clock.share > 1
    assert detail.clock is not None
    assert detail.clock.due == clock.due


async def test_the_timeline_holds_records_and_changes_in_order(officer: Person) -> None:
    detail = await opened(officer, "T-00005")
    types = [line.type for line in detail.timeline]
    assert types[0] == "record.registered"
    assert types.count("record.returned") == 3
    assert "change.raised" in types
    assert [line.at for line in detail.timeline] == sorted(line.at for line in detail.timeline)
    changes = [line for line in detail.timeline if line.number]
    assert [line.number for line in changes] == list(range(1, detail.number + 1))
    assert all(line.text.zh and line.text.en for line in detail.timeline)


async def test_reasons_are_words_in_both_languages(officer: Person) -> None:
    detail = await opened(officer, "T-00005")
    assert detail.reasons
    assert any(reason.why == "returned" and "退单" in reason.zh for reason in detail.reasons)
    assert detail.evidence
    assert detail.versions["config"] == 1


async def test_related_ones_share_place_and_kind(officer: Person) -> None:
    detail = await opened(officer, "T-00006")
    assert detail.related
    assert detail.linked >= len(detail.related)
    for row in detail.related:
        assert (row.place, row.category) == (detail.place, detail.category)
        assert row.id != detail.id


async def test_text_is_redacted_and_looking_at_it_is_noted_once(town: Town, officer: Person) -> None:
    detail = await opened(officer, "T-00006")
    await opened(officer, "T-00006")
    assert detail.text is not None
    assert "路灯不亮" in detail.text
    noted = [fact for fact in town.site.facts if fact[0] == "text_viewed"]
    assert noted == [("text_viewed", {"principal": "duty-1", "role": "duty_officer", "warning": detail.id})]


async def test_who_keeps_the_machine_reads_no_text(town: Town) -> None:
    keeper = await town.person("keeper", "administrator")
    detail = await opened(keeper, "T-00006")
    assert detail.text is None
    assert detail.may == []
    assert not [fact for fact in town.site.facts if fact[0] == "text_viewed"]
    assert (await keeper.client.get(f"/api/v1/warnings/{detail.id}/explanation")).status_code == 403


async def test_the_whole_story_is_told(officer: Person) -> None:
    detail = await opened(officer, "T-00005")
    story = await officer.ask(f"/warnings/{detail.id}/explanation")
    assert story["warning"] == detail.id
    assert len(story["changes"]) == detail.number


async def test_nothing_under_an_id_is_told_as_such(officer: Person) -> None:
    response = await officer.client.get(f"/api/v1/warnings/{'0' * 32}")
    assert (response.status_code, response.json()["reason"]) == (404, "not_found")
