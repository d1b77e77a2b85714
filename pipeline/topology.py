"""The signals fold of one county partition: entries and timers in, effects out. Everything it does is in this order.

    admit -> link -> place -> steps -> clock -> outcome -> risk -> duty      row by row, in the order of entries
    score                                                                    all moments of a sub-frame together
    grade                                                                    in the order of entries again

Features read no level, warning or budget, so scoring may wait for the end of a sub-frame; grading comes after it in
entry order. Hence it does not matter where frames are cut, and extra ticks change nothing.
"""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.champion import Champion
from models.rows import Rows
from pipeline.assessment import Assessment, AssessmentKind, Evidence, Ground, Subject, Why
from pipeline.calendar import DAY_US
from pipeline.county import MOMENTS, County
from pipeline.effects import Digest, Effects
from pipeline.errors import CorruptData, Reason
from pipeline.frame import Frame, Kind
from pipeline.ids import key128
from pipeline.matter import Mark
from pipeline.outcome import (
    Outcomes,
    decide_by_step,
    decide_by_time,
    decide_repeat,
    last_decision,
    next_decision,
    open_targets,
)
from pipeline.rules import FoldRules
from pipeline.signal import Step
from pipeline.stages.admit import LATEST, has_time, holds, is_fresh, reject
from pipeline.stages.clock import drop_clocks, run_clocks, take_over
from pipeline.stages.duty import duty_assessments, duty_bits, next_duty
from pipeline.stages.link import slot_of
from pipeline.stages.place import lead_office
from pipeline.stages.reading_word import SensorWords
from pipeline.stages.risk import (
    DAILY,
    ON_STEP,
    move_office,
    next_landmark,
    score_moments,
    take_in,
)
from pipeline.stages.steps import LAST_ADDRESS, add_step, addresses, drop_steps
from pipeline.state import NEVER

MINUTE = 60_000_000
SHARES = "shares"
"""The fact by which the site tells a partition its parts of the offices' budgets."""
_SIGNAL, _REGISTERED = int(Kind.SIGNAL), int(Step.REGISTERED)
_REPORTS = frozenset({_REGISTERED, int(Step.REPORTED_AGAIN)})
_TELLING = frozenset(
    int(step)
    for step in (
        Step.RETURNED,
        Step.HANDED_OVER,
        Step.REOPENED,
        Step.LISTED,
        Step.DELISTED,
        Step.EXTENDED,
        Step.REPLIED,
        Step.SENT_BACK,
        Step.HAZARD,
        Step.HAZARD_ENDED,
        Step.CLOSED,
        Step.NOT_ACCEPTED,
        Step.MERGED,
        Step.WITHDRAWN,
        Step.TERMINATED,
    )
)
"""Steps after which a matter is scored at once."""


class Bands(Protocol):
    """Scores of n subjects and the levels whose raise and whose clear cut-off they reach."""

    @property
    def score(self) -> NDArray[np.int64]: ...
    @property
    def up(self) -> NDArray[np.int64]: ...
    @property
    def keep(self) -> NDArray[np.int64]: ...


class Grader(Protocol):
    """What the fold asks of warnings; alerts.warning.Warnings is the one that ships."""

    next_due: int
    floors: tuple[int, ...]
    versions: dict[str, str | int]

    @property
    def share_version(self) -> int: ...
    def needs(self, key: bytes) -> bool: ...
    def steady(self, key: bytes) -> int: ...
    def bands(self, probability: NDArray[np.int64], category: NDArray[np.int64]) -> Bands: ...
    def knock(self, key: bytes, office: int, score: int, ready: int, now: int, effects: Effects) -> int: ...
    def fire(self, until: int, effects: Effects) -> None: ...
    def grade(
        self,
        subject: Subject,
        now: int,
        assessments: Sequence[Assessment],
        cause: bytes,
        evidence: Evidence,
        effects: Effects,
        admitted: int = 0,
    ) -> None: ...
    def ground(self, key: bytes, grounds: Mapping[int, tuple[Ground, ...]]) -> None: ...
    def decided(self, subject_key: bytes, now: int, effects: Effects) -> None: ...
    def command(self, payload: Mapping[str, Any], now: int, effects: Effects) -> None: ...
    def configure(self, rules: FoldRules, now: int, effects: Effects) -> None: ...
    def wishes(self, before: int) -> list[list[int]]: ...
    def share(self, version: int, shares: Mapping[int, int]) -> None: ...
    def to_state(self) -> dict[str, Any]: ...
    def to_delta(self) -> dict[str, Any]: ...
    def patch(self, delta: Mapping[str, Any]) -> None: ...


