"""One log transaction: frames of signals with all that belongs to them, and what was answered to whom."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from connectors.deadletter import DeadLetter
from connectors.intake_http import Accepted, OtherContent, Rejection
from pipeline.calendar import HOUR_US
from pipeline.frame import Frame, frame_of_others
from pipeline.ids import code64
from pipeline.stages.reading_word import SENSOR, SENSOR_CODE, sensor_key
from runners.embedded import Site
from runners.live.frames import SourceFrame, cut_readings, cut_signals, reading_frames, signal_frames
from runners.live.sources import Part
from runners.live.work import Entry, Group, Outcome, Post
from runners.readings_runner import ReadingsRunner
from runners.routing import Routing

LETTER_BYTES = 4 << 20
"""Of dead letters that are kept of one source in an hour; what is beyond is counted only."""
LETTER_ROWS = 20_000
"""The same by number."""


class LetterBudget:
    """How much of a source's rubbish is kept: a burst fills its hour, and the next hour begins anew."""

    def __init__(self) -> None:
        self._hour = -1
        self._bytes: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()

    def within(self, letters: Iterable[DeadLetter], now: int) -> list[DeadLetter]:
        """Those that are still kept."""
        if now // HOUR_US != self._hour:
            self._hour = now // HOUR_US
            self._bytes.clear()
            self._rows.clear()
        kept = []
        for letter in letters:
            source = letter.source
            if self._bytes[source] < LETTER_BYTES and self._rows[source] < LETTER_ROWS:
                self._bytes[source] += len(letter.body)
                self._rows[source] += 1
                kept.append(letter)
        return kept


