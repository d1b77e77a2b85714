"""Moves readings into their log and fold, and what the fold says to the signals log. It decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.effects import Effects
from pipeline.errors import CorruptData
from pipeline.frame import MAX_ENTRIES, Frame, Kind
from pipeline.reading_rules import ReadingRules
from pipeline.readings import ReadingsFold
from runners.embedded import Site

LOG = "readings"
Columns = dict[str, Any]
"""Arrays `sensor, at, value, score` of the readings that a frame applied."""


class ReadingsRunner:
    """One partition of the readings of a data directory, and the partition of the signals log that hears of them.

    Frames of one call are committed together: log first, then effects and offset, then the words. A word that is in
    the signals log already is known by its number, so forwarding again after a crash appends nothing twice.
    """

    def __init__(self, site: Site, rules: ReadingRules, *, number: int = 0) -> None:
        self.site = site
        self.number = number
        self.fold = ReadingsFold(rules)
        self.offset = -1
        self.now = 0
        self.places: dict[int, int] = {}
        """Place of a sensor, by codes, where its source names one."""

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
        out, columns = [], []
        for index, frame in enumerate(frames):
            frame.offset = first + index
            effects = self.fold.step(frame, with_scores=with_scores)
            # Scores are for a file that is written on the way; the store would only keep a copy of it.
            columns += effects.series
            effects.series = []
            out.append(effects)
        self.offset = first + len(frames) - 1
        self.now = int(frames[-1].now[-1])
        self.site.store.apply(LOG, self.number, self.offset, self.now, self.digest(), out)
        if any(effects.to_signals for effects in out):
            self.forward()
        return out, columns

    def forward(self) -> None:
        """Append what the outbox holds and the signals log does not."""
        partition = self.site.partitions[0]
        words = self.site.store.outbox(LOG, self.number, partition.fold.words.heard(self.number))
        now = partition.fold.county.now
        entries = []
        for word in words:
            now = max(now, word["at"])
            entries.append((Kind.ASSESSMENT, now, self._addressed(word)))
        for begin in range(0, len(entries), MAX_ENTRIES):
            self.site.append_others(entries[begin : begin + MAX_ENTRIES])

    def digest(self) -> dict[str, str]:
        """The chained digest of what the fold said."""
        return {LOG: self.fold.digest.value.hex()}

    def _addressed(self, word: Mapping[str, Any]) -> dict[str, Any]:
        addressed = {**word, "partition": self.number}
        place = self.places.get(word["sensor"], 0)
        return {**addressed, "place": place} if place else addressed
