"""The life of one simulated matter: outcomes are drawn from the oracle, then the steps are made to fit them."""

from dataclasses import dataclass, field

from connectors.simulator.dice import Dice
from connectors.simulator.latent import (
    DOUBLED,
    FAKE,
    MOST_RETURNS,
    REOPENED_SHARE,
    UPHELD,
    Burden,
    Chances,
    breach_after,
    come_back,
    unsolved_after,
)
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import DAY, HOUR, Axis, WorkingTime, split_limit
from pipeline.signal import Step

MINUTE = 60
BACK_WITHIN_DAYS = 29.0


@dataclass(slots=True)
class Matter:
    """One simulated matter with what is true of it; times in seconds of the Unix epoch."""

    id: str
    category: Category
    place: str
    point: str
    channel: str
    office: str
    rivals: tuple[str, ...]
    at: int
    limit: str
    due: int
    urgent: bool
    several: bool
    fact: int
    text: str
    burden: Burden
    chances: Chances
    surge: str = ""
    repeats: str = ""
    same_as: str = ""
    told: int = 0
    returns: int = 0
    refused: int = 0
    vague: bool = False
    fake: bool = False
    doubled: int = 0
    done: int = 0
    breach: bool = False
    reopened: bool = False
    repeated: bool = False
    unsatisfied: bool = False
    again_at: int = 0
    breach_once_routed: float = 0.0
    events: list["Event"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a matter: when, what, at which office; `due` where it changes, `rival` where a return points."""

    at: int
    step: Step
    office: str
    due: int = 0
    rival: str = ""
    is_upheld: bool = False


def live(matter: Matter, dice: Dice, working_time: WorkingTime) -> None:
    """Draw the outcomes of a matter and write its steps into `events`, in order of time."""
    chances, burden = matter.chances, matter.burden
    matter.fake = dice.happens(FAKE)
    upheld = _draw_returns(matter, dice)
    matter.vague = dice.happens(chances.vague)
    matter.breach_once_routed = breach_after(burden, matter.returns)
    matter.breach = dice.happens(matter.breach_once_routed)
    matter.unsatisfied = not matter.fake and dice.happens(unsolved_after(burden, vague=matter.vague))
    matter.doubled = 1 + dice.below(2) if dice.happens(DOUBLED) else 0
    if matter.fake or dice.happens(come_back(burden, chances.vague, vague=matter.vague)):
        matter.reopened = dice.happens(REOPENED_SHARE)
        matter.repeated = not matter.reopened
    axis = working_time.axis(matter.limit)
    routed = matter.at + int(dice.between(1, 3) if matter.urgent else dice.between(4, 45)) * MINUTE
    extended = _extension(matter, dice, working_time)
    final_due = extended or matter.due
    matter.done = _finish(matter, dice, axis, routed, final_due)
    _handle(matter, dice, axis, min(routed, matter.at + max((matter.done - matter.at) // 10, 1)), upheld)
    matter.done = matter.events[-1].at
    matter.breach = matter.done > final_due
    _after(matter, dice, working_time)
    matter.repeated = matter.repeated or matter.doubled > 0
    if extended:
        moment = max(matter.due - int(dice.between(0.02, 0.2) * (matter.due - matter.at)), matter.at + HOUR)
        matter.events.append(Event(moment, Step.EXTENDED, matter.office, extended))
    matter.events.sort(key=lambda event: event.at)


def _draw_returns(matter: Matter, dice: Dice) -> list[bool]:
    """For each return, whether it was upheld."""
    upheld: list[bool] = []
    chance = matter.chances.first_return
    while len(upheld) < MOST_RETURNS and dice.happens(chance):
        upheld.append(dice.happens(UPHELD))
        chance = matter.chances.next_return
    matter.returns, matter.refused = len(upheld), upheld.count(False)
    return upheld


def _extension(matter: Matter, dice: Dice, working_time: WorkingTime) -> int:
    """The new due time of a long matter that runs out of time; 0 for the others."""
    amount, unit = split_limit(matter.limit)
    if unit == "h" or amount < 7 or not dice.happens(0.12):
        return 0
    return working_time.due(matter.due - 1, f"{max(amount // 2, 3)}{unit}")


def _finish(matter: Matter, dice: Dice, axis: Axis | None, begin: int, due: int) -> int:
    """When the office claims to be done: before the due time or, for a breach, after it."""
    low, high = (axis.opened(begin), axis.opened(due)) if axis else (begin, due)
    if high - low < HOUR:  # A night between them: the axis has no length, so take the wall.
        axis, low, high = None, begin, due
    span = high - low
    if matter.breach:
        over = high + int(dice.stretched(0.35, 0.8) * span) + HOUR // 2
        return max(axis.moment(over) if axis else over, due + 10 * MINUTE)
    earliest = 0.9 if due != matter.due else 0.05
    hurry = 2.0 if matter.fake else 1.2 - 0.15 * min(max(matter.burden.difficulty + matter.burden.strain, -3.0), 3.0)
    point = low + int((earliest + (0.97 - earliest) * dice.unit() ** hurry) * span)
    return min(max(axis.moment(point) if axis else point, begin + 10 * MINUTE), due - MINUTE)


def _handle(matter: Matter, dice: Dice, axis: Axis | None, routed: int, upheld: list[bool]) -> None:
    """The steps from routing to the office's claim, spread over the time between them in rough proportion."""
    plan: list[tuple[float, Step, str, str, bool]] = []
    office = matter.office
    for is_upheld in upheld:
        rival = dice.pick([other for other in (*matter.rivals, matter.office) if other != office])
        plan.append((dice.between(0.6, 1.5), Step.RETURNED, office, rival, is_upheld))
        verdict = Step.UPHELD if is_upheld else Step.NOT_UPHELD
        plan.append((dice.between(0.2, 0.6), verdict, office, rival, is_upheld))
        if is_upheld:
            office = rival
            plan.append((0.1, Step.HANDED_OVER, office, "", False))
    plan.append((dice.between(0.1, 0.4), Step.ACCEPTED, office, "", False))
    stall = dice.between(1.0, 3.0) if matter.breach else dice.between(0.2, 1.0)
    plan.append((stall, Step.HANDLING, office, "", False))
    plan.append((dice.between(0.3, 1.2), Step.REPLIED, office, "", False))
    plan.append((dice.between(0.05, 0.3), Step.REPORTED_DONE, office, "", False))
    matter.events = [Event(matter.at, Step.REGISTERED, matter.office, matter.due)]
    matter.events.append(Event(max(routed, matter.at + 1), Step.ROUTED, matter.office))
    low, high = (axis.opened(routed), axis.opened(matter.done)) if axis else (routed, matter.done)
    if high - low < HOUR:
        axis, low, high = None, routed, matter.done
    whole = sum(weight for weight, *_ in plan)
    passed = 0.0
    for weight, step, actor, rival, is_upheld in plan:
        passed += weight
        point = low + int((high - low) * passed / whole)
        at = matter.done if step is Step.REPORTED_DONE else (axis.moment(point) if axis else point)
        matter.events.append(Event(max(at, matter.events[-1].at + 1), step, actor, 0, rival, is_upheld))


def _after(matter: Matter, dice: Dice, working_time: WorkingTime) -> None:
    """Call-back, closing, and what comes back within the window; the matter's last event is the office's claim."""
    office = matter.events[-1].office
    closed = _close(matter, dice, working_time, matter.done, office, solved=not matter.unsatisfied)
    if matter.repeated:
        matter.again_at = _back_at(matter, dice, working_time, matter.done + HOUR)
    if matter.reopened:
        again = _back_at(matter, dice, working_time, closed + HOUR)
        due = working_time.due(again, matter.limit)
        span = max(due - again, HOUR)
        matter.events.append(Event(again, Step.REOPENED, office, due))
        for share, step in ((0.2, Step.HANDLING), (0.6, Step.REPLIED), (0.7, Step.REPORTED_DONE)):
            matter.events.append(Event(again + int(share * span), step, office))
        _close(matter, dice, working_time, again + int(0.7 * span), office, solved=True)


def _back_at(matter: Matter, dice: Dice, working_time: WorkingTime, earliest: int) -> int:
    """When a matter comes back: sooner rather than later, within 30 days of its registration where that is possible."""
    latest = max(matter.at + int(BACK_WITHIN_DAYS * DAY), earliest + 2 * DAY)
    point = earliest + int(dice.unit() ** 1.4 * (latest - earliest))
    duty = working_time.duty
    return max(duty.moment(duty.opened(point)), earliest)


def _close(matter: Matter, dice: Dice, working_time: WorkingTime, done: int, office: str, *, solved: bool) -> int:
    """Call-back and closing after the office's claim; returns when it was closed."""
    axis = working_time.office
    called = max(axis.moment(axis.opened(done) + int(dice.between(0.1, 1.2) * 9.5 * HOUR)), done + 5 * MINUTE)
    if solved:
        matter.events.append(Event(called, Step.SOLVED, office))
        matter.events.append(Event(called + MINUTE, Step.VERIFIED, office))
    else:
        matter.events.append(Event(called, Step.UNSOLVED, office))
    closed = max(axis.moment(axis.opened(called) + int(dice.between(0.02, 0.6) * 9.5 * HOUR)), called + 5 * MINUTE)
    matter.events.append(Event(closed, Step.CLOSED, office))
    return closed
