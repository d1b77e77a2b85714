"""Moves what county partitions hand on to the site log, and the site log through its fold. It decides nothing."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alerts.store import Store
from pipeline.calendar import MINUTE_US
from pipeline.effects import Effects
from pipeline.errors import CorruptData
from pipeline.frame import MAX_ENTRIES, Frame, Kind, frame_of_others
from pipeline.rules import FoldRules
from pipeline.site import SiteFold
from runners.embedded import CHECKPOINT_FOLD_S, CHECKPOINT_S, Partition, Site, fenced, known
from runners.log_frames import Passed, first_of, frames_after
from runners.wiring import CountyWarnings

LOG = "site"
Entry = tuple[Kind, int, dict[str, Any]]
"""Kind, now (µs UTC), payload."""
Told = tuple[Kind, int, dict[str, Any]]
"""Kind, minute, payload."""
_ORDER = {Kind.COUNTS: 0, Kind.PROCEED: 1}


class SiteRunner:
    """The site partition of one data directory: its fold, how far it is, and its checkpoints.

    Call `restore` once before anything else. A row of an outbox that is in the log already is known by its seq, so
    draining again after a crash appends nothing twice.
    """

    def __init__(self, site: Site, rules: FoldRules) -> None:
        self.site = site
        self.rules = rules
        self.fold = SiteFold(rules, CountyWarnings(rules))
        self.offset = -1
        self.stored = -1
        """The offset that the store holds, as far as this owner knows."""
        self.checkpoints = site.checkpoints(LOG, 0)
        self._fold_s = 0.0
        self._written = time.monotonic()
        self._unkept: list[Effects] = []

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever appended."""
        return self.site.logs.next_offset(LOG, 0) == 0

    def restore(self, *, to_end: bool = True) -> None:
        """Take the newest usable checkpoint and fold forward to the end of the log, or to what the store has."""
        applied = self.site.store.applied(LOG, 0)
        self.stored = applied.offset if applied else -1
        for offset, steps in self.checkpoints.read():
            if offset > self.stored:
                continue
            for delta, head, arrays in steps:
                self.fold.restore(head, arrays, delta=delta)
            self.fold.ready()
            self.offset = offset
            break
        until = None if to_end else self.stored
        frames = frames_after(self.site.logs, LOG, 0, self.offset, until, may_lose=self.site.may_lose)
        for frame in known(self.site, LOG, 0, frames, self.stored):
            self.step([frame])

    def configure(self, rules: FoldRules, settings: Mapping[str, Any], now: int) -> list[Effects]:
        """Append a configuration and fold it; the first one is the genesis entry."""
        self.rules = rules
        payload = {"version": rules.version, "rules": rules.to_json(), "settings": dict(settings)}
        return self.append([(Kind.CONFIG, now, payload)])

    def drain(self, now: int) -> list[Effects]:
        """Append what the outboxes hold and the log does not, in order of minutes, and fold it.

        `now` stamps the entries of a log with a wall clock; with a recorded one a minute's counts arrive at its end.
        Of several partitions each also says how far it is complete, so that an idle one holds nobody up.
        """
        fold, store = self.fold, self.site.store
        told = [
            one
            for each in self.site.partitions
            for one in told_by(store, each, fold.seq(each.number), fold.marks.get(each.number, -1))
        ]
        if not told:
            return []
        told.sort(key=lambda one: (one[1], _ORDER[one[0]], one[2]["partition"], one[2].get("seq", 0)))
        out = []
        if self.is_new:
            out += self.configure(self.rules, {}, self._arrival(told[0][1] - 1, now))
        return out + self.append([(kind, self._arrival(minute, now), payload) for kind, minute, payload in told])

    def to_counties(self) -> dict[int, list[Entry]]:
        """What the site has decided and a county partition has not heard yet, by partition: its share of budgets."""
        heard = {each.number: each.fold.grader.share_version for each in self.site.partitions}
        least = min(heard.values(), default=0)
        if self.fold.shares.version <= least:
            return {}
        found: dict[int, list[Entry]] = {}
        for row in self.site.store.outbox(LOG, 0, least * self.rules.partitions):
            number = row["partition"]
            if row["version"] > heard.get(number, row["version"]):
                # What a later version overrules need not be told.
                found[number] = [(Kind.FACT, self.fold.now, row)]
        return found

    def append(self, entries: Sequence[Entry]) -> list[Effects]:
        """Append entries in one transaction and fold them in another; `now` is never before the log's own."""
        latest = self.fold.now
        stamped = []
        for kind, now, payload in entries:
            latest = max(latest, now)
            stamped.append((kind, latest, payload))
        frames = [
            frame_of_others(stamped[first : first + MAX_ENTRIES]) for first in range(0, len(stamped), MAX_ENTRIES)
        ]
        logs = self.site.logs
        with logs.transaction():
            offset = logs.append(LOG, 0, [frame.to_bytes() for frame in frames])
        for number, frame in enumerate(frames):
            frame.offset = offset + number
        return self.step(frames)

    def step(self, frames: Sequence[Frame]) -> list[Effects]:
        """Fold frames that are in the log and keep their effects. Raises Fenced, CorruptData, OSError."""
        begun = time.perf_counter()
        out = []
        for frame in frames:
            if first_of(frame) != self.offset + 1:
                raise CorruptData(f"{LOG}-0: frame {frame.offset} follows {self.offset}")
            out.append(self.fold.step(frame))
            if isinstance(frame, Passed):
                out.append(frame.told())
            self.offset = frame.offset
        self._unkept += out
        if self.offset > self.stored:
            self.keep()
        else:
            self._unkept = []
        self._fold_s += time.perf_counter() - begun
        is_old = time.monotonic() - self._written >= CHECKPOINT_S
        if self.site.checkpointing and (is_old or self._fold_s >= CHECKPOINT_FOLD_S):
            self.close()
        return out

    def keep(self) -> list[Effects]:
        """Commit what was folded. Raises OSError when the disk is full: the effects wait until this is called again."""
        self._name(transition for effects in self._unkept for transition in effects.transitions)
        fold = self.fold
        fenced(self.site.store, LOG, 0, self.offset, fold.now, fold.digest(), self._unkept, self.stored)
        self.stored = self.offset
        kept, self._unkept = self._unkept, []
        return kept

    def close(self) -> None:
        """Write a checkpoint; the site closes its files itself."""
        self._fold_s, self._written = 0.0, time.monotonic()
        if self.site.checkpointing and self.offset >= 0:
            try:
                self.checkpoints.write(self.offset, lambda delta: self.fold.checkpoint(delta=delta))
            except OSError:
                # A delta that is lost must be followed by a base; a live site goes on without either.
                self.checkpoints = self.site.checkpoints(LOG, 0)
                if not self.site.logs.is_wall:
                    raise

    def _arrival(self, minute: int, now: int) -> int:
        return now if self.site.logs.is_wall else (minute + 1) * MINUTE_US

    def _name(self, transitions: Iterable[Mapping[str, Any]]) -> None:
        """Give the subjects of surges readable ids, as matters have them."""
        told = {one["subject"]: (one["category"], one["place"]) for one in transitions if one["kind"] == "surge"}
        if not told:
            return
        named = self.site.logs.named
        readable = (
            (bytes.fromhex(key), 0, f"surge/{named(category)}@{named(place) or 'root'}")
            for key, (category, place) in told.items()
        )
        with self.site.logs.transaction():
            self.site.logs.direct(readable)


def told_by(store: Store, partition: Partition, seq: int, mark: int) -> list[Told]:
    """(kind, minute, payload) of what a partition has to tell the site, after this seq and this mark.

    Its counts; where there are several partitions, then the minute through which it is complete: all before the one
    in which it is. It must have kept everything it folded.
    """
    number, county = partition.number, partition.fold.county
    rows = store.outbox("signals", number, seq)
    told: list[Told] = [(Kind.COUNTS, row["minute"], {"partition": number, **row}) for row in rows]
    complete = county.minute - 1
    if county.rules.partitions > 1 and complete > max([mark, *(minute for _, minute, _ in told)]):
        told.append((Kind.PROCEED, complete, {"partition": number, "minute": complete}))
    return told
