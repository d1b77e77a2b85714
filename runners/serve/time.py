"""Time for all logs of a cluster, told by the one server with the lease: ticks, minutes, whom not to wait for.

A tick goes to a log that was empty for 10 s. Once a minute the site log hears which sources spoke. A partition that
gave the site no mark for 120 s is passed over, so that one worker's absence does not hold up the surges of all.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from pipeline.calendar import MINUTE_US
from pipeline.errors import LogGap
from pipeline.frame import Kind
from runners.clock import SECOND, Clock
from runners.log_frames import decoded
from runners.serve.parts import Log
from runners.serve.versions import Append

TICK_US = 10 * SECOND
PASSED_OVER_S = 120.0
READ_BACK = 500
"""Frames of the site log that a new holder of the lease reads to know the marks."""
HEARD_TOLD = "heard told"


class TimedLogs(Protocol):
    """What is asked of the logs."""

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` and up to `until`, in order."""
        ...

    def position(self, source: str) -> int:
        """When a source was heard (`heard@<name>`, µs UTC), 0 for never."""
        ...

    def meta(self, key: str) -> str | None:
        """A remembered value of the site."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Set a value of the site."""
        ...


class Timekeeper:
    """What is done once a second while the lease `time` is held. `watched`: sources whose silence is noticed."""

    def __init__(
        self, logs: TimedLogs, partitions: int, clock: Clock, append: Append, watched: Callable[[], Sequence[str]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._logs, self._partitions, self._clock, self._append = logs, partitions, clock, append
        self._watched, self._seconds = watched, seconds
        self.begin()

    def begin(self) -> None:
        """The lease is new: what an earlier holder knew is read again."""
        self._last: dict[Log, tuple[int, int]] = {}
        self._marks: dict[int, tuple[int, float]] = {}
        self._read = -1
        self._is_fresh = True
        self._minute = 0

    def look(self, ends: dict[Log, int]) -> None:
        """Tell what is due; `ends`: the next offset of each log. Raises LogUnavailable, StoreUnavailable."""
        now = self._clock.now()
        self._tick(now, ends)
        self._follow_marks(ends.get(("site", 0), 0))
        if now // MINUTE_US > self._minute:
            self._pass_minute(now)
        self._pass_over(now)

    def _tick(self, now: int, ends: dict[Log, int]) -> None:
        """A tick for every log whose end has not moved for 10 s of log time; the site's minute is its tick."""
        for log, end in ends.items():
            known, since = self._last.get(log, (-1, now))
            if end != known:
                self._last[log] = (end, now)
            elif now - since >= TICK_US and end and log[0] != "site":
                self._last[log] = (self._append(log, [(Kind.TICK, {})]) + 1, now)

    # minutes -------------------------------------------------------------------------------------------------------

    def _pass_minute(self, now: int) -> None:
        """Sources that were heard since it was last told; a tick where none was."""
        logs = self._logs
        told = int(logs.meta(HEARD_TOLD) or 0)
        heard = [name for name in sorted(self._watched()) if logs.position(f"heard@{name}") > told]
        entries: list[tuple[Kind, dict[str, Any]]] = [(Kind.FACT, {"source": name}) for name in heard]
        self._append(("site", 0), entries or [(Kind.TICK, {})])
        logs.remember(HEARD_TOLD, str(now))
        self._minute = now // MINUTE_US

    # marks ---------------------------------------------------------------------------------------------------------

    def _follow_marks(self, end: int) -> None:
        """Read what the site log says of complete minutes."""
        seconds = self._seconds()
        if self._is_fresh:
            self._read, self._is_fresh = max(-1, end - 1 - READ_BACK), False
            self._marks = dict.fromkeys(range(self._partitions), (-1, seconds))
        if self._read >= end - 1:
            return
        try:
            for offset, body in self._logs.read("site", 0, self._read, end - 1):
                for payload in decoded(body, offset).others:
                    if "partition" in payload and "minute" in payload:
                        self._mark(int(payload["partition"]), int(payload["minute"]), seconds)
                self._read = offset
        except LogGap as gap:
            self._read = end - 1 if gap.next is None else gap.next - 1

    def _mark(self, partition: int, minute: int, seconds: float) -> None:
        known, _ = self._marks.get(partition, (-1, seconds))
        if minute > known:
            self._marks[partition] = (minute, seconds)

    def _pass_over(self, now: int) -> None:
        """Do not wait for a partition that has been without a mark for too long."""
        if self._partitions == 1:
            return
        complete = now // MINUTE_US - 2
        silent = [
            number for number, (minute, since) in self._marks.items()
            if minute < complete and self._seconds() - since >= PASSED_OVER_S
        ]  # fmt: skip
        if silent:
            self._append(("site", 0), [(Kind.PROCEED, {"partition": n, "minute": complete}) for n in silent])
            for number in silent:
                # Until it speaks again, each minute is passed over once more.
                self._marks[number] = (complete, self._seconds() - PASSED_OVER_S)
