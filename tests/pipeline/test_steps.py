"""The life of a matter: steps in the order in which things happened, however they arrive."""

from collections.abc import Callable, Sequence
from typing import Any

from config.learning import Target
from pipeline.ids import code64
from pipeline.matter import MAX_STEPS, Mark
from pipeline.signal import Step
from pipeline.stages.steps import addresses
from pipeline.testing import Happening, hours, key_of, tick

Make = Callable[..., Any]


def kept(told: Any, matter: str = "m") -> list[tuple[float, int]]:
    """(hour, kind) of a matter's steps as they are linked."""
    county = told.fold.county
    here, found = told.row(key_of(matter))["first"], []
    while here >= 0:
        found.append(((county.step_at[here] - hours(0)) / 3_600_000_000, county.step_kind[here]))
        here = county.step_next[here]
    return found


def lived(*steps: tuple[float, Step]) -> Sequence[Happening]:
    return [Happening("m", hour, step, id=str(number)) for number, (hour, step) in enumerate(steps)]


def test_a_late_step_is_put_where_it_belongs(bench: Make) -> None:
    told = bench()
    story = told.tell(*lived((0, Step.REGISTERED), (9, Step.REPLIED)), Happening("m", 5, Step.HANDED_OVER, arrives=10))
    assert kept(told) == [(0, Step.REGISTERED), (5, Step.HANDED_OVER), (9, Step.REPLIED)]
    assert story.effects.counts["out_of_order"] == 1
    assert told.row(key_of("m"))["last_at"] == hours(9)


def test_a_late_reopening_before_the_last_closing_leaves_the_matter_closed(bench: Make) -> None:
    told = bench()
    told.tell(*lived((0, Step.REGISTERED), (5, Step.CLOSED), (9, Step.CLOSED)), Happening("m", 7, Step.REOPENED))
    row = told.row(key_of("m"))
    assert row["marks"] & Mark.CLOSED
    assert (row["reopens"], row["closed_at"]) == (1, hours(9))


def test_an_older_step_does_not_bring_back_the_office_of_then(bench: Make) -> None:
    told = bench()
    told.tell(
        Happening("m", 0, Step.REGISTERED, office="roads"),
        Happening("m", 9, Step.HANDED_OVER, office="water"),
        Happening("m", 5, Step.HANDED_OVER, office="parks", category="pothole"),
    )
    assert told.row(key_of("m"))["office"] == code64("water")
    assert told.row(key_of("m"))["category"] == code64("pothole")


def test_the_middle_of_a_long_life_folds_into_its_counts(bench: Make) -> None:
    told = bench()
    told.tell(*lived((0, Step.REGISTERED), *((hour, Step.HANDED_OVER) for hour in range(1, 100))))
    row = told.row(key_of("m"))
    assert row["handovers"] == 99
    assert row["steps"] == len(kept(told)) == MAX_STEPS
    assert kept(told)[0][0] == 0
    assert kept(told)[-1][0] == 99


def test_counts_of_a_folded_life_survive_a_late_step(bench: Make) -> None:
    told = bench()
    told.tell(*lived((0, Step.REGISTERED), *((hour, Step.HANDED_OVER) for hour in range(1, 100))))
    told.tell(*(Happening("m", 50.5, Step.RETURNED, id=f"late {n}", arrives=120) for n in range(9)))
    row = told.row(key_of("m"))
    assert (row["handovers"], row["returns"]) == (99, 9)
    assert row["steps"] == len(kept(told)) == MAX_STEPS


def test_a_closing_is_not_folded_away(bench: Make) -> None:
    told = bench()
    told.tell(
        *lived(*((hour, Step.UPDATED) for hour in range(31)), (31, Step.REGISTERED), (32, Step.CLOSED)),
        *(Happening("m", hour, Step.UPDATED) for hour in range(33, 120)),
        Happening("m", 1.5, Step.UPDATED, arrives=121),
    )
    assert told.row(key_of("m"))["marks"] & Mark.CLOSED
    assert told.row(key_of("m"))["closed_at"] == hours(32)


def test_folded_steps_are_used_again(bench: Make) -> None:
    told = bench()
    told.tell(*lived(*((hour, Step.UPDATED) for hour in range(1000))))
    assert told.fold.county.steps.size == MAX_STEPS + 1


def test_a_forgotten_matter_leaves_its_steps_and_clocks_to_others(bench: Make) -> None:
    told = bench(Target(name="late", rule="breach", window_days=0))
    told.tell(Happening("m", 0, Step.REGISTERED, due=9), Happening("m", 5, Step.CLOSED), tick(40 * 24))
    county = told.fold.county
    assert not county.matters.slot_of
    assert (len(county.matters.free), len(county.steps.free), len(county.clocks.free)) == (1, 2, 1)


def test_evidence_is_what_had_arrived_by_then(bench: Make) -> None:
    told = bench()
    told.tell(*lived((0, Step.REGISTERED), (1, Step.REPLIED)))
    told.tell(*lived((2, Step.UPDATED)))
    county = told.fold.county
    slot = county.matters.slot_of[key_of("m")]
    assert addresses(county, slot, (0, 1)) == [[0, 0], [0, 1]]
    assert addresses(county, slot, (0, 0)) == [[0, 0]]


def test_a_count_stops_before_it_overflows(bench: Make) -> None:
    told = bench()
    told.tell(*lived((0, Step.REGISTERED)))
    county = told.fold.county
    slot = county.matters.slot_of[key_of("m")]
    county.handovers[slot] = county.reports[slot] = 65_535
    told.tell(Happening("m", 1, Step.HANDED_OVER), Happening("m", 2, Step.REPORTED_AGAIN))
    assert (county.handovers[slot], county.reports[slot]) == (65_535, 65_535)


def test_an_unknown_step_is_kept_and_means_nothing(bench: Make) -> None:
    told = bench()
    story = told.tell(*lived((0, Step.REGISTERED)), Happening("m", 1, 200))
    assert story.effects.counts["applied"] == 2
    assert kept(told)[-1] == (1, 200)
