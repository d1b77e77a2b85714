"""Which matter a signal is about: its own id, else an open matter at the same asset."""

from collections.abc import Callable
from typing import Any

from pipeline.columns import pack, unpack
from pipeline.signal import Step
from pipeline.testing import Happening, key_of, tick
from pipeline.topology import Topology

Make = Callable[..., Any]


def alarm(matter: str, hour: float, step: Step = Step.REGISTERED) -> Happening:
    return Happening(matter, hour, step, asset="lift 7")


def test_a_second_report_of_an_open_matter_at_an_asset_belongs_to_it(bench: Make) -> None:
    told = bench()
    told.tell(alarm("m", 0), alarm("n", 1))
    assert list(told.fold.county.matters.slot_of) == [key_of("m")]
    assert told.row(key_of("m"))["reports"] == 1


def test_after_the_first_is_closed_a_new_one_begins(bench: Make) -> None:
    told = bench()
    told.tell(alarm("m", 0), Happening("m", 1, Step.CLOSED), alarm("n", 2))
    assert set(told.fold.county.matters.slot_of) == {key_of("m"), key_of("n")}


def test_other_assets_are_other_matters(bench: Make) -> None:
    told = bench()
    told.tell(alarm("m", 0), Happening("n", 1, Step.REGISTERED, asset="lift 8"))
    assert len(told.fold.county.matters.slot_of) == 2


def test_a_forgotten_matter_holds_no_asset(bench: Make) -> None:
    told = bench()
    told.tell(alarm("m", 0), Happening("m", 1, Step.CLOSED), tick(40 * 24))
    assert not told.fold.county.assets


def test_of_two_matters_at_an_asset_the_newer_one_is_found_after_a_restart_too(
    bench: Make, fresh: Callable[..., Topology]
) -> None:
    told = bench()
    gone = Happening("gone", 0, Step.REGISTERED)
    told.tell(gone, Happening("gone", 1, Step.CLOSED), alarm("m", 2), Happening("m", 600, Step.CLOSED))
    told.tell(tick(721.5), alarm("n", 722))
    slots = told.fold.county.matters.slot_of
    assert slots[key_of("n")] < slots[key_of("m")], "the newer one sits in the slot of the one that was forgotten"
    back = fresh(told.rules)
    back.restore(*unpack(pack(*told.fold.checkpoint())))
    back.ready()
    assert back.county.assets == told.fold.county.assets
