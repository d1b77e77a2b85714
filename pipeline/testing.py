"""A fold to try rules on: signals in short words, entries in any cut of frames, and what came of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.calendar import DAY_US, HOUR_US
from pipeline.effects import DecisionBlock, Effects
from pipeline.frame import NO_GRAMS, Frame, Kind
from pipeline.ids import code64, key128
from pipeline.signal import SIGNAL, Step
from pipeline.topology import Topology

START = 19_849 * DAY_US
"""2024-05-06, a Monday, 00:00 UTC; hours and days of tests count from here."""


def hours(number: float) -> int:
    """µs UTC of an hour after START."""
    return START + round(number * HOUR_US)


def days(number: float) -> int:
    """µs UTC of a day after START."""
    return START + round(number * DAY_US)


@dataclass(frozen=True, slots=True)
class Happening:
    """One signal: something happened to a matter at an hour after START. Names, not codes.

    `due` and `arrives` are hours after START too; without `arrives` it arrives when it happens. Without `id` it is told
    by matter, hour and step, so two of one kind at one moment need ids of their own. `known`, `value`: bits by target.
    """

    matter: str
    hour: float
    step: Step | int
    id: str = ""
    due: float | None = None
    arrives: float | None = None
    office: str = ""
    category: str = ""
    place: str = ""
    channel: str = ""
    asset: str = ""
    source: str = "hotline"
    cues: int = 0
    known: int = 0
    value: int = 0
    content: str = ""

    @property
    def now(self) -> int:
        """When it arrived, in µs UTC."""
        return hours(self.hour if self.arrives is None else self.arrives)

    def row(self) -> NDArray[Any]:
        """One SIGNAL row as the log keeps it."""
        row = np.zeros(1, SIGNAL)
        id = self.id or f"{self.matter}/{self.hour}/{int(self.step)}"
        row["id"] = np.void(key128(self.source, id))
        row["matter"] = np.void(key_of(self.matter))
        row["content"] = int.from_bytes(key128(self.content or repr(self))[:8], "little")
        row["at"], row["now"] = hours(self.hour), self.now
        row["due"] = 0 if self.due is None else hours(self.due)
        for name in ("source", "category", "place", "office", "channel", "asset"):
            row[name] = code64(getattr(self, name))
        row["values"] = np.nan
        row["cues"], row["step"], row["known"], row["value"] = self.cues, int(self.step), self.known, self.value
        return row


class Entry(NamedTuple):
    """One entry of a log: of kind SIGNAL with its row, a tick with neither, or any other with its payload."""

    kind: Kind
    now: int
    row: NDArray[Any] | None = None
    payload: dict[str, Any] | None = None
    words: Happening | str = ""

    def __repr__(self) -> str:
        """Short: a failing property prints whole logs."""
        return f"{self.kind.name} at {(self.now - START) / HOUR_US:g} h: {self.words}"


def key_of(matter: str) -> bytes:
    """Key of a test's matter."""
    return key128("matter", matter)


def entry(happening: Happening) -> Entry:
    """The entry of a signal."""
    return Entry(Kind.SIGNAL, happening.now, happening.row(), words=happening)


def tick(hour: float) -> Entry:
    """Nothing but time."""
    return Entry(Kind.TICK, hours(hour))


def command(hour: float, payload: dict[str, Any]) -> Entry:
    """What a person asks for."""
    return Entry(Kind.COMMAND, hours(hour), payload=payload, words=str(payload))


def frames_of(entries: Sequence[Entry], cuts: Iterable[int] = (), first: int = 0) -> list[Frame]:
    """Frames of these entries, cut before the positions in `cuts`; offsets count from `first`."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(entries)}), len(entries)]
    parts = [entries[start:end] for start, end in pairwise(edges) if end > start]
    return [_frame(part, first + number) for number, part in enumerate(parts)]


def _frame(entries: Sequence[Entry], offset: int) -> Frame:
    now = np.maximum.accumulate(np.array([each.now for each in entries], np.int64))
    rows = [each.row for each in entries if each.row is not None]
    signals = np.concatenate(rows) if rows else np.zeros(0, SIGNAL)
    kinds = np.array([each.kind for each in entries], np.uint8)
    signals["now"] = now[kinds == Kind.SIGNAL]
    return Frame(
        kinds=kinds,
        now=now,
        signals=signals,
        grams=NO_GRAMS,
        gram_ends=np.zeros(len(signals), np.int64),
        others=[each.payload for each in entries if each.payload is not None],
        offset=offset,
    )


@dataclass(slots=True)
class Story:
    """Everything that left a fold, over all its frames."""

    effects: Effects = field(default_factory=Effects)

    def add(self, effects: Effects) -> None:
        """Append what one frame yielded."""
        whole = self.effects
        for name in ("transitions", "intents", "decisions", "labels", "to_site", "verdicts", "rejected"):
            getattr(whole, name).extend(getattr(effects, name))
        whole.counts.update(effects.counts)

    @property
    def transitions(self) -> list[dict[str, Any]]:
        """Changes of warnings without their addresses, which depend on the frames."""
        return [{n: v for n, v in each.items() if n != "evidence"} for each in self.effects.transitions]

    @property
    def labels(self) -> list[tuple[bytes, int, int, int]]:
        """(matter, target, failed, known at) in the order in which they became known."""
        return self.effects.labels

    @property
    def decisions(self) -> list[DecisionBlock]:
        """Blocks of scores."""
        return self.effects.decisions

    def label(self, matter: str, target: int = 0) -> tuple[bool, int] | None:
        """(failed, known at) of a matter's outcome, None while it is censored."""
        found = [(bool(f), at) for key, t, f, at in self.labels if key == key_of(matter) and t == target]
        assert len(found) <= 1, "an outcome is known once"
        return found[0] if found else None


def fold(topology: Topology, frames: Iterable[Frame], story: Story | None = None) -> Story:
    """Step a fold through frames; `story` goes on where an earlier one ended."""
    story = story or Story()
    for frame in frames:
        story.add(topology.step(frame))
    return story
