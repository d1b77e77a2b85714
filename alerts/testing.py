"""A duty desk to try rules on: one partition's warnings, a clock in hours, and short words for what happens."""

from typing import Any

from alerts.level import DEFAULT_LEVELS, LevelRules
from alerts.warning import Warnings
from pipeline.assessment import Action, Assessment, AssessmentKind, Evidence, Ground, Level, Subject, Why
from pipeline.effects import Effects

HOUR = 3_600_000_000
MORNING = 16_000 * 24 * HOUR + 8 * HOUR


class Desk:
    """One partition's warnings and all that left them so far. `hour` counts from a Thursday, 08:00."""

    def __init__(self, rules: LevelRules | None = None) -> None:
        self.rules = rules or LevelRules(DEFAULT_LEVELS, consequence=(10_000, 10_000))
        self.warnings = Warnings(self.rules, {"config": 1})
        self.effects = Effects()
        self.hour = 0.0
        self.entries: Evidence = [[1, 0]]
        self._keys = 0

    @property
    def now(self) -> int:
        """Time in µs."""
        return MORNING + round(self.hour * HOUR)

    @property
    def transitions(self) -> list[dict[str, Any]]:
        """All that changed."""
        return self.effects.transitions

    @property
    def last(self) -> dict[str, Any]:
        """What changed last."""
        return self.effects.transitions[-1]

    @property
    def causes(self) -> list[str]:
        """Why, in order."""
        return [each["cause"] for each in self.effects.transitions]

    def grade(self, *assessments: Assessment, subject: str = "m", office: int = 7) -> None:
        """All that is said of a subject now."""
        key = subject.encode().ljust(16, b"\0")
        about = Subject(key, "matter", office=office, place=8, category=9)
        cause = f"{subject}{self.now}".encode()
        self.warnings.grade(about, self.now, assessments, cause, list(self.entries), self.effects)

    def risk(self, probability: int, subject: str = "m", office: int = 7) -> None:
        """A model's word about a subject, in 1/10,000."""
        self.grade(risk(probability), subject=subject, office=office)

    def signal(self) -> None:
        """A new entry about the matter arrives."""
        self.entries = [*self.entries, [len(self.entries) + 1, 0]]

    def wait(self, hours: float) -> None:
        """Time passes and timers fire."""
        self.hour += hours
        self.warnings.fire(self.now, self.effects)

    def tell(self, command: str, principal: str = "post-a", **fields: Any) -> str:
        """Give a command about the last warning; the verdict's reason."""
        self._keys += 1
        payload = {"id": f"k{self._keys}", "command": command, "warning": self.last["warning"], "principal": principal}
        self.warnings.command(payload | fields, self.now, self.effects)
        return str(self.effects.verdicts[-1]["reason"])


def risk(probability: int, target: int = 0) -> Assessment:
    """A model's word."""
    return Assessment(AssessmentKind.RISK, target=target, probability=probability)


def rule(why: Why, level: Level, *, past_budget: bool = False, action: Action = Action.REMIND) -> Assessment:
    """A rule's word."""
    return Assessment(AssessmentKind.DUTY, hard=level, past_budget=past_budget, action=action, grounds=(Ground(why),))
