"""What is to come in the simulated city: steps by the day on which they fall, and reports of matters that return."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from connectors.simulator.batch import Batch, Ints
from connectors.simulator.dice import stream
from connectors.simulator.intake import Returning
from connectors.simulator.working_time import DAY, HOUR, day_of, midnight


class Agenda:
    """Keeps batches until their last step is told."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._steps: dict[int, list[tuple[Batch, Ints]]] = defaultdict(list)
        self._returns: dict[int, list[Returning]] = defaultdict(list)

    def take(self, batch: Batch) -> None:
        """Write down the steps of a batch, and the reports that will follow from it."""
        self.plan(batch, np.arange(len(batch.story.at)))
        born, story = batch.registered, batch.story
        back = np.flatnonzero(story.again_at)
        self._expect(batch, back, story.again_at[back], is_repeat=True)
        doubled = np.repeat(np.arange(len(born)), story.doubled)
        chance = stream(self._seed, 11, born.day)
        later = born.at[doubled] + HOUR // 2 + (chance.random(len(doubled)) * 2 * DAY).astype(np.int64)
        # The reports of a day are drawn when it begins, so a double comes tomorrow at the earliest.
        self._expect(batch, doubled, np.maximum(later, midnight(born.day + 1) + 8 * HOUR), is_repeat=False)

    def plan(self, batch: Batch, chosen: Ints) -> None:
        """Write down some steps of a batch."""
        for day, part in _by_day(batch.story.at[chosen]):
            self._steps[day].append((batch, chosen[part]))

    def steps(self, day: int) -> list[tuple[Batch, Ints]]:
        """The steps of a day, which are then forgotten."""
        return self._steps.pop(day, [])

    def returning(self, day: int) -> Returning:
        """The reports of a day that come from earlier matters, which are then forgotten."""
        parts = self._returns.pop(day, [])
        columns = ("at", "category", "grid", "point", "office", "fact", "parent", "is_repeat")
        empty = np.empty(0, np.int64)
        joined = {name: np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in columns}
        joined["is_repeat"] = joined["is_repeat"].astype(np.bool_)
        return Returning(**joined, surge=[name for part in parts for name in part.surge])

    def _expect(self, batch: Batch, rows: Ints, at: Ints, *, is_repeat: bool) -> None:
        born = batch.registered
        for day, part in _by_day(at):
            chosen = rows[part]
            self._returns[day].append(
                Returning(
                    at=at[part],
                    category=born.category[chosen],
                    grid=born.grid[chosen],
                    point=born.point[chosen],
                    office=born.office[chosen],
                    fact=born.fact[chosen],
                    parent=born.first + chosen,
                    is_repeat=np.full(len(chosen), is_repeat),
                    surge=["" if is_repeat else born.surge[row] for row in chosen.tolist()],
                )
            )


def _by_day(at: Ints) -> Iterable[tuple[int, Ints]]:
    """The positions of the moments of each civil day."""
    days = day_of(at)
    order = np.argsort(days, kind="stable")
    found, starts = np.unique(days[order], return_index=True)
    return zip(found.tolist(), np.split(order, starts[1:]), strict=True) if len(found) else ()
