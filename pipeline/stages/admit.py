"""Is this signal new, and is it its turn? Duplicates are counted, late ones of buffered sources put in order."""

import heapq
from collections.abc import Mapping
from typing import Any

from pipeline.calendar import DAY_US
from pipeline.county import County
from pipeline.errors import Reason
from pipeline.seen import CONTENT

LATEST = 1 << 61
"""Times beyond this (µs from 1970, either way) leave no room for windows and deadlines in 64 bits."""


def has_time(county: County, id: bytes, at: int, due: int) -> bool:
    """Whether the times of a signal can be reckoned with; otherwise it is told."""
    if -LATEST < at < LATEST and -LATEST < due < LATEST:
        return True
    reject(county, Reason.BAD_TIME, id)
    return False


def is_fresh(county: County, id: bytes, content: int, older: Mapping[int, tuple[int, int]]) -> bool:
    """Whether an id is new; otherwise counted as a duplicate, or told when its content differs from the first."""
    short = int.from_bytes(id[:8], "little")
    content &= CONTENT
    today = county.now // DAY_US
    before = county.seen.content(short, today, older)
    if before is None:
        county.seen.remember(short, content, today)
        return True
    if before == content:
        county.effects.counts[Reason.DUPLICATE] += 1
    else:
        reject(county, Reason.CONFLICTING_DUPLICATE, id)
    return False


def reject(county: County, reason: Reason, id: bytes) -> None:
    """Count an entry that is not applied, with its address and reason."""
    county.effects.counts[reason] += 1
    offset, index = county.address
    county.effects.rejected.append({"reason": reason.value, "id": id.hex(), "offset": offset, "index": index})


def holds(county: County, source: int, at: int, id: bytes, row: Any) -> bool:
    """Whether a signal must wait for earlier ones of its buffered source; it is then released at `at` + lateness."""
    lateness = county.rules.lateness.get(source, 0)
    if not lateness or at + lateness <= county.now:
        return False
    county.effects.counts["pending"] += 1
    heapq.heappush(county.held, (at + lateness, id, *county.address, row.copy()))
    return True
