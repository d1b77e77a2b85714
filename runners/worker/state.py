"""What a worker knows of one of its partitions, beside the fold itself."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from runners.worker.owned import Owned

FULL_BYTES, FULL_FRAMES = 16 << 20, 256
"""Of a partition that wait for the fold: the broker is not asked for more until half of it is folded."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a partition is, for metrics; None: not known."""

    lag_frames: int | None
    lag_seconds: float
    idle_seconds: float
    checkpoint_age_seconds: float | None
    stopped: bool


@dataclass(slots=True)
class Arrived:
    """A record that Kafka delivered: logical offset, value, and what acknowledges it."""

    offset: int
    body: bytes | None
    acknowledge: Callable[[], object]

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.body or b"")


@dataclass(slots=True)
class Seat:
    """A partition that is assigned to this worker; `owned` once it is restored."""

    owned: Owned | None = None
    waiting: deque[Arrived] = field(default_factory=deque)
    size: int = 0
    is_held: bool = False
    """Whether the broker is not asked for more."""
    stopped: str = ""
    """Why it cannot go on by itself."""
    end: int | None = None
    """The next offset of its log as last heard."""
    read_to: int = -1
    """Up to here it reads the log by itself, since nothing was delivered."""
    moved_at: float = field(default_factory=time.monotonic)
    """When it last made progress, or had nothing to do."""
    not_before: float = 0.0
    pause: float = 0.0

    @property
    def has_work(self) -> bool:
        """Whether something can be folded."""
        return bool(self.waiting) or (self.owned is not None and self.read_to > self.owned.offset)

    @property
    def is_full(self) -> bool:
        """Whether enough waits."""
        return self.size >= FULL_BYTES or len(self.waiting) >= FULL_FRAMES

    @property
    def has_room(self) -> bool:
        """Whether more may be asked for."""
        return self.size < FULL_BYTES // 2 and len(self.waiting) < FULL_FRAMES // 2

    def lag(self) -> int | None:
        """Frames that are in the log and not folded."""
        if self.owned is None or self.end is None:
            return None
        last = self.waiting[-1].offset + 1 if self.waiting else 0
        return max(0, max(self.end, last) - 1 - self.owned.offset)

    def clear(self) -> None:
        """Let go of what waits; whoever owns the partition next gets it again."""
        self.waiting.clear()
        self.size, self.read_to = 0, -1
        self.is_held = False
