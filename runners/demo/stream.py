"""The present of a demonstration: what the city tells goes through the same door as any source's records."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import structlog

from connectors.intake_http import Full, NotNow
from connectors.simulator import City
from connectors.simulator.folder import reading_line, signal_line
from connectors.simulator.readings import SOURCE as SENSORS
from connectors.simulator.telling import SOURCE as SIGNALS
from runners.live.gate import LiveGate

log = structlog.get_logger("forewarn")
BEAT_S = 0.25
AGAIN_S = 0.2
SLICE_US = 1_800_000_000
RECORDS = 500
"""Of one post."""


Done = tuple[str, str, int]
"""Matter, what people did about its warning (a cause of the reaction), when (µs UTC)."""


class Told(Protocol):
    """A site that is told."""

    @property
    def gate(self) -> LiveGate:
        """Its door."""
        ...

    def now(self) -> int:
        """Log time (µs UTC)."""
        ...


class Stream:
    """Tells a live site what happens in the city, up to the site's own clock; on a thread of its own.

    Offices answer modestly to what people have `done` about a warning since the last call (simulator.reaction).
    Sensors speak from `sensors_from` on (µs UTC).
    """

    def __init__(
        self, site: Told, city: City, begin: int, learn_truth: Callable[[Iterable[Mapping[str, Any]]], None],
        done: Callable[[], Iterable[Done]], sensors_from: int = 0,
    ) -> None:  # fmt: skip
        self._site, self._city, self._reached = site, city, begin
        self._learn_truth = learn_truth
        self._done, self._sensors_from = done, sensors_from
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="city", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing more; returns when that holds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(BEAT_S):
            # In slices: what happened before the start comes at once, and would not fit into memory together.
            until = min(self._site.now(), self._reached + SLICE_US)
            if until > self._reached:
                for matter, action, at in self._done():
                    self._city.react(matter, action, at)
                self._tell(self._reached, until)
                self._reached = until

    def _tell(self, begin: int, until: int) -> None:
        self._put(SIGNALS, [signal_line(signal) for signal in self._city.signals(begin, until)])
        self._learn_truth(self._city.truth())
        if until > self._sensors_from:
            rows = self._city.sensors.rows(max(begin, self._sensors_from), until)
            self._put(SENSORS, [reading_line(reading) for reading in rows])

    def _put(self, source: str, lines: list[bytes]) -> None:
        """Hand records over; waits while the door is full."""
        gate = self._site.gate
        for first in range(0, len(lines), RECORDS):
            while not self._stopping.is_set():
                try:
                    gate.put(gate.post(source, lines[first : first + RECORDS], _ignore))
                    break
                except (Full, NotNow) as busy:
                    log.debug("the door is busy", source=source, why=str(busy))
                    time.sleep(AGAIN_S)


def _ignore(outcome: object) -> None:
    """What is refused is in the dead letters."""
