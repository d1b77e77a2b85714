"""The life of one warning: what is proposed, what people confirmed, what the office sees, and what is due next.

::

    open -> acknowledged -> (lapsed) open ...      a person took it, until the time they named
         -> closed          a person recorded the outcome          -> reopened -> open
         -> ended           nobody touched it and nothing is left  -> reopened -> open
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerts.level import Standing
from pipeline.assessment import Action, Assessment, AssessmentKind, Evidence, Ground, Level, Subject, Why
from pipeline.state import NEVER

SHOWN_UNCONFIRMED = int(Level.YELLOW)
"""What an office sees at most before a person has confirmed."""


NOT_ABOVE = (NEVER, NEVER, NEVER, NEVER)


class Cause(StrEnum):
    """Why a warning changed. The store, the console and the sentences share these."""

    RAISED = "raised"
    LOWERED = "lowered"
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    ACKNOWLEDGED = "acknowledged"
    LAPSED = "lapsed"
    ASSIGNED = "assigned"
    NOTED = "noted"
    UNDONE = "undone"
    CLOSED = "closed"
    ENDED = "ended"
    REOPENED = "reopened"
    CONFIG_CHANGED = "config_changed"


class State(StrEnum):
    """Where a warning is in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    ENDED = "ended"


class Outcome(StrEnum):
    """What came of a warning, by the person who closes it. Chinese words: alerts.sentences_zh."""

    CONFIRMED = "confirmed"
    VALUABLE = "valuable"
    FALSE_ALARM = "false_alarm"
    LATE_BUT_TRUE = "late_but_true"
    ALREADY_KNOWN = "already_known"


Judged = tuple[Evidence, tuple[str, ...]]
"""What a person had before them: the entries and the rules that spoke. Their word holds until either is new."""


@dataclass(slots=True)
class Life:
    """One warning, or (number 0) a subject whose value has not stayed past a raise cut-off long enough.

    proposed, confirmed : levels. confirmers : who confirmed orange, then red. cap : level that a decline left, 0 none.
    reached : highest level of this episode; raising up to it again costs no budget. confirmed_once : an orange or red
    was confirmed, so a person must record the outcome. touched : a person took it up. held_since : when the visible
    level last rose. below_since, fall_to : since when, and to which level at least, the value has been below the clear
    cut-off. above_since : per level, since when above its raise cut-off (NEVER: it is not).
    """

    id: str
    cause: bytes
    subject: Subject
    number: int = 0
    state: State = State.OPEN
    proposed: int = 0
    confirmed: int = 0
    confirmers: tuple[str, ...] = ()
    cap: int = 0
    judged: Judged = field(default_factory=lambda: ([], ()))
    reached: int = 0
    confirmed_once: bool = False
    touched: bool = False
    held_since: int = 0
    below_since: int = NEVER
    fall_to: int = 0
    above_since: tuple[int, int, int, int] = NOT_ABOVE
    office: int = 0
    taken_by: str = ""
    taken_until: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    closed_at: int = 0
    assessments: tuple[Assessment, ...] = ()
    evidence: Evidence = field(default_factory=list)
    weigh_due: int = NEVER
    scheduled: int = NEVER

    @property
    def is_shut(self) -> bool:
        """Closed by a person or ended by itself."""
        return self.state is State.CLOSED or self.state is State.ENDED

    @property
    def visible(self) -> int:
        """Level that the office sees."""
        if self.is_shut:
            return 0
        return max(self.confirmed, min(self.proposed, SHOWN_UNCONFIRMED))

    @property
    def awaiting(self) -> int:
        """How many persons' confirmation the proposal still needs."""
        return 0 if self.is_shut else max(0, self.proposed - max(self.confirmed, SHOWN_UNCONFIRMED))

    @property
    def duty_office(self) -> int:
        """The assigned office, else the subject's own."""
        return self.office or self.subject.office

    @property
    def next_due(self) -> int:
        """The earliest timer."""
        return min(self.weigh_due, self.taken_until or NEVER)

    @property
    def least(self) -> int:
        """Level that it cannot fall below by itself: a person took it up, so a person ends it."""
        return int(Level.BLUE) if self.touched or self.confirmed_once else 0

    def propose(self, level: int, now: int) -> None:
        """Raise the proposal."""
        before = self.visible
        self.proposed = level
        self.reached = max(self.reached, level)
        if self.visible > before:
            self.held_since = now
            self.below_since = NEVER

    def fall(self, level: int) -> None:
        """Lower everything to `level`, confirmations included: a higher one needs its persons anew."""
        self.proposed = level
        self.confirmed = min(self.confirmed, level)
        self.confirmers = self.confirmers[: max(0, self.confirmed - SHOWN_UNCONFIRMED)]

    def judge(self) -> None:
        """Remember what a person's word is about."""
        self.judged = (self.evidence, rules_above(self.assessments, 0))

    def is_news(self, evidence: Evidence, assessments: Sequence[Assessment]) -> bool:
        """Whether a signal, or a hard rule above the cap, came since a person's word."""
        seen, rules = self.judged
        return seen != evidence or any(rule not in rules for rule in rules_above(assessments, self.cap))

    def shut(self, state: State, now: int) -> None:
        """End the life; what was visible stays known for a reopening."""
        self.state = state
        self.closed_at = now
        self.taken_by, self.taken_until = "", 0
        self.weigh_due = NEVER
        self.below_since = NEVER
        self.above_since = NOT_ABOVE
        self.before = {}

    def to_state(self) -> dict[str, Any]:
        """JSON-able."""
        state: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        state |= {"cause": self.cause.hex(), "subject": subject_state(self.subject), "state": self.state.value}
        state["assessments"] = [assessment_state(each) for each in self.assessments]
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Life":
        """The life that `to_state` described."""
        plain = {name: state[name] for name in _PLAIN}
        for name in ("confirmers", "above_since"):
            plain[name] = tuple(plain[name])
        plain["judged"] = (plain["judged"][0], tuple(plain["judged"][1]))
        return cls(
            **plain,
            cause=bytes.fromhex(state["cause"]),
            subject=subject_of(state["subject"]),
            state=State(state["state"]),
            assessments=tuple(assessment_of(each) for each in state["assessments"]),
        )


