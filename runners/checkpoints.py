"""Checkpoints of a fold as files: a base and the deltas since, each with version, offset and sha256. No pickle.

The log is the truth and a checkpoint only saves time: one that is damaged is set aside and an earlier one is used.
"""

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

from numpy.typing import NDArray

from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData, NewerData

Arrays = Mapping[str, NDArray[Any]]
_DIGEST = 32


def give_back() -> None:
    """Return memory that was freed to the system. A base takes for a moment as much as the state itself.

    Only the allocator of glibc has to be asked; elsewhere nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Checkpoints:
    """The files of one (log, partition), named `<log>-<partition>-<base offset>-<offset>.fwc`.

    A delta whose base offset is its own offset is a base. A new base is written once deltas outweigh it.
    """

    def __init__(self, folder: Path, log: str, partition: int, fold_version: int) -> None:
        self.folder = folder
        self.name = f"{log}-{partition}"
        self.fold_version = fold_version
        self._base: int | None = None
        self._at: int | None = None
        self._base_bytes = self._delta_bytes = 0
        self._writing: Thread | None = None
        self._failed: OSError | None = None

    def write(self, offset: int, state: Callable[[bool], tuple[dict[str, Any], Arrays]], *, wait: bool = True) -> None:
        """Keep the state at `offset`; `state(delta)` yields it whole or what was touched since the last call.

        Without `wait` hashing and writing go on beside the caller; what fails there is raised by the next call.
        """
        self.settle()
        if offset == self._at:
            return  # a delta of the base's own offset would take its place
        delta = self._base is not None and self._delta_bytes < self._base_bytes
        head, arrays = state(delta)
        body = pack({"fold_version": self.fold_version, "offset": offset, "delta": delta, "state": head}, arrays)
        base = self._base if delta and self._base is not None else offset
        if delta:
            self._delta_bytes += len(body)
        else:
            self._base, self._base_bytes, self._delta_bytes = offset, len(body), 0
        self._at = offset
        if wait:
            self._store(base, offset, body)
        else:
            self._writing = Thread(target=self._try_to_store, args=(base, offset, body), name="checkpoint")
            self._writing.start()

    def settle(self) -> None:
        """Wait for what is being written. Raises OSError when it could not be."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _try_to_store(self, base: int, offset: int, body: bytes) -> None:
        try:
            self._store(base, offset, body)
        except OSError as error:
            self._failed = error

    def _store(self, base: int, offset: int, body: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.name}-{base}-{offset}.fwc"
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(sha256(body).digest())
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            self._base = self._at = None  # no chain may go on from here
            raise
        if base == offset:
            # The one before stays until this base has a successor: a damaged newest base still leaves a way back.
            kept = sorted({found for found, _, _ in self._files() if found <= offset})[-2:]
            for old_base, _, old in self._files():
                if old_base < kept[0]:
                    old.unlink()

    def read(self) -> Iterator[tuple[int, list[tuple[bool, dict[str, Any], Arrays]]]]:
        """(offset, [(is delta, head, arrays), ...]) of each usable chain, newest base first. Raises NewerData."""
        self.settle()
        for unfinished in self.folder.glob(f"{self.name}-*.new"):
            unfinished.unlink()
        for base in sorted({base for base, _, _ in self._files()}, reverse=True):
            chain: list[tuple[bool, dict[str, Any], Arrays]] = []
            at = base
            for _, offset, path in sorted(entry for entry in self._files() if entry[0] == base):
                try:
                    head, arrays = self._load(path)
                except CorruptData:
                    path.rename(path.with_suffix(".damaged"))
                    break
                chain.append((head["delta"], head["state"], arrays))
                at = offset
            if chain and not chain[0][0]:
                yield at, chain

    def newest(self) -> list[tuple[int, int, bytes]]:
        """(base, offset, body) of the newest usable chain, in order, for another place; nothing where there is none."""
        chain = next(self.read(), None)
        if chain is None:
            return []
        base = max(base for base, offset, _ in self._files() if offset == chain[0])
        own = sorted((offset, path) for found, offset, path in self._files() if found == base and offset <= chain[0])
        return [(base, offset, path.read_bytes()[_DIGEST:]) for offset, path in own]

    def _load(self, path: Path) -> tuple[dict[str, Any], Arrays]:
        data = path.read_bytes()
        return checked(memoryview(data)[_DIGEST:], data[:_DIGEST], self.fold_version, str(path))

    def _files(self) -> list[tuple[int, int, Path]]:
        found = []
        for path in self.folder.glob(f"{self.name}-*.fwc"):
            base, offset = path.stem.removeprefix(f"{self.name}-").split("-")
            found.append((int(base), int(offset), path))
        return found


def checked(body: memoryview, digest: bytes, fold_version: int, place: str) -> tuple[dict[str, Any], Arrays]:
    """Head and arrays of a checkpoint found at `place`. Raises CorruptData, NewerData."""
    if sha256(body).digest() != digest:
        raise CorruptData(f"{place} does not match its checksum")
    head, arrays = unpack(body)
    if head["fold_version"] > fold_version:
        raise NewerData(
            f"{place} was written by fold version {head['fold_version']}; this is {fold_version}: upgrade forewarn"
        )
    if head["fold_version"] < fold_version:
        raise CorruptData(f"{place} belongs to an older fold version")
    return head, arrays
