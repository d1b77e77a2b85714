"""Parts of a source cut up by the partition that each of their entries belongs to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.reading_word import sensor_key
from runners.cluster.logs import ClusterLogs
from runners.live.sources import Part
from runners.routing import REMEMBERED, Routing, ragged, split


class Aim:
    """Asks the routing, and keeps the directory of a site of one partition, which needs none. For one thread.

    Everything raises StoreUnavailable.
    """

    def __init__(self, routing: Routing, logs: ClusterLogs) -> None:
        self.routing = routing
        self._logs = logs
        self._known: dict[bytes, None] = {}
        self._sensors: dict[int, str] = {}
        self._places: dict[int, int] = {}

    def settled(self) -> None:
        """What was told of new sensors has been kept; until then a turn that failed is followed by another."""
        self._sensors, self._places = {}, {}

    def signals(self, part: Part) -> Iterator[tuple[int, Part]]:
        """The signals of a part by partition, each with what belongs to it; names and refusals stay behind."""
        keys, source = part.rows["matter"].tolist(), part.source.name
        if self.routing.count == 1:
            self._direct(keys, [f"{source}/{matter}" for matter in part.matters])
        self.routing.learn(part.names)
        where = self.routing.signals(source, keys, part.rows["place"].tolist(), part.matters)
        yield from _cut(part, where)

    def readings(self, part: Part) -> Iterator[tuple[int, Part]]:
        """The readings of a part by partition."""
        source = part.source.name
        if self.routing.count == 1:
            self._direct([sensor_key(code) for code in part.sensors], [f"{source}/{n}" for n in part.sensors.values()])
        self.routing.learn(part.names)
        self._sensors.update(part.sensors)
        self._places.update(part.places)
        where = self.routing.readings(source, part.readings["sensor"], self._sensors, self._places)
        yield from _cut(part, where)

    def _direct(self, keys: list[bytes], names: list[str]) -> None:
        fresh = {key: name for key, name in zip(keys, names, strict=True) if key not in self._known}
        if not fresh:
            return
        self._logs.direct((key, 0, name) for key, name in fresh.items())
        self._known |= dict.fromkeys(fresh)
        if len(self._known) > REMEMBERED:
            self._known = dict(islice(self._known.items(), REMEMBERED // 2, None))


def joined(parts: Sequence[Part]) -> Part:
    """The signals or readings of several parts of one source as one part; refusals stay behind."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.concatenate([np.diff(part.gram_ends, prepend=0) for part in parts])
    return replace(
        parts[0],
        rows=np.concatenate([part.rows for part in parts]),
        grams=np.concatenate([part.grams for part in parts]),
        gram_ends=np.cumsum(sizes),
        texts=[text for part in parts for text in part.texts],
        matters=[matter for part in parts for matter in part.matters],
        names={code: name for part in parts for code, name in part.names.items()},
        readings=np.concatenate([part.readings for part in parts]),
        sensors={code: name for part in parts for code, name in part.sensors.items()},
        places={code: place for part in parts for code, place in part.places.items()},
    )


def _cut(part: Part, where: NDArray[np.int64]) -> Iterator[tuple[int, Part]]:
    if len(where) and (where == where[0]).all():
        yield int(where[0]), part
        return
    for number, index in split(where):
        yield number, _chosen(part, index)


def _chosen(part: Part, index: NDArray[np.int64]) -> Part:
    if len(part.readings):
        return replace(part, readings=part.readings[index])
    grams, ends = ragged(part.grams, part.gram_ends, index)
    return replace(
        part,
        rows=part.rows[index],
        grams=grams,
        gram_ends=ends,
        texts=[part.texts[place] for place in index.tolist()],
        matters=[part.matters[place] for place in index.tolist()],
    )
