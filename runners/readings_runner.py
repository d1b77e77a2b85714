"""Moves readings into their log and fold, and what the fold says to the signals log. It decides nothing."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.effects import Effects
from pipeline.errors import CorruptData, Reason
from pipeline.frame import MAX_ENTRIES, Frame, Kind, frame_of_others
from pipeline.ids import code64
from pipeline.reading_rules import ReadingRules
from pipeline.readings import ReadingsFold
from runners.embedded import CHECKPOINT_FOLD_S, CHECKPOINT_S, Site, fenced, known
from runners.log_frames import Passed, first_of, frames_after
from runners.ruled_readings import Columns, RuledReadings, Rules

LOG = "readings"


class ReadingsRunner:
    """One partition of the readings of a data directory, and the partition of the signals log that hears of them.

    Frames of one call are committed together: log first, then effects and offset, then the words. A word that is in
    the signals log already is known by its number, so forwarding again after a crash appends nothing twice.

    With `rules_of`, config entries of the log rule from their place on, and a sensor's limits come with its first
    reading: the way of a live site, whose log must give the same fold again. `hear` takes words to the signals log;
    without it they are appended and folded at once. `named`: see RuledReadings.
    """

    def __init__(
        self, site: Site, rules: ReadingRules, *, number: int = 0, rules_of: Rules | None = None,
        hear: Callable[[list[dict[str, Any]]], None] | None = None, named: Callable[[int], str] | None = None,
    ) -> None:  # fmt: skip
        self.site = site
        self.number = number
        self.ruled = RuledReadings(rules, rules_of, named)
        self.offset = -1
        self.stored = -1
        """The offset that the store holds, as far as this owner knows."""
        self.places: dict[int, int] = {}
        """Place of a sensor, by codes, where its source names one."""
        self._hear = hear
        self._forwarded = 0
        self.checkpoints = self.site.checkpoints(LOG, self.number)
        self._unkept: list[Effects] = []
        self._fold_s = 0.0
        self._written = time.monotonic()

    @property
    def fold(self) -> ReadingsFold:
        """The readings fold."""
        return self.ruled.fold

    @property
    def names(self) -> dict[int, str]:
        """Names of the sensors that were heard of, by code; needed with `rules_of` alone."""
        return self.ruled.names

    @names.setter
    def names(self, names: dict[int, str]) -> None:
        self.ruled.names = names

    @property
    def now(self) -> int:
        """The newest moment of the log (µs UTC)."""
        return self.ruled.fold.now

    def restore(self, *, to_end: bool = True) -> None:
        """Take the newest usable checkpoint, fold forward to the end of the log, and forward what was said.

        Not `to_end`: only to what the store has, and whoever asks forwards himself.
        """
        applied = self.site.store.applied(LOG, self.number)
        self.stored = applied.offset if applied else -1
        for offset, steps in self.checkpoints.read():
            if offset > self.stored:
                continue
            self.ruled.restore(list(steps))
            self.offset = offset
            break
        until = None if to_end else self.stored
        frames = frames_after(self.site.logs, LOG, self.number, self.offset, until, may_lose=self.site.may_lose)
        for frame in known(self.site, LOG, self.number, frames, self.stored):
            self._fold_in(frame, with_scores=False)
            if frame.offset > self.stored:
                self.keep()
            else:
                self._unkept = []
        if to_end:
            self.forward()

    def configure(self, settings: dict[str, Any], now: int) -> None:
        """Append a configuration and follow it."""
        self.append([frame_of_others([(Kind.CONFIG, now, {"settings": settings})])], _nothing)

    def append(
        self, frames: Sequence[Frame], beside: Callable[[], None], *, with_scores: bool = False
    ) -> tuple[list[Effects], list[Columns]]:
        """Log frames together with what `beside` writes, fold them, forward what was said; effects and scores."""
        logs = self.site.logs
        with logs.transaction():
            beside()
            first = logs.append(LOG, self.number, [frame.to_bytes() for frame in frames])
        if first != self.offset + 1:
            raise CorruptData(f"{LOG}-{self.number}: frame {first} follows {self.offset}")
        return self.step(frames, with_scores=with_scores)

    def step(self, frames: Sequence[Frame], *, with_scores: bool = False) -> tuple[list[Effects], list[Columns]]:
        """Fold frames that are in the log, keep their effects, forward what was said."""
        begun = time.perf_counter()
        columns: list[Columns] = []
        for frame in frames:
            if frame.offset < 0:
                frame.offset = self.offset + 1
            if first_of(frame) != self.offset + 1:
                raise CorruptData(f"{LOG}-{self.number}: frame {frame.offset} follows {self.offset}")
            columns += self._fold_in(frame, with_scores=with_scores)
        out = self.keep() if frames else []
        self._fold_s += time.perf_counter() - begun
        is_old = time.monotonic() - self._written >= CHECKPOINT_S
        if self.site.checkpointing and (is_old or self._fold_s >= CHECKPOINT_FOLD_S):
            self.close()
        if any(effects.to_signals for effects in out):
            self.forward()
        return out, columns

    def keep(self) -> list[Effects]:
        """Commit what was folded. Raises OSError when the disk is full: the effects wait until this is called again."""
        fenced(self.site.store, LOG, self.number, self.offset, self.now, self.digest(), self._unkept, self.stored)
        self.stored = self.offset
        kept, self._unkept = self._unkept, []
        return kept

    def forward(self) -> None:
        """Append what the outbox holds and the signals log does not: that of the partition of the same number."""
        (partition,) = (each for each in self.site.partitions if each.number == self.number)
        after = max(self._forwarded, partition.fold.words.heard(self.number))
        words = [self._addressed(word) for word in self.site.store.outbox(LOG, self.number, after)]
        if not words:
            return
        self._forwarded = words[-1]["seq"]
        if self._hear is not None:
            self._hear(words)
            return
        now = partition.fold.county.now
        entries = []
        for word in words:
            now = max(now, word["at"])
            entries.append((Kind.ASSESSMENT, now, word))
        for begin in range(0, len(entries), MAX_ENTRIES):
            self.site.append_others(entries[begin : begin + MAX_ENTRIES], only=(self.number,))

    def forward_again(self) -> None:
        """What was handed on did not reach the signals log: hand it on again."""
        self._forwarded = 0
        self.forward()

    def digest(self) -> dict[str, str]:
        """The chained digest of what the fold said."""
        return self.ruled.digest()

    def close(self) -> None:
        """Write a checkpoint; the site closes its files itself."""
        self._fold_s, self._written = 0.0, time.monotonic()
        if not self.site.checkpointing or self.offset < 0:
            return
        try:
            self.checkpoints.write(self.offset, self.ruled.state)
        except OSError:
            # A delta that is lost must be followed by a base; the log is the truth meanwhile.
            self.checkpoints = self.site.checkpoints(LOG, self.number)

    def _fold_in(self, frame: Frame, *, with_scores: bool) -> list[Columns]:
        effects, columns = self.ruled.step(frame, with_scores=with_scores)
        if frame.others and len(frame.readings):
            effects.counts.update(_counts(frame.others[0]["source"], effects.counts))
        self.offset = frame.offset
        self._unkept.append(effects)
        if isinstance(frame, Passed):
            self._unkept.append(frame.told())
        return columns

    def _addressed(self, word: Mapping[str, Any]) -> dict[str, Any]:
        addressed = {**word, "partition": self.number}
        place = self.places.get(word["sensor"], 0)
        return {**addressed, "place": place} if place else addressed


def _counts(source: str, told: Counter[str]) -> Counter[str]:
    """What became of the readings of one source."""
    code = code64(source)
    found = {"applied": told["applied"], "duplicate": told[Reason.DUPLICATE], "late": told[Reason.LATE]}
    return Counter({f"{name}@{code}": count for name, count in found.items() if count})


def _nothing() -> None:
    pass
