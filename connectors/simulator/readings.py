"""A few dozen simulated sensors: gas, fire-water pressure, river stage, water on the road; with faults and hazards.

Each sensor is drawn for the whole span at once from a stream of its own, so one more sensor changes none of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.territory import Territory
from connectors.simulator.truth import rfc3339
from connectors.simulator.working_time import DAY, ZONE
from pipeline.signal import Reading

STEP_S = 900
"""Seconds between two readings; a demonstration's pace, coarser than the devices' own."""
SOURCE = "simulator_sensors"
FAULTS = ("stuck", "spike", "missing", "drift")


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of sensor: usual level, daily swing, noise, and the alarm limit of the device (typical figures)."""

    key: str
    zh: str
    unit: str
    level: float
    swing: float
    noise: float
    memory: float
    alarm: float
    rises: bool = True


DEVICES = (
    Device("S01", "地下管网可燃气体", "%LEL", 2.0, 0.5, 0.6, 0.7, 50.0),
    Device("S05", "消防管网水压", "MPa", 0.42, 0.03, 0.012, 0.8, 0.07, rises=False),
    Device("S06", "河道水位", "m", 3.0, 0.05, 0.02, 0.97, 4.5),
    Device("S07", "路面积水", "cm", 0.6, 0.0, 0.35, 0.3, 27.0),
)


class SensorReadings:
    """Readings and planted episodes of `sensors` devices over `days` days from `start`; `episodes` is the truth."""

    def __init__(self, territory: Territory, *, seed: int, start: date, days: int, sensors: int = 32) -> None:
        count = days * DAY // STEP_S
        begin = (start.toordinal() - date(1970, 1, 1).toordinal()) * DAY - ZONE
        self._at = begin + STEP_S * np.arange(count, dtype=np.int64)
        self.episodes: list[dict[str, Any]] = []
        self._names: list[str] = []
        self._places: list[str] = []
        columns = []
        for number in range(sensors):
            device = DEVICES[number % len(DEVICES)]
            grid = territory.grids[number * 5 % len(territory.grids)].key
            self._names.append(f"{device.key}-{grid}-{number:03d}")
            self._places.append(grid)
            columns.append(
                self._sensor(device, self._names[-1], np.random.Generator(np.random.PCG64([seed, 100, number])))
            )
        self._values = np.array(columns).reshape(sensors, count)

    def __iter__(self) -> Iterator[Reading]:
        """Readings in order of time, then of sensors; a reading that was lost is left out."""
        for moment, values in zip(self._at.tolist(), self._values.T, strict=True):
            for name, place, value in zip(self._names, self._places, values.tolist(), strict=True):
                if value == value:
                    yield Reading(name, moment * 1_000_000, value, SOURCE, place)

    def _sensor(self, device: Device, name: str, chance: np.random.Generator) -> NDArray[np.float64]:
        count = len(self._at)
        hours = (self._at + ZONE) % DAY / 3600
        noise = chance.normal(0.0, device.noise, count)
        wander = np.empty(count)
        last = 0.0
        scale = float(np.sqrt(1 - device.memory**2))
        for index, shock in enumerate(noise.tolist()):
            last = device.memory * last + scale * shock
            wander[index] = last
        values = device.level * chance.uniform(0.9, 1.1) + device.swing * np.cos((hours - 16) * np.pi / 12) + wander
        for kind in FAULTS:
            for _ in range(int(chance.poisson(0.5 * count * STEP_S / DAY / 60))):
                self._fault(kind, device, name, values, chance)
        if chance.random() < 0.4 * min(count * STEP_S / DAY / 60, 1.0):
            self._hazard(device, name, values, chance)
        return np.round(values if device.key == "S01" else np.maximum(values, 0.0), 3)

    def _fault(
        self, kind: str, device: Device, name: str, values: NDArray[np.float64], chance: np.random.Generator
    ) -> None:
        begin = int(chance.integers(0, len(values)))
        length = (
            1 if kind == "spike" else int(chance.choice([8, 24, 96]) if kind == "missing" else chance.integers(24, 192))
        )
        part = slice(begin, min(begin + length, len(values)))
        if kind == "stuck":
            values[part] = values[begin]
        elif kind == "missing":
            values[part] = np.nan
        elif kind == "spike":
            values[part] += chance.choice([-1, 1]) * chance.uniform(8, 20) * device.noise
        else:
            values[part] += np.linspace(0.0, chance.uniform(4, 8) * device.noise, part.stop - part.start)
        self._tell(name, kind, part)

    def _hazard(self, device: Device, name: str, values: NDArray[np.float64], chance: np.random.Generator) -> None:
        """A true danger: the value moves beyond the alarm limit within an hour or two, stays, and goes back."""
        begin = int(chance.integers(0, max(len(values) - 40, 1)))
        part = slice(begin, min(begin + int(chance.integers(12, 40)), len(values)))
        beyond = device.alarm * (chance.uniform(1.05, 1.4) if device.rises else chance.uniform(0.3, 0.9))
        shape = np.sin(np.linspace(0.0, np.pi, part.stop - part.start)) ** 0.4
        values[part] += (beyond - values[part]) * shape
        self._tell(name, "hazard", part)

    def _tell(self, sensor: str, kind: str, part: slice) -> None:
        begin, end = (rfc3339(int(self._at[index])) for index in (part.start, part.stop - 1))
        self.episodes.append(
            {"synthetic": True, "kind": "sensor", "sensor": sensor, "what": kind, "begin": begin, "end": end}
        )
