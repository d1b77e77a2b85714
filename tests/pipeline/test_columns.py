"""The one codec of frames, checkpoints, decisions and models: what goes in comes out, and damage is told."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData, NewerData
from pipeline.frame import Frame, Kind
from pipeline.signal import SIGNAL, Step
from pipeline.testing import Happening, command, entry, frames_of, tick

ARRAYS: dict[str, NDArray[Any]] = {
    "a": np.arange(5, dtype=np.int16),
    "b": np.zeros((2, 3), np.float32),
    "empty": np.zeros(0, SIGNAL),
}


def test_arrays_come_back_with_their_shapes_and_types() -> None:
    head, arrays = unpack(pack({"name": "某地", "n": 1}, ARRAYS))
    assert head == {"name": "某地", "n": 1}
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array)
        assert arrays[name].dtype.itemsize == array.dtype.itemsize


def test_equal_content_gives_equal_bytes_whatever_the_order_of_the_head() -> None:
    assert pack({"a": 1, "b": 2}, ARRAYS) == pack({"b": 2, "a": 1}, ARRAYS)


def test_objects_have_no_canonical_bytes() -> None:
    with pytest.raises(TypeError):
        pack({}, {"o": np.array([object()])})


@given(st.integers(0, 400), st.integers(0, 255))
def test_damaged_bytes_raise_corrupt_data_or_give_other_content_but_nothing_else(place: int, byte: int) -> None:
    whole = bytearray(pack({"n": 1}, ARRAYS))
    whole[place % len(whole)] = byte
    try:
        unpack(bytes(whole))
    except CorruptData:
        return


@pytest.mark.parametrize("cut", [0, 3, 10, 60, -1])
def test_a_block_cut_short_is_told(cut: int) -> None:
    with pytest.raises(CorruptData):
        unpack(pack({}, {"a": np.arange(50)})[:cut])


def whole_frame() -> Frame:
    (frame,) = frames_of(
        [entry(Happening("m", 0, Step.REGISTERED)), tick(1), command(2, {"id": "k"}), entry(Happening("n", 3, 8))]
    )
    return frame


def test_a_frame_comes_back_as_it_was() -> None:
    frame = whole_frame()
    again = Frame.from_bytes(frame.to_bytes(), 7)
    assert again.offset == 7
    assert again.kinds.tolist() == [Kind.SIGNAL, Kind.TICK, Kind.COMMAND, Kind.SIGNAL]
    assert again.signals.tobytes() == frame.signals.tobytes()
    assert again.others == [{"id": "k"}]
    assert again.to_bytes() == frame.to_bytes()


def test_a_frame_of_a_later_version_is_refused() -> None:
    head, arrays = unpack(whole_frame().to_bytes())
    with pytest.raises(NewerData, match="upgrade"):
        Frame.from_bytes(pack(head | {"v": 99}, arrays), 0)


def test_a_frame_without_its_kinds_is_corrupt() -> None:
    head, arrays = unpack(whole_frame().to_bytes())
    del arrays["kinds"]
    with pytest.raises(CorruptData, match="kinds"):
        Frame.from_bytes(pack(head, arrays), 0)


@pytest.mark.parametrize(("index", "holds"), [(0, "signals"), (1, "nothing"), (2, "others"), (3, "signals")])
def test_one_entry_of_a_frame_is_a_frame(index: int, holds: str) -> None:
    frame = whole_frame()
    part = frame.entry(index)
    assert part.kinds.tolist() == [frame.kinds[index]]
    assert part.now.tolist() == [frame.now[index]]
    sizes: dict[str, Any] = {"signals": len(part.signals), "others": len(part.others)}
    assert sizes == {"signals": int(holds == "signals"), "others": int(holds == "others")}
    if index == 3:
        assert part.signals.tobytes() == frame.signals[1:].tobytes()
