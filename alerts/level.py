"""Which level an assessment speaks for: two cut-offs a level, hard rules, and the nearest cut-off.

Everything is compared on one scale, the *score*: probability x consequence in 1/10,000. A recurrence interval (surges,
readings) is compared with its own cut-offs in days and placed on that scale between them; a hard rule counts as the
raise cut-off of the level that it demands, so that duty is ranked like risk.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.assessment import Action, Assessment, Level

WHOLE = 10_000
"""Probability, consequence and share of 1."""
DAY_US = 86_400_000_000


def utc_day(us: int) -> int:
    """Day number of a time where no zone is set."""
    return us // DAY_US


@dataclass(frozen=True, slots=True)
class LevelRule:
    """One level: cut-offs on the score (1/10,000) and on recurrence (days), how long values must stay, its budget.

    `dwell_up_us` / `dwell_down_us`: how long the value must be past the cut-off; `hold_us`: least stay after a raise;
    `daily_budget`: first raises per office and local day.
    """

    raise_at: int
    clear_at: int
    raise_recurrence_days: float
    clear_recurrence_days: float
    dwell_up_us: int = 0
    dwell_down_us: int = 0
    hold_us: int = 0
    daily_budget: float = 10.0


_HOUR = 3_600_000_000
DEFAULT_LEVELS = (
    LevelRule(3_000, 2_400, 30, 15, 0, 24 * _HOUR, 24 * _HOUR, 20),
    LevelRule(4_500, 3_800, 90, 45, 0, 24 * _HOUR, 24 * _HOUR, 10),
    LevelRule(6_000, 5_200, 365, 180, 0, 24 * _HOUR, 48 * _HOUR, 4),
    LevelRule(8_000, 7_000, 1_825, 900, 0, 24 * _HOUR, 72 * _HOUR, 2),
)
"""Blue to red as config.grading ships them."""


class Standing(NamedTuple):
    """What all assessments of one subject say together.

    up : level whose raise cut-off is reached by score. keep : the same of clear cut-offs, hard rules included.
    hard : level demanded by rules; free : the same of rules that go past every budget. score : of the governing
    assessment, whose index is `governing`. dispatch : a rule of class dispatch speaks.
    """

    up: int
    keep: int
    hard: int
    free: int
    score: int
    governing: int
    dispatch: bool


class Bands(NamedTuple):
    """Where the risks of n subjects put them: score, level whose raise cut-off, and whose clear cut-off is reached."""

    score: NDArray[np.int64]
    up: NDArray[np.int64]
    keep: NDArray[np.int64]


class CutOff(NamedTuple):
    """One cut-off on the score: passing `value` raises to, or falls from, `level`."""

    level: int
    direction: str
    value: int


@dataclass(frozen=True)
class LevelRules:
    """The four levels (blue first), consequence per target and per category, budgets and the local calendar day.

    Parameters
    ----------
    levels : cut-offs must rise with the level, on both scales; clear never above raise.
    consequence : per target in 1/10,000 (missing: 10,000); `category_consequence` by category code multiplies it.
    day_of : local day number of a time in µs; budgets count by it.
    share : this partition's part of every budget, in 1/10,000.
    office_budget : daily budget by (office code, level) where it differs from the level's own.

    Raises ValueError when cut-offs are out of order. `raises`, `clears`, `raise_days`, `clear_days` are the cut-offs
    picked out; `floors` per target the least probability worth grading; `dwells_up` whether any level waits.
    """

    levels: tuple[LevelRule, LevelRule, LevelRule, LevelRule]
    consequence: tuple[int, ...] = ()
    category_consequence: Mapping[int, int] = field(default_factory=dict)
    day_of: Callable[[int], int] = utc_day
    share: int = WHOLE
    office_budget: Mapping[tuple[int, int], float] = field(default_factory=dict)
    raises: tuple[int, ...] = field(init=False)
    clears: tuple[int, ...] = field(init=False)
    raise_days: tuple[float, ...] = field(init=False)
    clear_days: tuple[float, ...] = field(init=False)
    dwells_up: bool = field(init=False)
    floors: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Pick the cut-offs out once; grading is on the hot path."""
        by_name: dict[str, tuple[float, ...]] = {
            "raises": tuple(rule.raise_at for rule in self.levels),
            "clears": tuple(rule.clear_at for rule in self.levels),
            "raise_days": tuple(rule.raise_recurrence_days for rule in self.levels),
            "clear_days": tuple(rule.clear_recurrence_days for rule in self.levels),
        }
        for name, cuts in by_name.items():
            if list(cuts) != sorted(cuts):
                raise ValueError(f"levels: {name} must rise from blue to red, but are {cuts}")
            object.__setattr__(self, name, cuts)
        for clear, raise_ in (("clears", "raises"), ("clear_days", "raise_days")):
            if any(low > high for low, high in zip(by_name[clear], by_name[raise_], strict=True)):
                raise ValueError(f"levels: {clear} {by_name[clear]} must not lie above {raise_} {by_name[raise_]}")

        object.__setattr__(self, "dwells_up", any(rule.dwell_up_us for rule in self.levels))
        object.__setattr__(self, "floors", self._floors())

    def budget(self, office: int, level: int, share: int | None = None) -> float:
        """First raises a day that this partition may give the office at the level; `share` instead of the usual."""
        whole = self.office_budget.get((office, level), self.levels[level - 1].daily_budget)
        return whole * (self.share if share is None else share) / WHOLE

    def _floors(self) -> tuple[int, ...]:
        """Per target the least probability that can reach blue in any category: below it grading changes nothing."""
        most = max((WHOLE, *self.category_consequence.values()))
        return tuple(
            -(-self.raises[0] * WHOLE * WHOLE // (each * most)) if each and most else WHOLE + 1
            for each in self.consequence
        )

    def bands(self, probability: NDArray[np.int64], category: NDArray[np.int64]) -> Bands:
        """The same as `standing` for n subjects with risks alone (n, targets), all at once."""
        n, targets = probability.shape
        if not targets:
            return Bands(*np.zeros((3, n), np.int64))
        consequence = np.array([*self.consequence, *[WHOLE] * targets][:targets], np.int64)
        score = probability * consequence // WHOLE
        for code, factor in self.category_consequence.items():
            own = category == code
            score[own] = score[own] * factor // WHOLE
        best = score.max(axis=1)
        up, keep = (np.searchsorted(cuts, best, side="right") for cuts in (self.raises, self.clears))
        return Bands(best, up, keep)

    def score(self, assessment: Assessment, category: int) -> int:
        """Score of one assessment in 1/10,000; see the module's first words for recurrence and hard rules."""
        score = 0
        if assessment.probability:
            target = assessment.target
            consequence = self.consequence[target] if 0 <= target < len(self.consequence) else WHOLE
            score = assessment.probability * consequence // WHOLE
            if category in self.category_consequence:
                score = score * self.category_consequence[category] // WHOLE
        if assessment.recurrence:
            score = max(score, self._score_of_days(assessment.recurrence))
        if assessment.hard:
            score = max(score, self.raises[assessment.hard - 1])
        return score

    def _score_of_days(self, days: float) -> int:
        """Between two levels' raise cut-offs the score grows evenly with the days; above red it stays."""
        level = bisect_right(self.raise_days, days)
        if level == len(self.levels):
            return self.raises[-1]
        low_days, low = (self.raise_days[level - 1], self.raises[level - 1]) if level else (0.0, 0)
        part = (days - low_days) / (self.raise_days[level] - low_days)
        # One less than the next cut-off at most: a recurrence that has not reached it must not look as if it had.
        return min(low + int((self.raises[level] - low) * part), max(low, self.raises[level] - 1))

    def standing(self, assessments: Sequence[Assessment], category: int) -> Standing:
        """What the assessments say together."""
        up = keep = hard = free = best_score = 0
        best = -1
        governing = -1
        dispatch = False
        for index, each in enumerate(assessments):
            score = self.score(each, category)
            own_up = own_keep = 0
            if each.probability:
                # A hard rule lifts the score for ranking only; its level counts as hard, not as up.
                plain = score if not each.hard else self.score(_without_rule(each), category)
                own_up, own_keep = bisect_right(self.raises, plain), bisect_right(self.clears, plain)
            if each.recurrence:
                own_up = max(own_up, bisect_right(self.raise_days, each.recurrence))
                own_keep = max(own_keep, bisect_right(self.clear_days, each.recurrence))
            if each.hard:
                own_keep = max(own_keep, each.hard)
                hard = max(hard, each.hard)
                dispatch = dispatch or each.action is Action.DISPATCH
                if each.past_budget:
                    free = max(free, each.hard)
            up, keep = max(up, own_up), max(keep, own_keep)
            rank = max(own_up, each.hard)
            if rank > best or (rank == best and score > best_score):
                best, best_score, governing = rank, score, index
        return Standing(int(up), int(keep), int(hard), int(free), best_score, governing, dispatch)


def _without_rule(assessment: Assessment) -> Assessment:
    return Assessment(assessment.kind, target=assessment.target, probability=assessment.probability)


def nearest_cutoff(level: int, score: int, rules: LevelRules) -> CutOff:
    """The cut-off that the score is nearest to: raising above `level`, or clearing it. Ties go to raising."""
    cutoffs = [CutOff(above, "raise", rules.raises[above - 1]) for above in range(level + 1, Level.RED + 1)]
    if level:
        cutoffs.append(CutOff(level, "clear", rules.clears[level - 1]))
    return min(cutoffs, key=lambda cutoff: abs(cutoff.value - score))
