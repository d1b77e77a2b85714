"""When a matter becomes a warning: four levels with two cut-offs each, budgets, and the rules of duty."""

from typing import Annotated, Literal

from pydantic import Field

from config.value import LEVELS, LevelName, Name, Value

CutOff = Annotated[float, Field(ge=0.0, le=4.0)]
"""On calibrated probability x consequence."""
Days = Annotated[float, Field(ge=0.0, le=36_500.0)]
Hold = Annotated[int, Field(ge=0, le=720)]
Budget = Annotated[int, Field(ge=0, le=100_000)]


class Level(Value):
    """One level: raised at `raise_at`, cleared below `clear_at` (probability x consequence), or by recurrence in days.

    `dwell_up_minutes` / `dwell_down_minutes`: how long the value must stay there; `hold_hours`: least stay;
    `budget_per_office_day`: first raises per office and local day.
    """

    raise_at: CutOff
    clear_at: CutOff
    raise_recurrence_days: Days
    clear_recurrence_days: Days
    dwell_up_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    dwell_down_minutes: Annotated[int, Field(ge=0, le=43_200)] = 1_440
    hold_hours: Hold = 24
    budget_per_office_day: Budget


class Blue(Level):
    """Look at it."""

    raise_at: CutOff = 0.30
    clear_at: CutOff = 0.24
    raise_recurrence_days: Days = 30
    clear_recurrence_days: Days = 15
    budget_per_office_day: Budget = 8


class Yellow(Level):
    """Take it up."""

    raise_at: CutOff = 0.45
    clear_at: CutOff = 0.38
    raise_recurrence_days: Days = 90
    clear_recurrence_days: Days = 45
    budget_per_office_day: Budget = 4


class Orange(Level):
    """Take it up today; one person confirms."""

    raise_at: CutOff = 0.60
    clear_at: CutOff = 0.52
    raise_recurrence_days: Days = 365
    clear_recurrence_days: Days = 180
    hold_hours: Hold = 48
    budget_per_office_day: Budget = 2


class Red(Level):
    """Take it up at once; two people confirm."""

    raise_at: CutOff = 0.80
    clear_at: CutOff = 0.70
    raise_recurrence_days: Days = 1_825
    clear_recurrence_days: Days = 900
    hold_hours: Hold = 72
    budget_per_office_day: Budget = 1


class Levels(Value):
    """The four attention levels; up fast, down slowly. What a level does not say is as shipped."""

    blue: Blue = Blue()
    yellow: Yellow = Yellow()
    orange: Orange = Orange()
    red: Red = Red()

    def ascending(self) -> tuple[tuple[LevelName, Level], ...]:
        """(name, level), blue first."""
        return tuple((name, getattr(self, name)) for name in LEVELS)


DutyKind = Literal[
    "overdue",
    "due_soon",
    "idle",
    "returned",
    "handed_over",
    "vague_reply",
    "listed_overdue",
    "hazard",
    "emergency",
    "silent_source",
    "silent_sensor",
]


class Duty(Value):
    """A rule of duty: from `at_least` on, the matter (or source) is of `level`, whatever the models say.

    Unit of `at_least` by kind: overdue, listed_overdue hours past due; due_soon share of the clock; idle days without
    a step; returned, handed_over a count; silent_source, silent_sensor multiples of the expected interval; the rest 1.
    `past_budget`: shown although the office's budget is spent.
    """

    id: Name
    kind: DutyKind
    at_least: Annotated[float, Field(ge=0.0, le=100_000.0)] = 1.0
    level: LevelName
    past_budget: bool = False
    notify: Literal["dispatch", "remind", "bulletin"] = "remind"


DUTY: tuple[Duty, ...] = (
    Duty(id="overdue", kind="overdue", at_least=0, level="blue", past_budget=True),
    Duty(id="listed_overdue", kind="listed_overdue", at_least=0, level="red", past_budget=True, notify="dispatch"),
    Duty(id="idle_7_days", kind="idle", at_least=7, level="blue"),
    Duty(id="idle_15_days", kind="idle", at_least=15, level="yellow"),
    Duty(id="returned_twice", kind="returned", at_least=2, level="yellow"),
    Duty(id="returned_thrice", kind="returned", at_least=3, level="orange", notify="dispatch"),
    Duty(id="handed_over_thrice", kind="handed_over", at_least=3, level="yellow"),
    Duty(id="vague_reply", kind="vague_reply", level="blue"),
    Duty(id="hazard", kind="hazard", level="orange", past_budget=True, notify="dispatch"),
    Duty(id="emergency", kind="emergency", level="red", past_budget=True, notify="dispatch"),
    Duty(id="silent_source", kind="silent_source", at_least=2, level="yellow", past_budget=True, notify="dispatch"),
    Duty(id="silent_sensor", kind="silent_sensor", at_least=10, level="blue"),
)
"""What holds when a configuration names no rules of its own."""
