"""The one server that tells all logs the time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.frame import Frame, Kind, frame_of_others
from runners.clock import SetClock
from runners.log_sqlite import Logs
from runners.serve.parts import Log
from runners.serve.time import PASSED_OVER_S, Timekeeper

MINUTE = 60_000_000
BEGIN = 29_000_000 * MINUTE
EVERY: list[Log] = [("signals", 0), ("signals", 1), ("readings", 0), ("readings", 1), ("site", 0)]


class Town:
    """Logs of two partitions that hold one entry each, and a timekeeper whose seconds go when they are told to."""

    def __init__(self, path: Path) -> None:
        self.logs = Logs(path, clock="wall")
        self.clock = SetClock(BEGIN)
        self.seconds = 0.0
        for log in EVERY:
            self.append(log, [(Kind.CONFIG, {})])
        self.keeper = self.takes_over()

    def takes_over(self) -> Timekeeper:
        """A server that has just got the lease."""
        return Timekeeper(self.logs, 2, self.clock, self.append, lambda: ["hotline"], lambda: self.seconds)

    def append(self, log: Log, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> int:
        """Append entries as of now."""
        now = self.clock.now()
        return self.logs.append(*log, [frame_of_others([(kind, now, payload) for kind, payload in entries]).to_bytes()])

    def pass_time(self, seconds: float, keeper: Timekeeper | None = None) -> None:
        """Let time pass, and have the timekeeper look."""
        self.clock.advance(round(seconds * 1_000_000))
        self.seconds += seconds
        (keeper or self.keeper).look({log: self.logs.next_offset(*log) for log in EVERY})

    def said(self, log: Log) -> list[tuple[Kind, dict[str, Any]]]:
        """What stands in a log behind its first entry."""
        found: list[tuple[Kind, dict[str, Any]]] = []
        for offset, body in self.logs.read(*log, after=0):
            frame = Frame.from_bytes(body, offset)
            payloads = iter(frame.others)
            found += [(Kind(kind), {} if kind == Kind.TICK else next(payloads)) for kind in frame.kinds.tolist()]
        return found


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path / "log.db")
    town.pass_time(0)
    return town


def test_a_log_that_was_empty_for_ten_seconds_gets_a_tick(town: Town) -> None:
    town.pass_time(9)
    assert town.said(("signals", 0)) == []
    town.pass_time(1)
    assert town.said(("signals", 0)) == [(Kind.TICK, {})]
    assert town.said(("readings", 1)) == [(Kind.TICK, {})]


def test_a_log_to_which_something_came_needs_none(town: Town) -> None:
    town.pass_time(9)
    town.append(("signals", 0), [(Kind.FACT, {})])
    town.pass_time(1)
    assert town.said(("signals", 0)) == [(Kind.FACT, {})]
    assert town.said(("signals", 1)) == [(Kind.TICK, {})]


def test_the_site_hears_once_a_minute_of_the_sources_that_spoke(town: Town) -> None:
    town.logs.advance("heard@hotline", town.clock.now() + 1)
    town.pass_time(59)
    assert town.said(("site", 0))[1:] == []
    town.pass_time(1)
    assert town.said(("site", 0))[1:] == [(Kind.FACT, {"source": "hotline"})]
    town.pass_time(50)
    town.pass_time(10)
    assert town.said(("site", 0))[2] == (Kind.TICK, {})


def test_who_takes_over_does_not_tell_again_what_was_told(town: Town) -> None:
    town.logs.advance("heard@hotline", town.clock.now() + 1)
    town.pass_time(60)
    town.pass_time(60, town.takes_over())
    assert [payload for kind, payload in town.said(("site", 0)) if kind is Kind.FACT] == [{"source": "hotline"}]


def test_a_partition_that_gave_no_mark_for_two_minutes_is_passed_over(town: Town) -> None:
    for _ in range(4):
        town.append(("site", 0), [(Kind.PROCEED, {"partition": 0, "minute": town.clock.now() // MINUTE - 1})])
        town.pass_time(PASSED_OVER_S / 2)
    passed = [payload for kind, payload in town.said(("site", 0)) if kind is Kind.PROCEED and payload["partition"] == 1]
    assert passed, "nobody waits for it"
    assert passed[-1]["minute"] == town.clock.now() // MINUTE - 2


def test_a_partition_that_gives_its_marks_is_waited_for(town: Town) -> None:
    for _ in range(6):
        minute = town.clock.now() // MINUTE - 1
        for partition in (0, 1):
            town.append(("site", 0), [(Kind.COUNTS, {"partition": partition, "minute": minute, "seq": 1, "cells": []})])
        town.pass_time(60)
    assert not [payload for kind, payload in town.said(("site", 0)) if kind is Kind.PROCEED]