_PLAIN = tuple(name for name in Life.__slots__ if name not in {"cause", "subject", "state", "assessments", "scheduled"})


def rules_above(assessments: Sequence[Assessment], level: int) -> tuple[str, ...]:
    """The hard rules among them that demand more than `level`, as words to compare."""
    return tuple(
        f"{each.hard.value}:{each.kind.value}:{','.join(ground.why.value for ground in each.grounds)}"
        for each in assessments
        if each.hard > level
    )


def action_of(life: Life, standing: Standing) -> Action:
    """Act for confirmed orange and red and for dispatch rules, know for blue, look for the rest."""
    if standing.dispatch or life.visible >= Level.ORANGE:
        return Action.DISPATCH
    return Action.BULLETIN if life.visible <= Level.BLUE else Action.REMIND


def subject_state(subject: Subject) -> list[Any]:
    """A subject as JSON."""
    return [
        subject.key.hex(),
        subject.kind,
        subject.office,
        subject.place,
        subject.category,
        subject.due,
        subject.registered,
    ]


def subject_of(state: list[Any]) -> Subject:
    """The subject that `subject_state` described."""
    return Subject(bytes.fromhex(state[0]), *state[1:])


def assessment_state(assessment: Assessment) -> dict[str, Any]:
    """An assessment as JSON."""
    return {
        "kind": assessment.kind.value,
        "target": assessment.target,
        "probability": assessment.probability,
        "recurrence": min(float(assessment.recurrence), 1e9),
        "hard": int(assessment.hard),
        "past_budget": assessment.past_budget,
        "action": assessment.action.value,
        "raw": assessment.raw,
        "horizon": assessment.horizon,
        "grounds": [
            {
                "why": each.why,
                "weight": each.weight,
                "feature": each.feature,
                "facts": dict(each.facts),
                "value": each.value,
            }
            for each in assessment.grounds
        ],
    }


def assessment_of(state: dict[str, Any]) -> Assessment:
    """The assessment that `assessment_state` described."""
    return Assessment(
        kind=AssessmentKind(state["kind"]),
        target=state["target"],
        probability=state["probability"],
        recurrence=state["recurrence"],
        horizon=state["horizon"],
        hard=Level(state["hard"]),
        past_budget=state["past_budget"],
        action=Action(state["action"]),
        raw=state["raw"],
        grounds=tuple(
            Ground(Why(each["why"]), each["weight"], each["feature"], tuple(each["facts"].items()), each["value"])
            for each in state["grounds"]
        ),
    )
