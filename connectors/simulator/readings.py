"""Readings of the simulated sensors, an hour at a time in columns; any window gives the same values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.devices import DEVICES, Device
from connectors.simulator.dice import stream
from connectors.simulator.episodes import Episode, Episodes, device_of, peak, share_at_limit
from connectors.simulator.territory import Territory
from connectors.simulator.weather import Weather
from connectors.simulator.working_time import DAY, HOUR, ZONE, day_of, rfc3339
from pipeline.signal import Reading

SOURCE = "simulator_sensors"
_S = 1_000_000
_GONE = frozenset({"offline_1h", "offline_6h", "offline_24h", "gateway", "silent"})
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReadingBlock:
    """Readings in the order in which they arrive: number of the sensor, `at` and `sent` in µs UTC, value.

    `at` is what the device says, `sent` when it arrives: later after an outage, and unequal where its clock is wrong.
    """

    sensor: Ints
    at: Ints
    sent: Ints
    value: Floats

    def __len__(self) -> int:
        """Number of readings."""
        return len(self.at)


class Sensors:
    """`count` sensors of the kinds of DEVICES by turns; `names` and `places` by number.

    `coarsest_s`: no sensor reports more often than this, for files that are to stay small.
    """

    def __init__(
        self, territory: Territory, weather: Weather, *, seed: int, count: int, first_day: int, coarsest_s: int = 0
    ) -> None:
        self._seed = seed
        self._weather = weather
        self._first_day = first_day
        self.coarsest_s = coarsest_s
        grids = territory.grids
        spots = [grids[number * 5 % len(grids)] for number in range(count)]
        self.places = [spot.key for spot in spots]
        self.names = [f"{device_of(number).prefix}-{spot.key}-{number:04d}" for number, spot in enumerate(spots)]
        townships = {key: index for index, key in enumerate(dict.fromkeys(spot.parent for spot in spots))}
        self.episodes = Episodes(seed, count, [townships[spot.parent] for spot in spots], first_day)
        self._groups = [
            (device, [n for n in range(count) if n % len(DEVICES) == row]) for row, device in enumerate(DEVICES)
        ]
        self._own = stream(seed, 32).random((count, 6)) if count else np.zeros((0, 6))
        self._held: list[tuple[Ints, Ints, Ints, Floats]] = []
        self._reached = 0
        self._told_day = first_day

    def readings(self, begin: int, until: int) -> Iterator[ReadingBlock]:
        """Blocks of what arrives at or after `begin` and before `until` (µs UTC); windows follow one another.

        Raises ValueError for a window that begins before the end of the last one: what was late is told but once.
        """
        if begin < self._reached:
            raise ValueError(f"the sensors have reached {self._reached}; they cannot go back to {begin}")
        self._reached = until
        return self._between(begin, until)

    def truth(self, until: int) -> list[dict[str, Any]]:
        """Episodes of the days that began before `until` (µs UTC) since the last call."""
        found: list[Episode] = []
        if self._told_day == self._first_day:
            found += self.episodes.lasting
        while self._told_day * DAY - ZONE < until // _S:
            found += self.episodes.begun(self._told_day)
            self._told_day += 1
        return [self._record(one) for one in found]

    def rows(self, begin: int, until: int) -> Iterator[Reading]:
        """The readings of a window one by one."""
        for block in self.readings(begin, until):
            columns = zip(block.sensor.tolist(), block.at.tolist(), block.value.tolist(), strict=True)
            for sensor, at, value in columns:
                yield Reading(self.names[sensor], at, value, SOURCE, self.places[sensor])

    def _between(self, begin: int, until: int) -> Iterator[ReadingBlock]:
        hour = begin // _S // HOUR
        while hour * HOUR * _S < until:
            low, high = max(begin, hour * HOUR * _S), min(until, (hour + 1) * HOUR * _S)
            parts = [self._hour(device, own, hour, low, high) for device, own in self._groups if own]
            parts += self._held
            self._held = []
            sensor, at, sent, value = (np.concatenate(column) for column in zip(*parts, strict=True))
            is_later = sent >= high
            self._held = [(sensor[is_later], at[is_later], sent[is_later], value[is_later])]
            order = np.flatnonzero(~is_later)
            order = order[np.lexsort((at[order], sensor[order], sent[order]))]
            yield ReadingBlock(sensor[order], at[order], sent[order], value[order])
            hour += 1

    def _hour(self, device: Device, own: list[int], hour: int, low: int, high: int) -> tuple[Ints, Ints, Ints, Floats]:
        """What the sensors of one kind measure at their moments within [low, high)."""
        # A detector speaks once a day, and every minute while it has something to say.
        is_event = device.kind == "S03"
        interval = max(60 if is_event else device.interval_s, self.coarsest_s)
        numbers = np.array(own)
        # Devices do not all report in the same second.
        shift = (self._own[numbers, 0] * interval).astype(np.int64)
        slots = -(-HOUR // interval)
        first = hour * HOUR // interval
        at = (first + np.arange(slots + 1)) * interval + shift[:, None]
        chance = stream(self._seed, 33, own[0], hour)
        value = self._usual(device, numbers, at, chance.normal(size=at.shape))
        sent = at.copy()
        within = (at * _S >= low) & (at * _S < high) & (at // HOUR == hour)
        copies = (within & (at // interval % (DAY // interval) == numbers[:, None] % 24)) if is_event else within
        copies = copies.astype(np.int64)
        place = {number: row for row, number in enumerate(own)}
        for episode in self.episodes.between(hour * HOUR, (hour + 1) * HOUR, day_of(hour * HOUR)):
            if episode.sensor in place:
                row = place[episode.sensor]
                if is_event and episode.what == "hazard":
                    copies[row] |= within[row] & (at[row] >= episode.begin) & (at[row] < episode.end)
                _apply(device, episode, at[row], sent[row], value[row], copies[row], hour)
        value = np.round(value, device.digits)
        chosen = np.repeat(np.arange(at.size), copies.ravel())
        return (
            np.repeat(numbers, at.shape[1])[chosen],
            at.ravel()[chosen] * _S,
            sent.ravel()[chosen] * _S,
            value.ravel()[chosen],
        )

    def _usual(self, device: Device, numbers: Ints, at: Ints, noise: Floats) -> Floats:
        """The value without episodes: level, rhythm of the day, slow wandering, weather, noise."""
        own = self._own[numbers]
        hours = (at + ZONE) % DAY / HOUR
        level = device.level * (0.9 + 0.2 * own[:, 1:2])
        if device.prefix in ("S02-O2", "S03"):
            level = np.full_like(level, device.level)
        rhythm = device.swing * np.cos((hours - 16.0) * (np.pi / 12.0))
        wander = sum(
            np.sin(2 * np.pi * (at / (HOUR * span * (1.0 + own[:, row : row + 1])) + own[:, row : row + 1]))
            for row, span in ((2, 5.0), (3, 17.0))
        )
        value = level + rhythm + device.noise * (0.7 * wander + 0.5 * noise)
        if device.rain:
            value = value + device.rain * self._wet(device, at) * (0.6 + 0.8 * own[:, 4:5])
        return np.maximum(value, 0.0) if device.level < 1.0 or device.kind == "S08" else value

    def _wet(self, device: Device, at: Ints) -> Floats:
        """Millimetres that bear on the value: of this hour for a gauge, of the last hours for water that gathers."""
        hour = at // HOUR
        reach = {"S08": 1, "S07": 3}.get(device.kind, 18)
        first, last = int(hour.min()) - reach + 1, int(hour.max())
        rain = np.array(
            [self._weather.rain(day_of(h * HOUR))[(h * HOUR + ZONE) % DAY // HOUR] for h in range(first, last + 1)]
        )
        sums = np.convolve(rain, np.ones(reach), "valid")
        found: Floats = sums[hour - int(hour.min())]
        return found

    def _record(self, episode: Episode) -> dict[str, Any]:
        record = {
            "synthetic": True,
            "kind": "sensor",
            "sensor": self.names[episode.sensor],
            "place": self.places[episode.sensor],
            "what": episode.what,
            "begin": rfc3339(episode.begin),
            "end": rfc3339(episode.end),
        }
        return record | ({"passes_at": rfc3339(episode.passes_at)} if episode.passes_at else {})


def _apply(device: Device, episode: Episode, at: Ints, sent: Ints, value: Floats, copies: Ints, hour: int) -> None:
    """Let an episode act on one sensor's hour, in place; what changes `at` comes after all that reads it."""
    inside = (at >= episode.begin) & (at < episode.end)
    what, size = episode.what, episode.size
    if what in _GONE:
        copies[inside] = 0
    elif what == "hazard":
        value[inside] += (peak(device, size) - device.level) * _climbed(device, episode, at[inside])
    elif what == "stuck":
        value[inside] = device.level * (0.95 + 0.1 * size)
    elif what in ("drift", "slow_drift"):
        reach = (4.0 + 6.0 * size) * device.noise if what == "drift" else (0.5 + size) * device.noise
        span = episode.end - episode.begin if what == "drift" else 5 * DAY
        value[inside] += reach * (at[inside] - episode.begin) / span
    elif what == "spike":
        nearest = np.flatnonzero((at >= episode.begin) & (at // HOUR == hour))[:1]
        value[nearest] += (12.0 + 20.0 * size) * device.noise
    elif what == "exchanged":
        value[inside] += (8.0 * size - 4.0) * device.noise * 3.0
    elif what == "wrong_unit":
        value[inside] *= device.factor
    elif what == "battery":
        copies[inside & (at // 60 % 4 != 0)] = 0
    elif what == "repeated":
        copies[inside] *= 2
    elif what == "late":
        sent[inside] = episode.end
    elif what == "clock_seconds":
        at[inside] += int(40 * size) - 20
    elif what == "clock_8h":
        at[inside] += 8 * HOUR if size < 0.5 else -8 * HOUR


def _climbed(device: Device, episode: Episode, at: Ints) -> Floats:
    """Share of the way to the peak, evenly up to it; a status jumps."""
    if episode.passes_at <= episode.begin:
        return np.ones(len(at))
    rise = (episode.passes_at - episode.begin) / share_at_limit(device, episode.size)
    return np.clip((at - episode.begin) / rise, 0.0, 1.0)
