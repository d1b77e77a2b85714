"""Which partition does a signal or a reading belong to? By its matter's seat, which its first record fixed for good.

    unit (a county, or what `partitions` names)  ->  partition     dealt out once, the least loaded first
    first record of a matter or sensor           ->  the partition of the unit above its place, else of the place that
                                                     its source stands for, else 0
    every later record                           ->  where the first one went, whatever place it names

What is fixed stands in the register; a cache before it spares the question for what was asked of late.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.settings import Settings
from pipeline.code_index import EMPTY, CodeIndex
from pipeline.ids import code64
from pipeline.stages.reading_word import sensor_key
from runners.register import Seating

REMEMBERED = 200_000
"""Matters whose partition is answered from memory: those asked for last, and as many before them."""
Places = NDArray[np.int64]


def dealt(units: Sequence[int], count: int, seats: Mapping[int, int]) -> dict[int, int]:
    """Partition of every unit that has none yet: in order, each to the partition that has the fewest by then."""
    load = Counter(seats.values())
    found: dict[int, int] = {}
    for unit in units:
        if unit not in seats and unit not in found:
            found[unit] = min(range(count), key=lambda number: (load[number], number))
            load[found[unit]] += 1
    return found


def units_of(settings: Settings) -> list[int]:
    """Codes of the places whose subtrees stay together: those named, else all counties."""
    names = settings.partitions or [place.id for place in settings.places if place.level == "county"]
    return [code64(name) for name in names]


def split(where: Places) -> Iterator[tuple[int, Places]]:
    """(partition, positions) of what goes to each partition, in the order of arrival."""
    for number in np.unique(where).tolist():
        yield int(number), np.flatnonzero(where == number)


def ragged(values: NDArray[Any], ends: Places, index: Places) -> tuple[NDArray[Any], Places]:
    """The values of some rows of a ragged array, and where each of them ends."""
    sizes = np.diff(ends, prepend=0)
    taken = np.zeros(len(ends), np.bool_)
    taken[index] = True
    return values[np.repeat(taken, sizes)], np.cumsum(sizes[index])


class Routing:
    """The partition of everything that arrives. For one thread.

    Raises whatever the register raises. When what it wrote is taken back (a transaction that failed), call `forget`.
    """

    def __init__(self, settings: Settings, register: Seating, count: int | None = None) -> None:
        self.count = settings.partition_count if count is None else count
        self._register = register
        self._points: dict[int, int] = {}
        """The place of the tree that a point belongs to, by codes."""
        self.forget()
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Another configuration: new units are dealt out, the others stay where they are."""
        self._parents = {code64(place.id): code64(place.parent) for place in settings.places}
        self._defaults = {
            source.name: code64(source.default_place) for source in settings.sources if source.default_place
        }
        if self.count > 1:
            seats = self._register.seats()
            fresh = dealt(units_of(settings), self.count, seats)
            self._seats = self._register.seat_places(fresh) if fresh else seats
        self._at_place: dict[int, int | None] = {}

    def forget(self) -> None:
        """Ask the register again from here on."""
        self._lately: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}
        self._sensors = CodeIndex()
        self._codes: Places = np.zeros(1024, np.int64)
        self._seat_of: NDArray[np.int16] = np.zeros(1024, np.int16)

    def learn(self, names: Mapping[int, tuple[str, str]]) -> None:
        """Hear the names that an edge tells for the first time: `grid/door` is a point of the place `grid`."""
        for code, (kind, name) in names.items():
            if kind == "place" and "/" in name and code not in self._parents:
                self._points[code] = code64(name.partition("/")[0])
                self._at_place.pop(code, None)

    def place(self, place: int) -> int | None:
        """Partition of a place: that of the nearest unit up the tree; None under no unit."""
        if place not in self._at_place:
            self._at_place[place] = self._climb(place)
        return self._at_place[place]

    def signals(self, source: str, keys: Sequence[bytes], places: Sequence[int], matters: Sequence[str]) -> Places:
        """Partition of each signal of one source; matters that nobody has seen get theirs.

        `places`: codes, 0 for none; what is no place of the tree must have been told to `learn` by name. `matters`:
        readable numbers, for the directory.
        """
        if self.count == 1:
            return np.zeros(len(keys), np.int64)
        strange = {key: row for row, key in reversed(list(enumerate(keys))) if self._known(key) is None}
        if strange:
            fixed = list(strange)
            rows = [strange[key] for key in fixed]
            wanted = [self._wish(source, places[row]) for row in rows]
            self._seat(fixed, wanted, [f"{source}/{matters[row]}" for row in rows])
        return np.array([self._known(key) for key in keys], np.int64)

    def readings(
        self, source: str, sensors: Places, names: Mapping[int, str], places: Mapping[int, int]
    ) -> NDArray[np.int64]:
        """Partition of each reading of one source by its sensor's code; new sensors get theirs.

        `names`, `places`: of sensors that were never heard of before, by code.
        """
        if self.count == 1:
            return np.zeros(len(sensors), np.int64)
        slots = self._sensors.find(sensors, self._codes)
        if (slots == EMPTY).any():
            strange = list(dict.fromkeys(sensors[slots == EMPTY].tolist()))
            wanted = [self._wish(source, places.get(code, 0)) for code in strange]
            told = [f"{source}/{names.get(code, code)}" for code in strange]
            self._add(strange, self._fixed([sensor_key(code) for code in strange], wanted, told))
            slots = self._sensors.find(sensors, self._codes)
        return self._seat_of[slots].astype(np.int64)

    def _climb(self, place: int) -> int | None:
        seen: set[int] = set()
        while place and place not in seen:
            if place in self._seats:
                return self._seats[place]
            seen.add(place)
            place = self._parents.get(place) or self._points.get(place, 0)
        return None

    def _wish(self, source: str, place: int) -> int:
        found = self.place(place) if place else None
        if found is None and source in self._defaults:
            found = self.place(self._defaults[source])
        return found or 0

    def _known(self, key: bytes) -> int | None:
        found = self._lately.get(key)
        if found is None:
            found = self._before.get(key)
            if found is not None:
                self._remember(key, found)
        return found

    def _remember(self, key: bytes, partition: int) -> None:
        if len(self._lately) >= REMEMBERED:
            self._before, self._lately = self._lately, {}
        self._lately[key] = partition

    def _seat(self, keys: Sequence[bytes], wanted: Sequence[int], names: Sequence[str]) -> None:
        for key, partition in zip(keys, self._fixed(keys, wanted, names), strict=True):
            self._remember(key, partition)

    def _fixed(self, keys: Sequence[bytes], wanted: Sequence[int], names: Sequence[str]) -> list[int]:
        """Where each of these belongs: as it was fixed, else as wanted, which is fixed then."""
        found = self._register.seats_of(keys)
        fresh = [place for place, seat in enumerate(found) if seat is None]
        if fresh:
            stand = self._register.seat_matters(
                [keys[place] for place in fresh], [wanted[place] for place in fresh], [names[place] for place in fresh]
            )
            for place, seat in zip(fresh, stand, strict=True):
                found[place] = seat
        return [seat or 0 for seat in found]

    def _add(self, codes: Sequence[int], seats: Sequence[int]) -> None:
        size = self._sensors.size + len(codes)
        if size > len(self._codes):
            room = max(size, 2 * len(self._codes))
            self._codes = np.concatenate([self._codes, np.zeros(room - len(self._codes), np.int64)])
            self._seat_of = np.concatenate([self._seat_of, np.zeros(room - len(self._seat_of), np.int16)])
        fresh = np.array(codes, np.int64)
        slots = self._sensors.insert(fresh, self._codes)
        self._codes[slots], self._seat_of[slots] = fresh, seats
