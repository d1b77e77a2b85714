"""What the offices would have got: alarms per office and day, the budgets as they were kept, and how early it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from console.reports.metrics import Floats
from console.reports.scores import NEVER, Scores
from console.reports.transitions import LEVELS, Transitions

DAY_US = 86_400_000_000
YELLOW = LEVELS.index("yellow") + 1


@dataclass(frozen=True, slots=True)
class Period:
    """The days a report counts alarms on, first and last included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One level's budget as it was kept: alarms per office and day, on average and on the 95th-percentile day."""

    level: str
    alarms: int
    mean: float
    busy: float
    asked: float | None


@dataclass(frozen=True, slots=True)
class Leads:
    """Days from the first raise to yellow or above to the moment the outcome was known, for positives warned before.

    `positives` counts all positives of the target, `warned` those with a raise before their end was known; `raised`
    counts all subjects so raised, whatever their end.
    """

    days: Floats
    at: NDArray[np.int64]
    positives: int
    warned: int
    raised: int


def local_day(at: int, zone: ZoneInfo) -> date:
    """The day, in the site's zone, of a moment in microseconds UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(zone).date()


def daily(told: Transitions, rows: NDArray[np.intp], period: Period, zone: ZoneInfo) -> NDArray[np.int64]:
    """How many of the transitions `rows` fall on each day of the period, (days,)."""
    counts = np.zeros(period.days, np.int64)
    for row in rows.tolist():
        day = (local_day(int(told.at[row]), zone) - period.first).days
        if 0 <= day < period.days:
            counts[day] += 1
    return counts


def by_office(told: Transitions, rows: NDArray[np.intp]) -> dict[str, NDArray[np.intp]]:
    """The transitions `rows` apart by office."""
    apart: dict[str, list[int]] = {}
    for row in rows.tolist():
        apart.setdefault(told.office[row], []).append(row)
    return {office: np.array(found, np.intp) for office, found in apart.items()}


def budgets_kept(
    told: Transitions, budgets: Mapping[str, float], offices: list[str], period: Period, zone: ZoneInfo
) -> list[Kept]:
    """Every level's first raises against its budget; an office without an alarm that day counts with nought."""
    result = []
    for height, level in enumerate(LEVELS, 1):
        apart = by_office(told, told.first_raises(height, exact=True))
        names = sorted(set(offices) | set(apart)) or [""]
        empty = np.empty(0, np.intp)
        cells = np.concatenate([daily(told, apart.get(name, empty), period, zone) for name in names])
        busy = float(np.percentile(cells, 95))
        result.append(Kept(level, int(cells.sum()), float(cells.mean()), busy, budgets.get(level)))
    return result


def leads(told: Transitions, ends: Scores, target: str) -> Leads:
    """How early the warnings of a target came; `ends` holds one row per subject with a known label."""
    names = ends.names["subject"]
    ends = ends.take(ends.known_at > NEVER)
    place = {names[code]: row for row, code in enumerate(ends.subject.tolist())}
    first = np.full(len(ends), np.iinfo(np.int64).max)
    for row in told.first_raises(YELLOW).tolist():
        end = place.get(told.subject[row])
        if end is not None and told.target[row] == target:
            first[end] = min(first[end], told.at[row])
    # A raise once the end is known warns of nothing.
    raised = first < ends.known_at
    early = raised & (ends.label == 1)
    return Leads(
        days=(ends.known_at - first)[early] / DAY_US,
        at=first[early],
        positives=int((ends.label == 1).sum()),
        warned=int(early.sum()),
        raised=int(raised.sum()),
    )
