"""The one filter for small counts: what fewer than k matters stand behind is not shown (k = 10 on exports).

Hiding one cell of a column whose sum is printed would give it away by subtraction, so the next smallest goes with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

EXPORT_K = 10
HIDDEN_EN = "fewer than 10, not shown"
HIDDEN_ZH = "少于10件，不显示"

Row = dict[str, Any]


def is_small(count: int | float | None, *, k: int = EXPORT_K) -> bool:
    """True for a count from 1 to k - 1; nought hides nobody."""
    return count is not None and 0 < count < k


def pool(groups: Sequence[tuple[float, float, float]], *, k: int = EXPORT_K) -> list[tuple[float, float, float]]:
    """Merges neighbouring groups (rows, mean probability, share of positives) until each has k of both classes."""
    merged: list[tuple[float, float, float]] = []
    open_group = (0.0, 0.0, 0.0)
    for size, said, came in groups:
        open_group = (open_group[0] + size, open_group[1] + size * said, open_group[2] + size * came)
        if min(open_group[2], open_group[0] - open_group[2]) > k - 0.5:
            merged.append(open_group)
            open_group = (0.0, 0.0, 0.0)
    if merged and open_group[0]:
        last = merged.pop()
        merged.append((last[0] + open_group[0], last[1] + open_group[1], last[2] + open_group[2]))
    return [(size, said / size, came / size) for size, said, came in merged]


def suppress(
    rows: Sequence[Mapping[str, Any]],
    counts: Mapping[str, Sequence[str]],
    *,
    k: int = EXPORT_K,
    total_is_shown: bool = True,
) -> list[Row]:
    """The rows with every small count, and what is derived from it, set to None.

    Parameters
    ----------
    rows
        Table rows; their order is kept.
    counts
        For each column of counts the columns derived from it (shares, medians), which go with it.
    total_is_shown
        Whether a reader can know the column's sum; then a single hidden cell takes the next smallest with it.
    """
    result = [dict(row) for row in rows]
    for column, derived in counts.items():
        hidden = {number for number, row in enumerate(rows) if is_small(row.get(column), k=k)}
        if total_is_shown and len(hidden) == 1:
            others = [number for number, row in enumerate(rows) if number not in hidden and row.get(column)]
            if others:
                hidden.add(min(others, key=lambda number: (rows[number][column], number)))
        for number in hidden:
            for name in (column, *derived):
                result[number][name] = None
    return result