class Commit:
    """What is written together, inside one transaction; `moves` and `outcomes` hold once it is durable."""

    def __init__(
        self, site: Site, routing: Routing, budget: LetterBudget, now: int, before: "Commit | None" = None
    ) -> None:
        self.site, self.now = site, now
        self.frames: list[tuple[int, Frame]] = []
        """What goes to the signals log, by partition."""
        self.reading_frames: list[tuple[int, Frame]] = []
        self._routing = routing
        self.outcomes: list[tuple[Post, Outcome]] = []
        self.moves: Counter[str] = Counter()
        self.heard: set[str] = set()
        self._budget = budget
        # Names are told once: those of a transaction that failed are written by the next.
        self._names: dict[int, tuple[str, str]] = dict(before._names) if before else {}
        self._sensors: list[tuple[bytes, int, str]] = list(before._sensors) if before else []
        self._letters: list[DeadLetter] = []
        self._tallies: Counter[str] = Counter()

    def entries(self, entries: Sequence[Entry]) -> None:
        """Append entries that are no signals, in frames of their own."""
        for partition in self.site.partitions if entries else ():
            number = partition.number
            own = [entry for entry in entries if entry.partition is None or entry.partition == number]
            if own:
                self._append(number, frame_of_others([(entry.kind, self.now, entry.payload) for entry in own]))

    def signals(self, groups: Sequence[Group]) -> None:
        """Append the signals of these groups, source by source, and note what belongs to them."""
        parts: dict[str, list[Part]] = {}
        for group in self.fresh(groups):
            for part in group.parts:
                parts.setdefault(part.source.name, []).append(part)
        for own in parts.values():
            by_partition: dict[int, list[Part]] = {}
            for part in own:
                for number, piece in cut_signals(part, self._routing):
                    by_partition.setdefault(number, []).append(piece)
            for number, pieces in sorted(by_partition.items()):
                for made in signal_frames(pieces, self.now):
                    self._append_signals(number, made)
            self.note(own)

    def _append_signals(self, number: int, made: SourceFrame) -> None:
        logs, frame, source = self.site.logs, made.frame, made.source
        self._append(number, frame)
        if self._routing.count == 1:
            # Several partitions need to know a matter's own before there is a frame: the routing keeps the directory.
            known = self.site.partitions[0].fold.county.matters.slot_of
            named = zip(frame.signals["matter"].tolist(), made.matters, strict=True)
            logs.direct((key, number, f"{source.name}/{matter}") for key, matter in named if key not in known)
        if made.texts:
            logs.keep_texts(number, frame.offset, made.texts, self.now + source.retention)

    def _append(self, number: int, frame: Frame) -> None:
        frame.offset = self.site.logs.append("signals", number, [frame.to_bytes()])
        self.frames.append((number, frame))

    def readings(self, groups: Sequence[Group], runners: Sequence[ReadingsRunner]) -> None:
        """Append the readings of these groups to their own log."""
        parts = [part for group in self.fresh(groups) for part in group.parts]
        for part in parts:
            names, places = runners[0].names, runners[0].places  # one table of each for all of them
            names.update(part.sensors)
            places.update(part.places)
            self._names.update({code: (SENSOR, name) for code, name in part.sensors.items()})
            for number, piece in cut_readings(part, self._routing, names, places):
                self.reading_frames += [(number, frame) for frame in reading_frames(piece, self.now)]
                if self._routing.count == 1:
                    told = part.sensors.items()
                    self._sensors += [(sensor_key(code), number, f"{part.source.name}/{name}") for code, name in told]
        if self.reading_frames:
            self._names[SENSOR_CODE] = ("category", SENSOR)
            for runner in runners:
                frames = [frame.to_bytes() for number, frame in self.reading_frames if number == runner.number]
                if frames:
                    self.site.logs.append("readings", runner.number, frames)
        self.note(parts)

    def fresh(self, groups: Sequence[Group]) -> list[Group]:
        """Groups but for those that came before under the same key, which are answered as then."""
        found = []
        for group in groups:
            post = group.posts[0]
            earlier = self.site.logs.batch(post.key) if post.key else None
            if earlier is None:
                found.append(group)
                if post.key:
                    # so that the same request twice in one transaction is told as well
                    self.site.logs.keep_batch(post.key, post.content, self.now, orjson.dumps(post.accepted()))
                self.outcomes += [(each, each.accepted()) for each in group.posts]
                for each in group.posts:
                    if each.cursor is not None:
                        self.site.logs.advance(*each.cursor)
            elif earlier[0] == post.content:
                self.outcomes.append((post, again(earlier[1])))
            else:
                self.outcomes.append((post, OtherContent("came before with other content")))
        return found

    def note(self, parts: Sequence[Part]) -> None:
        """Names, dead letters and counts of parts that are written."""
        for part in parts:
            source = part.source.name
            code = code64(source)
            self._names.update(part.names)
            self._letters += part.rejected
            self.moves[f"accepted@{code}"] += part.count + len(part.rejected)
            self.moves[f"dead_lettered@{code}"] += len(part.rejected)
            self.moves[f"dropped_fields@{code}"] += part.dropped.total()
            self._tallies.update(letter.reason.value for letter in part.rejected)
            self._tallies.update({f"dropped.{name}": count for name, count in part.dropped.items()})
            if part.count:
                self.heard.add(source)

    def write(self) -> None:
        """Write what was noted; still inside the transaction."""
        logs = self.site.logs
        if self._names:
            logs.name(self._names)
        if self._sensors:
            logs.direct(self._sensors)
        if self._letters:
            kept = self._budget.within(self._letters, self.now)
            self._tallies["letters_not_kept"] += len(self._letters) - len(kept)
            logs.bury([letter_row(letter) for letter in kept], self.now)
        tallied = Counter({name: count for name, count in (self._tallies + self.moves).items() if count})
        if tallied:
            logs.tally(tallied)
        for source in self.heard:
            logs.advance(f"heard@{source}", self.now)


def letter_row(letter: DeadLetter) -> tuple[str, str, str, str, str, str, int, str, bytes]:
    """A dead letter as the log keeps it."""
    return (
        letter.source, str(letter.position), letter.reason.value, letter.field, letter.detail, letter.remedy,
        letter.size, letter.sha256.hex(), letter.body,
    )  # fmt: skip


def batch_key(source: str, name: str, content: bytes) -> bytes:
    """Key of a request: by the sender's own name for it, else by its content."""
    digest = blake2b(source.encode() + b"\x1f", digest_size=16)
    digest.update(b"name\x1f" + name.encode() if name else b"content\x1f" + content)
    return digest.digest()


def again(answer: bytes) -> Accepted:
    """The answer to a request that came before, from what was kept of it."""
    earlier: dict[str, Any] = orjson.loads(answer)
    rejected = tuple(Rejection(**each) for each in earlier["rejected"])
    return Accepted(earlier["accepted"], duplicate_batch=True, rejected=rejected)
