"""Where every signal and reading is that a source handed over: accepted = applied + duplicate + late + dead + pending.

`accepted` and `dead_lettered` are moved by the log's commit, the rest by the store's; each move keeps the equation, and
a reader sees the state between two moves only.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping

from pipeline.ids import code64

COUNTED = ("accepted", "applied", "duplicate", "late", "dead_lettered", "dropped_fields")


class Ledger:
    """Counts by source, since the log began; `logged` and `stored` are the tallies that log and store have kept."""

    def __init__(self, logged: Mapping[str, int], stored: Mapping[str, int], heard: Mapping[str, int]) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, Counter[str]] = {}
        self._heard: dict[int, int] = {code64(name): at for name, at in heard.items() if at}
        for tallies in (logged, stored):
            self._add(tallies)

    def move(self, counts: Mapping[str, int]) -> None:
        """Add counts named `<what>@<code>`, all at once."""
        with self._lock:
            self._add(counts)

    def hear(self, source: str, at: int) -> None:
        """A source sent something that was taken."""
        with self._lock:
            self._heard[code64(source)] = at

    def of(self, source: str) -> dict[str, int]:
        """What became of all that a source sent, with `pending`."""
        with self._lock:
            return _closed(self._counts.get(code64(source), Counter()))

    def heard(self, source: str) -> int | None:
        """When a source last sent something that was taken."""
        with self._lock:
            return self._heard.get(code64(source))

    def by_source(self, sources: Iterable[str]) -> dict[str, dict[str, int]]:
        """The same for several sources, of one moment."""
        with self._lock:
            return {name: _closed(self._counts.get(code64(name), Counter())) for name in sources}

    def all(self) -> dict[str, int]:
        """The sums over all sources, with `pending`, of one moment."""
        with self._lock:
            return _closed(sum(self._counts.values(), Counter()))

    def _add(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            what, at, code = name.partition("@")
            if at and what in COUNTED:
                self._counts.setdefault(int(code), Counter())[what] += count


def _closed(counts: Counter[str]) -> dict[str, int]:
    found = {name: counts[name] for name in COUNTED}
    settled = sum(found[name] for name in ("applied", "duplicate", "late", "dead_lettered"))
    return {**found, "pending": found["accepted"] - settled}
