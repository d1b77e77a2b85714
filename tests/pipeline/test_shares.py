"""Budgets are shared out by what was asked for; a partition switches at its own entry, older words change nothing."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.learning import Target
from config.settings import Settings
from pipeline.calendar import DAY_US, HOUR_US, MINUTE_US
from pipeline.frame import Frame, Kind, frame_of_others
from pipeline.ids import code64
from pipeline.shares import DAYS, WHOLE, Shares, parts_of
from pipeline.signal import Step
from pipeline.site import SiteFold
from pipeline.testing import Entry, Happening, Story, days, entry, fold, frames_of, hours, tick
from pipeline.topology import SHARES, Topology
from runners.wiring import CountyWarnings, fold_rules, level_rules, topology

TARGET = Target(name="late", rule="breach", window_days=0, prior=0.9)
PARTED = fold_rules(Settings(targets=(TARGET,), partition_count=2))
ALONE = fold_rules(Settings(targets=(TARGET,)))
ROADS, WATER = code64("roads"), code64("water")
MIDNIGHT = hours(0) - 8 * HOUR_US
"""Of a Monday in Shanghai."""


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12))
def test_parts_make_a_whole_and_nobody_is_left_with_nothing(asked: list[int]) -> None:
    parts = parts_of(asked)
    assert sum(parts) == WHOLE
    assert all(part >= WHOLE // (len(asked) * (sum(asked) + 1)) for part in parts)


def test_of_an_office_that_never_asked_every_partition_has_an_equal_part() -> None:
    assert parts_of([0, 0, 0, 0]) == (2500, 2500, 2500, 2500)


def test_an_office_that_lies_in_one_partition_has_nearly_all_of_its_budget_there() -> None:
    assert parts_of([0, 40, 0, 0])[1] > 9_800


def test_shares_are_dealt_out_by_the_last_28_days_and_only_when_they_change() -> None:
    shares = Shares()
    shares.take(0, [[100, ROADS, 3]])
    shares.take(1, [[100, ROADS, 1], [101, ROADS, 50]])
    assert shares.deal(101, 2) == {ROADS: parts_of([3, 1])}
    assert shares.deal(101, 2) is None
    assert shares.deal(100 + DAYS, 2) == {ROADS: parts_of([3, 51])}
    assert shares.deal(101 + DAYS, 2) == {ROADS: parts_of([0, 50])}
    assert shares.deal(102 + DAYS, 2) == {}
    assert shares.version == 4


def test_shares_are_kept_in_checkpoints() -> None:
    shares, again = Shares(), Shares()
    shares.take(1, [[100, WATER, 2]])
    shares.deal(101, 2)
    again.restore(*shares.to_state())
    assert again.deal(101, 2) is None
    assert (again.version, again.deal(102 + DAYS, 2)) == (1, {})


# the site -----------------------------------------------------------------------------------------------------------


def counts(day: int, seq: int, partition: int, asked: Sequence[Sequence[int]]) -> tuple[Kind, int, dict[str, Any]]:
    minute = (MIDNIGHT + (day + 1) * DAY_US) // MINUTE_US - 1
    told = [[(MIDNIGHT + 8 * HOUR_US) // DAY_US + day, office, times] for office, times in asked]
    payload = {"partition": partition, "seq": seq, "minute": minute, "cells": [], "asked": told}
    return Kind.COUNTS, (minute + 1) * MINUTE_US, payload


def test_the_site_tells_every_partition_its_parts_when_midnight_has_passed_in_all() -> None:
    site = SiteFold(PARTED, CountyWarnings(PARTED))
    assert site.step(frame_of_others([counts(0, 1, 0, [[ROADS, 3]])])).to_signals == []
    told = site.step(frame_of_others([counts(0, 1, 1, [[WATER, 1]])])).to_signals
    assert [(row["seq"], row["partition"], row["version"]) for row in told] == [(1, 0, 1), (2, 1, 1)]
    mine = [dict(row["offices"]) for row in told]
    assert [each[ROADS] for each in mine] == list(parts_of([3, 0]))
    assert [each[WATER] for each in mine] == list(parts_of([0, 1]))


def test_a_site_of_one_partition_deals_nothing_out() -> None:
    site = SiteFold(ALONE, CountyWarnings(ALONE))
    assert site.step(frame_of_others([counts(0, 1, 0, [[ROADS, 3]])])).to_signals == []
    assert SHARES not in site.digest()


def test_the_sites_own_budgets_are_not_shared() -> None:
    assert CountyWarnings(PARTED).rules.share == WHOLE
    assert topology(PARTED, {}).grader.rules.share == WHOLE // 2  # type: ignore[attr-defined]


# a county -----------------------------------------------------------------------------------------------------------


def shared(hour: float, version: int, part: int) -> Entry:
    """What the site tells of the roads' budget."""
    return Entry(Kind.FACT, hours(hour), payload={"fact": SHARES, "version": version, "offices": [[ROADS, part]]})


