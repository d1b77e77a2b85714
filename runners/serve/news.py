"""What workers wrote, on its way to browsers and to whoever gave a command: woken by the database, and by the second.

A word that is lost costs a second at most; a connection that breaks is made again, and what was missed is read by
ordinals, so nothing is told twice and nothing is left out.
"""

import threading
import time
from collections.abc import Mapping

import structlog

from pipeline.errors import StoreUnavailable
from runners.clock import Clock
from runners.live.hub import Hub
from runners.live.verdicts import Verdicts
from runners.serve.listen import Listener
from runners.serve.parts import Parts
from runners.serve.thread import Failed, thread

log = structlog.get_logger("forewarn")
POLL_S = 1.0
AGAIN_S = 0.5
_UNKNOWN = 1 << 62


class Follower:
    """One thread that reads what is new into the hub and the verdicts."""

    def __init__(self, parts: Parts, hub: Hub, verdicts: Verdicts, clock: Clock, failed: Failed) -> None:
        self._parts, self._hub, self._verdicts, self._clock = parts, hub, verdicts, clock
        self._told: dict[str, int] = {}
        """Ids of verdicts that were there before somebody began to wait."""
        self._stop = threading.Event()
        self._polled = 0.0
        self.is_listening = False
        self._thread = thread("news", self._run, failed)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def expect(self, key: str) -> None:
        """Only verdicts from now on answer the command of this key. Raises StoreUnavailable."""
        before = self._parts.news.verdict(key)
        self._told[key] = 0 if before is None else before[0]

    def forget(self, key: str) -> None:
        """Nobody waits for a verdict of this key any longer."""
        self._told.pop(key, None)

    def _run(self) -> None:
        troubled = False
        while not self._stop.is_set():
            try:
                with Listener(self._parts.address) as listener:
                    self._look(self._parts.news.cursor())
                    self.is_listening, troubled = True, False
                    while not self._stop.is_set():
                        self._heard(listener.wait(POLL_S))
            except StoreUnavailable as error:
                if not troubled:
                    log.warning("the database is not heard; it is asked every second", error=str(error))
                troubled = True
            finally:
                self.is_listening = False
            self._stop.wait(AGAIN_S)

    def _heard(self, names: set[str]) -> None:
        """Read what was named; now and then everything, in case a word was lost."""
        if not names or time.monotonic() - self._polled >= POLL_S:
            self._look(self._parts.news.cursor())
            self._polled = time.monotonic()
        else:
            self._look(dict.fromkeys(names, _UNKNOWN))

    def _look(self, ends: Mapping[str, int]) -> None:
        """Read each partition to its end, as far as it is known."""
        known = self._hub.cursor()
        for name, end in ends.items():
            while known.get(name, 0) < end:
                log_, _, number = name.rpartition("-")
                found = self._parts.news.after(log_, int(number), known.get(name, 0))
                if not found:
                    break
                self._hub.publish(name, [transition for _, transition in found], self._clock.now())
                known[name] = found[-1][0]
        self._answer()

    def _answer(self) -> None:
        keys = self._verdicts.keys()
        if not keys:
            return
        found = self._parts.news.verdicts(keys)
        self._verdicts.tell(verdict for id, verdict in found if id > self._told.get(str(verdict["id"]), 0))
