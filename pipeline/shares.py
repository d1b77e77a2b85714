"""How the daily budget of an office is shared out among the partitions in which its matters lie.

Each partition keeps its own part of every budget. The site hears what each office asked for in each partition, and once
a day, at local midnight, deals the budgets out anew by the last 28 days, as if every office had asked for one more in
equal parts everywhere: so an office of which nothing is known has 1/n of its budget in each of n partitions, one that
lies in a single partition soon has nearly all of it there, and no partition is ever left with nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE = 10_000
"""Shares are kept in 1/10,000."""
DAYS = 28
Table = dict[int, tuple[int, ...]]
"""Office -> its part in each partition."""


def parts_of(asked: Sequence[int]) -> tuple[int, ...]:
    """Parts of a whole in proportion to what was asked, with one more in equal parts; largest remainders first."""
    count = len(asked)
    weights = [count * one + 1 for one in asked]
    total = sum(weights)
    parts = [WHOLE * weight // total for weight in weights]
    left = sorted(range(count), key=lambda number: (-(WHOLE * weights[number] % total), number))
    for number in left[: WHOLE - sum(parts)]:
        parts[number] += 1
    return tuple(parts)


class Shares:
    """What was asked by day, office and partition, and what was dealt out last."""

    def __init__(self) -> None:
        self.version = 0
        self._asked: dict[tuple[int, int, int], int] = {}
        self._dealt: Table = {}

    def take(self, partition: int, asked: Iterable[Sequence[int]]) -> None:
        """Count what a partition asked for: (local day, office, times)."""
        for day, office, times in asked:
            key = (day, office, partition)
            self._asked[key] = self._asked.get(key, 0) + times

    def deal(self, today: int, count: int) -> Table | None:
        """The shares of all offices that asked within 28 days before a local day; None when they are as before."""
        self._asked = {key: times for key, times in self._asked.items() if key[0] >= today - DAYS}
        totals: dict[int, list[int]] = {}
        for (day, office, partition), times in self._asked.items():
            if day < today and partition < count:
                totals.setdefault(office, [0] * count)[partition] += times
        table = {office: parts_of(totals[office]) for office in sorted(totals)}
        if table == self._dealt:
            return None
        self._dealt = table
        self.version += 1
        return table

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Head and arrays."""
        rows = [[*key, times] for key, times in sorted(self._asked.items())]
        head = {"version": self.version, "dealt": [[office, list(parts)] for office, parts in self._dealt.items()]}
        return head, {"asked": np.array(rows, np.int64).reshape(-1, 4)}

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_state` returned."""
        self.version = head["version"]
        self._dealt = {office: tuple(parts) for office, parts in head["dealt"]}
        self._asked = {(day, office, number): times for day, office, number, times in arrays["asked"].tolist()}
