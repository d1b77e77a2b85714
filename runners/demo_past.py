"""The past of a demonstration: days of matters and the last hours of readings, folded as fast as they can be."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from config.load import canonical, from_canonical
from config.settings import Settings
from connectors.history import Entry
from connectors.mapping import Mapping
from connectors.simulator import City, ReadingBlock
from connectors.simulator.readings import SOURCE as SENSORS
from connectors.simulator.site_files import CODES
from connectors.simulator.telling import SOURCE as SIGNALS
from pipeline.frame import MAX_ENTRIES, READING, frame_of_readings
from pipeline.ids import code64
from pipeline.reading_rules import ReadingRules
from pipeline.rules import FoldRules
from pipeline.signal import Signal, Step
from pipeline.stages.reading_word import SENSOR, SENSOR_CODE, sensor_key
from runners.embedded import Site
from runners.live_sources import Plan
from runners.reading_limits import reading_rules
from runners.readings_runner import ReadingsRunner
from runners.recorded import RecordedDriver, SignalSource, edge_key

MINUTE_US = 60_000_000
STRIDE_US = 10 * MINUTE_US
"""Matters and readings take turns of so much."""

Tell = Callable[[float], None]
"""Called with the share that is done."""


def fold_past(made: Plan, data: Path, city: City, *, days: int, hours: int, tell: Tell) -> int:
    """Fold `days` of matters and the last `hours` of readings into a new data directory; signals folded."""
    # What is lost by a crash is made again: nothing has to reach the disk before the end.
    site = Site(data, made.rules, durable=False, checkpointing=False, clock="wall")
    try:
        return _fold(made, site, city, days, hours, tell)
    finally:
        site.close()


def _fold(made: Plan, site: Site, city: City, days: int, hours: int, tell: Tell) -> int:
    sensing = Sensing(site, made.settings, city)
    begin, until = city.span(days)
    source = _Past(
        made.mappings[SIGNALS], made.rules, made.settings, edge_key(site.data, fixed=False), city, (begin, until)
    )
    driver = _Driver(site, source, made.settings, made.rules)
    readings_from = until - hours * 60 * MINUTE_US

    def reached(moment: int) -> None:
        if moment > readings_from:
            driver.settle()
            sensing.take(max(moment - STRIDE_US, readings_from), moment)
        tell((moment - begin) / (until - begin))

    source.reached = reached
    summary = driver.run()
    # So that what was accepted is what was applied and refused, as behind a door.
    with site.logs.transaction():
        site.logs.tally({f"accepted@{code64(SIGNALS)}": summary.read, f"accepted@{code64(SENSORS)}": sensing.count})
    site.checkpointing = True
    sensing.runner.close()
    return summary.read


class _Driver(RecordedDriver):
    """A recorded run whose source may ask that everything so far is folded."""

    def settle(self) -> None:
        """Log and fold what was gathered."""
        self._commit()


class _Past(SignalSource):
    """The city's signals as the history of a source; says now and then how far it is."""

    def __init__(
        self,
        mapping: Mapping,
        rules: FoldRules,
        settings: Settings,
        key: bytes,
        city: City,
        span: tuple[int, int],
    ) -> None:
        super().__init__(mapping, (), rules, settings, key)
        self._city, self._span = city, span
        self.reached: Callable[[int], None] = lambda moment: None

    def entries(self, progress: Callable[[int], None] | None) -> Iterator[Entry]:
        """The signals of the span."""
        begin, until = self._span
        while begin < until:
            end = min(begin + STRIDE_US, until)
            for signal in self._city.signals(begin, end):
                yield signal if signal.step is not Step.REGISTERED else _mapped(signal)
            self.reached(end)
            begin = end


class Sensing:
    """Puts blocks of readings into log and fold."""

    def __init__(self, site: Site, settings: Settings, city: City) -> None:
        # As a live site folds them, or it could not go on from here.
        self.runner = ReadingsRunner(site, reading_rules(Settings(), {}), rules_of=_rules_of)
        self.runner.names = {code64(name): name for name in city.sensors.names}
        self._settings = {name: canonical(settings)[name] for name in ("sensors", "duty")}
        self._city, self._site = city, site
        self._codes = np.array([code64(name) for name in city.sensors.names], np.int64)
        self._is_told = False
        self.count = 0

    def take(self, begin: int, until: int) -> None:
        """Everything that arrives in a window."""
        if not self._is_told:
            self.runner.configure(self._settings, begin)
        for block in self._city.readings(begin, until):
            if len(block):
                self._append(block)

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


def _mapped(signal: Signal) -> Signal:
    """The signal with the attributes that the mapping declares."""
    return replace(signal, codes={name: word for name, word in signal.codes.items() if name in CODES})


def _rules_of(settings: dict[str, Any], names: dict[int, str]) -> ReadingRules:
    return reading_rules(from_canonical(settings), names)
