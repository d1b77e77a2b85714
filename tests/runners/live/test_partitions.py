"""A live site of three partitions: everything to its own, everybody told the time, one site over all."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.frame import Frame, Kind
from pipeline.ids import code64, key128
from runners.clock import SetClock
from runners.live.site import Live
from runners.live.sources import plan
from runners.log_sqlite import Logs
from runners.replay import replay
from runners.verify import verify
from tests.runners.live.town import (
    BEGIN,
    CONFIG,
    HOUR,
    THREE,
    lay_out,
    moment,
    overdue,
    record,
    records,
    run,
    running,
    send,
    until_folded,
)

SOURCES = [CONFIG["sources"][0], {**CONFIG["sources"][1], "default_place": "south"}]


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """The town on three partitions: north on the first, south on the second, the third without a county."""
    sensors = [{"prefix": "water", "name_zh": "水位", "alarm_high": 5.0}]
    return lay_out(tmp_path / "town", partition_count=3, sources=SOURCES, sensors=sensors)


def kinds(data: Path, log: str, number: int) -> Counter[int]:
    with Logs(data / "log.db", readonly=True) as logs:
        return Counter(
            int(kind) for offset, body in logs.read(log, number) for kind in Frame.from_bytes(body, offset).kinds
        )


def note(warning: str, key: str = "key-0001") -> dict[str, Any]:
    return {
        "id": key, "warning": warning, "command": "note", "principal": "li", "role": "duty_officer", "remark": "seen",
    }  # fmt: skip


def test_matters_go_to_the_partition_of_their_county(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        send(site, "hotline", records(30))
        counts = site.ledger.of("hotline")
        assert [part.fold.county.matters.size for part in site.site.partitions] == [20, 10, 0]
    assert (counts["accepted"], counts["applied"], counts["pending"]) == (30, 30, 0)
    assert [kinds(tmp_path / "data", "signals", number)[Kind.SIGNAL] for number in range(3)] == [20, 10, 0]


def test_what_names_no_place_finds_its_matter(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        send(site, "hotline", [record(1)])
    with running(parted, tmp_path / "data") as site:
        send(site, "hotline", [record(1, "replied", at=BEGIN + HOUR, place="")])
        assert [part.fold.county.matters.size for part in site.site.partitions] == [0, 1, 0]


def test_a_replay_gives_the_digests_of_every_log(parted: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(parted, tmp_path / "data", clock) as site:
        for hour in range(3):
            send(site, "hotline", [*records(20, 100 * hour), overdue(100 * hour + 50), overdue(100 * hour + 51)])
            clock.advance(HOUR)
        run(until_folded(site))
    found = replay(tmp_path / "data")
    assert found.is_equal
    assert sorted(found.digests) == [
        *(f"readings-{n}" for n in range(3)),
        *(f"signals-{n}" for n in range(3)),
        "site-0",
    ]
    assert [finding.check for finding in verify(tmp_path / "data") if not finding.ok] == []


def test_a_restart_goes_on_in_every_partition(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        send(site, "hotline", records(30))
        digests = site.site.digests()
        sources = site.sources()
    with running(parted, tmp_path / "data") as site:
        assert site.site.digests() == digests
        assert site.sources() == sources
        assert [part.fold.county.matters.size for part in site.site.partitions] == [20, 10, 0]


def test_a_command_goes_where_its_warning_is(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        send(site, "hotline", [overdue(1)])  # in the south
        warning = str(next(iter(site.site.store.transitions()))["warning"])
        verdict = run(site.command(note(warning)))
        unknown = run(site.command(note("00" * 16, "key-0002")))
    assert verdict is not None
    assert unknown is not None
    assert (verdict["ok"], unknown["reason"]) == (True, "unknown_warning")
    assert [kinds(tmp_path / "data", "signals", number)[Kind.COMMAND] for number in range(3)] == [1, 1, 0]


def test_the_cursor_counts_every_partition(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:

        async def first_change() -> Any:
            changes = site.subscribe()
            await site.accept("hotline", [overdue(1)])
            return await anext(aiter(changes))

        change = run(asyncio.wait_for(first_change(), 10))
        assert change.cursor == {"signals-1": 1}
        assert site.cursor() == {"signals-0": 0, "signals-1": 1, "signals-2": 0, "site-0": 0}


def test_a_partition_to_which_nothing_comes_is_told_the_time_and_holds_nobody_up(parted: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(parted, tmp_path / "data", clock) as site:
        for number in range(20):
            send(site, "hotline", [record(number, at=clock.now(), place="north")])
            clock.advance(9_000_000)
            run(until_folded(site))
        assert site._surges.fold.pending == []
        assert site._surges.fold.taken >= BEGIN // 60_000_000 + 1
        assert site.site.partitions[2].fold.county.now >= clock.now() - 19_000_000
    assert kinds(tmp_path / "data", "signals", 0)[Kind.TICK] <= 1
    assert kinds(tmp_path / "data", "signals", 2)[Kind.TICK] >= 8
    assert kinds(tmp_path / "data", "site", 0)[Kind.PROCEED] >= 4


def test_readings_go_to_the_partition_of_their_source_and_warn_there(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        at = [moment(BEGIN + second * 1_000_000).encode() for second in range(3)]
        sent = [b'{"sensor":"water-1","at":"%s","value":%d}' % (one, 9 * (n > 0)) for n, one in enumerate(at)]
        send(site, "gauges", sent)
        run(until_folded(site))
        counts = site.ledger.of("gauges")
        cursor = site.cursor()
    assert (counts["accepted"], counts["applied"]) == (3, 3)
    assert kinds(tmp_path / "data", "readings", 1)[Kind.READING] == 3
    assert kinds(tmp_path / "data", "signals", 1)[Kind.ASSESSMENT] == 1
    assert cursor["signals-1"] == 1
    assert replay(tmp_path / "data").is_equal


def test_a_changed_configuration_reaches_every_partition(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        lay_out(tmp_path / "town", partition_count=3, sources=SOURCES, categories=THREE)
        assert run(site.reload())["version"] == 2
    for log in ("signals", "readings"):
        assert [kinds(tmp_path / "data", log, number)[Kind.CONFIG] for number in range(3)] == [2, 2, 2]


def test_a_new_county_is_given_to_the_partition_that_has_none(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data") as site:
        places = [*CONFIG["places"], {"id": "east"}]
        east = [{"place": "east", "category": category, "office": "works"} for category in ("noise", "roads")]
        matrix = [*CONFIG["matrix"], *east]
        lay_out(tmp_path / "town", partition_count=3, sources=SOURCES, places=places, matrix=matrix)
        assert run(site.reload())["ok"]
        send(site, "hotline", [record(7, place="east")])
        assert site.site.logs.matter(key128("hotline", "m7")) == (2, "hotline/m7")
        assert site.site.logs.seats()[code64("east")] == 2


def test_the_number_of_partitions_is_fixed(parted: Path, tmp_path: Path) -> None:
    with running(parted, tmp_path / "data"):
        pass
    lay_out(tmp_path / "town", partition_count=2, sources=SOURCES)
    with pytest.raises(ConfigError) as refused:
        Live(plan(tmp_path / "town" / "site.yaml"), tmp_path / "data", SetClock(BEGIN))
    assert "begun with 3" in refused.value.problems[0]
