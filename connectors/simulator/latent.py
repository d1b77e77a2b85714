"""How likely a simulated matter fails: the exact probabilities outcomes are drawn from. The pipeline never sees them.

Outcomes are drawn first and the steps are made to fit, so the oracle is a closed sum and not an estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log

MOST_RETURNS = 4
FAKE = 0.005
"""Share of matters whose remedy is a pretence: reported done early, back within 30 days."""
UPHELD = 0.6
VAGUE = 0.18
VAGUE_RISE = 2.2
"""A vague reply makes the matter come back this many times as often as a concrete one (assumed)."""
REOPENED_SHARE = 0.4
"""Of the matters that come back, the share reopened; the others are reported again as a new matter."""
DOUBLED = 0.022
"""Share of matters that others report too within two days, without anybody linking the reports."""
BASE = -3.05


@dataclass(frozen=True, slots=True)
class Burden:
    """What bears on one matter when it is registered: its difficulty and the state of the office, centred on 0."""

    difficulty: float
    temper: float
    strain: float
    leaning: float
    returned: float
    again: float


@dataclass(frozen=True, slots=True)
class Chances:
    """Probability of each outcome, of a vague reply, and of a first and a further return."""

    breach: float
    bounced: float
    reopened: float
    repeated: float
    unsatisfied: float
    vague: float
    first_return: float
    next_return: float


def logistic(z: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + exp(-z))


def logit(p: float) -> float:
    """The inverse of the logistic function."""
    return log(p / (1.0 - p))


def breach_after(burden: Burden, returns: int) -> float:
    """Probability of missing the due time once the number of returns is known."""
    z = BASE + 0.75 * burden.difficulty + 0.65 * burden.temper + burden.strain + burden.leaning + 0.8 * returns
    return logistic(z)


def come_back(burden: Burden, chance_vague: float, *, vague: bool) -> float:
    """Probability that a matter comes back within 30 days of the office's claim, given the kind of reply."""
    concrete = burden.again * exp(0.35 * burden.difficulty - 0.06) / (1.0 + (VAGUE_RISE - 1.0) * chance_vague)
    return min(concrete * (VAGUE_RISE if vague else 1.0), 0.9)


def unsolved_after(burden: Burden, *, vague: bool) -> float:
    """Probability that the call-back finds the matter unsolved, given the kind of reply."""
    return logistic(-2.4 + 0.45 * burden.difficulty + (1.1 if vague else 0.0))


def chances(burden: Burden) -> Chances:
    """The oracle at registration: every later chance summed out."""
    first = logistic(logit(burden.returned) + 0.45 * burden.temper + 0.4 * burden.difficulty)
    further = logistic(-0.5 + 0.5 * burden.temper + 0.3 * burden.difficulty)
    # Spreading over tempers lifts the mean of a small share; the shift takes that back.
    vague = logistic(logit(VAGUE) - 0.25 + 0.7 * burden.temper)
    breach = bounced = 0.0
    for returns, refused, probability in _return_paths(first, further):
        breach += probability * breach_after(burden, returns)
        bounced += probability * (refused >= 2)
    back = sum(p * come_back(burden, vague, vague=kind) for p, kind in ((vague, True), (1 - vague, False)))
    unsolved = sum(p * unsolved_after(burden, vague=kind) for p, kind in ((vague, True), (1 - vague, False)))
    return Chances(
        breach=breach,
        bounced=bounced,
        reopened=REOPENED_SHARE * (FAKE + (1 - FAKE) * back),
        repeated=1 - (1 - DOUBLED) * (1 - (1 - REOPENED_SHARE) * (FAKE + (1 - FAKE) * back)),
        unsatisfied=(1 - FAKE) * unsolved,
        vague=vague,
        first_return=first,
        next_return=further,
    )


def _return_paths(first: float, further: float) -> Iterator[tuple[int, int, float]]:
    """(returns, of them not upheld, probability) for every way a matter can be sent back by offices."""
    yield 0, 0, 1.0 - first
    reached = {0: first}
    for returns in range(1, MOST_RETURNS + 1):
        after: dict[int, float] = {}
        for refused, probability in reached.items():
            after[refused] = after.get(refused, 0.0) + probability * UPHELD
            after[refused + 1] = after.get(refused + 1, 0.0) + probability * (1 - UPHELD)
        going_on = further if returns < MOST_RETURNS else 0.0
        for refused, probability in after.items():
            yield returns, refused, probability * (1 - going_on)
        reached = {refused: probability * going_on for refused, probability in after.items()}
