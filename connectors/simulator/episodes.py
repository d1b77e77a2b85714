"""What happens to simulated sensors: true hazards, and the faults and disturbances that look like them.

Everything that begins on a civil day is drawn from the seed and that day alone. Moments are epoch seconds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from connectors.simulator.devices import DEVICES, Device
from connectors.simulator.dice import stream
from connectors.simulator.working_time import DAY, HOUR, midnight

HAZARD_DAYS = 150
"""A sensor has a true hazard once in so many days: far too often for a city, often enough for a demonstration."""
FAULT_DAYS = 60
"""A sensor begins to have a fault or a disturbance once in so many days."""
GATEWAY_DAYS = 40
"""The gateway of a township fails once in so many days."""
LONGEST_DAYS = 7
MINUTE = 60
FAULTS = {
    "offline_1h": (2.0, HOUR, HOUR),
    "offline_6h": (1.5, 6 * HOUR, 6 * HOUR),
    "offline_24h": (0.7, DAY, DAY),
    "stuck": (1.5, 3 * HOUR, 30 * HOUR),
    "drift": (1.0, 12 * HOUR, 72 * HOUR),
    "spike": (3.0, 1, 1),
    "clock_seconds": (0.7, 6 * HOUR, 48 * HOUR),
    "clock_8h": (0.15, 2 * HOUR, 12 * HOUR),
    "repeated": (1.0, HOUR, 12 * HOUR),
    "late": (1.5, HOUR, 6 * HOUR),
    "maintenance": (1.0, HOUR, 4 * HOUR),
    "exchanged": (0.4, 7 * DAY, 7 * DAY),
    "wrong_unit": (0.3, 6 * HOUR, 24 * HOUR),
    "battery": (0.7, 24 * HOUR, 96 * HOUR),
}
"""Kind of fault: how frequent, and from how long to how long (seconds)."""
SLOW_DRIFTS, SILENT = 8, 30
"""Sensors of 2,000 that drift slowly all the time, and that fall silent for good."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that a sensor goes through from `begin` until `end`; `size` is drawn evenly from [0, 1)."""

    sensor: int
    what: str
    begin: int
    end: int
    size: float
    passes_at: int = 0
    """When a hazard passes the limit of the device; 0 for a fault."""


class Episodes:
    """Episodes of `sensors` sensors, whose townships are `townships` (one number each)."""

    def __init__(self, seed: int, sensors: int, townships: list[int], first_day: int) -> None:
        self._seed = seed
        self._sensors = sensors
        self._townships = townships
        self.begun = lru_cache(maxsize=16)(self._begun)
        self.lasting = self._lasting(first_day)

    def between(self, begin: int, end: int, day: int) -> list[Episode]:
        """All that touches a part of a day."""
        found = [one for back in range(LONGEST_DAYS + 1) for one in self.begun(day - back)]
        return [one for one in (*self.lasting, *found) if one.begin < end and one.end > begin]

    def _begun(self, day: int) -> tuple[Episode, ...]:
        if not self._sensors:
            return ()
        chance = stream(self._seed, 30, day)
        found = [
            self._hazard(day, int(chance.integers(0, self._sensors)), chance)
            for _ in range(int(chance.poisson(self._sensors / HAZARD_DAYS)))
        ]
        kinds = list(FAULTS)
        weights = np.array([FAULTS[kind][0] for kind in kinds])
        for _ in range(int(chance.poisson(self._sensors / FAULT_DAYS))):
            kind = kinds[int(chance.choice(len(kinds), p=weights / weights.sum()))]
            _, shortest, longest = FAULTS[kind]
            begin = midnight(day) + int(chance.integers(0, DAY))
            end = begin + int(chance.integers(shortest, longest + 1))
            found.append(Episode(int(chance.integers(0, self._sensors)), kind, begin, end, float(chance.random())))
        for township in range(max(self._townships) + 1):
            if chance.random() < 1.0 / GATEWAY_DAYS:
                begin = midnight(day) + int(chance.integers(0, DAY))
                end = begin + int(chance.choice([HOUR, 3 * HOUR]))
                found += [
                    Episode(sensor, "gateway", begin, end, 0.0)
                    for sensor, own in enumerate(self._townships)
                    if own == township
                ]
        return tuple(found)

    def _hazard(self, day: int, sensor: int, chance: np.random.Generator) -> Episode:
        begin = midnight(day) + int(chance.integers(0, DAY))
        rise = int(chance.integers(5, 40)) * MINUTE
        end = begin + rise + int(chance.integers(30, 120)) * MINUTE
        device = device_of(sensor)
        size = float(chance.random())
        # The value climbs evenly and stays beyond the limit until the end; a status has no climb.
        climb = 0 if device.kind == "S03" else round(rise * share_at_limit(device, size))
        return Episode(sensor, "hazard", begin, end, size, begin + climb)

    def _lasting(self, first_day: int) -> tuple[Episode, ...]:
        chance = stream(self._seed, 31)
        begin, end = midnight(first_day), midnight(first_day) + 4000 * DAY
        found = []
        for what, of_2000 in (("slow_drift", SLOW_DRIFTS), ("silent", SILENT)):
            number = round(of_2000 * self._sensors / 2000)
            for sensor in chance.choice(self._sensors, number, replace=False).tolist() if number else ():
                since = begin + int(chance.integers(0, 30 * DAY)) if what == "silent" else begin
                found.append(Episode(int(sensor), what, since, end, float(chance.random())))
        return tuple(found)


def device_of(sensor: int) -> Device:
    """The kind of a sensor by its number."""
    return DEVICES[sensor % len(DEVICES)]


def peak(device: Device, size: float) -> float:
    """How far a hazard takes the value."""
    if device.kind == "S03":
        return 2.0
    return device.alarm * (1.05 + 0.35 * size if device.rises else 0.9 - 0.5 * size)


def share_at_limit(device: Device, size: float) -> float:
    """Share of the climb from the usual value to the peak at which the limit is passed."""
    return (device.alarm - device.level) / (peak(device, size) - device.level)
