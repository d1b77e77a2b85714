"""What one of several servers does for all: on a thread of its own, while it holds the lease of that name."""

import threading
from collections.abc import Callable

import structlog

from alerts.leases import Leases
from pipeline.errors import ForewarnError, StoreUnavailable
from runners.serve.thread import Failed, thread

log = structlog.get_logger("forewarn")
LEASE_S = 10.0
"""After so long without a sign of its holder a duty goes to another server."""


class Duty:
    """Does `work(token)` every `every_s` seconds while this server holds the lease.

    What brokers or database refuse, or a person must mend, is tried again the next time, with the lease asked for anew.
    """

    def __init__(
        self, name: str, leases: Leases, holder: str, every_s: float, work: Callable[[int], None], failed: Failed
    ) -> None:
        self.name = name
        self.token: int | None = None
        """While it is held."""
        self._leases, self._holder, self._every_s = leases, holder, every_s
        self._work = work
        self.begin: Callable[[], None] = lambda: None
        """Called when the lease is taken."""
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._is_troubled = False
        self._thread = thread(name, self._run, failed)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def stop(self) -> None:
        """End after the work at hand, and let another server have it."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._wake.wait(self._every_s)
            self._wake.clear()
        if self.token is not None:
            try:
                self._leases.release(self.name, self.token)
            except StoreUnavailable:
                return  # it ends by itself

    def _look(self) -> None:
        try:
            if self._is_mine():
                assert self.token is not None
                self._work(self.token)
            self._is_troubled = False
        except ForewarnError as error:
            self.token = None
            if not self._is_troubled:
                log.warning("a duty waits", duty=self.name, error=str(error))
            self._is_troubled = True

    def _is_mine(self) -> bool:
        if self.token is not None and not self._leases.renew(self.name, self.token, LEASE_S):
            self.token = None
        if self.token is None:
            self.token = self._leases.take(self.name, self._holder, LEASE_S)
            if self.token is not None:
                self.begin()
        return self.token is not None
