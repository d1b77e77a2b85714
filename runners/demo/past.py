"""The past of a demonstration: days of matters and the last hours of readings, folded as fast as they can be."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from config.load import canonical, from_canonical
from config.settings import Settings
from connectors.edge import Admitted, Edge
from connectors.history import Entry
from connectors.simulator import City, ReadingBlock
from connectors.simulator.readings import SOURCE as SENSORS
from connectors.simulator.telling import SOURCE as SIGNALS
from pipeline.frame import MAX_ENTRIES, READING, frame_of_readings
from pipeline.ids import code64
from pipeline.reading_rules import ReadingRules
from pipeline.signal import Signal, Step
from pipeline.stages.reading_word import SENSOR, SENSOR_CODE, sensor_key
from runners.demo.scribe import Block, Order, blocks
from runners.embedded import Site
from runners.live.sources import Plan
from runners.reading_limits import reading_rules
from runners.readings_runner import ReadingsRunner
from runners.recorded import RecordedDriver, SignalSource, edge_key

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
_ANY = Signal("", "", 0, Step.UPDATED)

Tell = Callable[[float], None]
"""Called with the share that is done."""


def fold_past(made: Plan, data: Path, city: City, *, days: int, hours: int, tell: Tell) -> int:
    """Fold `days` of matters and the last `hours` of readings into a new data directory; signals folded.

    The city is lived meanwhile, so that it goes on from there.
    """
    # What is lost by a crash is made again: nothing has to reach the disk before the end.
    site = Site(data, made.rules, durable=False, checkpointing=False, clock="wall")
    try:
        return _fold(made, site, city, days, hours, tell)
    finally:
        site.close()


def _fold(made: Plan, site: Site, city: City, days: int, hours: int, tell: Tell) -> int:
    begin, until = city.span(days)
    key = edge_key(site.data, fixed=False)
    order = Order(
        config=str(made.path),
        key=key.hex(),
        seed=city.seed,
        grids=len(city.territory.grids),
        start=city.start.isoformat(),
        per_day=city.per_day,
        sensors=len(city.sensors.names),
        begin=begin,
        until=until,
        fine_from=until - hours * HOUR_US,
    )
    told = blocks(order)
    sensing = Sensing(site, made.settings, city, order.fine_from)
    source = _Past(made.mappings[SIGNALS], (), made.rules, made.settings, key)
    driver = _Driver(site, source, made.settings, made.rules)

    def enter() -> Iterator[Entry]:
        for block in told:
            driver.enter(block)
            sensing.until(block.until)
            if (block.until - begin) % DAY_US == 0:
                # Days that are over are lived here too, without being told, so that the city can go on.
                deque(city.signals(block.until, block.until), maxlen=0)
            tell((block.until - begin) / (until - begin))
        yield from ()

    source.enter = enter
    driver.run()
    # So that what was accepted is what was applied and refused, as behind a door.
    with site.logs.transaction():
        site.logs.tally({f"accepted@{code64(SIGNALS)}": driver.position, f"accepted@{code64(SENSORS)}": sensing.count})
    site.checkpointing = True
    sensing.runner.close()
    return driver.position


class _Given:
    """Stands where the edge of a recorded source stands, and hands over what came through another edge."""

    def __init__(self) -> None:
        self.admitted: Admitted | None = None

    def admit(self, signals: Sequence[Signal], positions: Sequence[int] | None = None) -> Admitted:
        """What was given last."""
        assert self.admitted is not None
        return self.admitted


class _Past(SignalSource):
    """A source whose entries go their own way."""

    enter: Callable[[], Iterator[Entry]]

    def entries(self, progress: Callable[[int], None] | None) -> Iterator[Entry]:
        """None: they are entered on the way."""
        return self.enter()


class _Driver(RecordedDriver):
    """A recorded run that is fed with blocks which passed the edge elsewhere; none of them reaches over midnight."""

    lesson_days = 3

    def enter(self, block: Block) -> None:
        """Log and fold a block."""
        rows = block.admitted.rows
        if not len(rows):
            return
        at = int(rows["at"][0])
        if self.site.is_new:
            self.site.configure(self.rules, canonical(self.settings), at)
            self._now = max(self._now, at)
        if not self._midnight:
            self._midnight = self._next_midnight(at)
        if at >= self._midnight:
            self._cross(at)
        given = _Given()
        given.admitted = block.admitted
        self.source.edge = cast(Edge, given)
        self._batch = [_ANY] * len(rows)
        self.position += len(rows)
        self._commit()


class Sensing:
    """Puts blocks of readings into log and fold."""

    def __init__(self, site: Site, settings: Settings, city: City, begin: int) -> None:
        # As a live site folds them, or it could not go on from here.
        self.runner = ReadingsRunner(site, reading_rules(Settings(), {}), rules_of=_rules_of)
        self.runner.names = {code64(name): name for name in city.sensors.names}
        self._settings = {name: canonical(settings)[name] for name in ("sensors", "duty")}
        self._city, self._site = city, site
        self._codes = np.array([code64(name) for name in city.sensors.names], np.int64)
        self._reached = begin
        self._is_told = False
        self.count = 0

    def until(self, moment: int) -> None:
        """Everything that arrives before a moment."""
        if moment <= self._reached:
            return
        if not self._is_told:
            self.runner.configure(self._settings, self._reached)
        for block in self._city.readings(self._reached, moment):
            if len(block):
                self._append(block)
        self._reached = moment

    def _append(self, block: ReadingBlock) -> None:
        self.count += len(block)
        rows = np.zeros(len(block), READING)
        rows["sensor"], rows["at"], rows["value"] = self._codes[block.sensor], block.at, block.value
        frames = []
        for first in range(0, len(rows), MAX_ENTRIES):
            part = rows[first : first + MAX_ENTRIES]
            frame = frame_of_readings(part, int(block.sent[min(first + MAX_ENTRIES, len(rows)) - 1]))
            frame.others = [{"source": SENSORS}]
            frames.append(frame)
        self.runner.append(frames, self._tell_names)

    def _tell_names(self) -> None:
        """Sensors and their places by name, once."""
        if self._is_told:
            return
        self._is_told = True
        sensors, logs = self._city.sensors, self._site.logs
        named = {code64(name): (SENSOR, name) for name in sensors.names}
        named |= {code64(place): ("place", place) for place in sensors.places}
        named[SENSOR_CODE] = ("category", SENSOR)
        logs.name(named)
        logs.direct((sensor_key(code64(name)), self.runner.number, f"{SENSORS}/{name}") for name in sensors.names)
        places = zip(sensors.names, sensors.places, strict=True)
        self.runner.places = {code64(name): code64(place) for name, place in places}


def _rules_of(settings: dict[str, Any], names: dict[int, str]) -> ReadingRules:
    return reading_rules(from_canonical(settings), names)