def reported(number: int, hour: float) -> Entry:
    return entry(Happening(f"m{number}", hour, Step.REGISTERED, office="roads", due=hour + 100))


def raised(rules: Any, *entries: Entry) -> int:
    """How many matters were raised."""
    story = fold(topology(rules, {}), frames_of(entries))
    return sum(each["cause"] == "raised" for each in story.transitions)


MANY = [reported(number, number / 10) for number in range(200)]


def test_a_partition_spends_only_its_part_of_a_budget() -> None:
    whole, half = raised(ALONE, *MANY), raised(PARTED, *MANY)
    assert 0 < half < whole
    assert raised(PARTED, shared(-1, 1, WHOLE), *MANY) == whole


def test_an_older_word_changes_nothing() -> None:
    told = [shared(-2, 2, WHOLE), shared(-1.5, 1, 0), shared(-1, 2, 0)]
    assert raised(PARTED, *told, *MANY) == raised(PARTED, shared(-1, 1, WHOLE), *MANY)


def asked_by(entries: Sequence[Entry], cuts: Sequence[int] = ()) -> tuple[Topology, Story]:
    county = topology(PARTED, {})
    return county, fold(county, frames_of(entries, cuts))


def test_a_county_tells_what_was_asked_for_once_the_day_is_over() -> None:
    _, story = asked_by([*MANY[:3], tick(30)])
    asked = [row["asked"] for row in story.effects.to_site if "asked" in row]
    assert asked == [[[days(0) // DAY_US, ROADS, 3]]]


def test_a_county_of_one_partition_tells_nothing_of_it() -> None:
    story = fold(topology(ALONE, {}), frames_of([*MANY[:3], tick(30)]))
    assert not any("asked" in row for row in story.effects.to_site)


@st.composite
def weeks(draw: st.DrawFn) -> list[Entry]:
    hour, told = 0.0, []
    for number in range(draw(st.integers(3, 25))):
        hour += draw(st.sampled_from([0, 0.1, 3, 11, 30]))
        office = draw(st.sampled_from(["roads", "water"]))
        one = Happening(f"m{number % 9}", hour, Step.REGISTERED, id=str(number), office=office, due=hour + 20)
        told.append(draw(st.sampled_from([entry(one), entry(one), tick(hour), shared(hour, number, 2_000)])))
    return told


@given(weeks(), st.lists(st.integers(1, 24), max_size=6))
@settings(max_examples=60)
def test_it_does_not_matter_where_frames_are_cut(entries: list[Entry], cuts: list[int]) -> None:
    (whole, left), (parted, right) = asked_by(entries), asked_by(entries, cuts)
    assert whole.digest() == parted.digest()
    assert left.effects.to_site == right.effects.to_site


@given(weeks(), st.integers(1, 24))
@settings(max_examples=40)
def test_a_checkpoint_and_the_rest_are_the_whole(entries: list[Entry], cut: int) -> None:
    whole, _ = asked_by(entries)
    first, rest = split(frames_of(entries, [cut]), cut)
    before, after = topology(PARTED, {}), topology(PARTED, {})
    fold(before, first)
    after.restore(*before.checkpoint())
    after.ready()
    fold(after, rest)
    assert after.digest() == whole.digest()


def split(frames: list[Frame], cut: int) -> tuple[list[Frame], list[Frame]]:
    """The frames before and after an entry."""
    return (frames[:1], frames[1:]) if len(frames) > 1 else (frames, [])


def test_level_rules_of_one_partition_are_whole() -> None:
    assert level_rules(ALONE, ALONE.partitions).share == WHOLE
