"""Legal clocks: when a matter's deadline falls, by which article, and how much of the time is used. Pure."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.calendar import HOUR_US, Times, WorkCalendar
from pipeline.signal import Step

_EARLIEST, _LATEST = -(1 << 62), 1 << 62


class Unit(IntEnum):
    """In what a clock counts. The three are never converted into each other. Numbers are stored: never reuse one."""

    HOURS = 0
    CALENDAR_DAYS = 1
    WORKING_DAYS = 2


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One legal deadline: from `start` to the first of `stops`, `length` in `unit`; `source` names the article.

    `pauses`: steps that stop the clock until RESUMED. `extension_limit`: most that approval can add, in `unit`.
    `rolls_over`: a last day on a holiday moves to the next working day; None = as the calendar says.
    """

    id: str
    source: str
    start: Step
    stops: tuple[Step, ...]
    unit: Unit
    length: int
    pauses: tuple[Step, ...] = ()
    extension_limit: int = 0
    rolls_over: bool | None = None


def due(rule: ClockRule, calendar: WorkCalendar, start: int, *, paused: int = 0, extended: int = 0) -> tuple[int, bool]:
    """When the clock that started at `start` (µs UTC) falls due (µs UTC), and whether that is provisional.

    `paused` is the sum of `paused_length` of its pauses; `extended` what was approved, in the rule's unit, of which no
    more than the rule allows counts. The first day is not counted; the last ends at 24:00 local time or with office
    hours (Civil Code Art. 201, 203). Provisional: a day in it lies outside what the calendar knows. Never raises.
    """
    extended = min(max(extended, 0), rule.extension_limit)
    if rule.unit is Unit.HOURS:
        return _clipped(start + (rule.length + extended) * HOUR_US + paused), False
    first = calendar.day_of(start)
    length = rule.length + extended + paused
    rolls = calendar.rolls_over if rule.rolls_over is None else rule.rolls_over
    if rule.unit is Unit.WORKING_DAYS:
        last = calendar.numbered(calendar.count_before(first + 1) + length - 1)
        provisional = not calendar.is_known(first, last)
    elif rolls:
        provisional = not calendar.is_known(first + length, first + length)
        last = calendar.on_or_after(first + length)
        provisional = provisional or not calendar.is_known(last, last)
    else:
        last, provisional = first + length, False
    end = calendar.start_of(last, calendar.closes) if calendar.ends_at_close else calendar.start_of(last + 1)
    return _clipped(end), provisional


def paused_length(rule: ClockRule, calendar: WorkCalendar, begin: int, end: int) -> int:
    """What one pause (µs UTC) adds to a clock: µs for a clock of hours, else the counted days that began within it."""
    if end <= begin:
        return 0
    if rule.unit is Unit.HOURS:
        return end - begin
    first, last = calendar.day_of(begin), calendar.day_of(end)
    if rule.unit is Unit.CALENDAR_DAYS:
        return last - first
    return calendar.count_before(last + 1) - calendar.count_before(first + 1)


def working_share(calendar: WorkCalendar, start: Times, due: Times, now: Times) -> NDArray[np.float64]:
    """Share of the working days between start and due that is over by `now`; above 1 when overdue, never below 0.

    A clock without a working day in it is measured by plain time; one of no length is over from its start on.
    """
    begun = calendar.working_us(start)
    length = calendar.working_us(due) - begun
    return _share(length, calendar.working_us(now) - begun, plain=plain_share(start, due, now))


def plain_share(start: Times, due: Times, now: Times) -> NDArray[np.float64]:
    """Share of the plain time between start and due that is over by `now`; above 1 when overdue, never below 0."""
    over = np.where(now >= due, 1.0, 0.0)
    return _share(due - start, now - start, plain=over)


def share_used(rule: ClockRule, calendar: WorkCalendar, start: Times, due: Times, now: Times) -> NDArray[np.float64]:
    """Share of a clock that is over: in working days for a clock of working days, else in plain time."""
    if rule.unit is Unit.WORKING_DAYS:
        return working_share(calendar, start, due, now)
    return plain_share(start, due, now)


def _share(length: Times, over: Times, *, plain: NDArray[np.float64]) -> NDArray[np.float64]:
    share = np.maximum(over, 0) / np.where(length > 0, length, 1)
    return np.where(length > 0, share, plain)


def _clipped(at: int) -> int:
    return min(max(at, _EARLIEST), _LATEST)
