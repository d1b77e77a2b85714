"""State that a fold owns: tables of structured rows by slot, their indexes, and plain-array snapshots of both.

A `Table` is one structured numpy array that grows, a free list, and a byte a slot that says whether it was touched
since the last delta (`touched[slot] = 1` by whoever writes to a row).
Scalars are read and written through `column(name)`, a memoryview on one field: three times faster than indexing numpy.
Views die when the table grows, so whoever caches them registers a callback with `on_growth`.
"""

from collections.abc import Callable, Mapping
from mmap import MAP_PRIVATE, mmap  # anonymous pages only: memory, never a file
from typing import Any

import numpy as np
from numpy.typing import NDArray

_OWN_PAGES = 1 << 20
NEVER = np.iinfo(np.int64).max
"""A due time that never comes."""


def view(array: NDArray[Any]) -> Any:
    """A writable memoryview on a one-dimensional array; ndarray has the buffer protocol, which its stubs do not say."""
    return memoryview(array)  # type: ignore[arg-type]


def blank_rows(count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeroed rows. Many lie in pages of their own, which the system gets back once a table has outgrown them.

    An allocator that has freed one large block keeps the next ones in its heap and leaves holes as large as tables.
    """
    size = count * dtype.itemsize
    return np.zeros(count, dtype) if size < _OWN_PAGES else np.frombuffer(mmap(-1, size, MAP_PRIVATE), dtype)


class Table:
    """Rows of one dtype by slot number.

    Parameters
    ----------
    name : of the table; names its arrays in a checkpoint and orders timers of equal due.
    dtype : structured; a field `next_due` (int64) makes the table a holder of timers, `key` (V16) gives it an index.
    capacity : rows to begin with; doubles up to 65,536 rows, then grows by a half (fresh pages are lazy).
    """

    def __init__(self, name: str, dtype: np.dtype[Any], capacity: int = 256) -> None:
        self.name = name
        self.rows: NDArray[Any] = blank_rows(capacity, dtype)
        self.size = 0
        self.free: list[int] = []
        self.touched = bytearray(capacity)
        self.slot_of: dict[bytes, int] = {}
        self._has_key = "key" in (dtype.names or ())
        self._has_timers = "next_due" in (dtype.names or ())
        self._blank = np.zeros(1, dtype)
        if self._has_timers:
            self._blank["next_due"] = NEVER
        self._growth: list[Callable[[], None]] = []

    def on_growth(self, rebind: Callable[[], None]) -> None:
        """Call `rebind` now and whenever the rows move."""
        self._growth.append(rebind)
        rebind()

    def column(self, name: str) -> Any:
        """A writable memoryview on one scalar field; valid until the table grows."""
        return view(self.rows[name])

    def add(self, key: bytes | None = None) -> int:
        """A zeroed slot, indexed under `key` where given."""
        if self.free:
            slot = self.free.pop()
        else:
            slot = self.size
            if slot == len(self.rows):
                self._grow()
            self.size += 1
            if self._has_timers:
                self.rows["next_due"][slot] = NEVER
        if key is not None:
            self.slot_of[key] = slot
            self.rows["key"][slot] = np.void(key)
        self.touched[slot] = 1
        return slot

    def drop(self, slot: int) -> None:
        """Forget a row; its slot may be used again."""
        if self._has_key:
            self.slot_of.pop(self.rows["key"][slot].tobytes(), None)
        self.rows[slot : slot + 1] = self._blank
        self.free.append(slot)
        self.touched[slot] = 1

    def _grow(self) -> None:
        old = self.rows
        fresh = blank_rows(len(old) * 2 if len(old) < 65_536 else len(old) * 3 // 2, old.dtype)
        fresh[: len(old)] = old
        self.rows = fresh
        self.touched.extend(bytes(len(fresh) - len(old)))
        for rebind in self._growth:
            rebind()

    def base(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole table as head and arrays; forgets what was touched."""
        self.touched = bytearray(len(self.rows))
        return {"size": self.size}, {"rows": self.rows[: self.size].copy(), "free": np.array(self.free, np.int32)}

    def delta(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was touched since the last base or delta."""
        slots = np.flatnonzero(np.frombuffer(self.touched, np.bool_))
        self.touched = bytearray(len(self.rows))
        return (
            {"size": self.size},
            {"slots": slots.astype(np.int32), "rows": self.rows[slots], "free": np.array(self.free, np.int32)},
        )

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `base` returned; call `reindex` after the last delta."""
        size = int(head["size"])
        self.rows = blank_rows(max(256, size + size // 4), self.rows.dtype)
        self.rows[:size] = self._own(arrays["rows"])
        self.size = size
        self.free = arrays["free"].tolist()
        self.touched = bytearray(len(self.rows))

    def patch(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Apply what `delta` returned."""
        size = int(head["size"])
        while len(self.rows) < size:
            self._grow()
        self.size = size
        self.rows[arrays["slots"]] = self._own(arrays["rows"])
        self.free = arrays["free"].tolist()

    def _own(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Stored rows with the table's own dtype: the padding of an aligned one comes back as a field."""
        return rows.view(self.rows.dtype)

    def reindex(self) -> None:
        """Rebuild the index from the rows and rebind all views."""
        if self._has_key:
            keys = self.rows["key"][: self.size].tolist()
            self.slot_of = dict(zip(keys, range(self.size), strict=True))
            for slot in self.free:
                self.slot_of.pop(keys[slot], None)
        for rebind in self._growth:
            rebind()
