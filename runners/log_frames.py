"""What a fold makes of the records of a log that it cannot take: the one rule for every runner and every replay.

A record that cannot be read, and records that the log no longer keeps, are passed over as a frame without entries.
So the chain of offsets goes on, and no fold notices: whoever reads the same log later comes to the same digests. The
store is told why, with the offset. A record of a newer schema is another matter: nothing may pass it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.effects import Effects
from pipeline.errors import CorruptData, LogGap, Reason
from pipeline.frame import READING, Frame, Kind
from pipeline.signal import SIGNAL

_NO_KINDS, _NO_TIMES = np.zeros(0, np.uint8), np.zeros(0, np.int64)


class ReadLog(Protocol):
    """What is read of a log."""

    def read(
        self, log: str, partition: int, after: int = -1, until: int | None = None
    ) -> Iterator[tuple[int, bytes]]: ...


@dataclass(slots=True)
class Passed(Frame):
    """A frame without entries in the place of records that cannot be folded, from `first` to its offset."""

    first: int = -1
    reason: Reason = Reason.UNREADABLE
    detail: str = ""

    def told(self) -> Effects:
        """What the store keeps of it."""
        effects = Effects()
        effects.counts[self.reason] = self.offset - self.first + 1
        effects.rejected.append(
            {"reason": self.reason.value, "id": "", "offset": self.first, "index": 0, "until": self.offset}
        )
        return effects


def first_of(frame: Frame) -> int:
    """The first offset that a frame stands for."""
    return frame.first if isinstance(frame, Passed) else frame.offset


def decoded(body: bytes | None, offset: int) -> Frame:
    """The frame of a record, or the one that passes it over when it cannot be read. Raises NewerData."""
    try:
        if body is None:
            raise CorruptData("the record is empty")
        frame = Frame.from_bytes(body, offset)
        _check(frame)
    except (CorruptData, AttributeError, TypeError, ValueError, SyntaxError, RecursionError) as error:
        return Passed(_NO_KINDS, _NO_TIMES, offset=offset, first=offset, detail=str(error))
    return frame


def lost(first: int, until: int) -> Passed:
    """The frame that passes over what the log no longer keeps."""
    return Passed(_NO_KINDS, _NO_TIMES, offset=until, first=first, reason=Reason.LOST)


def frames_after(
    logs: ReadLog, log: str, number: int, after: int, until: int | None = None, *, may_lose: bool = False
) -> Iterator[Frame]:
    """Frames with an offset above `after` (and up to `until`), in order.

    With `may_lose` what the log no longer keeps is passed over; else it raises LogGap. Raises NewerData too.
    """
    while True:
        try:
            for offset, body in logs.read(log, number, after, until):
                yield decoded(body, offset)
                after = offset
        except LogGap as gap:
            if not may_lose or gap.next is None:
                raise
            last = gap.next - 1 if until is None else min(gap.next - 1, until)
            yield lost(after + 1, last)
            after = last
            if until is not None and after >= until:
                return
        else:
            return


def folded_before(
    frames: Iterable[Frame], name: str, stored: int, lost_then: Callable[[], list[tuple[int, int]]]
) -> Iterator[Frame]:
    """Frames from which a state is made again up to `stored`, or beyond it.

    What is gone from the log may be missing only where it was missing when it was folded first (`lost_then`: first and
    last offset of each gap); else the state would silently be another. Raises CorruptData.
    """
    for frame in frames:
        if isinstance(frame, Passed) and frame.reason is Reason.LOST and frame.first <= stored:
            gone = set(range(frame.first, min(frame.offset, stored) + 1))
            for first, last in lost_then():
                gone -= set(range(first, last + 1))
            if gone:
                raise CorruptData(
                    f"{name}: frames {min(gone)} to {max(gone)} were folded, the log no longer has them, and no"
                    " checkpoint is as new; take the topic or the database from a back-up"
                )
        yield frame


def _check(frame: Frame) -> None:
    """Bytes may be a block of columns and yet no frame. Raises CorruptData."""
    kinds, now = frame.kinds, frame.now
    bare = np.isin(kinds, (Kind.SIGNAL, Kind.READING, Kind.TICK))
    wrong = (
        kinds.dtype != np.uint8
        or now.dtype != np.int64
        or kinds.shape != now.shape
        or kinds.ndim != 1
        or frame.signals.dtype != SIGNAL
        or frame.readings.dtype != READING
        or len(frame.signals) != np.count_nonzero(kinds == Kind.SIGNAL)
        or len(frame.readings) != np.count_nonzero(kinds == Kind.READING)
        or not isinstance(frame.others, Sequence)
        or len(frame.others) < len(kinds) - np.count_nonzero(bare)
        or not all(isinstance(payload, dict) for payload in frame.others)
    )
    if wrong:
        raise CorruptData(f"frame {frame.offset} is not made as a frame is")
