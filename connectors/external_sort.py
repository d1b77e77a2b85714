"""Sorts more items than fit into memory: runs of a fixed size are sorted, spilled to unnamed files and merged.

An item is a list of numbers, strings, None and lists and dicts of these, and is ordered as Python orders lists: by its
first elements. The caller ends the key with something unique (file, line), which is the stated tie-break; then the
order depends neither on the size of the runs nor on the order in which items were added.
"""

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec

Item = list[Any]

MEMORY_ROWS = 50_000
"""Items held at once. At about 600 B each this is 30 MB, and more of them do not make the sort faster."""
_BLOCK = 64
"""Items decoded at once from each run while merging, fewer where little is held: runs x block stay a quarter of it."""
_FAN_IN = 128
"""Runs merged at once; when there are so many they are first merged into one, which bounds open files."""

_LENGTH = struct.Struct("<I")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


class ExternalSort:
    """Takes items with `add`, gives them back in order with `drain`, once. Spills into unnamed temporary files."""

    def __init__(self, memory_rows: int = MEMORY_ROWS, folder: str | None = None) -> None:
        self._memory_rows = memory_rows
        self._folder = folder
        self._block = max(1, min(_BLOCK, memory_rows // (4 * _FAN_IN)))
        self._held: list[Item] = []
        self._runs: list[IO[bytes]] = []

    def add(self, item: Item) -> None:
        """Take one item; it must not be changed afterwards."""
        self._held.append(item)
        if len(self._held) >= self._memory_rows:
            self._held.sort()
            self._runs.append(self._spill(self._held))
            self._held.clear()
            if len(self._runs) == _FAN_IN:
                self._runs = [self._spill(heapq.merge(*map(_read, self._runs)))]

    def drain(self) -> Iterator[Item]:
        """All items in order; what was added is released while it is read."""
        held, self._held = self._held, []
        held.sort()
        if not self._runs:
            held.reverse()
            while held:
                yield held.pop()
            return
        runs, self._runs = self._runs, []
        if held:
            runs.append(self._spill(held))
            held.clear()
        yield from heapq.merge(*map(_read, runs))

    def _spill(self, items: Iterable[Item]) -> IO[bytes]:
        file = tempfile.TemporaryFile(prefix="forewarn-sort-", dir=self._folder)  # noqa: SIM115  (closed by its reader)
        block: list[Item] = []
        for item in items:
            block.append(item)
            if len(block) == self._block:
                _write(file, block)
                block = []
        if block:
            _write(file, block)
        file.seek(0)
        return file


def _write(file: IO[bytes], block: list[Item]) -> None:
    data = _encode(block)
    file.write(_LENGTH.pack(len(data)))
    file.write(data)


def _read(file: IO[bytes]) -> Iterator[Item]:
    with file:
        while head := file.read(_LENGTH.size):
            yield from _decode(file.read(_LENGTH.unpack(head)[0]))
