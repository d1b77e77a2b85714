"""One partition of a log that a worker folds: the same runners as embedded, fed with records as they come.

Records at or below what is folded are skipped, a hole before one is filled from the log, what is not there any more or
cannot be read is passed over and told. What was folded and what the store holds are the same after every chunk.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from config.settings import Settings
from pipeline.effects import Effects
from pipeline.errors import CorruptData, LogUnavailable, NewerData, Reason
from pipeline.frame import MAX_ENTRIES, Frame
from runners.embedded import Partition
from runners.fold_logs import sensor_rules
from runners.log_frames import Passed, decoded, first_of, frames_after
from runners.reading_limits import reading_rules
from runners.readings_runner import ReadingsRunner
from runners.site_runner import SiteRunner
from runners.worker.site import ClusterSite, Place

READ_AHEAD = 16
"""Frames' worth of readings that are kept together: they are folded so quickly that a transaction each would count."""

Record = tuple[int, bytes | None]
"""Logical offset and value."""


class Letters(Protocol):
    """Where records go that nobody can read."""

    def bury(self, place: Place, offset: int, reason: Reason, detail: str, body: bytes) -> None:
        """Keep one, durably. Raises LogUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What one transaction holds: entries of frames up to `offset`, when the oldest arrived, how long it took."""

    offset: int
    entries: int
    frames: int
    now: int
    oldest: int
    seconds: float
    effects: Sequence[Effects]
    passed: Sequence[Passed]


class Readings(ReadingsRunner):
    """Readings whose words are forwarded by somebody else."""

    def forward(self) -> None:
        """The worker's forwarder looks after the outbox."""


class Owned:
    """A partition and its fold. After any error `keep` says whether it may go on; if not, a new one must be made."""

    def __init__(self, site: ClusterSite, place: Place, letters: Letters) -> None:
        self.site, self.place, self.letters = site, place, letters
        self._runner = _runner(site, place)
        self._most = MAX_ENTRIES * (READ_AHEAD if place[0] == "readings" else 1)
        self._folded_to = -1

    def restore(self) -> None:
        """Become what the store holds. Raises StoreUnavailable, LogUnavailable, CorruptData, NewerData."""
        runner = self._runner
        if isinstance(runner, ReadingsRunner):
            runner.names = self.site.name_sensors()
        runner.restore(to_end=False)
        self._folded_to = runner.offset
        log, number = self.place
        end = self.site.logs.next_offset(log, number)
        if runner.stored >= end:
            # What comes next would get numbers that the store has already, and be skipped.
            raise CorruptData(
                f"the store holds frame {runner.stored} of {log}-{number}, whose log ends before {end}: it is an older"
                " copy; restore the log to where it was, or begin anew under another kafka.prefix"
            )

    @property
    def offset(self) -> int:
        """The last frame that was folded."""
        return self._runner.offset

    @property
    def stored(self) -> int:
        """The last frame that the store holds, as far as this owner knows."""
        return self._runner.stored

    @property
    def is_even(self) -> bool:
        """Whether the store holds exactly what was folded, and nothing broke off in the middle."""
        return self._runner.offset == self._runner.stored == self._folded_to

    @property
    def now(self) -> int:
        """Log time (µs UTC)."""
        runner = self._runner
        if isinstance(runner, Partition):
            return runner.fold.county.now
        return runner.fold.now

    @property
    def complete(self) -> int:
        """The last minute that is over here, -1 before the first and for logs without."""
        runner = self._runner
        return runner.fold.county.minute - 1 if isinstance(runner, Partition) else -1

    def apply(self, records: Iterable[Record], until: int = -1) -> Iterator[Kept]:
        """Fold records, and the log after them up to `until`; keep what they yield, transaction by transaction.

        Raises Fenced, StoreUnavailable, LogUnavailable, NewerData, CorruptData; what was yielded before stands.
        Calling it again with the same records goes on where it was.
        """
        chunk: list[Frame] = []
        entries = 0
        try:
            for frame in self._frames(records, until):
                if chunk and entries + len(frame) > self._most:
                    whole, chunk, entries = chunk, [], 0
                    yield self._step(whole)
                chunk.append(frame)
                entries += len(frame)
        except (NewerData, LogUnavailable):
            if chunk and chunk[0].offset > self.offset:
                yield self._step(chunk)  # what stands before it is not held up
            raise
        if chunk:
            yield self._step(chunk)

    def keep(self) -> bool:
        """Try again to keep what was folded; False when it is not known how much that was."""
        if self._runner.offset != self._folded_to:
            return False
        if not self.is_even:
            self._runner.keep()
        return True

    def checkpoint(self) -> None:
        """Write one and wait for it."""
        runner = self._runner
        if not self.is_even or runner.offset < 0:
            return
        if isinstance(runner, Partition):
            runner.checkpoint()
        else:
            runner.close()

    def forget(self) -> None:
        """Wait for what is being written; this object is not used again."""
        with suppress(OSError):  # a checkpoint only saves time
            self._runner.checkpoints.settle()

    def _step(self, frames: Sequence[Frame]) -> Kept:
        begun = time.perf_counter()
        self._folded_to = frames[-1].offset
        told = self._runner.step(frames)
        effects = told[0] if isinstance(told, tuple) else told
        oldest = next((int(frame.now[0]) for frame in frames if len(frame)), self.now)
        return Kept(
            offset=self.offset, entries=sum(map(len, frames)), frames=len(frames), now=self.now, oldest=oldest,
            seconds=time.perf_counter() - begun, effects=effects,
            passed=[frame for frame in frames if isinstance(frame, Passed)],
        )  # fmt: skip

    def _frames(self, records: Iterable[Record], until: int) -> Iterator[Frame]:
        before = self.offset
        for offset, body in records:
            if offset <= before:
                continue
            if offset > before + 1:
                yield from self._read(before, offset - 1)
            yield self._buried(decoded(body, offset), body)
            before = offset
        if until > before:
            yield from self._read(before, until)

    def _read(self, after: int, until: int) -> Iterator[Frame]:
        for frame in frames_after(self.site.logs, *self.place, after, until, may_lose=True):
            yield self._buried(frame, None)

    def _buried(self, frame: Frame, body: bytes | None) -> Frame:
        if isinstance(frame, Passed) and frame.reason is Reason.UNREADABLE:
            found = body or self.site.logs.frame(*self.place, first_of(frame)) or b""
            self.letters.bury(self.place, frame.offset, frame.reason, frame.detail, found)
        return frame


def _runner(site: ClusterSite, place: Place) -> Partition | SiteRunner | ReadingsRunner:
    log, number = place
    home = site.as_site()
    if log == "signals":
        return Partition(home, number, site.rules())
    if log == "site":
        return SiteRunner(home, site.rules())
    return Readings(
        home, reading_rules(Settings(), {}), number=number, rules_of=sensor_rules, named=site.logs.named
    )  # fmt: skip
