"""An embedded site: logs, folds and store of one data directory. It moves frames; it decides nothing."""

import gc
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from alerts.store import Store
from pipeline.county import FOLD_VERSION
from pipeline.effects import Effects
from pipeline.errors import CorruptData, Fenced
from pipeline.frame import Frame, Kind, frame_of_others
from pipeline.rules import FoldRules
from pipeline.topology import Topology
from runners.accounts import by_source, held_by_source
from runners.checkpoints import Checkpoints
from runners.log_frames import Passed, first_of, folded_before, frames_after
from runners.log_sqlite import Lease, Logs
from runners.model_files import ModelFiles
from runners.supervise import Supervised
from runners.wiring import topology

CHECKPOINT_FOLD_S = 0.5
"""Seconds of folding after which a checkpoint is written: what a restart has to fold again at most."""
CHECKPOINT_S = 3600.0
"""After so long what was folded goes into a checkpoint all the same: a log need not keep what is older than that."""
COLLECT_AFTER = 100_000
"""Objects after which Python looks for cycles; its own 700 costs a tenth of the time here."""


class Partition:
    """One county partition: its fold, how far it is, and its checkpoints."""

    def __init__(self, site: "Site", number: int, rules: FoldRules) -> None:
        self.number = number
        self.site = site
        self.rules = rules
        self.offset = -1
        self.stored = -1
        """The offset that the store holds, as far as this owner knows."""
        self.checkpoints = site.checkpoints("signals", number)
        self._supervised = Supervised(topology(rules, site.models.champions), self._rewind, self._reread)
        self._fold_s = 0.0
        self._unkept: list[Effects] = []
        # Between the first change by a frame and the last: who is interrupted there has a state that no log gives.
        self._is_torn = False
        self._written = time.monotonic()

    def restore(self, *, to_end: bool = True) -> None:
        """Take the newest usable checkpoint and fold forward to the end of the log, or to what the store has."""
        applied = self.site.store.applied("signals", self.number)
        self.stored = applied.offset if applied else -1
        # A checkpoint ahead of the store would skip effects that were never kept.
        self._supervised.fold, self.offset = self._rewind(self.stored + 1)
        frames = self._frames(self.offset, None if to_end else self.stored)
        for frame in known(self.site, "signals", self.number, frames, self.stored):
            self.step([frame])

    @property
    def fold(self) -> Topology:
        """The signals fold; another object after it had to go back."""
        return self._supervised.fold

    def _rewind(self, before: int) -> tuple[Topology, int]:
        """The newest checkpoint of a frame before this offset, else an empty fold; what is written next is a base."""
        fold = topology(self.rules, self.site.models.champions)
        with suppress(OSError):
            self.checkpoints.settle()
        self.checkpoints = self.site.checkpoints("signals", self.number)
        for offset, chain in self.checkpoints.read():
            if offset >= before:
                continue
            for delta, head, arrays in chain:
                fold.restore(head, arrays, delta=delta)
            if fold.county.model:
                self.site.models.load(fold.county.model)
            fold.ready()
            return fold, offset
        return fold, -1

    def _reread(self, after: int, before: int) -> Iterator[Frame]:
        for frame in self._frames(after, before - 1):
            self._provide(frame)
            yield frame

    def _frames(self, after: int, until: int | None) -> Iterator[Frame]:
        logs = self.site.logs
        return frames_after(logs, "signals", self.number, after, until, may_lose=self.site.may_lose)

    def step(self, frames: Sequence[Frame]) -> list[Effects]:
        """Fold frames and keep their effects in one transaction; what the store has already is not kept twice.

        Raises Fenced when another owner has kept frames of this partition, OSError when the disk is full.
        """
        begun = time.perf_counter()
        out: list[Effects] = []
        self._is_torn = True
        for frame in frames:
            if first_of(frame) != self.offset + 1:
                raise CorruptData(f"signals-{self.number}: frame {frame.offset} follows {self.offset}")
            self._provide(frame)
            out += self._fold_in(frame)
            if isinstance(frame, Passed):
                out.append(frame.told())
            self.offset = frame.offset
        self._is_torn = False
        self._unkept += out
        if self.offset > self.stored:
            self.keep()
        else:
            self._unkept = []
        self._fold_s += time.perf_counter() - begun
        self._maybe_checkpoint()
        return out

    def keep(self) -> list[Effects]:
        """Commit what was folded. Raises OSError when the disk is full: the effects wait until this is called again."""
        now, digests = self.fold.county.now, self.fold.digest()
        fenced(self.site.store, "signals", self.number, self.offset, now, digests, self._unkept, self.stored)
        self.stored = self.offset
        kept, self._unkept = self._unkept, []
        return kept

    def _fold_in(self, frame: Frame) -> list[Effects]:
        if not self.site.logs.is_wall:
            return self._supervised.step(frame)
        before = held_by_source(self.fold)
        effects = self._supervised.step(frame)
        effects[-1].counts.update(by_source(frame, effects, before, held_by_source(self.fold)))
        return effects

    def _provide(self, frame: Frame) -> None:
        if Kind.MODEL in frame.kinds:
            for payload in frame.others:
                if "sha256" in payload:
                    self.site.models.load(payload["sha256"])

    def _maybe_checkpoint(self) -> None:
        is_old = time.monotonic() - self._written >= CHECKPOINT_S
        if self.site.checkpointing and (is_old or self._fold_s >= CHECKPOINT_FOLD_S):
            self.checkpoint(wait=False)

    def checkpoint(self, *, wait: bool = True) -> None:
        """Write what was touched since the last one; without `wait`, beside the fold."""
        if self._is_torn:
            return
        try:
            self.checkpoints.write(self.offset, lambda delta: self.fold.checkpoint(delta=delta), wait=wait)
        except OSError:
            # What was touched is forgotten by now: the next one must be a base. The log is the truth meanwhile.
            self.checkpoints = self.site.checkpoints("signals", self.number)
            if not self.site.logs.is_wall:
                raise
        self._fold_s = 0.0
        self._written = time.monotonic()


