"""What is in the log and not folded yet, and what is folded and not kept yet because the disk was full."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from pipeline.effects import Effects
from pipeline.frame import MAX_ENTRIES, Frame
from runners.live.work import Post

DEFERRED = 30_000
"""Entries that the fold leaves lying in a burst, which is made durable first and folded then."""
BURST = 2_500
"""Entries in the last quarter of a second from which on it is a burst."""
BURST_S = 0.25
DEFER_S = 0.02
"""How long a burst may pause before the fold goes on."""


class Burst:
    """How much was committed of late, forgotten by the second."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._count = 0.0
        self._at = seconds()

    def add(self, count: int) -> None:
        """So many entries were committed now."""
        now = self._seconds()
        self._count = self._count * math.exp((self._at - now) / BURST_S) + count
        self._at = now

    def is_one(self) -> bool:
        """Whether it comes thick and has not paused."""
        passed = self._seconds() - self._at
        return passed < DEFER_S and self._count * math.exp(-passed / BURST_S) > BURST


class Backlog:
    """Frames of all partitions in the order in which they were logged, with the posts that are done once it is folded.

    Each is a partition's number and a frame of it.
    """

    def __init__(self, burst: Burst | None = None) -> None:
        self._frames: deque[tuple[int, Frame, list[Post]]] = deque()
        self._entries = 0
        self._added = self._taken = self._urgent = 0
        """Frames that were added and taken so far, and how many must have been taken at once."""
        self._burst = burst or Burst()

    def __len__(self) -> int:
        """Frames that wait."""
        return len(self._frames)

    def add(self, frames: Sequence[tuple[int, Frame]], posts: Sequence[Post], *, is_urgent: bool) -> None:
        """These were committed; the posts are done with the last one."""
        self._frames += [(number, frame, []) for number, frame in frames]
        self._added += len(frames)
        fresh = sum(len(frame) for _, frame in frames)
        self._entries += fresh
        self._burst.add(fresh)
        if frames:
            self._frames[-1][2].extend(posts)
            if is_urgent:
                self._urgent = self._added

    def is_deferred(self) -> bool:
        """Whether the fold stands back for a burst; never while a command or an emergency waits."""
        return self._urgent <= self._taken and self._entries < DEFERRED and self._burst.is_one()

    def take(self) -> tuple[dict[int, list[Frame]], list[Post]]:
        """About a frame's worth of what waits, in order, by partition."""
        frames: dict[int, list[Frame]] = {}
        posts: list[Post] = []
        taken = 0
        while self._frames and (not frames or taken + len(self._frames[0][1]) <= MAX_ENTRIES):
            number, frame, own = self._frames.popleft()
            frames.setdefault(number, []).append(frame)
            posts += own
            taken += len(frame)
            self._taken += 1
        self._entries -= taken
        return frames, posts

    def oldest(self) -> int | None:
        """Log time of the oldest entry; from any thread."""
        try:
            return int(self._frames[0][1].now[0])
        except IndexError:
            return None


class Owed:
    """Effects that could not be kept, by the log they are of; kept in that order as soon as there is room."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Callable[[], list[Effects]]]] = []

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def add(self, log: str, keep: Callable[[], list[Effects]]) -> None:
        """`keep` commits what a log's fold made; it raises OSError while the disk is full."""
        if all(other != log for other, _ in self._waiting):
            self._waiting.append((log, keep))

    def keep(self, tell: Callable[[str, Sequence[Effects]], None]) -> None:
        """Keep all; raises OSError with what is left still waiting."""
        while self._waiting:
            log, keep = self._waiting[0]
            effects = keep()
            self._waiting.pop(0)
            tell(log, effects)
