"""Single frames of one partition, read by their offsets: few, on demand, and told apart from those that are gone."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from pipeline.errors import CorruptData
from pipeline.frame import Frame
from runners.explain.explanation import EntryState
from runners.log_sqlite import Logs

FRAMES = 64
"""Frames that one explanation reads at most."""


class KeptFrames(Protocol):
    """Where frames are kept."""

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame by its offset, or None when it was pruned."""
        ...


class FramesByKey:
    """Frames of one partition of a log, at most `FRAMES` of them, each read once.

    `configurations`: offsets of the frames with its config entries, in order.
    """

    def __init__(self, logs: KeptFrames, log: str, partition: int, configurations: Iterable[int] = ()) -> None:
        self._logs, self._log, self._partition = logs, log, partition
        self.configurations = configurations
        self._found: dict[int, Frame | EntryState] = {}

    def __len__(self) -> int:
        """How many were asked of the log."""
        return len(self._found)

    def frame(self, offset: int) -> Frame | EntryState:
        """The frame, or why there is none."""
        if offset not in self._found:
            if len(self._found) >= FRAMES:
                return EntryState.NOT_READ
            self._found[offset] = self._read(offset)
        return self._found[offset]

    def _read(self, offset: int) -> Frame | EntryState:
        try:
            body = self._logs.frame(self._log, self._partition, offset)
            return EntryState.PRUNED if body is None else Frame.from_bytes(body, offset)
        except CorruptData:
            return EntryState.DAMAGED


def config_offsets(logs: Logs, log: str, partition: int) -> Iterator[int]:
    """Offsets of the config entries of a log: the first frame, then any later ones, found by their first bytes."""
    yield 0
    # There is no index of kinds. A config frame is one entry, whose payload begins with the key "rules".
    yield from (
        offset
        for (offset,) in logs.db.execute(
            f"SELECT offset FROM {log}_{partition:d} WHERE offset > 0"
            """ AND instr(substr(body, 1, 600), CAST('"others":[{"rules":' AS BLOB)) > 0 ORDER BY offset"""
        )
    )
