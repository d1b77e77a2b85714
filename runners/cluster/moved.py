"""What came of a move: logs with their offsets, tables with their rows, and whether a replay there says the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Tell = Callable[[str, int, int], None]
"""Called with what is being moved, how much of it was, and how much there is (0: not known)."""
Place = tuple[str, int]


@dataclass(slots=True)
class MovedLog:
    """One log: its first and last offset, and whether a replay there gives the digests of the embedded site."""

    log: str
    first: int
    last: int
    frames: int
    digests: str = "not compared"


@dataclass(slots=True)
class Moved:
    """What was moved, and whether it is the same."""

    logs: list[MovedLog]
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_equal(self) -> bool:
        """Whether nothing that could be compared differs."""
        return all(log.digests != "differ" for log in self.logs)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        logs = [
            {"log": each.log, "first": each.first, "last": each.last, "frames": each.frames, "digests": each.digests}
            for each in self.logs
        ]
        return {"equal": self.is_equal, "seconds": round(self.seconds, 1), "logs": logs, "rows": self.rows}


def lines(moved: Moved) -> list[str]:
    """What was moved, as a table for reading."""
    told = [f"{'log':<14}{'offsets':>23}{'frames':>12}  digests"]
    for log in moved.logs:
        offsets = f"{log.first} to {log.last}" if log.frames else "none"
        told.append(f"{log.log:<14}{offsets:>23}{log.frames:>12,}  {log.digests}")
    told += ["", f"{'table':<25}{'rows':>12}"]
    told += [f"{name:<25}{count:>12,}" for name, count in sorted(moved.rows.items()) if count]
    verdict = "a replay there gives the digests of this site" if moved.is_equal else "THE DIGESTS DIFFER"
    return [*told, "", f"{verdict}; {moved.seconds:,.1f} s"]


def name_of(place: Place) -> str:
    """`<log>-<partition>`."""
    return f"{place[0]}-{place[1]}"
