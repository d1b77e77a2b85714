"""What holds of the fold whatever happens: ticks and frames change nothing, a checkpoint is as good as the log."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.clock_rule import Clock
from config.grading import Blue, Levels, Orange, Red, Yellow
from config.learning import Source, Target
from config.settings import Settings
from models.champion import Champion
from pipeline.columns import pack, unpack
from pipeline.frame import Kind
from pipeline.ids import code64
from pipeline.matter import Mark
from pipeline.rules import FoldRules
from pipeline.signal import Step
from pipeline.stages.risk import OFFICE
from pipeline.stages.steps import recount
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
@settings(max_examples=50)
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
@settings(max_examples=50)
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


@given(happenings(least=2, most=20), st.data())
@settings(max_examples=40)
def test_any_order_of_arrival_within_a_sources_lateness_gives_the_same_warnings(
    lives: list[Happening], data: st.DataObject
) -> None:
    lateness = 2.0
    told = []
    for number, one in enumerate(lives):
        if one.cues & RULES.emergency_cues:
            continue
        # A tenth of an hour is kept from the edge: what arrives as late as that is applied at once.
        arrives = one.hour + data.draw(st.sampled_from([0, 0, 0.5, 1, 1.9]))
        told.append(replace(one, source="slow", id=f"{number}", arrives=arrives))
    end = tick(max((one.hour for one in told), default=0) + lateness + 1)
    late, prompt = county(), county()
    by_arrival = sorted(told, key=lambda one: one.now)
    fold(late, [*frames_of([entry(one) for one in by_arrival]), *frames_of([end], first=1)])
    by_time = sorted((replace(one, arrives=None) for one in told), key=lambda one: one.now)
    fold(prompt, [*frames_of([entry(one) for one in by_time]), *frames_of([end], first=1)])
    assert late.digest() == prompt.digest()
    assert not late.county.held


@given(logs(), st.data())
@settings(max_examples=50)
def test_a_checkpoint_and_the_rest_of_the_log_are_as_good_as_the_whole(
    entries: list[Entry], data: st.DataObject
) -> None:
    frames = frames_of(entries, data.draw(st.sets(st.integers(1, len(entries)), min_size=1)))
    whole = county()
    chain: list[bytes] = []
    stop = data.draw(st.integers(0, len(frames) - 1))
    told: list[dict[str, Any]] = []
    for number, frame in enumerate(frames):
        story = fold(whole, [frame])
        if number > stop:
            told.append(outcome_of(whole, story))
        elif number == stop or data.draw(st.booleans()):
            head, arrays = whole.checkpoint(delta=bool(chain))
            chain.append(pack(head, arrays))
    back = county(OTHER_RULES)
    for number, body in enumerate(chain):
        head, arrays = unpack(body)
        back.restore(head, arrays, delta=number > 0)
    back.ready()
    assert [outcome_of(back, fold(back, [frame])) for frame in frames[stop + 1 :]] == told
    assert back.digest() == whole.digest()
    assert state_of(back) == state_of(whole)


def state_of(topology: Topology) -> Any:
    """All that a fold knows, in an order that does not depend on slots."""
    head, arrays = topology.checkpoint()
    small = {name: value for name, value in head["small"].items() if name != "folded"}
    rows = arrays["matters.rows"]
    names = [name for name in rows.dtype.names or () if name not in {"first", "last", "clock"}]
    matters = sorted(repr([row[name].tobytes() for name in names]) for row in rows)
    return small, matters, head["warnings"], sorted(head["graded"]), topology.county.assets


@given(happenings())
@settings(max_examples=40)
def test_without_labels_every_score_is_the_prior(lives: list[Happening]) -> None:
    story = fold(county(), frames_of(in_order([entry(each) for each in lives])))
    for block in story.decisions:
        open_bits = block.heads["open"]
        for number, target in enumerate(TARGETS):
            scores = block.probability[(open_bits >> number & 1) == 1, number]
            assert set(scores.tolist()) <= {round(target.prior * 10_000)}


@given(happenings())
@settings(max_examples=40)
def test_counts_kept_step_by_step_are_those_of_a_recount(lives: list[Happening]) -> None:
    topology = county()
    fold(topology, frames_of(in_order([entry(each) for each in lives])))
    state = topology.county
    names = ("handovers", "returns", "upheld", "extensions", "reopens", "closed_at", "marks", "last_at", "state")
    for slot in state.matters.slot_of.values():
        kept = {name: getattr(state, name)[slot] for name in names}
        recount(state, slot)
        assert {name: getattr(state, name)[slot] for name in names} == kept


@given(happenings())
@settings(max_examples=40)
def test_an_office_has_as_many_open_matters_as_are_registered_with_it_and_not_closed(lives: list[Happening]) -> None:
    topology = county()
    fold(topology, frames_of(in_order([entry(each) for each in lives])))
    state = topology.county
    slots = state.matters.slot_of.values()
    owed = Counter(state.office[slot] for slot in slots if state.marks[slot] & Mark.REGISTERED and state.is_open(slot))
    for name in ("roads", "water", "parks"):
        unit = state.unit(OFFICE, code64(name))
        assert state.units.rows["open"][unit] == owed[code64(name)]


@given(happenings(least=10), st.data())
@settings(max_examples=40)
def test_what_comes_later_moves_nothing_that_was_scored_before(lives: list[Happening], data: st.DataObject) -> None:
    known, other = data.draw(st.integers(0, len(lives))), data.draw(happenings())
    entries = in_order([entry(each) for each in lives])
    moment = entries[known - 1].now if known else 0
    rest = [replace(each, arrives=(max(each.now, moment) - hours(0)) / 3_600_000_000 + 0.01) for each in other]
    told = fold(county(), frames_of(entries))
    noise = fold(county(), frames_of(in_order([*entries[:known], *(entry(each) for each in rest)])))
    assert scored(told, moment) == scored(noise, moment)


def scored(story: Story, until: int) -> list[tuple[bytes, ...]]:
    """Decisions before a moment: who and when, features, scores."""
    return [
        (head[["subject", "at", "number", "open"]].tobytes(), codes.tobytes(), values.tobytes(), raw.tobytes())
        for block in story.decisions
        for head, codes, values, raw in zip(block.heads, block.rows.codes, block.rows.values, block.raw, strict=True)
        if head["at"] < until
    ]
