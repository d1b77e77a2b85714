"""What holds of the fold whatever happens: ticks and frames change nothing, a checkpoint is as good as the log."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.clock_rule import Clock
from config.grading import Blue, Levels, Orange, Red, Yellow
from config.learning import Source, Target
from config.settings import Settings
from models.champion import Champion
from pipeline.frame import Kind
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.signal import Step
from pipeline.testing import Entry, Happening, Story, command, entry, fold, frames_of, hours, tick
from pipeline.topology import Topology
from runners.wiring import fold_rules, topology

TARGETS = (
    Target(name="late", rule="breach", window_days=0, prior=0.35),
    Target(name="bounced", rule="handed_over", at_least=2, prior=0.5),
    Target(name="again", rule="repeated", window_days=5, prior=0.2),
    Target(name="reopened", rule="reopened", window_days=3, prior=0.1),
    Target(name="by_record", rule="column", prior=0.1),
)
_QUICK = {"dwell_up_minutes": 30, "dwell_down_minutes": 90, "hold_hours": 2}
SETTINGS = Settings(
    targets=TARGETS,
    clocks=(
        Clock(id="reply", source="rule", length=40, unit="hours", pauses=(Step.PAUSED,), extension_limit=30),
        Clock(id="accept", source="rule", length=1, stops=(Step.ACCEPTED,), channels=("letter",)),
    ),
    default_clocks=("reply", "accept"),
    levels=Levels(blue=Blue(**_QUICK), yellow=Yellow(**_QUICK), orange=Orange(**_QUICK), red=Red(**_QUICK)),
    sources=(Source(name="slow", mapping="slow.yaml", lateness_seconds=7200),),
)
RULES = fold_rules(SETTINGS, scores="all")
OTHER_RULES = fold_rules(
    SETTINGS.model_copy(
        update={"levels": Levels(blue=Blue(raise_at=0.15, clear_at=0.1), yellow=Yellow(raise_at=0.3, clear_at=0.2))}
    ),
    version=2,
    scores="all",
)
MODELS = {
    name: Champion.untrained(RULES.schema, [target.name for target in TARGETS], priors)
    for name, priors in (("calm", [0.1, 0.2, 0.05, 0.05, 0.05]), ("alarmed", [0.7, 0.9, 0.5, 0.4, 0.3]))
}

GAPS = st.sampled_from([0, 0, 0.005, 0.5, 2, 7, 30, 170])
STEPS = st.sampled_from([Step.REGISTERED, Step.REGISTERED, Step.REGISTERED, *Step])


@st.composite
def happenings(draw: st.DrawFn, least: int = 1, most: int = 40) -> list[Happening]:
    """A life of a small county: few matters, offices and places, so that everything meets."""
    hour = 0.0
    found = []
    for number in range(draw(st.integers(least, most))):
        hour += draw(GAPS)
        arrives = hour
        due = draw(st.sampled_from([None, None, None, 3, 50, -20]))
        known = draw(st.sampled_from([0, 0, 0, 16]))
        found.append(
            Happening(
                matter=draw(st.sampled_from("abcdef")),
                hour=hour - draw(st.sampled_from([0, 0, 0, 1, 20])),
                step=draw(STEPS),
                id=str(draw(st.integers(0, 40))) if draw(st.booleans()) else f"own {number}",
                due=None if due is None else hour + due,
                arrives=arrives,
                office=draw(st.sampled_from(["", "roads", "water", "parks"])),
                category=draw(st.sampled_from(["", "pothole", "noise"])),
                place=draw(st.sampled_from(["", "east", "west"])),
                channel=draw(st.sampled_from(["", "letter"])),
                asset=draw(st.sampled_from(["", "", "lift 7"])),
                source=draw(st.sampled_from(["hotline", "hotline", "slow"])),
                cues=draw(st.sampled_from([0, 0, 1, 0x1_0000, 0x3F_0000])),
                known=known,
                value=draw(st.sampled_from([0, known])),
            )
        )
    return found


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """A county's log: signals, now and then a model or other rules, and commands to warnings that really arise."""
    entries = [entry(each) for each in draw(happenings())]
    for version in range(1, draw(st.integers(0, 3)) + 1):
        place = draw(st.integers(0, len(entries)))
        now = entries[place - 1].now + draw(st.sampled_from([0, 3_600_000_000])) if place else hours(0)
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(MODELS)))
            other = Entry(Kind.MODEL, now, payload={"sha256": name, "version": version}, words=name)
        else:
            rules = draw(st.sampled_from([RULES, OTHER_RULES]))
            other = Entry(Kind.CONFIG, now, payload={"rules": rules.to_json()}, words=f"rules {rules.version}")
        entries.insert(place, other)
    warnings = fold(county(), frames_of(in_order(entries))).effects.transitions
    for number in range(draw(st.integers(0, 4)) if warnings else 0):
        told = draw(st.sampled_from(warnings))
        hour = (told["at"] - hours(0)) / 3_600_000_000 + draw(st.sampled_from([0, 0.2, 3]))
        order = draw(
            st.sampled_from(["acknowledge", "confirm", "decline", "close", "note", "assign", "reopen", "undo"])
        )
        payload = {
            "id": f"key {number}",
            "command": order,
            "warning": told["warning"],
            "principal": draw(st.sampled_from(["ann", "bob"])),
            "next_update_by": hours(hour + 4),
            "office": code64("parks"),
            "reason": "known",
            "remark": "seen",
            "outcome": "confirmed",
        }
        entries.append(command(hour, payload))
    return in_order(sorted(entries, key=lambda each: each.now))


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries as an appender stamps them: `now` never falls."""
    latest = 0
    found = []
    for each in entries:
        latest = max(latest, each.now)
        found.append(each._replace(now=latest))
    return found


def county(rules: FoldRules = RULES) -> Topology:
    return topology(rules, MODELS)


def outcome_of(topology: Topology, story: Story) -> dict[str, Any]:
    """All that must not depend on frames or ticks."""
    effects = story.effects
    return {
        "digests": topology.digest(),
        "transitions": story.transitions,
        "labels": story.labels,
        "to_site": effects.to_site,
        "verdicts": effects.verdicts,
        "intents": effects.intents,
    }


@given(logs(), st.data())
@settings(max_examples=100)
def test_extra_ticks_change_no_effect(entries: list[Entry], data: st.DataObject) -> None:
    plain = county()
    told = outcome_of(plain, fold(plain, frames_of(entries)))
    ticked = list(entries)
    for place in sorted(data.draw(st.sets(st.integers(1, len(entries) - 1), max_size=8)) if entries[1:] else ())[::-1]:
        now = data.draw(st.integers(entries[place - 1].now, entries[place].now))
        ticked.insert(place, Entry(Kind.TICK, now))
    cuts = data.draw(st.sets(st.integers(1, len(ticked))))
    other = county()
    assert outcome_of(other, fold(other, frames_of(ticked, cuts))) == told


@given(logs(), st.data())
@settings(max_examples=100)
def test_cutting_frames_anywhere_changes_no_effect(entries: list[Entry], data: st.DataObject) -> None:
    whole, cut = county(), county()
    cuts = data.draw(st.sets(st.integers(1, len(entries))))
    told = outcome_of(whole, fold(whole, frames_of(entries)))
    assert outcome_of(cut, fold(cut, frames_of(entries, cuts))) == told


def test_time_alone_fires_what_a_signal_would_have_fired() -> None:
    silent, spoken = county(), county()
    first = entry(Happening("a", 0, Step.REGISTERED))
    fold(silent, frames_of([first, tick(300)]))
    fold(spoken, frames_of([first, entry(Happening("b", 300, Step.UPDATED))]))
    assert silent.digest()["labels"] == spoken.digest()["labels"] != county().digest()["labels"]
