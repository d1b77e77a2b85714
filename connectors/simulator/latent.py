"""How likely a simulated matter fails: the exact probabilities outcomes are drawn from. The pipeline never sees them.

Outcomes are drawn first and the steps are made to fit, so the oracle is a closed sum and not an estimate. Everything
works on single numbers and on whole columns alike.
"""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

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
BASE = -2.95
RETURN_COSTS = 0.8
"""What each return adds to the logit of a missed due time."""

Numbers = Any
"""A float, or an array of float64."""


@dataclass(frozen=True, slots=True)
class Burden:
    """What bears on a matter when it is registered: its difficulty and the state of the office, centred on 0."""

    difficulty: Numbers
    temper: Numbers
    strain: Numbers
    leaning: Numbers
    returned: Numbers
    again: Numbers


@dataclass(frozen=True, slots=True)
class Chances:
    """Probability of each outcome, of a vague reply, and of a first and a further return."""

    breach: Numbers
    bounced: Numbers
    reopened: Numbers
    repeated: Numbers
    unsatisfied: Numbers
    vague: Numbers
    first_return: Numbers
    next_return: Numbers


def logistic(z: Numbers) -> Numbers:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-z))


def logit(p: Numbers) -> Numbers:
    """The inverse of the logistic function."""
    return np.log(p / (1.0 - p))


def breach_after(burden: Burden, returns: Numbers) -> Numbers:
    """Probability of missing the due time once the number of returns is known."""
    weighed = 1.0 * burden.difficulty + 0.4 * burden.temper + burden.strain + burden.leaning
    return logistic(BASE + weighed + RETURN_COSTS * returns)


def come_back(burden: Burden, chance_vague: Numbers, vague: Numbers) -> Numbers:
    """Probability that a matter comes back within 30 days of the office's claim, given the kind of reply."""
    concrete = burden.again * np.exp(0.35 * burden.difficulty - 0.06) / (1.0 + (VAGUE_RISE - 1.0) * chance_vague)
    return np.minimum(concrete * np.where(vague, VAGUE_RISE, 1.0), 0.9)


def unsolved_after(burden: Burden, vague: Numbers) -> Numbers:
    """Probability that the call-back finds the matter unsolved, given the kind of reply."""
    return logistic(-2.4 + 0.45 * burden.difficulty + np.where(vague, 1.1, 0.0))


def chances(burden: Burden) -> Chances:
    """The oracle at registration: every later chance summed out."""
    first = logistic(logit(burden.returned) + 0.45 * burden.temper + 0.4 * burden.difficulty)
    further = logistic(-0.5 + 0.5 * burden.temper + 0.3 * burden.difficulty)
    # Spreading over tempers lifts the mean of a small share; the shift takes that back.
    vague = logistic(log(VAGUE / (1 - VAGUE)) - 0.25 + 0.7 * burden.temper)
    breach = (1.0 - first) * breach_after(burden, 0)
    bounced: Numbers = 0.0
    reached = first
    for returns in range(1, MOST_RETURNS + 1):
        ends = reached * (1.0 - further if returns < MOST_RETURNS else 1.0)
        breach = breach + ends * breach_after(burden, returns)
        bounced = bounced + ends * _two_refused(returns)
        reached = reached * further
    back = vague * come_back(burden, vague, True) + (1.0 - vague) * come_back(burden, vague, False)
    unsolved = vague * unsolved_after(burden, True) + (1.0 - vague) * unsolved_after(burden, False)
    comes = FAKE + (1.0 - FAKE) * back
    return Chances(
        breach=breach,
        bounced=bounced,
        reopened=REOPENED_SHARE * comes,
        repeated=1.0 - (1.0 - DOUBLED) * (1.0 - (1.0 - REOPENED_SHARE) * comes),
        unsatisfied=(1.0 - FAKE) * unsolved,
        vague=vague,
        first_return=first,
        next_return=further,
    )


def _two_refused(returns: int) -> float:
    """Probability that at least two of so many returns are not upheld."""
    return float(1.0 - UPHELD**returns - returns * (1.0 - UPHELD) * UPHELD ** (returns - 1))
