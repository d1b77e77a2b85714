"""The results board of a demonstration: keeps the ground truth, follows the store, does the sums when asked."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from runners.demo.scoreboard import Truth, Warned
from runners.demo.scoreboard_figures import scoreboard
from runners.explain.first_reasons import first_reason, transitions_behind
from runners.exports import Names
from runners.log_sqlite import Logs

KEPT_S = 2.0
"""An answer is given again for so long: many browsers ask."""


class Board:
    """`data`: the data directory; `file`: where the truth is written as it becomes true; `since`, `now` in µs UTC."""

    def __init__(self, data: Path, file: Path, targets: Iterable[str], since: int, now: Callable[[], int]) -> None:
        self._data, self._file = data, file
        self._truth = Truth(tuple(targets))
        self._since, self._now = since, now
        self._warned: list[Warned] = []
        self._last = 0
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._made_at = float("-inf")

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add what became true."""
        told = list(records)
        with self._lock:
            self._truth.take(told)
            with self._file.open("ab") as file:
                file.writelines(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in told)

    def __call__(self) -> dict[str, Any]:
        """The board as it stands."""
        with self._lock:
            if time.monotonic() - self._made_at > KEPT_S:
                self._follow()
                now = self._now()
                made = scoreboard(self._truth, self._warned, now / 1e6, self._since / 1e6)
                self._made = made | {"since": _rfc3339(self._since), "now": _rfc3339(now)}
                self._made_at = time.monotonic()
            return self._made

    def _follow(self) -> None:
        """Take in the warnings that were raised since the last time."""
        with Logs(self._data / "log.db", readonly=True) as logs:
            names = Names(logs)
            for number, transition in transitions_behind(self._data, self._last, first=True):
                self._last = number
                self._warned.append(
                    Warned(
                        transition["kind"],
                        names.subject(bytes.fromhex(transition["subject"])),
                        names.of(transition["category"]),
                        names.of(transition["place"]),
                        first_reason(transition),
                        transition["at"] / 1e6,
                    )
                )


def _rfc3339(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
