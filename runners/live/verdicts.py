"""Verdicts of the fold on their way to whoever gave the command."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

REMEMBERED = 10_000
"""Verdicts that are answered from memory; older ones lie in the store."""


class Verdicts:
    """Who waits for which command's verdict, and the latest verdicts by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[asyncio.Future[dict[str, Any]]]] = {}
        self._latest: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def wait(self, key: str) -> "asyncio.Future[dict[str, Any]]":
        """The next verdict under a key, on the running event loop."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.setdefault(key, []).append(future)
        return future

    def forget(self, key: str, future: "asyncio.Future[dict[str, Any]]") -> None:
        """Nobody waits any longer."""
        with self._lock:
            waiting = [each for each in self._waiting.get(key, []) if each is not future]
            if waiting:
                self._waiting[key] = waiting
            else:
                self._waiting.pop(key, None)

    def keys(self) -> list[str]:
        """What somebody waits for."""
        with self._lock:
            return list(self._waiting)

    def latest(self, key: str) -> dict[str, Any] | None:
        """A recent verdict."""
        with self._lock:
            return self._latest.get(key)

    def tell(self, verdicts: Iterable[Mapping[str, Any]]) -> None:
        """The store holds these verdicts; called on the engine's thread."""
        for verdict in map(dict, verdicts):
            with self._lock:
                self._latest[verdict["id"]] = verdict
                self._latest.move_to_end(verdict["id"])
                if len(self._latest) > REMEMBERED:
                    self._latest.popitem(last=False)
                waiting = self._waiting.pop(verdict["id"], ())
            for future in waiting:
                future.get_loop().call_soon_threadsafe(_settle, future, verdict)


def _settle(future: "asyncio.Future[dict[str, Any]]", verdict: dict[str, Any]) -> None:
    if not future.done():
        future.set_result(verdict)
