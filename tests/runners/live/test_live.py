"""A live site: what is accepted is durable and folded, answered truthfully, and the same after a restart."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.intake_http import NotNow
from pipeline.errors import ConfigError, LogBusy
from pipeline.frame import Frame, Kind
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


def command(warning: str, name: str = "note", key: str = "key-0001", **more: Any) -> dict[str, Any]:
    return {
        "id": key, "warning": warning, "command": name, "principal": "li", "role": "duty_officer", "remark": "seen",
        **more,
    }  # fmt: skip


def the_warning(site: Live) -> str:
    """Id of the first warning of a site."""
    return str(next(iter(site.site.store.transitions()))["warning"])


def test_what_is_accepted_is_folded_and_counted(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        answer = send(site, "hotline", records(2_500), is_batch=True)
        counts = site.ledger.of("hotline")
    assert (answer.accepted, answer.rejected) == (2_500, ())
    assert (counts["accepted"], counts["applied"], counts["pending"]) == (2_500, 2_500, 0)


def test_frames_hold_at_most_a_thousand_entries(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", records(2_500), is_batch=True)
    with Logs(tmp_path / "data" / "log.db", readonly=True) as logs:
        sizes = [len(Frame.from_bytes(body, offset)) for offset, body in logs.read("signals", 0)]
    assert sizes == [1, 1_000, 1_000, 500]


def test_a_batch_sent_twice_is_told_so_and_changes_nothing(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", records(10), is_batch=True)
        before = site.ledger.of("hotline")
        again = send(site, "hotline", records(10), is_batch=True)
        assert (again.accepted, again.duplicate_batch) == (10, True)
        assert site.ledger.of("hotline") == before


def test_a_batch_is_known_again_after_a_restart(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [*records(3), b"{"], is_batch=True)
    with running(town, tmp_path / "data") as site:
        again = send(site, "hotline", [*records(3), b"{"], is_batch=True)
    assert again.duplicate_batch
    assert [rejection.index for rejection in again.rejected] == [3]


def test_one_broken_record_of_a_batch_is_told_and_the_rest_taken(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        sent = [record(1), record(2, category="unheard"), b'{"id":', record(3)]
        answer = send(site, "hotline", sent, is_batch=True)
        letters = site.site.logs.deadletters()
        counts = site.ledger.of("hotline")
    assert answer.accepted == 2
    assert [(one.index, one.reason) for one in answer.rejected] == [(1, "unknown_category"), (2, "broken_json")]
    assert [letter["reason"] for letter in letters] == ["broken_json", "unknown_category"]
    assert (counts["accepted"], counts["applied"], counts["dead_lettered"]) == (4, 2, 2)


def test_the_same_signal_alone_is_counted_as_a_duplicate(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [record(1)])
        send(site, "hotline", [record(1)])
        counts = site.ledger.of("hotline")
    assert (counts["accepted"], counts["applied"], counts["duplicate"]) == (2, 1, 1)


def test_counts_go_on_after_a_restart(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [record(1), record(2), b"{"])
        before = site.sources()
    with running(town, tmp_path / "data") as site:
        assert site.sources() == before


def test_a_replay_of_the_directory_gives_the_live_digests(town: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(town, tmp_path / "data", clock) as site:
        for hour in range(4):
            send(site, "hotline", [*records(20, 100 * hour), overdue(100 * hour + 50)])
            clock.advance(HOUR)
        warning = the_warning(site)
        assert run(site.command(command(warning)))
    found = replay(tmp_path / "data")
    assert found.is_equal
    assert found.transitions == found.stored_transitions > 4
    assert [finding.check for finding in verify(tmp_path / "data") if not finding.ok] == []


def test_readings_are_folded_in_their_own_log_and_warn(town: Path, tmp_path: Path) -> None:
    path = lay_out(tmp_path / "town", sensors=[{"prefix": "water", "name_zh": "水位", "alarm_high": 5.0}])
    with running(path, tmp_path / "data") as site:
        at = [moment(BEGIN + second * 1_000_000).encode() for second in range(3)]
        sent = [b'{"sensor":"water-1","at":"%s","value":%d}' % (one, 9 * (n > 0)) for n, one in enumerate(at)]
        send(site, "gauges", sent)
        run(until_folded(site))
        counts = site.ledger.of("gauges")
        subjects = [transition["kind"] for transition in site.site.store.transitions()]
    assert (counts["accepted"], counts["applied"], counts["late"] + counts["duplicate"]) == (3, 3, 0)
    assert subjects == ["sensor"]


def test_readings_go_on_after_a_restart(town: Path, tmp_path: Path) -> None:
    def sent(first: int) -> list[bytes]:
        at = [moment(BEGIN + 60_000_000 * n) for n in range(first, first + 40)]
        return [b'{"sensor":"g","at":"%s","value":%d}' % (one.encode(), n % 7) for n, one in enumerate(at)]

    with running(town, tmp_path / "whole") as site:
        for first in (0, 40):
            send(site, "gauges", sent(first))
        whole = site.site.store.applied("readings", 0)
    for first in (0, 40):
        with running(town, tmp_path / "parts") as site:
            send(site, "gauges", sent(first))
            parts = site.site.store.applied("readings", 0)
    assert whole is not None
    assert parts is not None
    assert parts.digests == whole.digests


def test_a_tick_is_appended_when_nothing_came_for_ten_seconds(town: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(town, tmp_path / "data", clock) as site:
        for seconds in (9, 2):
            clock.advance(seconds * 1_000_000)
            run(until_folded(site))
        assert site.site.partitions[0].fold.county.now == BEGIN + 11_000_000
    with Logs(tmp_path / "data" / "log.db", readonly=True) as logs:
        kinds = Counter(
            kind for offset, body in logs.read("signals", 0) for kind in Frame.from_bytes(body, offset).kinds
        )
    assert kinds == {Kind.CONFIG: 1, Kind.TICK: 1}


def test_a_deadline_passes_while_nothing_comes(town: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(town, tmp_path / "data", clock) as site:
        send(site, "hotline", [record(1, due=moment(BEGIN + HOUR))])
        clock.advance(80 * HOUR)
        run(until_folded(site))
        assert {transition["cause"] for transition in site.site.store.transitions()} >= {"raised"}


def test_a_silent_source_is_warned_of(town: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(town, tmp_path / "data", clock) as site:
        send(site, "hotline", [record(1)])
        for _ in range(60):
            clock.advance(60_000_000)
            run(until_folded(site))
        kinds = {transition["kind"] for transition in site.site.store.transitions(log="site")}
        assert site.sources()[0]["state"] == "interrupted"
    assert kinds == {"source"}
    assert replay(tmp_path / "data").is_equal


# commands and changes -------------------------------------------------------------------------------------------------


def test_a_command_is_answered_with_the_verdict_of_the_fold(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [overdue(1)])
        warning = the_warning(site)
        assert run(site.command(command(warning))) == {
            "id": "key-0001", "warning": warning, "ok": True, "reason": "applied", "number": 2,
        }  # fmt: skip
        stale = run(site.command(command(warning, key="key-0002", expected=1)))
        assert stale is not None
        assert stale["reason"] == "stale"
        assert site.verdict("key-0002") == stale


def test_a_verdict_is_known_after_a_restart(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [overdue(1)])
        verdict = run(site.command(command(the_warning(site))))
    with running(town, tmp_path / "data") as site:
        assert site.verdict("key-0001") == verdict


def test_subscribers_hear_of_changes_with_the_cursor_after_them(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:

        async def first_change() -> Any:
            changes = site.subscribe()
            await site.accept("hotline", [overdue(1)])
            return await anext(aiter(changes))

        change = run(asyncio.wait_for(first_change(), 10))
        assert change.cursor == {"signals-0": 1}
        assert change.transitions[0]["cause"] == "raised"
        assert site.cursor() == {"signals-0": 1, "site-0": 0}


def test_a_stop_ends_subscriptions(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:

        async def all_changes() -> list[Any]:
            changes = site.subscribe()
            site.hub.close()
            return [change async for change in changes]

        assert run(asyncio.wait_for(all_changes(), 10)) == []


def test_a_fact_lies_in_the_site_log(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        run(site.fact("signed_in", {"principal": "li"}))
    with Logs(tmp_path / "data" / "log.db", readonly=True) as logs:
        found = [other for offset, body in logs.read("site", 0) for other in Frame.from_bytes(body, offset).others]
    assert {"fact": "signed_in", "of": {"principal": "li"}} in found


def test_a_dead_letter_is_mended_and_gone(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [record(1, category="unheard")])
        letter = site.site.logs.deadletters()[0]["id"]
        still = run(site.resubmit(letter, "hotline", {"id": "1"}))
        assert (still["ok"], still["reason"]) == (False, "missing_field")
        assert run(site.resubmit(letter, "hotline", orjson.loads(record(1))))["ok"]
        run(until_folded(site))
        assert site.site.logs.deadletters() == []
        assert site.ledger.of("hotline")["applied"] == 1
        assert run(site.discard(letter)) is False


# configuration --------------------------------------------------------------------------------------------------------


def test_a_changed_configuration_is_a_new_version_in_every_log(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        lay_out(tmp_path / "town", categories=THREE)
        assert run(site.reload()) == {"ok": True, "version": 2, "problems": []}
        assert send(site, "hotline", [record(1, category="trees")]).accepted == 1
        assert site.site.partitions[0].fold.county.rules.version == 2
    assert replay(tmp_path / "data").is_equal


def test_a_bad_configuration_is_refused_and_the_old_one_lives(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        lay_out(tmp_path / "town", categories=[{"id": "noise", "clocks": ["unheard"]}])
        told = run(site.reload())
        assert (told["ok"], told["version"]) == (False, 1)
        assert "site.yaml" in told["problems"][0]
        assert send(site, "hotline", [record(1)]).accepted == 1


def test_what_stands_at_a_position_of_the_rows_must_stay_there(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        lay_out(tmp_path / "town", targets=[{"name": "bounced", "rule": "bounced"}])
        assert "positions" in run(site.reload())["problems"][0]


def test_a_configuration_that_is_as_it_was_is_no_new_version(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        assert run(site.reload()) == {"ok": True, "version": 1, "problems": []}


def test_a_configuration_that_changed_between_two_starts_is_followed(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data"):
        pass
    lay_out(tmp_path / "town", categories=THREE)
    with running(town, tmp_path / "data") as site:
        assert site.rules.version == 2
        assert send(site, "hotline", [record(1, category="trees")]).accepted == 1
    with running(town, tmp_path / "data") as site:
        assert site.rules.version == 2


def test_a_second_process_is_refused(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data"), pytest.raises(LogBusy, match="in use by process"):
        Live(plan(town), tmp_path / "data", SetClock(BEGIN))


def test_a_directory_of_a_run_on_files_is_refused(town: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    Logs(tmp_path / "data" / "log.db", clock="recorded").close()
    with pytest.raises(ConfigError, match="run on files"):
        Live(plan(town), tmp_path / "data", SetClock(BEGIN))


def test_every_problem_of_a_live_configuration_is_told(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "town", sources=[*CONFIG["sources"], {"name": "third", "mapping": "hotline.yaml"}])
    with pytest.raises(ConfigError, match="is of the source 'hotline'"):
        plan(path)


# when something breaks ------------------------------------------------------------------------------------------------


def test_what_is_asked_of_the_engine_and_fails_is_told_to_who_asked(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        with pytest.raises(ZeroDivisionError):
            site.call(lambda: 1 // 0).result(10)
        assert send(site, "hotline", [record(1)]).accepted == 1


class Broken:
    """Something beside the engine that always fails."""

    def look(self, now: int) -> None:
        """Fail."""
        raise ZeroDivisionError


def test_a_part_beside_the_engine_that_fails_is_left_out(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        broken = Broken()
        site.call(lambda: site.add(broken)).result(10)
        assert send(site, "hotline", [record(1)]).accepted == 1
        assert broken not in site.engine.regulars
        assert site.readiness().ready


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_engine_that_breaks_says_so_takes_nothing_and_leaves_the_log_to_go_on_from(
    town: Path, tmp_path: Path
) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", records(20))
        site.call(lambda: setattr(site.site.partitions[0], "offset", 99)).result(10)
        assert run(site.accept("hotline", [record(50)])).accepted == 1
        site.engine.join()
        assert "the engine stopped" in site.readiness().reason
        with pytest.raises(NotNow):
            run(site.accept("hotline", [record(51)]))
    with running(town, tmp_path / "data") as site:
        assert site.ledger.of("hotline")["applied"] == 21
    assert replay(tmp_path / "data").is_equal
