"""All warnings of one partition: assessments go in, numbered transitions come out. Part of the fold, pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.answers import Answers
from alerts.command import Verdict, is_well_formed, obey
from alerts.dues import Dues
from alerts.gates import Gates
from alerts.level import Bands, LevelRules
from alerts.lifecycle import Cause, Life, State
from alerts.rising import fall_due, let_through, ready_level, through_gate
from alerts.shelf import Shelf
from alerts.transition import intents_of, transition_of
from pipeline.assessment import Assessment, AssessmentKind, Evidence, Ground, Subject
from pipeline.effects import Effects
from pipeline.rules import DutyRule
from pipeline.state import NEVER

_NO_PAYLOAD: Mapping[str, Any] = {}


class Warnings:
    """The warnings of one partition, at most one open per subject.

    Parameters
    ----------
    rules : levels, consequences, budgets. versions : of configuration and models, named by each transition.

    Attributes
    ----------
    next_due : the earliest timer, NEVER without one. floor : least score that can raise anything; without an open
    warning, a hard rule or a recurrence, a subject below it need not be graded. floors : the same as a least
    probability (1/10,000) per target. open_keys : subjects with an open warning, or one whose value must still dwell.
    """

    def __init__(self, rules: LevelRules, versions: Mapping[str, str | int]) -> None:
        self.rules = rules
        self.versions = dict(versions)
        self.next_due = NEVER
        self.floor, self.floors = rules.raises[0], rules.floors
        self._gates = Gates(rules)
        self._shelf = Shelf()
        self._answers = Answers()
        self._lives: dict[bytes, Life] = {}
        self._key_of: dict[str, bytes] = {}
        self._dues = Dues(self._lives)
        self._touched: set[bytes] = set()

    @property
    def open_keys(self) -> Collection[bytes]:
        """Subjects that must be graded whatever their score."""
        return self._lives.keys()

    def needs(self, key: bytes) -> bool:
        """Whether the subject must be graded whatever its score."""
        return key in self._lives

    def steady(self, key: bytes) -> int:
        """Level at which a subject rests, with no dwell running and no decline to reconsider; else -1."""
        life = self._lives.get(key)
        return life.proposed if life is not None and life.number and life.weigh_due == NEVER and not life.cap else -1

    def bands(self, probability: NDArray[np.int64], category: NDArray[np.int64]) -> Bands:
        """See LevelRules.bands."""
        return self.rules.bands(probability, category)

    def knock(self, key: bytes, office: int, score: int, ready: int, now: int, effects: Effects) -> int:
        """The level that the budget gives a subject with risks alone: 0, it stays out; -1, only grading can tell.

        Most that come near a cut-off are refused, day after day; this spares them all that only a warning needs. Who
        is let in must be graded next, with the level as `admitted`.
        """
        if self.rules.dwells_up or key in self._lives or self._shelf.is_remembered(key):
            return -1
        if not ready:
            return 0
        level, is_not_shown = let_through(self._gates, key, office, score, ready, now)
        if is_not_shown:
            effects.counts["not_shown"] += 1
        return level

    def wishes(self, before: int) -> list[list[int]]:
        """See Gates.wishes."""
        return self._gates.wishes(before)

    def share(self, version: int, shares: Mapping[int, int]) -> None:
        """See Gates.share."""
        self._gates.share(version, shares)

    @property
    def share_version(self) -> int:
        """Version of the budget shares in force; 0 where none were dealt out."""
        return self._gates.share_version

    def grade(
        self,
        subject: Subject,
        now: int,
        assessments: Sequence[Assessment],
        cause: bytes,
        evidence: Evidence,
        effects: Effects,
        admitted: int = 0,
    ) -> None:
        """Weigh all that is known of a subject; `cause` is the id of the signal or timer that made us look.

        `cause` names the episode when a warning begins here, so it must differ from look to look of one subject.
        `evidence` must not change afterwards. `admitted`: the level that `knock` has just given it.
        """
        life = self._lives.get(subject.key)
        if life is None:
            if self._shelf.is_settled(subject.key, now, assessments, evidence):
                return
            life = Life(id="", cause=cause, subject=subject)
        life.subject, life.assessments, life.evidence = subject, tuple(assessments), evidence
        self._weigh(life, now, effects, admitted=admitted)
        self.next_due = self._dues.soonest()

    def ground(self, key: bytes, grounds: Mapping[int, tuple[Ground, ...]]) -> None:
        """Give reasons to what was last said of a subject, by position, for the changes that timers make."""
        life = self._lives[key]
        life.assessments = tuple(
            replace(each, grounds=grounds[n]) if n in grounds else each for n, each in enumerate(life.assessments)
        )
        self._touched.add(key)

    def decided(self, subject_key: bytes, now: int, effects: Effects) -> None:
        """Nothing is left to predict of a subject: what nobody touched ends; what a person took up waits for them."""
        life = self._lives.get(subject_key)
        if life is None:
            return
        if not life.number:
            self._forget(life)
        elif not life.least:
            self._end(life, life.visible, Cause.ENDED, now, effects)
        self.next_due = self._dues.soonest()

    def fire(self, until: int, effects: Effects) -> None:
        """Let every timer with due <= until come to pass, each at its own due, in order (due, subject key, kind)."""
        while (life := self._dues.pop(until)) is not None:
            due = life.next_due
            if life.taken_until == due:
                life.state, life.taken_by, life.taken_until = State.OPEN, "", 0
                self._tell(life, life.visible, life.proposed, Cause.LAPSED, due, effects)
            if life.weigh_due == due:
                self._weigh(life, due, effects)
            else:
                self._dues.schedule(life)
        self.next_due = self._dues.soonest()

    def command(self, payload: Mapping[str, Any], now: int, effects: Effects) -> None:
        """Obey a person's command or refuse it; the verdict is the answer. The same key again changes nothing."""
        self._answers.forget_old(now)
        self._shelf.forget_old(now)
        verdict = self._answers.earlier(payload)
        if verdict is None:
            verdict = self._answers.answer(payload, now, *self._obey(payload, now, effects))
        effects.verdicts.append(verdict)
        self.next_due = self._dues.soonest()

    def reconfigure(
        self,
        rules: LevelRules,
        versions: Mapping[str, str | int],
        now: int,
        effects: Effects,
        standing: Callable[[Assessment], bool] | None = None,
    ) -> None:
        """Grade open warnings by new rules from what was last said of them; hold still applies, trackers are kept.

        `standing` tells which assessments still hold, where rules of duty were withdrawn (see `is_said`).
        """
        self.rules = rules
        self.floor, self.floors = rules.raises[0], rules.floors
        self.versions.update(versions)
        self._gates.reconfigure(rules)
        for key in sorted(self._lives):
            life = self._lives[key]
            if standing is not None:
                life.assessments = tuple(each for each in life.assessments if standing(each))
            self._weigh(life, now, effects, Cause.CONFIG_CHANGED)
        self.next_due = self._dues.soonest()

    def _weigh(
        self, life: Life, now: int, effects: Effects, changed: Cause | None = None, *, admitted: int = 0
    ) -> None:
        """Raise, withdraw, lower or end as the assessments ask; `changed` names the cause where it is not they."""
        standing = self.rules.standing(life.assessments, life.subject.category)
        if life.cap and life.is_news(life.evidence, life.assessments):
            life.cap = 0
        ready, due = ready_level(life, standing, self.rules, now)
        if ready > life.proposed:
            if not admitted:
                admitted, is_not_shown = through_gate(life, standing, ready, self._gates, now)
                if is_not_shown:
                    effects.counts["not_shown"] += 1
            if admitted > life.proposed:
                self._rise(life, admitted, now, effects, changed or Cause.RAISED)
        if not life.number:
            # Nothing to show: the subject is kept only while its value must dwell.
            if due == NEVER:
                self._forget(life)
                return
            self._lives[life.subject.key] = life
        else:
            due = min(due, self._sink(life, standing.keep, now, effects, changed))
        if not life.is_shut:
            life.weigh_due = due
            self._touched.add(life.subject.key)
            self._dues.schedule(life)

    def _rise(self, life: Life, level: int, now: int, effects: Effects, cause: Cause) -> None:
        before, proposed = life.visible, life.proposed
        life.propose(level, now)
        if not life.number:
            self._begin(life)
        self._tell(life, before, proposed, cause, now, effects)

    def _sink(self, life: Life, keep: int, now: int, effects: Effects, changed: Cause | None) -> int:
        """Withdraw what nobody confirmed and no longer holds, lower the rest; when to look again."""
        proposed = life.proposed
        if life.awaiting and keep < proposed:
            life.proposed = max(keep, life.visible)
            self._tell(life, life.visible, proposed, changed or Cause.WITHDRAWN, now, effects)
        while (due := fall_due(life, keep, self.rules, now)) <= now:
            before, proposed = life.visible, life.proposed
            life.fall(max(life.fall_to, life.least))
            life.below_since = NEVER
            if not life.proposed:
                self._end(life, before, changed or Cause.ENDED, now, effects)
                return NEVER
            self._tell(life, before, proposed, changed or Cause.LOWERED, now, effects)
        return due

    def _begin(self, life: Life) -> None:
        """Give the warning its id; a shut one that comes again for the same cause goes on under its numbers."""
        key = life.subject.key
        life.id = blake2b(key + life.cause, digest_size=16).hexdigest()
        earlier = self._shelf.take(life.id)
        if earlier is not None:
            life.number = earlier.number
        self._lives[key] = life
        self._key_of[life.id] = key

    def _end(self, life: Life, before: int, cause: Cause, now: int, effects: Effects) -> None:
        life.shut(State.ENDED, now)
        self._tell(life, before, life.proposed, cause, now, effects)
        self._lay_by(life)

    def _lay_by(self, life: Life) -> None:
        self._forget(life)
        del self._key_of[life.id]
        self._shelf.forget_old(life.closed_at)
        self._shelf.add(life)

    def _forget(self, life: Life) -> None:
        if self._lives.pop(life.subject.key, None) is not None:
            self._touched.add(life.subject.key)

    def _obey(self, payload: Mapping[str, Any], now: int, effects: Effects) -> tuple[Verdict, int | None]:
        if not is_well_formed(payload):
            return Verdict.BAD_COMMAND, None
        key = self._key_of.get(payload["warning"])
        life = self._lives[key] if key is not None else self._shelf.find(payload["warning"])
        if life is None:
            return Verdict.UNKNOWN_WARNING, None
        if life.is_shut and life.subject.key in self._lives and self._lives[life.subject.key].number:
            # One open warning per subject: the newer one is the one to work on.
            return (Verdict.NOT_ALLOWED if payload["command"] == "reopen" else Verdict.NOT_OPEN), life.number
        before, proposed = life.visible, life.proposed
        answer = obey(life, payload, now)
        if isinstance(answer, Verdict):
            return answer, life.number
        if answer is Cause.REOPENED:
            self._shelf.take(life.id)
            self._lives[life.subject.key] = life
            self._key_of[life.id] = life.subject.key
        self._tell(life, before, proposed, answer, now, effects, payload)
        number = life.number
        if answer is Cause.CLOSED:
            self._lay_by(life)
        else:
            # A confirmation or a touch changes how the value may fall.
            self._weigh(life, now, effects)
        return Verdict.APPLIED, number

    def _tell(
        self,
        life: Life,
        before: int,
        proposed: int,
        cause: Cause,
        now: int,
        effects: Effects,
        payload: Mapping[str, Any] = _NO_PAYLOAD,
    ) -> None:
        life.number += 1
        effects.transitions.append(transition_of(life, before, cause, now, self.rules, self.versions, payload))
        effects.intents.extend(intents_of(life, before, proposed, cause, self.rules))
        self._touched.add(life.subject.key)

    def to_state(self) -> dict[str, Any]:
        """Everything, JSON-able; forgets what was touched."""
        self._touched = set(self._lives)
        return {
            "lives": self._lives_delta(),
            "shelf": self._shelf.to_state(),
            "answers": self._answers.to_state(),
            "gates": self._gates.to_state(),
        }

    def to_delta(self) -> dict[str, Any]:
        """What changed since the last `to_state` or `to_delta`."""
        return {
            "lives": self._lives_delta(),
            "shelf": self._shelf.to_delta(),
            "answers": self._answers.to_delta(),
            "gates": self._gates.to_delta(),
        }

    def _lives_delta(self) -> list[list[Any]]:
        lives = self._lives
        delta = [[key.hex(), lives[key].to_state() if key in lives else None] for key in sorted(self._touched)]
        self._touched = set()
        return delta

    def patch(self, delta: Mapping[str, Any]) -> None:
        """Apply what `to_delta` (or, on a fresh object, `to_state`) returned."""
        for hexed, state in delta["lives"]:
            key = bytes.fromhex(hexed)
            gone = self._lives.pop(key, None)
            if gone is not None:
                self._key_of.pop(gone.id, None)
            if state is not None:
                life = self._lives[key] = Life.from_state(state)
                if life.number:
                    self._key_of[life.id] = key
        self._shelf.patch(delta["shelf"])
        self._answers.patch(delta["answers"])
        self._gates.patch(delta["gates"])
        self._dues.rebuild()
        self.next_due = self._dues.soonest()

    @classmethod
    def from_state(cls, rules: LevelRules, versions: Mapping[str, str | int], state: Mapping[str, Any]) -> "Warnings":
        """The warnings that `to_state` described, under the rules they were made with."""
        warnings = cls(rules, versions)
        warnings.patch(state)
        return warnings


def is_said(assessment: Assessment, duty: Sequence[DutyRule]) -> bool:
    """Whether a rule that is still in force says this; models always do."""
    if assessment.kind is not AssessmentKind.DUTY or not assessment.grounds:
        return True
    why = assessment.grounds[0].why.value
    return any(rule.kind == why and rule.level == assessment.hard for rule in duty)
