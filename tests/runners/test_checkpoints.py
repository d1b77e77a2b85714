"""Checkpoints: a base and its deltas, the newest that can be trusted first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import NewerData
from runners.checkpoints import Arrays, Checkpoints

VERSION = 3
Taken = Callable[[bool], tuple[dict[str, Any], Arrays]]


def state(at: int, size: int = 30_000) -> Taken:
    """A state of `size` bytes whole, of ten as a delta; `at` tells it from others."""
    return lambda delta: ({"at": at}, {"rows": np.full(10 if delta else size, at % 100, np.uint8)})


def chains(found: Checkpoints) -> list[tuple[int, list[tuple[bool, int]]]]:
    """Offsets of the chains, and what stands in each: whether a delta, and which."""
    return [(at, [(delta, head["at"]) for delta, head, _ in chain]) for at, chain in found.read()]


def checkpoints(folder: Path, version: int = VERSION) -> Checkpoints:
    """Of the signals log's first partition."""
    return Checkpoints(folder, "signals", 0, version)


def test_a_base_and_its_deltas_are_read_back_in_order(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    for offset in (5, 8, 11):
        kept.write(offset, state(offset))
    assert chains(checkpoints(tmp_path)) == [(11, [(False, 5), (True, 8), (True, 11)])]
    [(_, chain)] = checkpoints(tmp_path).read()
    assert chain[0][2]["rows"].tolist() == [5] * 30_000
    assert chain[2][2]["rows"].tolist() == [11] * 10


def test_nothing_kept_is_nothing_found(tmp_path: Path) -> None:
    assert chains(checkpoints(tmp_path / "none")) == []


def test_a_new_base_is_written_when_deltas_weigh_too_much(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    for offset in range(60):
        kept.write(offset, state(offset, 400))
    found = chains(checkpoints(tmp_path))
    assert [chain[0][0] for _, chain in found] == [False, False], "the base before stays until this one has a successor"
    assert found[0][0] == 59
    assert found[1][0] < found[0][1][0][1]


def test_each_process_begins_with_a_base_of_its_own(tmp_path: Path) -> None:
    checkpoints(tmp_path).write(5, state(5))
    checkpoints(tmp_path).write(8, state(8))
    assert chains(checkpoints(tmp_path))[0] == (8, [(False, 8)])


def test_a_damaged_newest_one_is_set_aside_and_an_earlier_one_used(tmp_path: Path) -> None:
    checkpoints(tmp_path).write(5, state(5))
    checkpoints(tmp_path).write(8, state(8))
    flip(tmp_path / "signals-0-8-8.fwc")
    assert chains(checkpoints(tmp_path)) == [(5, [(False, 5)])]
    assert [path.name for path in tmp_path.glob("*.damaged")] == ["signals-0-8-8.damaged"]


def test_a_damaged_delta_ends_its_chain(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    for offset in (5, 8, 11):
        kept.write(offset, state(offset))
    flip(tmp_path / "signals-0-5-8.fwc")
    assert chains(checkpoints(tmp_path)) == [(5, [(False, 5)])]


@pytest.mark.parametrize("size", [0, 10, 40, 500])
def test_a_cut_off_file_is_damaged(tmp_path: Path, size: int) -> None:
    checkpoints(tmp_path).write(5, state(5))
    path = tmp_path / "signals-0-5-5.fwc"
    path.write_bytes(path.read_bytes()[:size])
    assert chains(checkpoints(tmp_path)) == []


def test_half_a_file_under_its_working_name_is_passed_over(tmp_path: Path) -> None:
    checkpoints(tmp_path).write(5, state(5))
    (tmp_path / "signals-0-8-8.new").write_bytes(b"half")
    assert chains(checkpoints(tmp_path)) == [(5, [(False, 5)])]


def test_a_newer_fold_version_is_refused(tmp_path: Path) -> None:
    checkpoints(tmp_path, VERSION + 1).write(5, state(5))
    with pytest.raises(NewerData, match="upgrade forewarn"):
        chains(checkpoints(tmp_path))
    assert (tmp_path / "signals-0-5-5.fwc").is_file(), "a newer file is not damaged"


def test_an_older_fold_version_is_folded_again(tmp_path: Path) -> None:
    checkpoints(tmp_path, VERSION - 1).write(5, state(5))
    assert chains(checkpoints(tmp_path)) == []


def test_partitions_do_not_read_each_other(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "signals", 1, VERSION).write(5, state(5))
    Checkpoints(tmp_path, "signals", 10, VERSION).write(6, state(6))
    Checkpoints(tmp_path, "site", 1, VERSION).write(7, state(7))
    assert chains(Checkpoints(tmp_path, "signals", 1, VERSION)) == [(5, [(False, 5)])]


def flip(path: Path) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_checkpoint_written_beside_the_fold_is_there_once_it_is_settled(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "signals", 0, 1)
    checkpoints.write(3, lambda delta: ({"delta": delta}, {}), wait=False)
    checkpoints.write(4, lambda delta: ({"delta": delta}, {}), wait=False)
    checkpoints.settle()
    assert [offset for offset, _ in Checkpoints(tmp_path, "signals", 0, 1).read()][:1] == [4]


def test_what_could_not_be_written_beside_the_fold_is_told_by_the_next_call(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    checkpoints = Checkpoints(folder, "signals", 0, 1)
    folder.mkdir()
    (folder / "signals-0-3-3.new").mkdir()
    checkpoints.write(3, lambda delta: ({}, {}), wait=False)
    with pytest.raises(OSError):
        checkpoints.settle()
    (folder / "signals-0-3-3.new").rmdir()
    checkpoints.write(4, lambda delta: ({"is_base": not delta}, {}))
    assert next(checkpoints.read())[1][0][1] == {"is_base": True}


def test_the_newest_chain_can_be_handed_to_another_place(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    for offset in (5, 8, 11):
        kept.write(offset, state(offset))
    (tmp_path / "signals-0-5-11.fwc").write_bytes(b"damaged")
    assert [(base, offset) for base, offset, _ in checkpoints(tmp_path).newest()] == [(5, 5), (5, 8)]
    assert checkpoints(tmp_path / "none").newest() == []


def test_the_same_offset_again_changes_nothing(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    kept.write(5, state(5))
    kept.write(5, state(5))
    assert chains(checkpoints(tmp_path)) == [(5, [(False, 5)])]