class Topology:
    """One partition's signals fold.

    Parameters
    ----------
    rules : of the genesis configuration. grader : this partition's warnings.
    models : champions by sha256, filled by the runner before the entry that names them is stepped.
    """

    def __init__(self, rules: FoldRules, grader: Grader, models: Mapping[str, Champion]) -> None:
        champion = untrained(rules)
        self.county = County(rules, champion)
        self.grader = grader
        self.models = models
        self.outcomes = Outcomes(rules.targets)
        self.words = SensorWords()
        self._graded: dict[bytes, tuple[int, ...]] = {}
        # rules and summaries as the last checkpoint has them
        self._kept: tuple[FoldRules | None, dict[bytes, tuple[int, ...]]] = (None, {})
        self._levels: dict[int, int] = {}
        # Steps of matters forgotten since the last flush, by key: moments before that, and the addresses.
        self._gone: dict[bytes, list[tuple[int, list[list[int]]]]] = {}
        self._warnings: list[Mapping[str, Any]] = []
        self._versions: Mapping[str, str | int] = {}

    # stepping ------------------------------------------------------------------------------------------------------

    def step(self, frame: Frame, *, first_index: int = 0) -> Effects:
        """Fold one frame, or a part of one that begins at its entry `first_index`; the frame is not changed."""
        county = self.county
        effects = county.effects = Effects()
        signals = self._signals(frame)
        others = iter(frame.others)
        older = self._older(frame)
        applied = 0
        for index, (kind, now) in enumerate(zip(frame.kinds.tolist(), frame.now.tolist(), strict=True), first_index):
            # Appenders beside each other may stamp a little behind: it never becomes earlier here.
            if now > county.now:
                self._advance(min(now, LATEST))
            county.address = (frame.offset, index)
            if kind == _SIGNAL:
                self._signal(next(signals), older)
            elif kind == Kind.COMMAND:
                county.agenda.append((-2, (next(others), county.now)))
            elif kind == Kind.ASSESSMENT:
                county.agenda.append((-3, (next(others), county.now)))
            elif kind == Kind.CONFIG:
                self._catch_up()
                self.configure(FoldRules.from_json(next(others)["rules"]))
            elif kind == Kind.MODEL:
                self._catch_up()
                self._model(next(others))
            elif kind == Kind.FACT:
                self._fact(next(others))
            elif kind != Kind.TICK:
                next(others)
            if kind == _SIGNAL:
                applied += 1
            else:
                effects.counts["entries"] += 1
            if county.timers.soonest <= county.now:
                self._advance(county.now)
        self._catch_up()
        county.seen.settle(county.now // DAY_US)
        for reason in (Reason.DUPLICATE, Reason.CONFLICTING_DUPLICATE, Reason.BAD_TIME, "pending"):
            applied -= effects.counts[reason]
        effects.counts["applied"] = applied
        self._close(effects)
        return effects

    def refuse(self, entry: Frame, *, first_index: int) -> Effects:
        """Tell that an entry cannot be folded; nothing of it is applied, and time does not pass by it."""
        effects = self.county.effects = Effects()
        self.county.address = (entry.offset, first_index)
        reject(self.county, Reason.INTERNAL, entry.signals["id"][0].tobytes() if len(entry.signals) else b"")
        self._close(effects)
        return effects

    def configure(self, rules: FoldRules) -> None:
        """Take new rules; warnings are graded by them at once."""
        county = self.county
        if rules.schema != county.rules.schema or rules.targets != county.rules.targets:
            county.champion, county.model = untrained(rules), ""
        take_over(county, county.rules.clocks, rules.clocks)
        county.rules = rules
        county.seen.days = rules.duplicates_days
        self.outcomes = Outcomes(rules.targets)
        self._graded.clear()
        self._levels.clear()
        if county.now:
            county.next_rescore = _next_rescore(rules, county.now)
        self.grader.configure(rules, county.now, county.effects)

    def _catch_up(self) -> None:
        """Grade all that has happened so far and fire the timers of warnings up to now, under the rules in force."""
        self._flush()
        self.grader.fire(self.county.now, self.county.effects)

    def _signals(self, frame: Frame) -> Iterator[tuple[Any, ...]]:
        signals = frame.signals
        if not len(signals):
            return iter(())
        names = ("id", "matter", "content", "at", "due", "source", "category", "place", "office", "channel", "asset")
        has_codes = signals["codes"].any(axis=1)
        has_values = ~np.isnan(signals["values"]).all(axis=1)
        return zip(
            *(signals[name].tolist() for name in names),
            *(signals[name].tolist() for name in ("cues", "step", "known", "value")),
            (has_codes | has_values).tolist(),
            signals,
            strict=True,
        )

    def _older(self, frame: Frame) -> dict[int, tuple[int, int]]:
        if not len(frame.signals) or not self.county.seen.runs:
            return {}
        ids = np.ascontiguousarray(frame.signals["id"]).view(np.uint64).reshape(-1, 2)[:, 0]
        return self.county.seen.before(np.ascontiguousarray(ids))

    # signals -------------------------------------------------------------------------------------------------------

    def _signal(self, row: tuple[Any, ...], older: Mapping[int, tuple[int, int]]) -> None:
        id, at, source = row[0], row[3], row[5]
        county = self.county
        if not has_time(county, id, at, row[4]) or not is_fresh(county, id, row[2], older):
            return
        rules = county.rules
        if source in rules.lateness and not row[11] & rules.emergency_cues and holds(county, source, at, id, row[16]):
            return
        self._apply(row)

    def _apply(self, row: tuple[Any, ...]) -> None:
        (_, key, _, at, due, _, category, place, office, channel, asset, cues, step, known, value, extra, raw) = row
        county = self.county
        rules = county.rules
        slot = slot_of(county, key, asset, step)
        county.matters.touched[slot] = 1
        before, own = county.office[slot], office
        was_open = bool(county.marks[slot] & Mark.REGISTERED) and county.is_open(slot)
        last = county.last[slot]
        if last >= 0 and at < county.step_at[last]:
            # An older step fills what is unknown; it does not overrule what newer ones said.
            category = 0 if county.category[slot] else category
            place = 0 if county.place[slot] not in (0, rules.root) else place
            channel = 0 if county.channel[slot] else channel
            office = 0 if before else office
        if category:
            county.category[slot] = category
        if place:
            county.place[slot] = place
        elif not county.place[slot]:
            county.place[slot] = rules.root
        if channel:
            county.channel[slot] = channel
        if office:
            county.office[slot] = office
        elif not before:
            county.office[slot] = lead_office(rules, county.place[slot], county.category[slot])
        if extra:
            self._attributes(slot, raw)
        registers = step == _REGISTERED and not county.marks[slot] & Mark.REGISTERED
        if registers:
            self._register(slot, at)
        elif step in _REPORTS:
            county.reports[slot] = min(county.reports[slot] + 1, 65_535)
        if cues:
            self._cues(slot, cues, step)
        is_emergency = step in _REPORTS and cues & rules.emergency_cues
        is_late = add_step(county, slot, at, step, own or county.office[slot])
        if due or county.clock[slot] >= 0 or rules.clocks:
            run_clocks(county, slot, at, step, due, is_late=is_late)
        is_registered = county.marks[slot] & Mark.REGISTERED
        if is_registered:
            after = county.office[slot] if county.is_open(slot) else 0
            # A registration is counted as open by `take_in`, though its end may have arrived before it.
            counted = county.office[slot] if registers else before if was_open else 0
            if counted != after:
                move_office(county, counted, after)
            open_targets(county, slot, self.outcomes)
        decide_by_step(county, slot, step, known, value, self.outcomes)
        if is_registered and (registers or step in _TELLING or is_emergency):
            self._look(slot, county.now, 0 if registers else ON_STEP)
        elif county.duty[slot] and duty_bits(county, slot, rules.duties, county.now) != county.duty[slot]:
            # The step has done what a rule asked for: say so now, not at the next telling one.
            self._look(slot, county.now, ON_STEP)
        if registers:
            county.landmark[slot] = 1
        self._schedule(slot)

    def _register(self, slot: int, at: int) -> None:
        county = self.county
        county.registered[slot] = at
        county.marks[slot] |= Mark.REGISTERED
        matters = county.matters.rows
        matters["offset"][slot], matters["index"][slot] = county.address
        place, category = county.place[slot], county.category[slot]
        spot = county.spot(place, category)
        if county.spots.rows["last"][spot]:
            earlier = county.matters.slot_of.get(county.spots.rows["matter"][spot].tobytes())
            if earlier is not None and earlier != slot:
                decide_repeat(county, earlier, at, self.outcomes)
                county.matters.touched[earlier] = 1
                self._schedule(earlier)
        take_in(county, slot, at)
        self._count(place, category)

    def _count(self, place: int, category: int) -> None:
        county = self.county
        cell = (place, category)
        county.minute_counts[cell] = county.minute_counts.get(cell, 0) + 1

    def _attributes(self, slot: int, raw: Any) -> None:
        matters = self.county.matters.rows
        codes = raw["codes"]
        matters["codes"][slot] = np.where(codes != 0, codes, matters["codes"][slot])
        values = raw["values"]
        matters["values"][slot] = np.where(np.isnan(values), matters["values"][slot], values)

    def _cues(self, slot: int, cues: int, step: int) -> None:
        county = self.county
        county.cues[slot] |= cues
        rules = county.rules
        if step in _REPORTS and cues & rules.emergency_cues:
            # Only who reports tells of danger; an office that quotes the kind of matter tells nothing new.
            county.marks[slot] |= Mark.EMERGENCY
        if cues & rules.risk_cues and county.category[slot] in rules.hazards:
            # A category of hazards alone says nothing of this matter; a sentence of growing risk in one does.
            county.marks[slot] |= Mark.HAZARD
        if step == Step.REPLIED and rules.reply_cues:
            # A reply that names fewer than half of the six elements cannot be verified (domain: vagueness).
            named = (cues & rules.reply_cues).bit_count()
            if named * 2 < rules.reply_cues.bit_count():
                county.marks[slot] |= Mark.VAGUE
            else:
                county.marks[slot] &= ~Mark.VAGUE & 0xFF

    def _look(self, slot: int, now: int, number: int) -> None:
        county = self.county
        county.duty[slot] = duty_bits(county, slot, county.rules.duties, now)
        county.moment(slot, now, number)
        if len(county.when) >= MOMENTS:
            self._flush()

    # time ----------------------------------------------------------------------------------------------------------

    def _schedule(self, slot: int) -> None:
        county = self.county
        due = next_decision(county, slot, self.outcomes)
        if county.eligible[slot] & ~county.known[slot]:
            landmark = next_landmark(county, slot)
            due = landmark if landmark < due else due
        if county.marks[slot] & Mark.CLOSED:
            other = self._watch_ends(slot)
        else:
            other = next_duty(county, slot, county.rules.duties, county.now)
        due = other if other < due else due
        county.next_due[slot] = due
        county.timers.set(slot, due)

    def _advance(self, until: int) -> None:
        """Fire everything due by `until`, in order, each with now = its due; then it is `until`."""
        county = self.county
        if not county.now:
            county.next_rescore = _next_rescore(county.rules, until)
        while True:
            release = county.held[0][0] if county.held else NEVER
            due = min(county.timers.soonest, release, county.next_rescore)
            if due > until:
                break
            if release == due:
                self._pass_minute(max(county.now, due))
                self._release()
            elif county.timers.soonest == due:
                self._fire(min(until, release - 1, county.next_rescore))
            else:
                self._pass_minute(max(county.now, due))
                self._rescore(until)
        self._pass_minute(until)
        county.now = until

    def _fire(self, until: int) -> None:
        county = self.county
        heap = county.timers.pop(until)
        while heap:
            if county.timers.soonest <= heap[0][0]:
                for timer in county.timers.pop(heap[0][0]):
                    heapq.heappush(heap, timer)
            due, key, slot = heapq.heappop(heap)
            self._pass_minute(max(county.now, due))
            county.now = max(county.now, due)
            self._fall_due(slot, key)

    def _fall_due(self, slot: int, key: bytes) -> None:
        county = self.county
        now = county.now
        county.matters.touched[slot] = 1
        if county.marks[slot] & Mark.CLOSED and self._watch_ends(slot) <= now:
            decide_by_time(county, slot, now, self.outcomes)
            if county.eligible[slot] & ~county.known[slot]:
                county.agenda.append((-1, (key, now)))
            self._forget(slot)
            return
        passed = -1
        while next_landmark(county, slot) <= now:
            passed = county.landmark[slot]
            county.landmark[slot] = passed + 1
        undecided = county.eligible[slot] & ~county.known[slot]
        decided_now = False
        if passed >= 0 and undecided:
            # A landmark is a decision of the moment before its outcome is known: score first.
            self._look(slot, now, passed)
        decide_by_time(county, slot, now, self.outcomes)
        decided_now = undecided != county.eligible[slot] & ~county.known[slot]
        bits = duty_bits(county, slot, county.rules.duties, now)
        if bits != county.duty[slot] or (decided_now and passed < 0):
            self._look(slot, now, ON_STEP)
        self._schedule(slot)

    def _watch_ends(self, slot: int) -> int:
        """When a closed matter is forgotten: nothing it is watched for can happen any more."""
        county = self.county
        watched: int = county.closed_at[slot] + county.rules.watched
        return max(watched, last_decision(county, slot, self.outcomes))

    def _rescore(self, until: int) -> None:
        """Once a day: every open matter with an undecided target, in the order of its key. Called up to `until`."""
        county = self.county
        now = county.now = max(county.now, county.next_rescore)
        county.next_rescore = _next_rescore(county.rules, now)
        rows = county.matters.rows[: county.matters.size]
        undecided = (rows["eligible"] & ~rows["known"]) != 0
        open_now = (rows["marks"] & (Mark.REGISTERED | Mark.CLOSED)) == Mark.REGISTERED
        slots = np.flatnonzero(undecided & open_now)
        if not len(slots):
            # Until something else happens there is nothing to rescore: skip the days between.
            until = min(until, county.timers.soonest, county.held[0][0] if county.held else NEVER)
            county.next_rescore = _next_rescore(county.rules, max(now, until - 1))
            return
        keys = rows["key"][slots].tolist()
        for _, slot in sorted(zip(keys, slots.tolist(), strict=True)):
            county.moment(slot, now, DAILY)
            if len(county.when) >= MOMENTS:
                self._flush()

    def _release(self) -> None:
        county = self.county
        release, _, offset, index, row = heapq.heappop(county.held)
        county.now = max(county.now, release)
        county.address = (offset, index)
        county.effects.counts["pending"] -= 1
        frame = Frame(
            kinds=np.array([Kind.SIGNAL], np.uint8),
            now=np.array([county.now], np.int64),
            signals=np.array([row], row.dtype),
            gram_ends=np.zeros(1, np.int64),
        )
        self._apply(next(self._signals(frame)))

    def _forget(self, slot: int) -> None:
        county = self.county
        key = county.matters.rows["key"][slot].tobytes()
        if slot in county.looked:
            # What was seen of it in this frame is graded later: its steps are named while they are there.
            self._gone.setdefault(key, []).append((len(county.when), addresses(county, slot, LAST_ADDRESS)))
            county.looked.discard(slot)
        asset = county.asset[slot]
        if asset:
            county.unlink(asset, key)
        drop_steps(county, slot)
        drop_clocks(county, slot)
        county.matters.drop(slot)

    def _pass_minute(self, now: int) -> None:
        """Hand the registrations of a minute that is over to the site; the entry is its mark as well."""
        county = self.county
        minute = now // MINUTE
        if minute == county.minute:
            return
        if county.minute_counts:
            county.seq += 1
            cells = sorted([place, category, n] for (place, category), n in county.minute_counts.items())
            county.effects.to_site.append({"seq": county.seq, "minute": county.minute, "cells": cells})
            county.minute_counts = {}
        if county.rules.partitions > 1 and county.minute >= 0:
            self._pass_midnight(now)
        county.minute = minute

    def _pass_midnight(self, now: int) -> None:
        """Tell the site what offices asked for on a local day that is over, all of which is graded first."""
        county, calendar = self.county, self.county.rules.calendar
        today = calendar.day_of(now)
        if calendar.day_of(county.minute * MINUTE) == today:
            return
        self._flush()
        self.grader.fire(calendar.start_of(today) - 1, county.effects)
        asked = self.grader.wishes(today)
        if asked:
            county.seq += 1
            told = {"seq": county.seq, "minute": county.minute, "cells": [], "asked": asked}
            county.effects.to_site.append(told)

    def _fact(self, payload: Mapping[str, Any]) -> None:
        if payload.get("fact") == SHARES:
            self._catch_up()
            self.grader.share(payload["version"], {office: part for office, part in payload["offices"]})

    def _model(self, payload: Mapping[str, Any]) -> None:
        county = self.county
        if payload["version"] <= int(self.grader.versions.get("model", 0)):
            return
        champion = self.models.get(payload["sha256"])
        if champion is None:
            raise CorruptData(f"model {payload['sha256']} is named by the log but not stored; restore it from a backup")
        if champion.schema != county.rules.schema:
            return
        county.champion, county.model = champion, payload["sha256"]
        self.grader.versions["model"] = payload["version"]

    # scoring and grading -------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        county = self.county
        if not county.agenda:
            return
        effects = county.effects
        grader = self.grader
        agenda, county.agenda = county.agenda, []
        unexplained: list[tuple[dict[str, Any], int]] = []
        if county.when:
            matters, nows, rows, raw, probability = score_moments(county)
            floors = np.array(grader.floors[: probability.shape[1]], np.int64)
            hot = ((probability >= floors).any(axis=1) | (matters["duty"] != 0)).tolist()
            columns = {name: matters[name].tolist() for name in _GRADED}
            bands = grader.bands(probability, matters["category"])
            score, up, keep = bands.score.tolist(), bands.up.tolist(), bands.keep.tolist()
            hard = [self._hard(bits) for bits in columns["duty"]]
            keys = columns["key"]
            scores = probability.tolist()
            when, county.when = county.when, []
            county.looked.clear()
            now_of = nows.tolist()
        for moment, payload in agenda:
            if moment >= 0:
                key, now = keys[moment], now_of[moment]
                if grader.next_due <= now:
                    grader.fire(now, effects)
                is_held = grader.needs(key)
                if hot[moment] or is_held:
                    admitted = 0
                    if not is_held and not columns["duty"][moment]:
                        office = columns["office"][moment]
                        self._graded.pop(key, None)
                        admitted = grader.knock(key, office, score[moment], up[moment], now, effects)
                        if not admitted:
                            continue
                    elif when[moment][1] not in _ASKING and key in self._graded:
                        # Time alone moved the score, and not past any cut-off: nothing can come of grading it.
                        level = grader.steady(key)
                        if max(up[moment], hard[moment]) <= level <= max(keep[moment], hard[moment]):
                            heard = self._graded[key][len(scores[moment]) :]
                            if heard == tuple(columns[name][moment] for name in _TOLD):
                                continue
                    matter = {name: column[moment] for name, column in columns.items()}
                    told = self._grade(
                        matter, when[moment], rows, moment, raw[moment], scores[moment], max(0, admitted)
                    )
                    unexplained += [(transition, moment) for transition in told]
            elif moment == -1:
                key, now = payload
                grader.fire(now, effects)
                grader.decided(key, now, effects)
                self._graded.pop(key, None)
            elif moment == -3:
                word, now = payload
                grader.fire(now, effects)
                self.words.hear(word, now, county.rules, grader, effects)
            else:
                command, now = payload
                grader.fire(now, effects)
                grader.command(command, now, effects)
                self._graded.clear()
        if unexplained:
            self._explain(unexplained, rows)
        self._gone.clear()

    def _grade(
        self,
        matter: Mapping[str, Any],
        when: tuple[int, int, int, int],
        rows: Rows,
        moment: int,
        raw: NDArray[np.int64],
        probability: list[int],
        admitted: int,
    ) -> Sequence[dict[str, Any]]:
        """Have one moment of a matter graded; the transitions that came of it."""
        county = self.county
        key, bits, due = matter["key"], matter["duty"], matter["due"]
        # A new step is news to whoever declined or closed, though no score moved by it.
        summary = (*probability, *(matter[name] for name in _TOLD))
        if self._graded.get(key) == summary:
            return ()
        now, number, offset, index = when
        targets = county.rules.targets
        undecided = matter["eligible"] & ~matter["known"]
        logits = raw.tolist()
        registered = matter["registered"]
        assessments = [
            Assessment(
                kind=AssessmentKind.RISK,
                target=target,
                probability=probability[target],
                raw=logits[target],
                horizon=max(0, (due or registered + rule.window) - now),
            )
            for target, rule in enumerate(targets)
            if undecided >> target & 1
        ]
        if bits:
            assessments += duty_assessments(matter, bits, county.rules.duty, now)
        subject = Subject(key, "matter", matter["office"], matter["place"], matter["category"], due, registered)
        effects = county.effects
        before = len(effects.transitions)
        evidence = self._evidence(key, moment, (offset, index))
        cause = key128(key.hex(), str(now), str(number), str(matter["steps"]))
        self.grader.grade(subject, now, assessments, cause, evidence, effects, admitted)
        told = effects.transitions[before:]
        if not told and self.grader.steady(key) < 0 and self.grader.needs(key):
            # A dwell runs: should a timer change the level, the reasons are those of this moment.
            floors = self.grader.floors
            row = rows.take(slice(moment, moment + 1))
            self.grader.ground(
                key,
                {
                    place: tuple(
                        Ground(why, weight, name, value=value)
                        for why, weight, name, value in next(self._weights(row, each.target))
                    )
                    for place, each in enumerate(assessments)
                    if each.raw and each.probability >= floors[each.target]
                },
            )
        if self.grader.needs(key):
            self._graded[key] = summary
        else:
            self._graded.pop(key, None)
        return told

    def _evidence(self, key: bytes, moment: int, address: tuple[int, int]) -> list[list[int]]:
        """Addresses of a matter's steps up to a moment of this frame, though it may be forgotten by now."""
        for before, kept in self._gone.get(key, ()):
            if moment < before:
                return [each for each in kept if tuple(each) <= address]
        slot = self.county.matters.slot_of.get(key)
        return [] if slot is None else addresses(self.county, slot, address)

    def _hard(self, bits: int) -> int:
        """Highest level that the duty rules of these bits demand."""
        level = self._levels.get(bits)
        if level is None:
            rules = self.county.rules.duty
            level = max((int(rule.level) for number, rule in enumerate(rules) if bits >> number & 1), default=0)
            self._levels[bits] = level
        return level

    def _explain(self, told: Sequence[tuple[dict[str, Any], int]], rows: Rows) -> None:
        """Give the risk assessments of transitions their reasons: what every feature adds to the logit, exactly."""
        floors = self.grader.floors
        asked: dict[int, list[tuple[dict[str, Any], int]]] = {}
        for transition, moment in told:
            for place, assessment in enumerate(transition["assessments"]):
                if assessment["kind"] != _RISK:
                    continue
                target = assessment["target"]
                # What neither governs nor could raise anything by itself needs no account of its weights.
                if place == transition["governing"] or assessment["probability"] >= floors[target]:
                    asked.setdefault(target, []).append((assessment, moment))
        for target, wanted in asked.items():
            weights = self._weights(rows.take(np.array([moment for _, moment in wanted])), target)
            for (assessment, _), grounds in zip(wanted, weights, strict=True):
                assessment["grounds"] = [
                    {"why": why, "weight": weight, "feature": name, "value": value}
                    for why, weight, name, value in grounds
                ]

    def _weights(self, rows: Rows, target: int) -> Iterator[list[tuple[Why, int, str, float | int | None]]]:
        """For each row why, weight, name and value of what speaks for or against, heaviest first, the base last."""
        names = (*self.county.rules.schema.codes, *self.county.rules.schema.values)
        explained = self.county.champion.explain(rows, target)
        for codes, values, weights in zip(rows.codes.tolist(), rows.values.tolist(), explained, strict=True):
            numbers = [None if value != value else round(value, 3) for value in values]
            known: dict[str, float | int | None] = dict(zip(names, (*codes, *numbers), strict=True))
            yield [
                (_BASE if name == "base" else _FEATURE, weight, name, known.get(name))
                for name, weight in weights
                if weight or name == "base"
            ]

    # closing a frame -----------------------------------------------------------------------------------------------

    def _close(self, effects: Effects) -> None:
        """Chain what left the fold into the digests; addresses stay out, so that framing cannot matter."""
        digests = self.county.digests
        for name, items in (
            ("transitions", effects.transitions),
            ("intents", effects.intents),
            ("to_site", effects.to_site),
            ("verdicts", effects.verdicts),
            ("rejected", effects.rejected),
        ):
            chain(digests[name], items)
        for key, target, failed, known_at in effects.labels:
            digests["labels"].add(b"%s%d,%d,%d" % (key, target, failed, known_at))

    def digest(self) -> dict[str, str]:
        """The chained digests by kind of effect."""
        return {name: digest.value.hex() for name, digest in self.county.digests.items()}

    # checkpoints ---------------------------------------------------------------------------------------------------

    def checkpoint(self, *, delta: bool = False) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state (or what was touched since the last), between frames."""
        head, arrays = self.county.base(delta=delta)
        head["warnings"] = self.grader.to_delta() if delta else self.grader.to_state()
        head["versions"] = dict(self.grader.versions)
        head["words"] = self.words.to_state()
        kept_rules, kept = self._kept if delta else (None, {})
        if self.county.rules is not kept_rules:
            head["rules"] = self.county.rules.to_json()
        changed = (key for key, summary in self._graded.items() if kept.get(key) is not summary)
        head["graded"] = [[key.hex(), self._graded[key]] for key in sorted(changed)]
        head["ungraded"] = [key.hex() for key in kept if key not in self._graded]
        self._kept = self.county.rules, dict(self._graded)
        return head, arrays

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, delta: bool = False) -> None:
        """Become what `checkpoint` returned, on a fresh fold; call `ready` after the last delta."""
        self.county.restore(head, arrays, delta=delta)
        if "rules" in head:
            self.county.rules = FoldRules.from_json(head["rules"])
            self.outcomes = Outcomes(self.county.rules.targets)
        self._versions = head["versions"]
        self._warnings.append(head["warnings"])
        self.words = SensorWords.from_state(head["words"])
        if not delta:
            self._graded = {}
        for key in head["ungraded"]:
            del self._graded[bytes.fromhex(key)]
        self._graded.update((bytes.fromhex(key), tuple(summary)) for key, summary in head["graded"])

    def ready(self) -> None:
        """Rebuild indexes and take the rules and the model in force, after the last delta."""
        county = self.county
        # Rules first, while there is no warning yet that they would grade.
        self.grader.configure(county.rules, 0, Effects())
        for warnings in self._warnings:
            self.grader.patch(warnings)
        self.grader.versions.update(self._versions)
        self._warnings = []
        county.reindex()
        county.seen.days = county.rules.duplicates_days
        if county.model:
            champion = self.models.get(county.model)
            if champion is None:
                raise CorruptData(f"model {county.model} of the checkpoint is not stored; restore it from a backup")
            county.champion = champion
        else:
            county.champion = untrained(county.rules)


def untrained(rules: FoldRules) -> Champion:
    """The prior of every target, until something is learned."""
    priors = [target.prior / 10_000 for target in rules.targets]
    return Champion.untrained(rules.schema, [target.name for target in rules.targets], priors)


def chain(digest: Digest, items: Sequence[Mapping[str, Any]]) -> None:
    """Chain JSON-able effects without their addresses."""
    for item in items:
        plain = {name: value for name, value in item.items() if name not in _ADDRESSES}
        digest.add(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


_TOLD = ("duty", "office", "due", "steps", "last_at")
"""Columns besides the scores whose change a warning must hear of."""
_ASKING = frozenset({0, ON_STEP})
"""Moments that come of a signal or of a rule, not of time alone."""
_RISK, _BASE, _FEATURE = AssessmentKind.RISK.value, Why.BASE, Why.FEATURE
_GRADED = ("key", "duty", "office", "place", "category", "due", "registered", "eligible", "known", "steps", "last_at",
           "returns", "upheld", "handovers")  # fmt: skip
"""Columns of a matter that grading reads."""
_ADDRESSES = frozenset({"evidence", "offset", "index"})


def _next_rescore(rules: FoldRules, now: int) -> int:
    return int(rules.calendar.next_local_time(np.array([now], np.int64), rules.rescore_hour)[0])
