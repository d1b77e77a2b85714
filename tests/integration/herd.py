"""Workers of one town while things break: what is fed to its logs meanwhile, who is killed, frozen, started again."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import LogUnavailable
from pipeline.frame import READING, Frame, frame_of_readings
from pipeline.ids import code64
from pipeline.signal import Step
from pipeline.testing import Entry, Happening, entry, frames_of, hours, tick
from runners.trial.kafka import TrialKafka
from tests.integration.working import PARTITIONS, Place, Town, Worker, until

SESSION_S = 2.0
"""After so long without a heartbeat a worker's partitions go to others."""
QUIET_S = 1.0
STEP_HOURS = 0.2
"""Log time from one turn of the feed to the next."""
BEGIN_HOUR = 24.0 * 365 * 10
"""Log time runs ahead of the clock on the wall, so that what workers forward changes nobody's deadlines."""


def lay_out(folder: Path, kafka: TrialKafka, database: str, prefix: str, **more: object) -> Town:
    """A town whose workers are missed quickly; `more` goes into the settings of Kafka."""
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    return Town(folder, kafka, database, prefix, kafka=brokers | {"session_timeout_s": SESSION_S} | more)


class Feed:
    """Matters and readings of all counties, at a steady pace from a thread while it is entered; what brokers refuse
    comes again. Entered anew it goes on where it was.

    `sent`: the bodies of frames that were acknowledged, by log and partition.
    """

    def __init__(self, town: Town, seed: int, pace_s: float = 0.1) -> None:
        self.sent: dict[Place, list[bytes]] = {}
        self.turns = 0
        self._town, self._pace_s = town, pace_s
        self._random = Random(seed)
        self._open: list[tuple[int, Happening]] = []
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        for number in range(PARTITIONS):
            town.logs.name({code64(f"{kind}-{number}"): ("sensor", f"{kind}-{number}") for kind in ("gas", "water")})

    def __enter__(self) -> "Feed":
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Feed no more; the last frame is acknowledged when this returns."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(100)
            assert not self._thread.is_alive(), "the feed hangs"

    def heap(self, turns: int) -> None:
        """So many turns at once, as after an outage: work that takes the workers a while."""
        heaped: dict[Place, list[bytes]] = {}
        for _ in range(turns):
            for place, body in self._turn():
                heaped.setdefault(place, []).append(body)
        for place, bodies in heaped.items():
            self._town.logs.append(*place, bodies)
            self.sent.setdefault(place, []).extend(bodies)

    def _turn(self) -> list[tuple[Place, bytes]]:
        """What happens within a few minutes of log time."""
        hour = BEGIN_HOUR + self.turns * STEP_HOURS
        found = []
        for number in range(PARTITIONS):
            for frame in (*self._matters(number, hour), self._readings(number, hour)):
                found.append((("readings" if len(frame.readings) else "signals", number), frame.to_bytes()))
        self.turns += 1
        return found

    def _run(self) -> None:
        while not self._ending.wait(self._pace_s):
            for place, body in self._turn():
                self._append(place, body)

    def _append(self, place: Place, body: bytes) -> None:
        limit = time.monotonic() + 90
        while True:
            try:
                self._town.logs.append(*place, [body])
            except LogUnavailable:
                assert time.monotonic() < limit, "brokers take nothing any more"
                time.sleep(0.2)
            else:
                self.sent.setdefault(place, []).append(body)
                return

    def _matters(self, number: int, hour: float) -> list[Frame]:
        chance = self._random
        new = Happening(
            f"{number}/{self.turns}", hour, Step.REGISTERED, due=hour + chance.choice([1, 4, 30]), category="noise"
        )
        self._open.append((number, new))
        told: list[Entry] = [entry(new)]
        for own, matter in self._open[:-40:3]:
            if own == number and chance.random() < 0.2:
                step = chance.choice([Step.HANDED_OVER, Step.CLOSED])
                told.append(entry(Happening(matter.matter, hour, step, office="works")))
        del self._open[:-120]
        if self.turns % 5 == 0:
            told.append(told[0])  # one record comes twice
            told.append(tick(hour))
        return frames_of(told, [2])

    def _readings(self, number: int, hour: float) -> Frame:
        rows: NDArray[np.void] = np.zeros(2, READING)
        rows["sensor"] = [code64(f"gas-{number}"), code64(f"water-{number}")]
        rows["at"] = hours(hour)
        rows["value"] = [90.0 if self.turns % 12 > 7 else 1.0 + self.turns % 3, 2.0 + self.turns % 5]
        return frame_of_readings(rows, hours(hour))