def known(site: "Site", log: str, number: int, frames: Iterable[Frame], stored: int) -> Iterator[Frame]:
    """Frames from which a fold of a site is made again; see `folded_before`."""
    return folded_before(frames, f"{log}-{number}", stored, lambda: site.store.lost(log, number))


def fenced(
    store: Store, log: str, number: int, offset: int, now: int, digests: Mapping[str, str], effects: Sequence[Effects],
    after: int,
) -> None:  # fmt: skip
    """Keep effects and offset where the store still holds what this owner left there. Raises Fenced, OSError."""
    if not store.apply(log, number, offset, now, digests, effects, after=after):
        raise Fenced(f"{log}-{number}: the store no longer holds offset {after}; another owner goes on from there")


class Site:
    """Everything in one data directory; its logs have as many partitions as the rules that they were begun with.

    Parameters
    ----------
    data : the directory; made when it is not there, held by a lease while this lives.
    rules : of the configuration, for a new log; an old log has its own, and `configure` changes them.
    durable : `synchronous=FULL` for the log; a back-test's input is the truth and needs none.
    """

    def __init__(
        self, data: Path, rules: FoldRules, *, durable: bool = True, checkpointing: bool = True, clock: str = "recorded"
    ) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.data = data
        self.checkpointing = checkpointing
        self.may_lose = False
        """Whether a log may go on behind frames that it no longer keeps; here that is damage."""
        self.lease = Lease(data)
        self.logs = Logs(data / "log.db", durable=durable, clock=clock)
        self.store = Store(data / "store.db", durable=durable)
        self.models = ModelFiles(data / "models")
        self.partitions = [Partition(self, number, rules) for number in range(rules.partitions)]
        # A frame makes thousands of small tuples that die with it; a collector that counts them runs in vain.
        gc.set_threshold(COLLECT_AFTER, 20, 100)
        for partition in self.partitions:
            partition.restore()

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever appended."""
        return self.logs.next_offset("signals", 0) == 0

    @property
    def now(self) -> int:
        """The newest moment of any partition (µs UTC)."""
        return max(partition.fold.county.now for partition in self.partitions)

    def digests(self) -> dict[str, dict[str, str]]:
        """The chained digests of every partition of signals."""
        return {f"signals-{partition.number}": partition.fold.digest() for partition in self.partitions}

    def model_version(self) -> int:
        """Version of the model that every partition has."""
        return min(int(partition.fold.grader.versions.get("model", 0)) for partition in self.partitions)

    def checkpoints(self, log: str, number: int) -> Checkpoints:
        """Checkpoints of one fold; what is written next is a base."""
        return Checkpoints(self.data / "checkpoints", log, number, FOLD_VERSION)

    def last_signal(self) -> int | None:
        """When the newest signal of the logs arrived (µs UTC), or None; a few frames at most are looked at."""
        return max((at for at in map(self._last_signal, self.partitions) if at is not None), default=None)

    def _last_signal(self, partition: Partition) -> int | None:
        for offset in range(self.logs.next_offset("signals", partition.number) - 1, -1, -1):
            body = self.logs.frame("signals", partition.number, offset)
            frame = None if body is None else Frame.from_bytes(body, offset)
            if frame is not None and len(frame.signals):
                return int(frame.signals["now"][-1])
        return None

    def configure(self, rules: FoldRules, settings: Mapping[str, Any], now: int) -> None:
        """Append a configuration to every partition and fold it; the first one is the genesis entry."""
        payload = {"version": rules.version, "rules": rules.to_json(), "settings": dict(settings)}
        self.append_others([(Kind.CONFIG, now, payload)])

    def append_others(
        self,
        entries: Sequence[tuple[Kind, int, dict[str, Any]]],
        *,
        cursor: tuple[str, int] | None = None,
        only: Collection[int] | None = None,
    ) -> list[Effects]:
        """Append entries that are no signals to every partition (or only to some) and fold them.

        All of them have it or none; a cursor moves on in the same breath.
        """
        numbers = [each.number for each in self.partitions if only is None or each.number in only]
        return self.append_each(dict.fromkeys(numbers, entries), cursor=cursor)

    def append_each(
        self,
        entries: Mapping[int, Sequence[tuple[Kind, int, dict[str, Any]]]],
        *,
        cursor: tuple[str, int] | None = None,
    ) -> list[Effects]:
        """Append entries that are no signals to the partitions of these numbers, all or nothing, and fold them."""
        frames = {number: frame_of_others(own) for number, own in sorted(entries.items())}
        with self.logs.transaction():
            for number, frame in frames.items():
                frame.offset = self.logs.append("signals", number, [frame.to_bytes()])
            if cursor is not None:
                self.logs.advance(cursor[0], self.logs.position(cursor[0]) + cursor[1])
        partitions = {each.number: each for each in self.partitions}
        return [effects for number, frame in frames.items() for effects in partitions[number].step([frame])]

    def close(self) -> None:
        """Write a last checkpoint and let go of the directory."""
        for partition in self.partitions:
            if self.checkpointing and partition.offset >= 0:
                partition.checkpoint()
            partition.checkpoints.settle()
        self.store.close()
        self.logs.close()
        self.lease.release()
