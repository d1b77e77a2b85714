"""The site runner: what counties hand on reaches the site log once, and a restart goes on where it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.calendar import DAY_US, MINUTE_US
from pipeline.effects import Effects
from pipeline.frame import Frame, Kind
from pipeline.ids import code64
from runners.embedded import Site
from runners.site_runner import LOG, SiteRunner
from runners.wiring import fold_rules

RULES = fold_rules(Settings())
FIRST = 19_849 * DAY_US // MINUTE_US
WATER = code64("water")
Opened = tuple[Site, SiteRunner]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Opened]]:
    """Open the same data directory again and again; the one before is closed."""
    sites: list[Site] = []

    def again() -> Opened:
        if sites:
            sites.pop().close()
        sites.append(Site(tmp_path, RULES, durable=False, checkpointing=False))
        runner = SiteRunner(sites[0], RULES)
        runner.restore()
        return sites[0], runner

    yield again
    sites.pop().close()


def hand_on(site: Site, minutes: range) -> None:
    """Let county partition 0 hand on two matters of water in each of these minutes after FIRST."""
    rows = [{"seq": minute + 1, "minute": FIRST + minute, "cells": [[RULES.root, WATER, 2]]} for minute in minutes]
    applied = site.store.applied("signals", 0)
    site.store.apply("signals", 0, applied.offset + 1 if applied else 0, 0, {}, [Effects(to_site=rows)])


def logged(site: Site) -> list[int]:
    """Minutes of the counts in the site log, in order."""
    found = []
    for offset, body in site.logs.read(LOG, 0):
        frame = Frame.from_bytes(body, offset)
        found += [payload["minute"] - FIRST for payload in frame.others if "minute" in payload]
    return found


def test_a_drain_appends_what_is_new_and_folds_it(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(3))
    runner.drain(0)
    assert logged(site) == [0, 1, 2]
    assert runner.fold.surges.totals == [6]


def test_the_first_entry_of_the_log_is_its_configuration(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(1))
    runner.drain(0)
    body = site.logs.frame(LOG, 0, 0)
    assert body is not None
    assert Frame.from_bytes(body, 0).kinds.tolist() == [Kind.CONFIG]


def test_draining_again_appends_nothing(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(3))
    runner.drain(0)
    assert runner.drain(0) == []
    assert logged(site) == [0, 1, 2]


def test_a_restart_appends_only_what_is_missing(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(3))
    runner.drain(0)
    hand_on(site, range(3, 5))
    site, runner = opened()
    runner.drain(0)
    assert logged(site) == [0, 1, 2, 3, 4]
    assert runner.fold.seq(0) == 5


def test_what_was_logged_and_not_folded_is_folded_at_a_restart(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(3))
    runner.drain(0)
    digest = runner.fold.digest()
    site, runner = opened()
    assert runner.fold.digest() == digest
    assert runner.fold.surges.totals == [6]


def test_many_minutes_are_cut_into_frames(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(2_500))
    runner.drain(0)
    assert [len(Frame.from_bytes(body, offset)) for offset, body in site.logs.read(LOG, 0)] == [1, 1000, 1000, 500]


def test_counts_arrive_at_the_end_of_their_minute_under_a_recorded_clock(opened: Callable[[], Opened]) -> None:
    site, runner = opened()
    hand_on(site, range(2))
    runner.drain(0)
    assert runner.fold.now == (FIRST + 2) * MINUTE_US
