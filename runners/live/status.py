"""How a source is doing, from what it sent and how often it should."""

from typing import Protocol

from console.api.ports import SourceStatus

STALE_US = 60_000_000
"""Behind by so much the site no longer calls itself ready."""
DELAYED, INTERRUPTED = 1.5, 3.0
"""Intervals after which a source counts as delayed, and as interrupted."""


class Counted(Protocol):
    """What became of all that sources sent."""

    def of(self, source: str) -> dict[str, int]:
        """Counts of one source, with `pending`."""
        ...

    def heard(self, source: str) -> int | None:
        """When it last sent something that was taken (µs UTC)."""
        ...


def status(name: str, interval: float | None, ledger: Counted, now: int) -> SourceStatus:
    """The status of one source; `interval` in seconds, None where it sends as it likes."""
    counts, heard = ledger.of(name), ledger.heard(name)
    late = 0.0 if heard is None or not interval else (now - heard) / (interval * 1_000_000)
    state = "delayed" if late > DELAYED else "receiving"
    return SourceStatus(
        name=name,
        state="never" if heard is None else "interrupted" if late > INTERRUPTED else state,  # type: ignore[typeddict-item]
        last_at=heard,
        interval_s=None if interval is None else float(interval),
        accepted=counts["accepted"],
        applied=counts["applied"],
        duplicate=counts["duplicate"],
        late=counts["late"],
        dead_lettered=counts["dead_lettered"],
        dropped_fields=counts["dropped_fields"],
        pending=counts["pending"],
    )
