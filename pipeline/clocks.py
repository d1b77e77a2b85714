"""Legal clocks: when a matter's deadline falls, by which article, and how much of the time is used. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from pipeline.signal import Step


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
