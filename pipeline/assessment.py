"""One model's or rule's word about one subject, and the subject it speaks of."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Level(IntEnum):
    """Attention level, worst last; 0 is none. Written by colour, never by number (domain.md section 2)."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class AssessmentKind(StrEnum):
    """Where an assessment comes from."""

    RISK = "risk"
    SURGE = "surge"
    READING = "reading"
    DUTY = "duty"


class Action(StrEnum):
    """Notification class: act, look, know."""

    DISPATCH = "dispatch"
    REMIND = "remind"
    BULLETIN = "bulletin"


class Why(StrEnum):
    """The one enum of reasons an assessment can give. Sentences in Chinese and English: alerts.sentences."""

    BASE = "base"
    FEATURE = "feature"
    OVERDUE = "overdue"
    DUE_SOON = "due_soon"
    IDLE = "idle"
    HANDED_OVER = "handed_over"
    RETURNED = "returned"
    VAGUE_REPLY = "vague_reply"
    REPEATED = "repeated"
    REOPENED = "reopened"
    LISTED_OVERDUE = "listed_overdue"
    EMERGENCY = "emergency"
    HAZARD = "hazard"
    SURGE = "surge"
    ABNORMAL_READING = "abnormal_reading"
    STUCK = "stuck"
    MISSING = "missing"
    OUT_OF_RANGE = "out_of_range"
    SILENT_SOURCE = "silent_source"


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason with its weight: for risk the logit contribution in 1/65536 of a named feature, else facts by name.

    `value`: the feature's own value or code at that moment, None where it was missing.
    """

    why: Why
    weight: int = 0
    feature: str = ""
    facts: tuple[tuple[str, int | str], ...] = ()
    value: float | int | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """A word about a subject.

    kind : where it comes from. target : index of the outcome for RISK, else -1.
    probability : in 1/10,000 (RISK). recurrence : mean days between equal surprises by chance (SURGE), else 0.
    horizon : µs until the outcome's window closes, 0 when it is now.
    hard : level that a rule demands whatever the probability (NONE for models).
    past_budget : hazard, emergency, listed-overdue, breached clock, silent source: never held back by a budget.
    raw : logit before calibration in 1/65536 (RISK).
    """

    kind: AssessmentKind
    target: int = -1
    probability: int = 0
    recurrence: float = 0.0
    horizon: int = 0
    hard: Level = Level.NONE
    past_budget: bool = False
    action: Action = Action.REMIND
    raw: int = 0
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is assessed: a matter, a place with a category, a sensor or a source; never a person. Codes, not names."""

    key: bytes
    kind: str
    office: int = 0
    place: int = 0
    category: int = 0
    due: int = 0
    registered: int = 0


Evidence = list[list[int]]
"""Addresses [offset, index] of the entries a transition rests on."""

Json = dict[str, Any]
