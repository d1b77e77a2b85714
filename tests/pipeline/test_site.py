"""The site fold: counts by minute become surges, sums of periods too, and silent sources are told."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config.settings import Settings
from config.territory import Place
from pipeline.calendar import DAY_US, HOUR_US, MINUTE_US
from pipeline.effects import Effects
from pipeline.errors import Reason
from pipeline.frame import Frame, Kind, frame_of_others
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.site import SiteFold
from pipeline.stages.surge import Counties
from runners.wiring import CountyWarnings, fold_rules

START = 19_849 * DAY_US - 8 * HOUR_US
"""Midnight in Shanghai, a Monday."""
FIRST = START // MINUTE_US
WATER, ROADS = code64("water"), code64("roads")
Entry = tuple[Kind, int, dict[str, Any]]


def rules_with(**changes: Any) -> FoldRules:
    surge = changes.pop("surge", {})
    plain = fold_rules(Settings(**changes))
    return FoldRules.from_json(plain.to_json() | {"surge": surge})


RULES = rules_with()


def counts(minute: int, seq: int, *cells: tuple[int, int, int], partition: int = 0) -> Entry:
    """Counts of a minute after START, stamped at its end."""
    payload = {"partition": partition, "seq": seq, "minute": FIRST + minute, "cells": [list(cell) for cell in cells]}
    return Kind.COUNTS, (FIRST + minute + 1) * MINUTE_US, payload


def history(days: int, surge_day: int = -1, *, seed: int = 7, place: int = RULES.root) -> list[Entry]:
    """Some ten matters of water a day at all hours, three of roads, and on one day thirty more of water at noon."""
    random = np.random.default_rng(seed)
    entries: list[Entry] = []
    for day in range(days):
        cells = [(minute, WATER) for minute in random.integers(0, 1_440, random.poisson(10)).tolist()]
        cells += [(minute, ROADS) for minute in random.integers(0, 1_440, random.poisson(3)).tolist()]
        if day == surge_day:
            cells += [(720 + minute, WATER) for minute in range(30)]
        for minute in sorted({minute for minute, _ in cells}):
            here = [category for at, category in cells if at == minute]
            found = [(place, category, here.count(category)) for category in sorted(set(here))]
            entries.append(counts(day * 1_440 + minute, len(entries) + 1, *found))
    return entries


def folded(fold: SiteFold, entries: Sequence[Entry], cuts: Sequence[int] = ()) -> Effects:
    """What comes of these entries, in frames cut before these positions."""
    total = Effects()
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(entries)}), len(entries)]
    for first, last in itertools.pairwise(bounds):
        if last > first:
            effects = fold.step(frame_of_others(entries[first:last]))
            for name in ("transitions", "intents", "verdicts", "series"):
                getattr(total, name).extend(getattr(effects, name))
            total.counts.update(effects.counts)
    return total


def fresh(rules: FoldRules = RULES) -> SiteFold:
    return SiteFold(rules, CountyWarnings(rules))


def test_quiet_weeks_raise_nothing_red() -> None:
    assert all(t["proposed"] < 4 for t in folded(fresh(), history(60)).transitions)


def test_a_surge_is_told_within_the_hour_with_count_and_expectation() -> None:
    told = [t for t in folded(fresh(), history(50, 45)).transitions if t["at"] >= START + 45 * DAY_US]
    first = told[0]
    (facts,) = (ground["facts"] for ground in first["assessments"][0]["grounds"])
    assert (first["category"], first["place"], first["kind"]) == (WATER, RULES.root, "surge")
    assert START + 45 * DAY_US + 12 * HOUR_US < first["at"] <= START + 45 * DAY_US + 13 * HOUR_US + 30 * MINUTE_US
    assert facts["count"] >= 25
    assert 5 < float(facts["expected"]) < 15


def test_one_warning_stays_open_while_the_surge_lasts() -> None:
    told = [t for t in folded(fresh(), history(50, 45)).transitions if t["at"] >= START + 45 * DAY_US]
    assert len({t["warning"] for t in told if t["category"] == WATER}) == 1


def test_a_surge_names_the_minutes_that_made_it() -> None:
    told = [t for t in folded(fresh(), history(50, 45)).transitions if t["at"] >= START + 45 * DAY_US]
    place, category, *minutes = told[0]["evidence"][0]
    assert (place, category) == (RULES.root, WATER)
    assert FIRST + 45 * 1_440 + 720 in minutes
    assert minutes == sorted(minutes)


def test_nothing_is_a_surge_before_a_history_is_known() -> None:
    assert not folded(fresh(), history(20, 15)).transitions


def test_two_matters_are_no_surge_however_rare() -> None:
    rules = rules_with(surge={"min_count": 40})
    assert not folded(fresh(rules), history(50, 45)).transitions


def test_a_county_surges_beside_the_root() -> None:
    rules = rules_with(places=(Place(id="east"), Place(id="west"), Place(id="grid-1", parent="east", level="grid")))
    told = folded(fresh(rules), history(50, 45, place=code64("grid-1"))).transitions
    assert {t["place"] for t in told} == {rules.root, code64("east")}


@pytest.mark.parametrize(
    ("place", "county"), [("grid-1", "east"), ("east", "east"), ("root", ""), ("elsewhere", ""), ("town", "west")]
)
def test_a_county_is_the_place_below_the_root(place: str, county: str) -> None:
    places = (
        Place(id="east"),
        Place(id="west"),
        Place(id="town", parent="west", level="township"),
        Place(id="grid-1", parent="east", level="grid"),
    )
    assert Counties(rules_with(places=places)).of(code64(place)) == code64(county)


def test_below_a_single_top_the_next_level_is_the_county() -> None:
    places = (Place(id="city", level="city"), Place(id="east", parent="city"), Place(id="west", parent="city"))
    counties = Counties(rules_with(places=places))
    assert (counties.of(code64("east")), counties.of(code64("city"))) == (code64("east"), 0)


def test_what_came_already_is_counted_once() -> None:
    entries = history(50, 45)
    again = [*entries[:200], *entries[150:]]
    once, twice = folded(one := fresh(), entries), folded(two := fresh(), again)
    assert twice.transitions == once.transitions
    assert twice.counts[Reason.DUPLICATE] == 50
    assert one.digest() == two.digest()


def test_a_minute_waits_for_every_partition() -> None:
    fold = fresh(rules_with(surge={"partitions": 2}))
    folded(fold, [counts(5, 1, (1, WATER, 2))])
    assert fold.surges.last == -1
    folded(fold, [counts(6, 1, (1, ROADS, 2), partition=1)])
    assert fold.surges.last == FIRST + 5


def test_a_silent_partition_is_passed_over_and_what_it_says_later_is_late() -> None:
    fold = fresh(rules_with(surge={"partitions": 2}))
    proceed = (Kind.PROCEED, (FIRST + 9) * MINUTE_US, {"partition": 1, "minute": FIRST + 7})
    found = folded(fold, [counts(5, 1, (1, WATER, 2)), proceed, counts(4, 1, (1, ROADS, 2), partition=1)])
    assert fold.surges.last == FIRST + 5
    assert found.counts[Reason.LATE] == 1


def test_partitions_may_interleave_in_any_way() -> None:
    rules = rules_with(surge={"partitions": 2})
    entries = history(50, 45)
    shares: list[list[Entry]] = [[], []]
    for _, now, payload in entries:
        own = shares[payload["minute"] % 2]
        number = payload["minute"] % 2
        own.append((Kind.COUNTS, now, {**payload, "partition": number, "seq": len(own) + 1}))
    by_turn = sorted([*shares[0], *shares[1]], key=lambda entry: entry[1])
    in_blocks = [entry for day in range(50) for share in shares for entry in share if _day(entry) == day]
    closing = [
        (Kind.PROCEED, (FIRST + 51 * 1_440) * MINUTE_US, {"partition": n, "minute": FIRST + 50 * 1_440}) for n in (0, 1)
    ]
    ends = [SiteFold(rules, CountyWarnings(rules)) for _ in range(2)]
    for fold, order in zip(ends, (by_turn, in_blocks), strict=True):
        folded(fold, [*order, *closing])
    assert ends[0].surges.totals == ends[1].surges.totals
    assert np.array_equal(ends[0].surges.usual, ends[1].surges.usual)


def _day(entry: Entry) -> int:
    return int(entry[2]["minute"] - FIRST) // 1_440


def test_days_without_anything_are_unknown_not_nought() -> None:
    through, gap = fresh(), fresh()
    entries = history(60)
    folded(through, entries)
    folded(gap, [entry for entry in entries if not 40 <= _day(entry) < 50])
    assert gap.surges.learned == through.surges.learned - 10
    slot = gap.surges.slot_of[RULES.root, WATER]
    assert gap.surges.usual[0, slot] == pytest.approx(10, rel=0.3)


# properties ---------------------------------------------------------------------------------------------------------

STORY = history(48, 40)
WHOLE = folded(fresh(), STORY)


@profile(max_examples=25)
@given(st.lists(st.integers(1, len(STORY) - 1), max_size=12))
def test_it_does_not_matter_where_frames_are_cut(cuts: list[int]) -> None:
    assert folded(fresh(), STORY, cuts).transitions == WHOLE.transitions != []


@profile(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, len(STORY) - 1), st.floats(0, 1)), max_size=12))
def test_extra_ticks_change_nothing(ticks: list[tuple[int, float]]) -> None:
    with_ticks: list[Entry] = list(STORY)
    for place, part in sorted(ticks, reverse=True):
        before, after = STORY[place - 1][1], STORY[place][1]
        with_ticks.insert(place, (Kind.TICK, before + int(part * (after - before)), {}))
    with_ticks.sort(key=lambda entry: entry[1])
    assert folded(fresh(), with_ticks).transitions == WHOLE.transitions


@profile(max_examples=15)
@given(st.integers(1, len(STORY) - 1), st.booleans())
def test_a_checkpoint_and_the_rest_are_the_whole(cut: int, delta: bool) -> None:
    first, second = fresh(), fresh()
    head = folded(first, STORY[:cut])
    second.restore(*first.checkpoint())
    if delta:
        tail = folded(first, STORY[cut : cut + 40])
        second.restore(*first.checkpoint(delta=True), delta=True)
        head.transitions += tail.transitions
        cut += 40
    second.ready()
    rest = folded(second, STORY[cut:])
    assert head.transitions + rest.transitions == WHOLE.transitions


# sums of periods ----------------------------------------------------------------------------------------------------


def weeks(values: Sequence[int], category: int = WATER) -> list[Entry]:
    """One series of weekly sums, each told when its week is over."""
    week = 7 * DAY_US
    return [
        (
            Kind.COUNTS,
            START + (number + 1) * week,
            {"at": START + number * week, "period_us": week, "cells": [[RULES.root, category, value]]},
        )
        for number, value in enumerate(values)
    ]


def test_every_sum_is_said_with_its_expectation() -> None:
    found = folded(fresh(), weeks([4, 5, 3, 6] * 10)).series
    assert len(found) == 40
    assert {"at", "count", "expected", "recurrence", "score", "category", "place"} <= found[-1].keys()
    assert found[-1]["expected"] == pytest.approx(4.5, rel=0.2)


def test_a_week_of_many_is_a_surge() -> None:
    (first, *_) = folded(fresh(), weeks([*[4, 5, 3, 6] * 10, 30])).transitions
    assert (first["kind"], first["at"], first["proposed"]) == ("surge", START + 41 * 7 * DAY_US, 4)


def test_a_sum_that_comes_again_is_a_duplicate() -> None:
    entries = weeks([4, 5, 3])
    found = folded(fresh(), [*entries, (Kind.COUNTS, entries[-1][1], entries[1][2])])
    assert (len(found.series), found.counts[Reason.DUPLICATE]) == (3, 1)


def test_the_expectation_of_a_week_does_not_know_its_count() -> None:
    low, high = (folded(fresh(), weeks([4] * 20 + [last])).series[-1] for last in (0, 50))
    assert low["expected"] == high["expected"]


# silent sources -----------------------------------------------------------------------------------------------------

SOURCE_RULES = FoldRules.from_json(RULES.to_json() | {"intervals": [[code64("hotline"), HOUR_US]]})


def heard(hour: float) -> Entry:
    return Kind.FACT, START + round(hour * HOUR_US), {"source": "hotline"}


def tick(hour: float) -> Entry:
    return Kind.TICK, START + round(hour * HOUR_US), {}


def test_a_source_that_misses_two_intervals_is_told_at_that_moment() -> None:
    (told,) = folded(fresh(SOURCE_RULES), [heard(0), heard(1), tick(9)]).transitions
    assert (told["kind"], told["at"], told["proposed"]) == ("source", START + 3 * HOUR_US, 2)
    assert told["assessments"][0]["grounds"][0]["facts"]["source"] == "hotline"


def test_a_source_that_keeps_its_interval_is_not_told() -> None:
    assert not folded(fresh(SOURCE_RULES), [heard(hour) for hour in range(20)]).transitions


def test_a_silence_ends_when_the_source_speaks_and_may_begin_again() -> None:
    told = folded(fresh(SOURCE_RULES), [heard(0), tick(5), heard(6), tick(20)]).transitions
    assert [t["cause"] for t in told] == ["raised", "ended", "raised"]
    assert told[0]["warning"] != told[2]["warning"]


def test_counts_that_name_their_sources_keep_them_from_being_silent() -> None:
    entries = [(kind, now, {**payload, "sources": [code64("hotline")]}) for kind, now, payload in history(3)]
    busy = [entry for entry in entries if entry[1] < START + DAY_US]
    fold = fresh(FoldRules.from_json(SOURCE_RULES.to_json() | {"intervals": [[code64("hotline"), 12 * HOUR_US]]}))
    assert not folded(fold, busy).transitions


@profile(max_examples=30)
@given(st.lists(st.floats(0, 60), max_size=8), st.lists(st.integers(1, 10), max_size=5))
def test_silences_do_not_hang_on_ticks_or_frames(ticks: list[float], cuts: list[int]) -> None:
    spoken = [heard(hour) for hour in (0, 1, 5, 6, 30, 31)]
    end = tick(60)
    plain = folded(fresh(SOURCE_RULES), [*spoken, end])
    mixed = sorted([*spoken, *map(tick, ticks)], key=lambda entry: entry[1])
    found = folded(fresh(SOURCE_RULES), [*mixed, end], cuts)
    assert found.transitions == plain.transitions
    assert len(plain.transitions) == 5


def test_a_source_that_is_no_longer_watched_has_no_warning() -> None:
    fold = fresh(SOURCE_RULES)
    folded(fold, [heard(0), tick(5)])
    config = {"version": 2, "rules": RULES.to_json() | {"version": 2}, "settings": {}}
    (told,) = folded(fold, [(Kind.CONFIG, START + 6 * HOUR_US, config)]).transitions
    assert told["cause"] == "ended"


def test_a_command_of_a_person_is_answered() -> None:
    fold = fresh(SOURCE_RULES)
    (told,) = folded(fold, [heard(0), tick(5)]).transitions
    command = {
        "id": "c-1",
        "warning": told["warning"],
        "command": "acknowledge",
        "principal": "p",
        "role": "duty",
        "expected": 1,
        "next_update_by": START + 9 * HOUR_US,
    }
    found = folded(fold, [(Kind.COMMAND, START + 6 * HOUR_US, command)])
    assert [verdict["ok"] for verdict in found.verdicts] == [True]


def test_a_frame_is_not_changed() -> None:
    frame = frame_of_others(STORY[:50])
    before = frame.to_bytes()
    fresh().step(frame)
    assert Frame.from_bytes(before, 0).to_bytes() == frame.to_bytes()
