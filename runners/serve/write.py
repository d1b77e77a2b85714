"""One turn of a server's intake: what belongs before the frames, the frames, what belongs after, and the answers.

names, directory, pledge -> frames to the brokers, acknowledged -> texts, dead letters, requests, counts -> 202
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

import orjson

from alerts.pledges import Pledged
from connectors.deadletter import DeadLetter
from connectors.intake_http import Accepted, NotNow, OtherContent
from pipeline.errors import ForewarnError
from pipeline.frame import Frame
from pipeline.ids import code64
from pipeline.stages.reading_word import SENSOR, SENSOR_CODE
from runners.faultpoint import faultpoint
from runners.live.commit import LetterBudget, again, letter_row
from runners.live.frames import reading_frames, signal_frames
from runners.live.sources import Part
from runners.live.work import Group, Outcome, Post
from runners.sensor_places import placed
from runners.serve.aim import Aim, joined
from runners.serve.parts import Log, Parts

UNCERTAIN = "the brokers did not acknowledge in time; send it again, what has arrived will be known"
RETRY_S = 5.0
HEARD_US = 1_000_000
"""How exactly it is kept when a source was heard."""


class Write:
    """What one turn writes; `outcomes` hold once `run` returns.

    `ends`: the offsets that are known to be reached. `names`: of a turn that failed; emptied once they are kept.
    `told`: when it was written of each source that it was heard.
    """

    def __init__(
        self, parts: Parts, aim: Aim, budget: LetterBudget, now: int, ends: dict[Log, int],
        names: dict[int, tuple[str, str]], told: dict[str, int],
    ) -> None:  # fmt: skip
        self.outcomes: list[tuple[Post, Outcome]] = []
        self.heard: set[str] = set()
        self.failed: Exception | None = None
        """Why brokers did not acknowledge something, None where all went well."""
        self._parts, self._aim, self._budget, self._now = parts, aim, budget, now
        self._ends = ends
        self._frames: list[tuple[Log, bytes, Pledged]] = []
        self._offsets: list[int] = []
        self._names, self._told = names, told
        self._fresh: list[Group] = []
        self._same: list[tuple[Post, Post]] = []

    def run(self, groups: Sequence[Group]) -> None:
        """Write all of it. Raises StoreUnavailable where nothing of it counts."""
        self._known(groups)
        for part in (part for group in groups for part in group.parts):
            self._names.update(part.names)
        self._cut()
        pledge = self._before()
        self._names.clear()
        self._aim.settled()
        self._produce()
        faultpoint("frames produced")
        self._after(pledge)
        faultpoint("turn counted")
        self._answer()

    # before ----------------------------------------------------------------------------------------------------------

    def _known(self, groups: Sequence[Group]) -> None:
        """Leave out requests that came before under the same key; they are answered as then."""
        first: dict[bytes, Post] = {}
        known = self._parts.logs.batches([group.posts[0].key for group in groups if group.posts[0].key])
        for group in groups:
            post = group.posts[0]
            twin = first.get(post.key) if post.key else None
            earlier = known.get(post.key) if post.key else None
            if twin is not None and twin.content == post.content:
                self._same.append((post, twin))
            elif twin is not None or (earlier is not None and earlier[0] != post.content):
                self.outcomes.append((post, OtherContent("came before with other content")))
            elif earlier is not None:
                self.outcomes.append((post, again(earlier[1])))
            else:
                self._fresh.append(group)
                if post.key:
                    first[post.key] = post

    def _cut(self) -> None:
        """Make frames: by source and partition; where they are cut changes nothing."""
        by_source: dict[str, list[Part]] = {}
        for part in (part for group in self._fresh for part in group.parts if part.count):
            by_source.setdefault(part.source.name, []).append(part)
        for own in by_source.values():
            part = joined(own)
            if len(part.readings):
                self._cut_readings(part)
            else:
                self._cut_signals(part)

    def _cut_signals(self, part: Part) -> None:
        until = self._now + part.source.retention
        for number, own in self._aim.signals(part):
            for made in signal_frames([own], self._now):
                self._add(("signals", number), made.frame, part, made.texts, until)

    def _cut_readings(self, part: Part) -> None:
        if part.sensors:
            self._names.update({code: (SENSOR, name) for code, name in part.sensors.items()})
            self._names.update(placed(part.places, part.names))
            self._names[SENSOR_CODE] = ("category", SENSOR)
        for number, own in self._aim.readings(part):
            for frame in reading_frames(own, self._now):
                self._add(("readings", number), frame, part)

    def _add(self, log: Log, frame: Frame, part: Part, texts: Sequence[tuple[int, str]] = (), until: int = 0) -> None:
        body = frame.to_bytes()
        counts = {f"accepted@{code64(part.source.name)}": len(frame)}
        pledged = Pledged(*log, self._ends.get(log, -1), sha256(body).hexdigest(), counts, texts, until)
        self._frames.append((log, body, pledged))

    def _before(self) -> int | None:
        """Names and the pledge; harmless alone."""
        if not (self._names or self._frames):
            return None
        with self._parts.logs.transaction():
            self._parts.logs.name(self._names)
            if not self._frames:
                return None
            return self._parts.pledges.give(self._parts.holder, wall_us(), [pledged for _, _, pledged in self._frames])

    # the frames ------------------------------------------------------------------------------------------------------

    def _produce(self) -> None:
        """Send all frames together; acknowledged are all of them, or it is unknown which."""
        if not self._frames:
            return
        try:
            self._offsets = self._parts.frames.append_many([(*log, body) for log, body, _ in self._frames])
        except ForewarnError as error:
            self.failed = error
            return
        for (log, _, _), offset in zip(self._frames, self._offsets, strict=True):
            self._ends[log] = max(self._ends.get(log, -1), offset)

    # after -----------------------------------------------------------------------------------------------------------

    def _after(self, pledge: int | None) -> None:
        """Texts, dead letters, requests and counts, in one transaction; what is unknown stays pledged."""
        lost = [group for group in self._fresh if self.failed is not None and any(part.count for part in group.parts)]
        settled = [group for group in self._fresh if group not in lost] if lost else self._fresh
        posts = [post for group in settled for post in group.posts]
        logs = self._parts.logs
        with logs.transaction():
            tallies = self._note(settled)
            is_mine = pledge is not None and self.failed is None and self._parts.pledges.redeem(pledge)
            frames = zip(self._frames, self._offsets, strict=True) if is_mine else ()
            keep(self._parts, [(own[2], at) for own, at in frames], tallies)
            keyed = [post for post in posts if post.key]
            logs.keep_batches([(post.key, post.content, orjson.dumps(post.accepted())) for post in keyed], self._now)
            for post in posts:
                if post.cursor is not None:
                    logs.advance(*post.cursor)
        self.outcomes += [(post, post.accepted()) for post in posts]
        self.outcomes += [(post, NotNow(UNCERTAIN, RETRY_S)) for group in lost for post in group.posts]

    def _note(self, groups: Sequence[Group]) -> Counter[str]:
        """Keep dead letters; the edge's counts of what was not taken. Still inside the transaction."""
        tallies: Counter[str] = Counter()
        letters: list[DeadLetter] = []
        for part in (part for group in groups for part in group.parts):
            code = code64(part.source.name)
            letters += part.rejected
            tallies[f"accepted@{code}"] += len(part.rejected)
            tallies[f"dead_lettered@{code}"] += len(part.rejected)
            tallies[f"dropped_fields@{code}"] += part.dropped.total()
            tallies.update(letter.reason.value for letter in part.rejected)
            tallies.update({f"dropped.{name}": count for name, count in part.dropped.items()})
            if part.count:
                self.heard.add(part.source.name)
        logs = self._parts.logs
        if letters:
            kept = self._budget.within(letters, self._now)
            tallies["letters_not_kept"] += len(letters) - len(kept)
            logs.bury([letter_row(letter) for letter in kept], self._now)
        for source in sorted(self.heard):
            if self._now - self._told.get(source, 0) >= HEARD_US:
                logs.advance(f"heard@{source}", self._now)
                self._told[source] = self._now
        return tallies

    def _answer(self) -> None:
        known = {id(post): outcome for post, outcome in self.outcomes}
        for post, twin in self._same:
            outcome = known[id(twin)]
            if isinstance(outcome, Accepted):
                outcome = Accepted(outcome.accepted, duplicate_batch=True, rejected=outcome.rejected)
            self.outcomes.append((post, outcome))


def wall_us() -> int:
    """By which pledges are dated; log time may run faster."""
    return time.time_ns() // 1000


def keep(parts: Parts, frames: Sequence[tuple[Pledged, int]], more: Mapping[str, int] | None = None) -> None:
    """Count frames that are in the log at an offset, and `more`, and keep their texts; inside a transaction."""
    counts = Counter(more or {})
    for pledged, _ in frames:
        counts.update(pledged.counts)
    parts.logs.keep_all_texts((own.partition, offset, own.texts, own.until) for own, offset in frames if own.texts)
    parts.logs.tally({name: count for name, count in counts.items() if count})
