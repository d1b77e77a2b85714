"""Entries and frames: the unit of transport, of work and of the log.

A frame is a batch of 1 to 1,000 entries of one partition. Signals and readings travel in columns; everything else is
a small JSON object. `now` is the time at which an entry arrived (µs UTC). Several appenders of one partition may stamp
a little behind each other: the folds take the maximum so far, the frame keeps what was stamped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData, NewerData
from pipeline.signal import SIGNAL

SCHEMA = 1
"""Version of the frame's content; a reader refuses a higher one."""
MAX_ENTRIES = 1000
MAX_BYTES = 1 << 20


class Kind(IntEnum):
    """Kind of an entry. Numbers are stored: never reuse one."""

    SIGNAL = 1
    READING = 2
    ASSESSMENT = 3
    COUNTS = 4
    COMMAND = 5
    CONFIG = 6
    MODEL = 7
    FACT = 8
    TICK = 9
    PROCEED = 10
    UPGRADE = 11


READING = np.dtype([("sensor", "<i8"), ("at", "<i8"), ("value", "<f8")])
"""One reading as the log keeps it: code64 of the sensor's name, µs UTC, value."""

NO_SIGNALS = np.zeros(0, SIGNAL)
NO_READINGS = np.zeros(0, READING)
NO_GRAMS = np.zeros(0, np.uint32)
NO_ENDS = np.zeros(0, np.int64)


@dataclass(slots=True)
class Frame:
    """A batch of entries in order.

    Attributes
    ----------
    kinds, now : one per entry; for signals `now` stands in `signals["now"]` too.
    signals : SIGNAL rows of the entries of kind SIGNAL, in order; `grams` / `gram_ends` their text indices (ragged).
    readings : READING rows; a frame of readings holds nothing else.
    others : payloads of all other entries, in order; a tick has none.
    """

    kinds: NDArray[np.uint8]
    now: NDArray[np.int64]
    signals: NDArray[Any] = field(default_factory=lambda: NO_SIGNALS)
    grams: NDArray[np.uint32] = field(default_factory=lambda: NO_GRAMS)
    gram_ends: NDArray[np.int64] = field(default_factory=lambda: NO_ENDS)
    readings: NDArray[Any] = field(default_factory=lambda: NO_READINGS)
    others: Sequence[dict[str, Any]] = ()
    offset: int = -1

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.kinds)

    def entry(self, index: int) -> "Frame":
        """One entry as a frame of the same offset, for the fold: text indices stay behind, since it reads none."""
        kind = self.kinds[index]
        before = self.kinds[:index]
        signals, others = self.signals[:0], self.others[:0]
        if kind == Kind.SIGNAL:
            place = int(np.count_nonzero(before == Kind.SIGNAL))
            signals = self.signals[place : place + 1]
        elif kind != Kind.TICK:
            place = int(np.count_nonzero((before != Kind.SIGNAL) & (before != Kind.TICK)))
            others = self.others[place : place + 1]
        return Frame(
            kinds=self.kinds[index : index + 1],
            now=self.now[index : index + 1],
            signals=signals,
            gram_ends=np.zeros(len(signals), np.int64),
            others=others,
            offset=self.offset,
        )

    def in_time(self, after: int) -> "Frame":
        """This frame with no entry stamped before `after` or before another that stands in front of it."""
        now = self.now
        if not len(now) or (now[0] >= after and (len(now) == 1 or not (now[1:] < now[:-1]).any())):
            return self
        return replace(self, now=np.maximum.accumulate(np.maximum(now, after)))

    def to_bytes(self) -> bytes:
        """Canonical bytes, without the offset (the log owns it)."""
        arrays: dict[str, NDArray[Any]] = {"kinds": self.kinds, "now": self.now}
        if len(self.signals):
            arrays["signals"] = self.signals
            if len(self.grams):
                arrays["grams"] = self.grams
                arrays["gram_ends"] = self.gram_ends
        if len(self.readings):
            arrays["readings"] = self.readings
        return pack({"v": SCHEMA, "others": list(self.others)}, arrays)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, offset: int) -> "Frame":
        """The frame of these bytes. Raises CorruptData, NewerData."""
        head, arrays = unpack(data)
        if head.get("v", 0) > SCHEMA:
            raise NewerData(
                f"frame {offset} has schema {head['v']}; this version reads up to {SCHEMA}: upgrade forewarn"
            )
        try:
            signals = arrays.get("signals", NO_SIGNALS)
            return cls(
                kinds=arrays["kinds"],
                now=arrays["now"],
                signals=signals,
                grams=arrays.get("grams", NO_GRAMS),
                gram_ends=arrays["gram_ends"] if "gram_ends" in arrays else np.zeros(len(signals), np.int64),
                readings=arrays.get("readings", NO_READINGS),
                others=head["others"],
                offset=offset,
            )
        except KeyError as error:
            raise CorruptData(f"frame {offset} lacks {error}") from error


def frame_of_signals(
    signals: NDArray[Any], grams: NDArray[np.uint32] | None = None, gram_ends: NDArray[np.int64] | None = None
) -> Frame:
    """A frame of signals alone; `signals["now"]` is already stamped."""
    return Frame(
        kinds=np.full(len(signals), Kind.SIGNAL, np.uint8),
        now=np.ascontiguousarray(signals["now"]),
        signals=signals,
        grams=NO_GRAMS if grams is None else grams,
        gram_ends=np.zeros(len(signals), np.int64) if gram_ends is None else gram_ends,
    )


def frame_of_others(entries: Sequence[tuple[Kind, int, dict[str, Any]]]) -> Frame:
    """A frame of (kind, now, payload) entries, none of them signals or readings."""
    return Frame(
        kinds=np.array([kind for kind, _, _ in entries], np.uint8),
        now=np.array([now for _, now, _ in entries], np.int64),
        others=[payload for kind, _, payload in entries if kind is not Kind.TICK],
    )


def frame_of_readings(readings: NDArray[Any], now: int) -> Frame:
    """A frame of readings that arrived at `now`."""
    return Frame(
        kinds=np.full(len(readings), Kind.READING, np.uint8),
        now=np.full(len(readings), now, np.int64),
        readings=readings,
    )
