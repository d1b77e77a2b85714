"""Clocks of a running site. Log time is int64 microseconds UTC and never goes back; whoever stamps takes the maximum.

The wall's clock is followed from a monotonic one: a small difference is slewed away, a large one is told, and one of
more than ten minutes waits for an operator, because following it would let every deadline in between expire at once.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

SECOND = 1_000_000
WARN_US = 5 * SECOND
"""Difference from the wall beyond which a slew is told."""
WAIT_US = 600 * SECOND
"""Difference from the wall beyond which it is not followed until an operator agrees."""
_SLEW, _FAST_SLEW = 0.005, 0.1

Seconds = Callable[[], float]


class Clock(Protocol):
    """What a site asks of time."""

    speed: float
    """Log seconds per wall second."""

    def now(self) -> int:
        """Log time."""
        ...

    def trouble(self) -> str:
        """What is wrong with the clock, '' for nothing."""
        ...

    def accept(self) -> None:
        """An operator agrees to whatever the wall says."""
        ...

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait on a condition that is held, until it is notified or log time reaches `until`."""
        ...


class WallClock:
    """Follows the wall without jumps. `wall` and `monotonic` in seconds; tests hand in their own."""

    speed = 1.0

    def __init__(self, wall: Seconds = time.time, monotonic: Seconds = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._beat, self._time, self._trouble = monotonic(), wall() * SECOND, ""

    def now(self) -> int:
        """Log time; each call slews a little towards the wall."""
        with self._lock:
            beat = self._monotonic()
            passed = max(0.0, beat - self._beat) * SECOND
            self._beat = beat
            self._time += passed
            apart = self._wall() * SECOND - self._time
            if abs(apart) > WAIT_US:
                self._trouble = f"the wall clock is {apart / SECOND:+.0f} s off; reload the configuration to accept it"
                return int(self._time)
            if abs(apart) <= WARN_US:
                self._trouble = ""
            else:
                self._trouble = f"the wall clock is {apart / SECOND:+.0f} s off and is followed slowly"
            # Slower than time passes, so that log time goes on even when the wall stepped back.
            most = passed * (_SLEW if abs(apart) <= WARN_US else _FAST_SLEW)
            self._time += min(max(apart, -most), most)
            return int(self._time)

    def trouble(self) -> str:
        """What is wrong with the clock, '' for nothing."""
        self.now()
        return self._trouble

    def accept(self) -> None:
        """Take the wall as it is."""
        with self._lock:
            self._beat, self._time, self._trouble = self._monotonic(), self._wall() * SECOND, ""

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait until notified or until log time reaches `until`."""
        condition.wait(None if until is None else max(0.0, (until - self.now()) / SECOND))


class ScaledClock:
    """A simulated site's clock: it stands at `begin` until `run`, then goes `speed` times as fast as the wall."""

    def __init__(self, begin: int, speed: float, monotonic: Seconds = time.monotonic) -> None:
        self.speed = speed
        self._monotonic = monotonic
        self._begin, self._since = begin, -1.0

    def stand_at(self, now: int) -> None:
        """Put a clock that does not run yet forward to a moment."""
        self._begin = max(self._begin, now)

    def run(self) -> None:
        """Let it go."""
        self._since = self._monotonic()

    def now(self) -> int:
        """Log time."""
        if self._since < 0:
            return self._begin
        return self._begin + int((self._monotonic() - self._since) * self.speed * SECOND)

    def trouble(self) -> str:
        """Nothing can be wrong with it."""
        return ""

    def accept(self) -> None:
        """Nothing to agree to."""

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait until notified or until log time reaches `until`."""
        if until is None or self._since < 0:
            condition.wait()
        else:
            condition.wait(max(0.0, (until - self.now()) / SECOND / self.speed))


class SetClock:
    """A clock that goes only when it is told to, for tests and drills."""

    speed = 1.0

    def __init__(self, begin: int) -> None:
        self._now = begin
        self._waiting: set[threading.Condition] = set()

    def advance(self, us: int) -> None:
        """Let time pass, and wake whoever waits for it."""
        self._now += us
        for condition in tuple(self._waiting):
            with condition:
                condition.notify_all()

    def now(self) -> int:
        """Log time."""
        return self._now

    def trouble(self) -> str:
        """Nothing can be wrong with it."""
        return ""

    def accept(self) -> None:
        """Nothing to agree to."""

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait until notified; `advance` notifies."""
        self._waiting.add(condition)
        if until is None or until > self._now:
            condition.wait()
