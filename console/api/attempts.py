"""How often signing in may fail: by name and address, by name, and by address. Kept in memory; a restart forgives."""

from collections import deque
from collections.abc import Callable

WINDOW_US = 15 * 60 * 1_000_000
MOST_PAIR, MOST_NAME, MOST_ADDRESS = 5, 30, 50
"""Failures within the window: of one name from one address, of one name from anywhere, of one address."""
_REMEMBERED = 10_000


class Attempts:
    """Failed sign-ins of the last 15 minutes."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._failed: dict[tuple[str, str], deque[int]] = {}

    def wait_s(self, name: str, address: str) -> int:
        """Seconds until another attempt is allowed; 0 for now."""
        now = self._clock()
        waits = [0]
        for key, most in _keys(name, address):
            failed = self._failed.get(key)
            while failed and failed[0] <= now - WINDOW_US:
                failed.popleft()
            if failed is not None and not failed:
                del self._failed[key]
            elif failed and len(failed) >= most:
                waits.append(-(-(failed[-most] + WINDOW_US - now) // 1_000_000))
        return max(waits)

    def begin(self, name: str, address: str) -> None:
        """Count an attempt as failed before it is known, so that many at once do not all slip through."""
        now = self._clock()
        for key, most in _keys(name, address):
            self._failed.setdefault(key, deque(maxlen=most)).append(now)
        while len(self._failed) > _REMEMBERED:
            del self._failed[next(iter(self._failed))]

    def succeed(self, name: str, address: str) -> None:
        """It did not fail: forget the failures of this name from this address, and this attempt elsewhere."""
        for key, most in _keys(name, address):
            failed = self._failed.get(key)
            if most == MOST_PAIR:
                self._failed.pop(key, None)
            elif failed:
                failed.pop()


def _keys(name: str, address: str) -> list[tuple[tuple[str, str], int]]:
    plain = name.casefold()
    return [
        ((f"pair {plain}", address), MOST_PAIR),
        ((f"name {plain}", ""), MOST_NAME),
        (("address", address), MOST_ADDRESS),
    ]
