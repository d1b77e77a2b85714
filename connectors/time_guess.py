"""Which columns are times, and in which format: day or month first is decided by values above 12, else by order."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from connectors.column_profile import Profile, time_formats
from connectors.times import Parse, time_parser
from pipeline.errors import Refused

READ = 0.97
"""Share of values that must be read for a column to be a time."""


@dataclass(frozen=True, slots=True)
class TimeFound:
    """A column of times: its formats, and its values in µs in the order of the rows (None where empty or unread)."""

    column: Profile
    formats: tuple[str, ...]
    moments: tuple[int | None, ...]

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name


def find_times(columns: Sequence[Profile]) -> list[TimeFound]:
    """All columns of times. One file writes its dates one way, so the order of day and month is decided for all."""
    shares = {column.name: time_formats(column) for column in columns}
    is_day_first = _is_day_first(columns, shares)
    found = []
    for column in columns:
        formats = _chosen(shares[column.name], is_day_first)
        if formats:
            moments = _moments(column, formats)
            read = sum(moment is not None for moment in moments)
            if read >= READ * len(column.filled):
                found.append(TimeFound(column, formats, moments))
    return found


def _chosen(shares: dict[str, float], is_day_first: bool) -> tuple[str, ...]:
    """The fewest formats that read nearly everything, never two that disagree about day and month."""
    fitting = [(pattern, share) for pattern, share in shares.items() if _order(pattern) in (None, is_day_first)]
    chosen: list[str] = []
    read = 0.0
    for pattern, share in fitting:
        if read < READ and not (chosen and share > 1.5 - read):
            chosen.append(pattern)
            read += share
    return tuple(chosen) if read >= READ else ()


def _order(pattern: str) -> bool | None:
    """True for day first, False for month first, None where the year comes first and nobody can err."""
    return None if not pattern.startswith(("%d", "%m")) else pattern.startswith("%d")


def _is_day_first(columns: Sequence[Profile], shares: dict[str, dict[str, float]]) -> bool:
    best = {True: 0.0, False: 0.0}
    disorder = dict(best)
    for column in columns:
        for is_day in (True, False):
            of_order = [(share, p) for p, share in shares[column.name].items() if _order(p) is is_day]
            if of_order:
                share, pattern = max(of_order)
                best[is_day] += share
                disorder[is_day] += _disorder(_moments(column, (pattern,)))
    if abs(best[True] - best[False]) > 0.01:
        return best[True] > best[False]
    # Every day is at most the twelfth. Records are kept in some order, and the wrong reading tears it apart.
    return disorder[True] <= disorder[False]


def _disorder(moments: Sequence[int | None]) -> float:
    """Total way walked from row to row in days; times that are nearly in order walk little."""
    known = [moment for moment in moments if moment is not None]
    return sum(abs(b - a) for a, b in pairwise(known)) / 86_400e6


def _moments(column: Profile, formats: tuple[str, ...]) -> tuple[int | None, ...]:
    parse = time_parser(formats)
    return tuple(_moment(parse, cell) for cell in column.cells)


def _moment(parse: Parse, cell: str) -> int | None:
    try:
        return parse(cell) if cell else None
    except Refused:
        return None
