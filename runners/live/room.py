"""How much may wait between the door and the fold. Who asks for more is told to come again; nothing is dropped."""

import threading
from collections import Counter

from connectors.intake_http import Full

MAX_RECORDS = 200_000
MAX_BYTES = 128 << 20
SHARE = 0.5
"""Of the room, for one source alone: the others still get in while it is at its worst."""
FOLDED_A_SECOND = 10_000
"""What the fold does at least, to tell when to come again."""


class Room:
    """Records and bytes that wait; taken at the door, freed once folded."""

    def __init__(self, records: int = MAX_RECORDS, size: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._most = (records, size)
        self._records: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def take(self, source: str, records: int, size: int) -> None:
        """Let records in. Raises Full; a request that is too large by itself gets in when nothing else waits."""
        with self._lock:
            for waiting, more, most in ((self._records, records, self._most[0]), (self._bytes, size, self._most[1])):
                total, own = waiting.total(), waiting[source]
                if total and (total + more > most or (own and own + more > most * SHARE)):
                    seconds = min(30.0, max(1.0, self._records.total() / FOLDED_A_SECOND))
                    raise Full(
                        f"{self._records.total()} records are waiting; nothing of this request was taken", seconds
                    )
            self._records[source] += records
            self._bytes[source] += size

    def free(self, source: str, records: int, size: int) -> None:
        """What was let in has left."""
        with self._lock:
            self._records[source] -= records
            self._bytes[source] -= size

    def waiting(self) -> int:
        """Records that wait."""
        with self._lock:
            return self._records.total()
