"""Where everything is that sources handed over, for all servers and workers: the edge's counts and the folds', added.

accepted = applied + duplicate + late + dead_lettered + pending. What is pledged and not settled counts as accepted.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from pipeline.errors import StoreUnavailable
from runners.live.ledger import Ledger
from runners.serve.parts import Parts


class ClusterLedger:
    """The counts of one cluster, as of the last look (Ledger's questions, answered from the database)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._latest = Ledger({}, {}, {})

    def look(self, sources: Iterable[str]) -> None:
        """Ask anew. Raises StoreUnavailable."""
        names = tuple(sources)
        parts = self._parts
        with parts.news.one_moment():
            folded = dict(parts.news.tallies())
            accepted = Counter(parts.logs.tallies())
            for pledge in parts.pledges.open():
                for frame in pledge.frames:
                    accepted.update(frame.counts)
            heard = {name: parts.logs.position(f"heard@{name}") for name in names}
        with self._lock:
            self._latest = Ledger(accepted, folded, heard)

    def of(self, source: str) -> dict[str, int]:
        """What became of all that a source sent, with `pending`."""
        return self._held().of(source)

    def heard(self, source: str) -> int | None:
        """When a source last sent something that was taken."""
        return self._held().heard(source)

    def by_source(self, sources: Iterable[str]) -> dict[str, dict[str, int]]:
        """The same for several sources, of one moment; asked anew where the database answers."""
        names = list(sources)
        with suppress(StoreUnavailable):  # as of the last look then; readiness says why
            self.look(names)
        return self._held().by_source(names)

    def all(self) -> dict[str, int]:
        """The sums over all sources, with `pending`."""
        return self._held().all()

    def _held(self) -> Ledger:
        with self._lock:
            return self._latest
