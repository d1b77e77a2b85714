"""The lives of a day's matters: outcomes are drawn from the oracle, then the steps are made to fit them, in columns."""

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.batch import Flags, Ints, Registered, Story
from connectors.simulator.dice import stream
from connectors.simulator.latent import (
    DOUBLED,
    FAKE,
    MOST_RETURNS,
    REOPENED_SHARE,
    UPHELD,
    breach_after,
    come_back,
    unsolved_after,
)
from connectors.simulator.steps import Plan
from connectors.simulator.working_time import DAY, HOUR, WorkingTime, axis_of, midnight, split_limit
from pipeline.signal import Step

MINUTE = 60
BACK_WITHIN_DAYS = 29.0
OFFICE_DAY = int(9.5 * HOUR)
HANDLED = 0.35
"""Share of quick matters whose handling is recorded before the reply."""
INSPECTED = 0.1
"""Share of solved matters that somebody goes to see besides the call-back."""

Reals = NDArray[np.float64]


class Lives:
    """Draws what becomes of a day's matters from the seed and the day alone."""

    def __init__(self, seed: int, limits: list[str], working_time: WorkingTime) -> None:
        self._seed = seed
        self._time = working_time
        self._limits = limits
        self._axis = np.array([axis_of(limit) for limit in limits])

    def live(self, born: Registered) -> Story:
        """Outcomes and steps of the matters of a day."""
        n, chances, burden = len(born), born.chances, born.burden
        chance = stream(self._seed, 10, born.day)
        fake = chance.random(n) < FAKE
        is_return, upheld = self._returns(born, chance)
        returns, refused = is_return.sum(1), (is_return & ~upheld).sum(1)
        vague = chance.random(n) < chances.vague
        once_routed = breach_after(burden, returns)
        breach = chance.random(n) < once_routed
        unsatisfied = ~fake & (chance.random(n) < unsolved_after(burden, vague))
        doubled = np.where(chance.random(n) < DOUBLED, 1 + chance.integers(0, 2, n), 0)
        back = fake | (chance.random(n) < come_back(burden, chances.vague, vague))
        reopened = back & (chance.random(n) < REOPENED_SHARE)
        repeated = back & ~reopened
        wait = np.where(born.urgent, chance.uniform(1, 3, n), chance.uniform(4, 45, n))
        routed = born.at + (wait * MINUTE).astype(np.int64)
        extended = self._extension(born, chance)
        final_due = np.where(extended > 0, extended, born.due)
        done = self._finish(born, chance, routed, final_due, breach, fake)
        plan = Plan(n)
        plan.add(Step.REGISTERED, born.at, born.office, due=born.due)
        routed = np.minimum(routed, born.at + np.maximum((done - born.at) // 10, 1))
        office = self._handle(born, chance, plan, routed, done, is_return, upheld, breach)
        done = plan.last.copy()
        breach = done > final_due
        closed = self._close(chance, plan, done, office, ~unsatisfied, np.ones(n, np.bool_))
        again_at = np.where(repeated, self._back_at(born, chance, done + HOUR), 0)
        self._reopen(born, chance, plan, closed, office, reopened)
        moment = born.due - (chance.uniform(0.02, 0.2, n) * (born.due - born.at)).astype(np.int64)
        plan.add(Step.EXTENDED, np.maximum(moment, born.at + HOUR), born.office, due=extended, when=extended > 0)
        plan.add(Step.REPORTED_AGAIN, again_at, office, when=again_at > 0)
        return plan.story(
            done=done,
            final_due=final_due,
            returns=returns,
            refused=refused,
            vague=vague,
            fake=fake,
            breach=breach,
            reopened=reopened,
            repeated=repeated | (doubled > 0),
            unsatisfied=unsatisfied,
            doubled=doubled,
            again_at=again_at,
            breach_once_routed=once_routed,
        )

    def _returns(self, born: Registered, chance: np.random.Generator) -> tuple[Flags, Flags]:
        """(matter, 0 to 3): whether there is such a return, and whether it was upheld."""
        n = len(born)
        coins = chance.random((n, MOST_RETURNS))
        odds = np.column_stack([born.chances.first_return, *[born.chances.next_return] * (MOST_RETURNS - 1)])
        is_return = np.logical_and.accumulate(coins < odds, axis=1)
        return is_return, chance.random((n, MOST_RETURNS)) < UPHELD

    def _extension(self, born: Registered, chance: np.random.Generator) -> Ints:
        """The new due time of a long matter that runs out of time; 0 for the others."""
        found = np.zeros(len(born), np.int64)
        asks = chance.random(len(born)) < 0.12
        for index, limit in enumerate(self._limits):
            amount, unit = split_limit(limit)
            rows = asks & (born.limit == index)
            if unit != "h" and amount >= 7 and rows.any():
                found[rows] = self._time.due(born.due[rows] - 1, f"{max(amount // 2, 3)}{unit}")
        return found

    def _finish(
        self, born: Registered, chance: np.random.Generator, begin: Ints, due: Ints, breach: Flags, fake: Flags
    ) -> Ints:
        """When the office claims to be done: before the due time or, for a breach, after it."""
        n = len(born)
        low, high, axis = self._span(born, begin, due)
        span = high - low
        late = high + (np.exp(np.log(0.35) + 0.8 * chance.normal(size=n)) * span).astype(np.int64) + HOUR // 2
        earliest = np.where(due != born.due, 0.9, 0.05)
        weight = np.clip(born.burden.difficulty + born.burden.strain, -3.0, 3.0)
        hurry = np.where(fake, 2.0, 1.2 - 0.15 * weight)
        early = low + ((earliest + (0.97 - earliest) * chance.random(n) ** hurry) * span).astype(np.int64)
        at = self._moment(axis, np.where(breach, late, early))
        in_time = np.minimum(np.maximum(at, begin + 10 * MINUTE), due - MINUTE)
        return np.where(breach, np.maximum(at, due + 10 * MINUTE), in_time)

    def _span(self, born: Registered, begin: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
        """Both ends on the axis of each matter, and that axis; the wall where the axis has no length between them."""
        axis = self._axis[born.limit]
        low, high = self._opened(axis, begin), self._opened(axis, end)
        axis = np.where(high - low < HOUR, 0, axis)
        return np.where(axis == 0, begin, low), np.where(axis == 0, end, high), axis

    def _opened(self, axis: Ints, at: Ints) -> Ints:
        return np.choose(axis, [at, self._time.duty.opened(at), self._time.office.opened(at)])

    def _moment(self, axis: Ints, opened: Ints) -> Ints:
        return np.choose(axis, [opened, self._time.duty.moment(opened), self._time.office.moment(opened)])

    def _handle(
        self,
        born: Registered,
        chance: np.random.Generator,
        plan: Plan,
        routed: Ints,
        done: Ints,
        is_return: Flags,
        upheld: Flags,
        breach: Flags,
    ) -> Ints:
        """The steps from routing to the office's claim, spread over the time between them; the office that claims."""
        n = len(born)
        routed = np.maximum(routed, born.at + 1)
        plan.add(Step.ROUTED, routed, born.office)
        always = np.ones(n, np.bool_)
        is_quick = self._axis[born.limit] < 2
        handled = ~is_quick | (chance.random(n) < HANDLED)
        stall = np.where(breach, chance.uniform(1.0, 3.0, n), chance.uniform(0.2, 1.0, n))
        weights, steps = [], []
        office = born.office
        for turn in range(MOST_RETURNS):
            sent, moved = is_return[:, turn], is_return[:, turn] & upheld[:, turn]
            rival = _other(born, office, chance)
            verdict = np.where(upheld[:, turn], int(Step.UPHELD), int(Step.NOT_UPHELD))
            steps.append((np.full(n, int(Step.RETURNED)), office, rival, sent, upheld[:, turn]))
            steps.append((verdict, office, rival, sent, upheld[:, turn]))
            steps.append((np.full(n, int(Step.HANDED_OVER)), rival, office, moved, upheld[:, turn]))
            weights += [chance.uniform(0.6, 1.5, n) * sent, chance.uniform(0.2, 0.6, n) * sent, 0.1 * moved]
            office = np.where(moved, rival, office)
        for step, weight, when in (
            (Step.ACCEPTED, chance.uniform(0.1, 0.4, n), always),
            (Step.HANDLING, stall, handled),
            (Step.REPLIED, chance.uniform(0.3, 1.2, n), always),
            (Step.REPORTED_DONE, chance.uniform(0.05, 0.3, n), always),
        ):
            steps.append((np.full(n, int(step)), office, np.full(n, -1), when, ~always))
            weights.append(weight)
        low, high, axis = self._span(born, routed, done)
        passed = np.cumsum(weights, axis=0)
        for index, (kind, actor, rival, when, is_upheld) in enumerate(steps):
            point = low + ((high - low) * passed[index] / passed[-1]).astype(np.int64)
            at = done if index == len(steps) - 1 else self._moment(axis, point)
            plan.follow(kind, at, actor, rival, when, is_upheld)
        return office

    def _close(
        self, chance: np.random.Generator, plan: Plan, done: Ints, office: Ints, solved: Flags, when: Flags
    ) -> Ints:
        """Call-back and closing after the office's claim; returns when it was closed."""
        axis, n = self._time.office, len(done)
        later = axis.opened(done) + (chance.uniform(0.1, 1.2, n) * OFFICE_DAY).astype(np.int64)
        called = np.maximum(axis.moment(later), done + 5 * MINUTE)
        answer = np.where(solved, int(Step.SOLVED), int(Step.UNSOLVED))
        plan.add(answer, called, office, when=when)
        plan.add(Step.VERIFIED, called + MINUTE, office, when=when & solved & (chance.random(n) < INSPECTED))
        later = axis.opened(called) + (chance.uniform(0.02, 0.6, n) * OFFICE_DAY).astype(np.int64)
        closed: Ints = np.maximum(axis.moment(later), called + 5 * MINUTE)
        plan.add(Step.CLOSED, closed, office, when=when)
        return closed

    def _reopen(
        self, born: Registered, chance: np.random.Generator, plan: Plan, closed: Ints, office: Ints, when: Flags
    ) -> None:
        again = self._back_at(born, chance, closed + HOUR)
        due = np.zeros(len(born), np.int64)
        for index, limit in enumerate(self._limits):
            rows = when & (born.limit == index)
            if rows.any():
                due[rows] = self._time.due(again[rows], limit)
        span = np.maximum(due - again, HOUR)
        plan.add(Step.REOPENED, again, office, due=due, when=when)
        for share, step in ((0.2, Step.HANDLING), (0.6, Step.REPLIED), (0.7, Step.REPORTED_DONE)):
            plan.add(step, again + (share * span).astype(np.int64), office, when=when)
        self._close(chance, plan, again + (0.7 * span).astype(np.int64), office, when, when)

    def _back_at(self, born: Registered, chance: np.random.Generator, earliest: Ints) -> Ints:
        """When matters come back: sooner rather than later, within 30 days of registration where that is possible."""
        n, duty = len(born), self._time.duty
        latest = np.maximum(born.at + int(BACK_WITHIN_DAYS * DAY), earliest + 2 * DAY)
        point = earliest + (chance.random(n) ** 1.4 * (latest - earliest)).astype(np.int64)
        # Not before tomorrow at eight: the reports of a day are drawn when it begins.
        tomorrow = midnight(born.day + 1) + 8 * HOUR
        found: Ints = np.maximum(np.maximum(duty.moment(duty.opened(point)), earliest), tomorrow)
        return found


def _other(born: Registered, office: Ints, chance: np.random.Generator) -> Ints:
    """For each matter one of its rivals, or its first office, that does not have it now."""
    rivals = np.column_stack([born.rivals, born.office])
    weight = chance.random(rivals.shape)
    weight[(rivals < 0) | (rivals == office[:, None])] = -1.0
    found: Ints = rivals[np.arange(len(rivals)), weight.argmax(1)]
    return found
