"""Takes what partitions hand on to other logs: counts of signals to the site, words of sensors to signals, and what
the site decides to every county.

A thread of its own, so that no fold waits for brokers. It goes by the outbox in the store and by a cursor in the
register, which only saves repeating: what comes again is known by its seq. A partition's rows leave in order and in
whole frames, each acknowledged before the next, so that no later one stands in a log without an earlier one.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from alerts.store import Store
from pipeline.errors import LogUnavailable, StoreUnavailable
from pipeline.frame import MAX_ENTRIES, Kind, frame_of_others
from runners.cluster.logs import ClusterLogs
from runners.sensor_places import place_of
from runners.worker.site import Place

log = structlog.get_logger("forewarn")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
"""Pauses before brokers or database are tried again: doubled up to the longest."""
PLACES_S = 60.0
"""For so long it is remembered where sensors are: in a storm each of them has much to say."""
GATHER_S = 0.03
"""A pause between two rounds: while much is folded each of them takes what several transactions left."""


class Forwarder:
    """Forwards for the partitions that this worker owns.

    Parameters
    ----------
    logs, store : its own, since a store is read by one thread. now : log time (µs UTC).
    with_marks : whether the site is told how far a partition is where it has nothing to count.
    forwarded : is told how many rows went, and from which partition.
    """

    def __init__(
        self, logs: ClusterLogs, store: Store, now: Callable[[], int], *, with_marks: bool,
        forwarded: Callable[[Place, int], None] = lambda place, rows: None,
    ) -> None:  # fmt: skip
        self._logs, self._store, self._now = logs, store, now
        self._with_marks, self._forwarded = with_marks, forwarded
        self._wake = threading.Condition()
        self._due: dict[Place, int] = {}
        self._sent: dict[Place, tuple[int, int]] = {}
        self._places: dict[int, int] = {}
        self._asked_at = 0.0
        self._is_stopping = False
        self.trouble = ""
        self.failed: BaseException | None = None
        """What ended it, if anything did: then nothing is forwarded any more."""
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Forward what is due, if that is quickly done, and end."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def look(self, place: Place, complete: int = -1) -> None:
        """Something may be in the outbox of a partition; `complete`: its last minute that is over."""
        with self._wake:
            self._due[place] = max(complete, self._due.get(place, -1))
            self._wake.notify()

    def forget(self, place: Place) -> None:
        """Another worker goes on with it."""
        with self._wake:
            self._due.pop(place, None)
            self._sent.pop(place, None)

    def _run(self) -> None:
        try:
            self._turns()
        except BaseException as error:
            self.failed = error
            raise

    def _turns(self) -> None:
        pause = 0.0
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._is_stopping, pause)
                while not self._due and not self._is_stopping:
                    self._wake.wait()
                due, self._due = self._due, {}
                is_last = self._is_stopping
            try:
                for place in sorted(due):
                    self._forward(place, due[place])
                    del due[place]
                pause, self.trouble = GATHER_S, ""
            except (LogUnavailable, StoreUnavailable) as error:
                self.trouble = str(error)
                pause = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause))
                with self._wake:
                    for place, complete in due.items():
                        self._due[place] = max(complete, self._due.get(place, -1))
            if is_last:
                return

    def _forward(self, place: Place, complete: int) -> None:
        source, number = place
        cursor = f"forwarded@{source}-{number}"
        sent, minute = self._sent.get(place) or (self._logs.position(cursor), -1)
        rows = self._store.outbox(source, number, sent)
        for begin in range(0, len(rows), MAX_ENTRIES):
            part = rows[begin : begin + MAX_ENTRIES]
            self._append(source, number, part)
            sent, minute = part[-1]["seq"], part[-1].get("minute", minute)
            self._sent[place] = (sent, minute)
        if rows:
            self._logs.advance(cursor, sent)
            self._forwarded(place, len(rows))
        if self._with_marks and source == "signals" and complete > minute:
            now = self._now()
            mark = frame_of_others([(Kind.PROCEED, now, {"partition": number, "minute": complete})])
            self._logs.append("site", 0, [mark.to_bytes()])
            minute = complete
        self._sent[place] = (sent, minute)

    def _append(self, source: str, number: int, rows: list[dict[str, Any]]) -> None:
        if source == "site":
            # What the site decides is told to each county: its shares of the budgets.
            for target in sorted({row["partition"] for row in rows}):
                self._log(Kind.FACT, "signals", target, [row for row in rows if row["partition"] == target])
            return
        rows = [{**row, "partition": number} for row in rows]
        if time.monotonic() - self._asked_at > PLACES_S:
            self._places, self._asked_at = {}, time.monotonic()
        if source == "signals":
            self._log(Kind.COUNTS, "site", 0, rows)
        else:
            self._log(Kind.ASSESSMENT, "signals", number, [self._placed(row) for row in rows])

    def _log(self, kind: Kind, log: str, target: int, rows: list[dict[str, Any]]) -> None:
        now = self._now()
        self._logs.append(log, target, [frame_of_others([(kind, now, row) for row in rows]).to_bytes()])

    def _placed(self, word: dict[str, Any]) -> dict[str, Any]:
        """A word about a sensor, with the place that its source named."""
        sensor = word["sensor"]
        place = self._places.get(sensor)
        if place is None:
            place = self._places[sensor] = place_of(self._logs, sensor)
        return {**word, "place": place} if place else word
