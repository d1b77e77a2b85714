"""All warnings of one partition: assessments go in, numbered transitions come out. Part of the fold, pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from json import dumps
from typing import Any

from alerts.command import REMEMBERED_US, Verdict, is_well_formed, obey
from alerts.gates import Gates
from alerts.level import LevelRules, Standing
from alerts.lifecycle import NOT_ABOVE, Cause, Life, State
from alerts.transition import intents_of, transition_of
from pipeline.assessment import Assessment, Evidence, Subject
from pipeline.effects import Effects
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
        self.gates = Gates(rules)
        self.next_due = NEVER
        self._lives: dict[bytes, Life] = {}
        self._key_of: dict[str, bytes] = {}
        self._shut: dict[str, Life] = {}
        self._settled: dict[bytes, str] = {}
        self._verdicts: dict[str, list[Any]] = {}
        self._heap: list[tuple[int, bytes]] = []
        self._touched: set[bytes] = set()
        self._touched_shut: set[str] = set()
        self._touched_verdicts: set[str] = set()
        self._take(rules, versions)

    def _take(self, rules: LevelRules, versions: Mapping[str, str | int]) -> None:
        self.rules = rules
        self.versions = dict(versions)
        self.floor = rules.raises[0]
        self.floors = rules.floors()
        self._dwells_up = any(rule.dwell_up_us for rule in rules.levels)

    @property
    def open_keys(self) -> Collection[bytes]:
        """Subjects that must be graded whatever their score."""
        return self._lives.keys()

    def needs(self, key: bytes) -> bool:
        """Whether the subject must be graded whatever its score."""
        return key in self._lives

    def grade(
        self,
        subject: Subject,
        now: int,
        assessments: Sequence[Assessment],
        cause: bytes,
        evidence: Evidence,
        effects: Effects,
    ) -> None:
        """Weigh all that is known of a subject; `cause` is the id of the signal or timer that made us look.

        `cause` names the episode when a warning begins here, so it must differ from look to look of one subject.
        `evidence` must not change afterwards.
        """
        life = self._lives.get(subject.key)
        if life is None:
            if self._is_settled(subject.key, now, assessments, evidence):
                return
            life = Life(id="", cause=cause, subject=subject)
        life.subject, life.assessments, life.evidence = subject, tuple(assessments), evidence
        self._weigh(life, now, effects)

    def decided(self, subject_key: bytes, now: int, effects: Effects) -> None:
        """Nothing is left to predict of a subject: what nobody touched ends; what a person took up waits for them."""
        life = self._lives.get(subject_key)
        if life is None:
            return
        if not life.number:
            self._forget(life)
        elif not life.least:
            self._end(life, Cause.ENDED, now, effects)

    def fire(self, until: int, effects: Effects) -> None:
        """Let every timer with due <= until come to pass, each at its own due, in order (due, subject key, kind)."""
        while self._heap and self._heap[0][0] <= until:
            due, key = heappop(self._heap)
            life = self._lives.get(key)
            if life is None or life.next_due != due:
                continue
            life.scheduled = NEVER
            if life.taken_until == due:
                life.state, life.taken_by, life.taken_until = State.OPEN, "", 0
                self._tell(life, life.visible, life.proposed, Cause.LAPSED, due, effects)
            if life.weigh_due == due:
                self._weigh(life, due, effects)
            else:
                self._schedule(life)
        self._purge()

    def command(self, payload: Mapping[str, Any], now: int, effects: Effects) -> None:
        """Obey a person's command or refuse it; the verdict is the answer. The same key again changes nothing."""
        self._forget_old(now)
        key = str(payload.get("id", ""))
        content = blake2b(dumps(payload, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
        known = self._verdicts.get(key)
        if known is not None:
            verdict = known[2]
            if known[1] != content:
                verdict = {**verdict, "ok": False, "reason": Verdict.DUPLICATE.value, "number": None}
            effects.verdicts.append(verdict)
            return
        reason, number = self._obey(payload, now, effects)
        verdict = {
            "id": key,
            "warning": payload.get("warning"),
            "ok": reason is Verdict.APPLIED,
            "reason": reason.value,
            "number": number,
        }
        effects.verdicts.append(verdict)
        self._verdicts[key] = [now, content, verdict]
        self._touched_verdicts.add(key)

    def reconfigure(
        self,
        rules: LevelRules,
        versions: Mapping[str, str | int],
        now: int,
        effects: Effects,
        standing: Callable[[Subject, Sequence[Assessment]], Sequence[Assessment]] | None = None,
    ) -> None:
        """Grade all open warnings by new rules from what was last said of them; hold still applies, trackers are kept.

        `standing` gives back the assessments that still hold, where rules of duty were withdrawn.
        """
        self._take(rules, versions)
        self.gates.reconfigure(rules)
        for key in sorted(self._lives):
            life = self._lives[key]
            if standing is not None:
                life.assessments = tuple(standing(life.subject, life.assessments))
            self._weigh(life, now, effects, Cause.CONFIG_CHANGED)

    def _weigh(self, life: Life, now: int, effects: Effects, changed: Cause | None = None) -> None:
        standing = self.rules.standing(life.assessments, life.subject.category)
        if life.cap and life.is_news(life.evidence, life.assessments):
            life.cap = 0
        rise_due = self._rise(life, standing, now, effects, changed or Cause.RAISED)
        if not life.number:
            if rise_due == NEVER:
                self._forget(life)
                return
            self._lives[life.subject.key] = life
        life.weigh_due = min(rise_due, self._sink(life, standing, now, effects, changed)) if life.number else rise_due
        if not life.is_shut:
            self._touched.add(life.subject.key)
            self._schedule(life)

    def _rise(self, life: Life, standing: Standing, now: int, effects: Effects, cause: Cause) -> int:
        """Raise what is ready and passes its gate; when to look again for what must still dwell."""
        ready, due = self._ready(life, standing, now)
        if life.cap:
            ready = min(ready, life.cap)
        if ready > life.proposed:
            level = self._through_gate(life, standing, ready, now, effects)
            if level > life.proposed:
                before, proposed = life.visible, life.proposed
                life.propose(level, now)
                if not life.number:
                    self._begin(life)
                self._tell(life, before, proposed, cause, now, effects)
        return due

    def _ready(self, life: Life, standing: Standing, now: int) -> tuple[int, int]:
        """The level whose raise cut-off has been passed for long enough, and when the next one will be."""
        if not self._dwells_up:
            return max(standing.up, standing.hard), NEVER
        above = tuple(
            min(since, now) if level <= standing.up else NEVER for level, since in enumerate(life.above_since, start=1)
        )
        life.above_since = above if any(since != NEVER for since in above) else NOT_ABOVE  # type: ignore[assignment]
        ready, due = standing.hard, NEVER
        for level in range(1, standing.up + 1):
            ends = above[level - 1] + self.rules.levels[level - 1].dwell_up_us
            if ends <= now:
                ready = max(ready, level)
            elif level > life.proposed and (not life.cap or level <= life.cap):
                due = min(due, ends)
        return ready, due

    def _through_gate(self, life: Life, standing: Standing, ready: int, now: int, effects: Effects) -> int:
        """The highest level up to `ready` that a gate lets through, else the present one."""
        key, office = life.subject.key, life.duty_office
        is_asked = self.gates.is_worth_asking(key, standing.score, now)
        level = ready
        while level > life.proposed:
            if level <= life.reached:
                break
            if level <= standing.free:
                self.gates.count(office, level, now)
                break
            if is_asked and self.gates.passes(office, level, key, standing.score, now):
                break
            level -= 1
        if level < ready and is_asked and self.gates.refuse(key, standing.score) and not level:
            effects.counts["not_shown"] += 1
        return level

    def _sink(self, life: Life, standing: Standing, now: int, effects: Effects, changed: Cause | None) -> int:
        """Withdraw what nobody confirmed and no longer holds; lower the rest by dwell and hold; when to look again."""
        keep = standing.keep
        if life.awaiting and keep < life.proposed:
            level, proposed = max(keep, life.visible), life.proposed
            if level < proposed:
                life.proposed = level
                self._tell(life, life.visible, proposed, changed or Cause.WITHDRAWN, now, effects)
        while not life.is_shut:
            visible = life.visible
            if keep >= visible or visible <= life.least:
                life.below_since = NEVER
                return NEVER
            if life.below_since == NEVER:
                life.below_since, life.fall_to = now, keep
            life.fall_to = max(life.fall_to, keep)
            rule = self.rules.levels[visible - 1]
            due = max(life.below_since + rule.dwell_down_us, life.held_since + rule.hold_us)
            if due > now:
                return due
            self._fall(life, max(life.fall_to, life.least), now, effects, changed)
        return NEVER

    def _fall(self, life: Life, level: int, now: int, effects: Effects, changed: Cause | None) -> None:
        before, proposed = life.visible, life.proposed
        life.below_since = NEVER
        if not level:
            life.fall(level)
            self._end(life, changed or Cause.ENDED, now, effects, before)
            return
        life.fall(level)
        self._tell(life, before, proposed, changed or Cause.LOWERED, now, effects)

    def _begin(self, life: Life) -> None:
        """Give the warning its id; the id of a shut one that comes again for the same cause goes on being its id."""
        life.id = blake2b(life.subject.key + life.cause, digest_size=16).hexdigest()
        earlier = self._shut.pop(life.id, None)
        if earlier is not None:
            life.number = earlier.number
            self._touched_shut.add(life.id)
        self._settled.pop(life.subject.key, None)
        self._lives[life.subject.key] = life
        self._key_of[life.id] = life.subject.key

    def _end(self, life: Life, cause: Cause, now: int, effects: Effects, before: int | None = None) -> None:
        before = life.visible if before is None else before
        life.shut(State.ENDED, now)
        self._tell(life, before, life.proposed, cause, now, effects)
        self._lay_by(life)

    def _lay_by(self, life: Life) -> None:
        """Keep a shut warning for a while: it can be reopened, and a person's word about it holds."""
        self._forget(life)
        del self._key_of[life.id]
        self._shut[life.id] = life
        self._touched_shut.add(life.id)
        if life.state is State.CLOSED:
            self._settled[life.subject.key] = life.id

    def _forget(self, life: Life) -> None:
        if self._lives.pop(life.subject.key, None) is not None:
            self._touched.add(life.subject.key)

    def _is_settled(self, key: bytes, now: int, assessments: Sequence[Assessment], evidence: Evidence) -> bool:
        """Whether a person closed this subject's warning and nothing new has come since."""
        settled = self._settled.get(key)
        if settled is None:
            return False
        life = self._shut[settled]
        return now < life.closed_at + REMEMBERED_US and not life.is_news(evidence, assessments)

    def _obey(self, payload: Mapping[str, Any], now: int, effects: Effects) -> tuple[Verdict, int | None]:
        if not is_well_formed(payload):
            return Verdict.BAD_COMMAND, None
        key = self._key_of.get(payload["warning"])
        life = self._lives[key] if key is not None else self._shut.get(payload["warning"])
        if life is None:
            return Verdict.UNKNOWN_WARNING, None
        if life.is_shut and payload["command"] == "reopen" and life.subject.key in self._lives:
            return Verdict.NOT_ALLOWED, life.number
        before, proposed = life.visible, life.proposed
        answer = obey(life, payload, now)
        if isinstance(answer, Verdict):
            return answer, life.number
        self._tell(life, before, proposed, answer, now, effects, payload)
        if answer is Cause.CLOSED:
            self._lay_by(life)
        elif answer is Cause.REOPENED:
            self._revive(life)
        if not life.is_shut:
            # A confirmation or a touch changes how the value may fall.
            self._weigh(life, now, effects)
        return Verdict.APPLIED, life.number

    def _revive(self, life: Life) -> None:
        del self._shut[life.id]
        self._touched_shut.add(life.id)
        if self._settled.get(life.subject.key) == life.id:
            del self._settled[life.subject.key]
        self._lives[life.subject.key] = life
        self._key_of[life.id] = life.subject.key

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

    def _schedule(self, life: Life) -> None:
        due = life.next_due
        if due != life.scheduled:
            life.scheduled = due
            if due != NEVER:
                heappush(self._heap, (due, life.subject.key))
            if len(self._heap) > 4 * len(self._lives) + 64:
                self._rebuild()
        self._purge()

    def _rebuild(self) -> None:
        self._heap = [(life.next_due, key) for key, life in self._lives.items() if life.next_due != NEVER]
        heapify(self._heap)

    def _purge(self) -> None:
        """Drop timers that no longer hold from the head, so that `next_due` is true."""
        heap = self._heap
        while heap:
            due, key = heap[0]
            life = self._lives.get(key)
            if life is not None and life.next_due == due:
                self.next_due = due
                return
            heappop(heap)
        self.next_due = NEVER

    def _forget_old(self, now: int) -> None:
        old = now - REMEMBERED_US
        for key, (at, _, _) in list(self._verdicts.items()):
            if at > old:
                break
            del self._verdicts[key]
            self._touched_verdicts.add(key)
        for warning, life in list(self._shut.items()):
            if life.closed_at > old:
                break
            del self._shut[warning]
            self._touched_shut.add(warning)
            if self._settled.get(life.subject.key) == warning:
                del self._settled[life.subject.key]

    def to_state(self) -> dict[str, Any]:
        """Everything, JSON-able; forgets what was touched."""
        self._touched = set(self._lives)
        self._touched_shut = set(self._shut)
        self._touched_verdicts = set(self._verdicts)
        state = self.to_delta()
        state["gates"] = self.gates.to_state()
        return state

    def to_delta(self) -> dict[str, Any]:
        """What changed since the last `to_state` or `to_delta`."""
        lives, shut, verdicts = self._lives, self._shut, self._verdicts
        delta = {
            "lives": [[key.hex(), lives[key].to_state() if key in lives else None] for key in sorted(self._touched)],
            "shut": [[each, shut[each].to_state() if each in shut else None] for each in sorted(self._touched_shut)],
            "verdicts": [[key, verdicts.get(key)] for key in sorted(self._touched_verdicts)],
            "gates": self.gates.to_delta(),
        }
        self._touched, self._touched_shut, self._touched_verdicts = set(), set(), set()
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
        for warning, state in delta["shut"]:
            self._shut.pop(warning, None)
            if state is not None:
                self._shut[warning] = Life.from_state(state)
        for key, verdict in delta["verdicts"]:
            self._verdicts.pop(key, None)
            if verdict is not None:
                self._verdicts[key] = verdict
        # Both are forgotten from the oldest on, so their order is part of the state.
        self._shut = dict(sorted(self._shut.items(), key=lambda item: (item[1].closed_at, item[0])))
        self._verdicts = dict(sorted(self._verdicts.items(), key=lambda item: (item[1][0], item[0])))
        self._settled = {
            life.subject.key: warning for warning, life in self._shut.items() if life.state is State.CLOSED
        }
        self.gates.patch(delta["gates"])
        for life in self._lives.values():
            life.scheduled = life.next_due
        self._rebuild()
        self._purge()

    @classmethod
    def from_state(cls, rules: LevelRules, versions: Mapping[str, str | int], state: Mapping[str, Any]) -> "Warnings":
        """The warnings that `to_state` described, under the rules they were made with."""
        warnings = cls(rules, versions)
        warnings.patch(state)
        return warnings
