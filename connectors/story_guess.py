"""Whether a file holds one row per step: which column is the matter, which the step, told by how they move together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan

from connectors.column_profile import Profile
from connectors.role_words import ID_NAMES, MATTER_NAMES, STEP_NAMES
from connectors.step_words import step_word
from connectors.time_guess import TimeFound


@dataclass(frozen=True)
class Story:
    """A reading of the file as one row per step: which column is the matter, which the step, and how well it fits."""

    score: float
    matter: Profile
    step: Profile
    groups: list[list[int]]


def stories(rest: Sequence[Profile], times: Sequence[TimeFound]) -> list[Story]:
    """All readings of the file as one row per step that are worth a thought, the best first."""
    found = []
    for matter in rest:
        if not 0.02 <= matter.unique <= 0.8 or matter.fill < 0.98 or matter.distinct < 5 or matter.length > 64:
            continue
        if matter.numeric - matter.integral > 0.3:
            continue
        groups = _groups(matter)
        moving = [time for time in times if moves(time.moments, groups)]
        if not moving:
            continue
        # Exports come newest first, or in no order at all: a matter is walked through in the order of its time.
        clock = max(moving, key=lambda time: time.column.fill).moments
        groups = [sorted(group, key=lambda row: clock[row] or 0) for group in groups]
        fixed = sum(_varies(column, groups) < 0.05 for column in rest if column is not matter and column.distinct > 1)
        kept = fixed + sum(is_fixed(time.moments, groups) for time in times)
        # In one row per step only the time of the step moves, and a matter is short beside the file; a place is not.
        against = 1.5 * (len(moving) - 1) + 2 * _span(clock, groups)
        for step in rest:
            score = _step_score(step, groups) if step is not matter else 0.0
            if score > 1.0:
                named = matter.is_named(ID_NAMES) + matter.is_named(MATTER_NAMES)
                total = score + min(kept, 4) * 0.3 + named * 0.3 + matter.unique - against
                found.append(Story(total, matter, step, groups))
    return sorted((story for story in found if story.score > 1.5), key=lambda story: -story.score)


def _step_score(column: Profile, groups: Sequence[Sequence[int]]) -> float:
    """High for few values that change inside a matter and begin alike: a step does that, an office does not."""
    if not 2 <= column.distinct <= 40 or column.fill < 0.9 or column.length > 24:
        return 0.0
    varies = _varies(column, groups)
    # At a place things come and go in no order; in a matter the first and the last row are of their own kind.
    alike, lift = _alike(column, [group[0] for group in groups])
    last, last_lift = _alike(column, [group[-1] for group in groups])
    if varies < 0.3 or max(lift, last_lift) < 0.3:
        return 0.0
    words = set(column.filled)
    known = sum(step_word(word) is not None for word in words) / len(words)
    return varies + alike + 0.5 * last + 1.5 * known + 0.5 * column.is_named(STEP_NAMES) - 0.8 * column.integral


def _alike(column: Profile, rows: Sequence[int]) -> tuple[float, float]:
    """Share of the commonest value among `rows`, and how far it lies above that value's share in the whole column."""
    (value, number), *_ = Counter(column.cells[row] for row in rows).most_common(1)
    share = number / len(rows)
    return share, share - column.cells.count(value) / len(column.cells)


def _groups(matter: Profile) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, cell in enumerate(matter.cells):
        if cell:
            groups[cell].append(number)
    return [group for group in groups.values() if len(group) > 1]


def _pairs(groups: Sequence[Sequence[int]], test: Callable[[int, int], bool]) -> float:
    pairs = [(a, b) for group in groups for a, b in pairwise(group)]
    return sum(test(a, b) for a, b in pairs) / len(pairs) if pairs else 0.0


def _varies(column: Profile, groups: Sequence[Sequence[int]]) -> float:
    return _pairs(groups, lambda a, b: column.cells[a] != column.cells[b])


def _span(moments: Sequence[int | None], groups: Sequence[Sequence[int]]) -> float:
    """Median span of a group beside the span of the file."""
    known = [moment for moment in moments if moment is not None]
    spans = sorted((moments[group[-1]] or 0) - (moments[group[0]] or 0) for group in groups)
    return spans[len(spans) // 2] / max(1, max(known) - min(known))


def moves(moments: Sequence[int | None], groups: Sequence[Sequence[int]]) -> bool:
    """Whether a time changes inside the groups."""
    return _pairs(groups, lambda a, b: moments[a] != moments[b]) > 0.3


def is_fixed(moments: Sequence[int | None], groups: Sequence[Sequence[int]]) -> bool:
    """Whether a time is the same on all rows of a group."""
    return _pairs(groups, lambda a, b: moments[a] != moments[b]) < 0.02


def rises(moments: Sequence[int | None], groups: Sequence[Sequence[int]]) -> float:
    """Share of steps inside the groups that do not go back in time."""
    return round(_pairs(groups, lambda a, b: (moments[a] or 0) <= (moments[b] or 0)), 2)


def counts_up(column: Profile, groups: Sequence[Sequence[int]]) -> bool:
    """Whether a column numbers the rows inside each group."""
    if column.unique > 0.8 or column.integral < 1.0:
        return False
    numbers = [float(cell) if cell else nan for cell in column.cells]
    return _pairs(groups, lambda a, b: numbers[b] > numbers[a]) > 0.97