class Herd:
    """Workers of a town, by name. Those whose name begins with `fixed` come back as the member that they were."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.workers: dict[str, Worker] = {}

    def start(self, *names: str) -> None:
        """Start those workers that are not there; they are not waited for."""
        for name in names:
            if name not in self.workers:
                self.workers[name] = Worker(self.town.path, name if name.startswith("fixed") else "")

    def kill(self, name: str) -> None:
        """SIGKILL: no last word."""
        self.workers.pop(name).kill()

    def stop(self, name: str) -> None:
        """SIGTERM: it leaves in order, if it was there already."""
        worker = self.workers.pop(name)
        was_there = worker.ready()[0] > 0
        status = worker.stop(60)
        assert status == 0 or (not was_there and status == -signal.SIGTERM), f"{name} ended with {status}"

    def restart(self, name: str, *, kill: bool) -> None:
        """It goes, with or without a last word, and comes back."""
        (self.kill if kill else self.stop)(name)
        self.start(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP: it is there and does nothing."""
        self.workers[name].signal(signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """SIGCONT."""
        self.workers[name].signal(signal.SIGCONT)

    def end(self) -> None:
        """Whoever is left is gone."""
        for worker in self.workers.values():
            worker.end()

    def only(self, *names: str) -> None:
        """Wait until these are there and own everything between them, and nobody else is."""
        for name in self.workers.keys() - set(names):
            self.stop(name)
        self.start(*names)
        self.until_owned()

    def until_owned(self) -> None:
        """Wait until each of them is ready, and all partitions have an owner."""
        until(lambda: self._are_dealt_out(), list(self.workers.values()))

    def until_some_progress(self, frames: int = 1) -> float:
        """Wait until so many frames more are folded; how many seconds it took."""
        goal = self.progress() + frames
        return until(lambda: self.progress() >= goal, list(self.workers.values()))

    def until_folded(self) -> None:
        """Wait until all is folded and handed on, and nothing more comes.

        A mark may follow what was handed on; it stands in no outbox, so it is looked for a little longer.
        """
        ends, since = self._ends(), time.monotonic()

        def is_quiet() -> bool:
            nonlocal ends, since
            now = self._ends()
            if now != ends or not self._is_settled():
                ends, since = now, time.monotonic()
            return time.monotonic() - since > QUIET_S

        until(is_quiet, list(self.workers.values()))

    def progress(self) -> int:
        """Frames that are folded, of all partitions."""
        return sum(self.town.reached(place) + 1 for place in self.town.places)

    def _are_dealt_out(self) -> bool:
        workers = self.workers.values()
        # A third worker may have nothing: partitions of a number stay together.
        return sum(worker.owns() for worker in workers) == len(self.town.places) and all(
            worker.ready()[0] == 200 for worker in workers
        )

    def _ends(self) -> list[int]:
        return [self.town.logs.next_offset(*place) for place in self.town.places]

    def _is_settled(self) -> bool:
        return self.town.is_folded() and not any(
            self.town.store.outbox(log, number, self.town.logs.position(f"forwarded@{log}-{number}"))
            for log, number in self.town.places
        )


@contextmanager
def herd(town: Town, names: Sequence[str]) -> Iterator[Herd]:
    """Workers that own everything between them; gone afterwards."""
    made = Herd(town)
    try:
        made.start(*names)
        made.until_owned()
        yield made
    finally:
        made.end()
