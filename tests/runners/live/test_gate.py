"""The door: full is said, nobody is starved, and a source's rubbish is kept in bounds."""

import asyncio
from pathlib import Path

import pytest
import yaml

from connectors.intake_http import Full, NotNow, OtherContent
from runners.clock import SetClock
from runners.live.commit import LETTER_ROWS
from runners.live.room import Room
from runners.live.site import Live
from runners.live.sources import plan
from tests.runners.live.town import (
    BEGIN,
    CONFIG,
    HOTLINE,
    lay_out,
    record,
    records,
    run,
    running,
    send,
    until_folded,
)


def test_a_full_room_refuses_and_says_when_to_come_again() -> None:
    room = Room(records=100, size=1_000)
    room.take("hotline", 40, 10)
    room.take("gauges", 40, 10)
    with pytest.raises(Full) as full:
        room.take("gauges", 40, 10)
    assert full.value.retry_after_s >= 1


def test_one_source_alone_takes_half_of_the_room() -> None:
    room = Room(records=100, size=1_000)
    room.take("hotline", 50, 10)
    with pytest.raises(Full):
        room.take("hotline", 1, 1)
    room.take("gauges", 40, 10)


def test_a_request_that_is_larger_than_the_room_gets_in_when_nothing_waits() -> None:
    room = Room(records=100, size=1_000)
    room.take("hotline", 500, 10)
    with pytest.raises(Full):
        room.take("gauges", 1, 1)
    room.free("hotline", 500, 10)
    room.take("gauges", 1, 1)
    assert room.waiting() == 1


def test_what_waits_leaves_the_room_once_it_is_folded(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [*records(1_500), b"{"], is_batch=True)
        send(site, "hotline", [record(1)])
        assert site.engine.room.waiting() == 0


def test_a_site_that_does_not_run_takes_nothing(town: Path, tmp_path: Path) -> None:
    site = Live(plan(town), tmp_path / "data", SetClock(BEGIN))
    site.start()
    site.stop()
    with pytest.raises(NotNow, match="stopping"):
        run(site.accept("hotline", [record(1)]))


def test_a_key_that_comes_again_with_other_content_is_told(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [record(1)], key="morning")
        assert send(site, "hotline", [record(1)], key="morning").duplicate_batch
        with pytest.raises(OtherContent):
            send(site, "hotline", [record(2)], key="morning")


def test_the_same_batch_twice_at_once_is_taken_once(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:

        async def both() -> list[bool]:
            answers = await asyncio.gather(*(site.accept("hotline", records(5), is_batch=True) for _ in range(2)))
            await until_folded(site)
            return sorted(answer.duplicate_batch for answer in answers)

        assert run(both()) == [False, True]
        assert site.ledger.of("hotline")["accepted"] == 5


def test_a_source_that_sends_rubbish_waits_for_itself_alone(tmp_path: Path) -> None:
    town = two_hotlines(tmp_path)
    rubbish = [b'{"text":"' + b"x" * 400 for _ in range(20_000)]
    with running(town, tmp_path / "data") as site:

        async def race() -> list[str]:
            done: list[str] = []

            async def post(source: str, sent: list[bytes]) -> None:
                await site.accept(source, sent, is_batch=True)
                done.append(source)

            await asyncio.gather(post("other", rubbish), *(post("hotline", records(10, 10 * n)) for n in range(20)))
            return done

        assert run(race())[-1] == "other"


def test_a_burst_of_dead_letters_is_counted_but_not_all_kept(tmp_path: Path) -> None:
    town = two_hotlines(tmp_path)
    clock = SetClock(BEGIN)
    with running(town, tmp_path / "data", clock) as site:
        for begin in range(0, LETTER_ROWS + 5_000, 5_000):
            send(site, "other", [b"%d" % number for number in range(begin, begin + 5_000)], is_batch=True)
        send(site, "hotline", [b"{"])
        kept = site.site.logs.deadletters()
        counts = site.ledger.of("other")
        assert sum(letter["source"] == "other" for letter in kept) == LETTER_ROWS
        assert sum(letter["source"] == "hotline" for letter in kept) == 1
        assert counts["dead_lettered"] == LETTER_ROWS + 5_000
        clock.advance(3_600_000_000)
        send(site, "other", [b"1"])
        assert len(site.site.logs.deadletters()) == len(kept) + 1


def two_hotlines(tmp_path: Path) -> Path:
    """The town with a second source of signals, `other`."""
    path = lay_out(tmp_path / "town", sources=[*CONFIG["sources"], {"name": "other", "mapping": "other.yaml"}])
    (path.parent / "other.yaml").write_text(yaml.safe_dump({**HOTLINE, "source": "other"}))
    return path
