"""Counts that a source gives as sums of whole periods (days, weeks, months): each is judged first, then learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.counts import CountModel, CountSeries, recurrence
from models.tail import upper_tail
from pipeline.calendar import DAY_US
from pipeline.ids import key128

FIRST_GUESS = 0.3
"""Added to a series' first count, so that a series that begins with nought has a level."""


class Periods:
    """Every series of period sums by (place, category, length of the period)."""

    def __init__(self) -> None:
        self.model: CountModel = CountSeries()
        self.slot_of: dict[tuple[int, int, int], int] = {}
        self.last: list[int] = []
        self.seen: list[int] = []

    def take(self, at: int, period: int, cells: Sequence[Sequence[int]]) -> tuple[list[dict[str, Any]], int]:
        """What each cell of a period says, in order of the cells, and how many came again or late.

        A verdict: place, category, key, count, expected, recurrence (days), score (-log10 of the tail, ties halved),
        periods (how many were seen before).
        """
        fresh = []
        for place, category, count in cells:
            name = (place, category, period)
            slot = self.slot_of.get(name)
            if slot is None:
                slot = self.slot_of[name] = len(self.last)
                self.last.append(at - period)
                self.seen.append(0)
                self.model.add(np.array([slot]), np.array([count + FIRST_GUESS]))
            if at > self.last[slot]:
                self.last[slot] = at
                fresh.append((slot, place, category, count))
        if not fresh:
            return [], len(cells)
        slots = np.array([slot for slot, _, _, _ in fresh])
        counts = np.array([count for _, _, _, count in fresh], np.float64)
        length = np.full(len(fresh), period / DAY_US)
        middle = np.full(len(fresh), (at + period / 2) / DAY_US)
        expected = self.model.expect(slots, middle, length)
        days = recurrence(counts, expected, length)
        halved = np.maximum(upper_tail(counts, expected.mean, expected.size, middle=True), 1e-300)
        self.model.learn(slots, middle, length, counts)
        said = [
            {
                "key": key128("surge", str(place), str(category)),
                "place": place,
                "category": category,
                "count": count,
                "expected": float(f"{mean:.5g}"),
                "recurrence": float(f"{gap:.4g}"),
                "score": float(f"{score:.5g}"),
                "periods": self.seen[slot],
            }
            for (slot, place, category, count), mean, gap, score in zip(
                fresh, expected.mean.tolist(), days.tolist(), (-np.log10(halved)).tolist(), strict=True
            )
        ]
        for slot, _, _, _ in fresh:
            self.seen[slot] += 1
        return said, len(cells) - len(fresh)

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Every column."""
        arrays: dict[str, NDArray[Any]] = {
            "names": np.array(list(self.slot_of), np.int64).reshape(-1, 3),
            "last": np.array(self.last, np.int64),
            "seen": np.array(self.seen, np.int64),
        }
        return arrays | {f"model.{name}": column for name, column in self.model.to_state().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `to_state` returned."""
        names = arrays["names"].tolist()
        self.slot_of = {(place, category, period): slot for slot, (place, category, period) in enumerate(names)}
        self.last, self.seen = arrays["last"].tolist(), arrays["seen"].tolist()
        self.model.restore({n.split(".", 1)[1]: a for n, a in arrays.items() if n.startswith("model.")})
