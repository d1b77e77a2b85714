"""Appenders beside each other: an entry that is stamped a little behind is folded as if it came with the newest."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from config.learning import Source, Target
from config.settings import Settings
from pipeline.frame import READING, Frame, Kind, frame_of_others, frame_of_readings
from pipeline.ids import code64
from pipeline.readings import ReadingsFold
from pipeline.signal import Step
from pipeline.site import SiteFold
from pipeline.testing import Happening, Story, entry, fold, frames_of, hours, tick
from runners.wiring import CountyWarnings, fold_rules, topology

MINUTE = 60_000_000
TARGET = Target(name="late", rule="breach", window_days=0, prior=0.4)
SOURCES = (
    Source(name="slow", mapping="slow.yaml", lateness_seconds=7200),
    Source(name="grid", mapping="grid.yaml", interval_seconds=3600),
)
RULES = fold_rules(Settings(targets=(TARGET,), sources=SOURCES))
BEHIND = st.lists(st.integers(0, 40 * MINUTE), min_size=12, max_size=12)
"""How far behind the others the appender of each frame was."""


def behind(frames: Sequence[Frame], by: Sequence[int]) -> list[Frame]:
    """The same frames, each by an appender that is so far behind; the first one tells where time begins."""
    found = [frames[0]]
    for number, frame in enumerate(deepcopy(list(frames[1:]))):
        frame.now = frame.now - by[number % len(by)]
        if len(frame.signals):
            frame.signals["now"] -= by[number % len(by)]
        found.append(frame)
    return found


def at_the_latest(frames: Sequence[Frame]) -> list[Frame]:
    """The same frames, stamped with the newest moment up to each entry."""
    latest, found = 0, []
    for frame in deepcopy(list(frames)):
        frame.now = np.maximum.accumulate(np.maximum(frame.now, latest))
        latest = int(frame.now[-1])
        if len(frame.signals):
            frame.signals["now"] = frame.now[frame.kinds == Kind.SIGNAL]
        found.append(frame)
    return found


@st.composite
def county_frames(draw: st.DrawFn) -> list[Frame]:
    hour, told = 0.0, []
    for number in range(draw(st.integers(4, 24))):
        hour += draw(st.sampled_from([0, 0.005, 0.2, 5, 40]))
        one = Happening(
            matter=draw(st.sampled_from("abc")),
            hour=hour,
            step=draw(st.sampled_from([Step.REGISTERED, Step.REGISTERED, *Step])),
            id=str(number),
            due=draw(st.sampled_from([None, hour + 3])),
            source=draw(st.sampled_from(["hotline", "slow"])),
        )
        told.append(entry(one) if draw(st.integers(0, 4)) else tick(hour))
    cuts = draw(st.sets(st.integers(1, len(told) - 1)))
    return frames_of(told, cuts)


@given(county_frames(), BEHIND)
@settings(max_examples=60)
def test_a_county_takes_what_is_stamped_behind_as_coming_now(frames: list[Frame], by: list[int]) -> None:
    given_frames = behind(frames, by)
    before = [frame.to_bytes() for frame in given_frames]
    mine, theirs = topology(RULES, {}), topology(RULES, {})
    left, right = fold(mine, given_frames), fold(theirs, at_the_latest(given_frames))
    assert (mine.digest(), summary(left)) == (theirs.digest(), summary(right))
    assert [frame.to_bytes() for frame in given_frames] == before


def summary(story: Story) -> tuple[Any, ...]:
    return story.transitions, story.labels, story.effects.to_site, story.effects.counts


@st.composite
def site_frames(draw: st.DrawFn) -> list[Frame]:
    found, hour, seq = [], 0.0, 0
    for number in range(draw(st.integers(3, 15))):
        hour += draw(st.sampled_from([0, 0.01, 0.6, 1.5, 3]))
        now, kind = hours(hour), draw(st.sampled_from([Kind.TICK, Kind.COUNTS, Kind.FACT, Kind.PROCEED]))
        minute = now // MINUTE
        payload: dict[str, Any] = {}
        if kind is Kind.COUNTS:
            seq += 1
            payload = {"partition": 0, "seq": seq, "minute": minute - 1, "cells": [[RULES.root, 5, 1]]}
        elif kind is Kind.FACT:
            payload = {"source": "grid"}
        elif kind is Kind.PROCEED:
            payload = {"partition": 0, "minute": minute - 1}
        found.append(frame_of_others([(kind, now, payload)]))
        found[-1].offset = number
    return found


@given(site_frames(), BEHIND)
@settings(max_examples=60)
def test_the_site_takes_what_is_stamped_behind_as_coming_now(frames: list[Frame], by: list[int]) -> None:
    given_frames = behind(frames, by)
    mine, theirs = (SiteFold(RULES, CountyWarnings(RULES)) for _ in range(2))
    left = [mine.step(frame) for frame in given_frames]
    right = [theirs.step(frame) for frame in at_the_latest(given_frames)]
    assert mine.digest() == theirs.digest()
    assert [each.transitions for each in left] == [each.transitions for each in right]


def test_a_source_is_not_silent_because_an_appender_is_behind() -> None:
    site = SiteFold(RULES, CountyWarnings(RULES))
    spoke = {"source": "grid"}
    for hour in (0.0, 2.0, 1.0, 3.5):
        told = site.step(frame_of_others([(Kind.FACT, hours(hour), spoke)])).transitions
        assert [each for each in told if each["at"] > hours(2.0)] == []


@st.composite
def reading_frames(draw: st.DrawFn) -> list[Frame]:
    minute, found = 0, []
    for number in range(draw(st.integers(12, 40))):
        minute += draw(st.sampled_from([1, 1, 1, 1, 1, 30]))
        rows = np.zeros(draw(st.integers(1, 3)), READING)
        rows["sensor"] = [code64(name) for name in "abc"][: len(rows)]
        rows["at"], rows["value"] = hours(0) + minute * MINUTE, draw(st.sampled_from([1.0, 1.1, 40.0]))
        found.append(frame_of_readings(rows, hours(0) + minute * MINUTE))
        found[-1].offset = number
    return found


@given(reading_frames(), BEHIND)
@settings(max_examples=60)
def test_readings_that_are_stamped_behind_are_taken_as_coming_now(frames: list[Frame], by: list[int]) -> None:
    given_frames = behind(frames, by)
    mine, theirs = ReadingsFold(), ReadingsFold()
    left = [mine.step(frame).to_signals for frame in given_frames]
    assert left == [theirs.step(frame).to_signals for frame in at_the_latest(given_frames)]


def test_a_readings_fold_knows_after_a_restore_how_late_it_is() -> None:
    rows = np.zeros(1, READING)
    rows["sensor"], rows["at"] = 7, hours(1)
    fold = ReadingsFold()
    fold.step(frame_of_readings(rows, hours(5)))
    again = ReadingsFold()
    again.restore(fold.base())
    assert again.now == hours(5)
