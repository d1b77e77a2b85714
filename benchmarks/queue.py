"""How long a duty room waits with 10,000 open warnings: pages, groups, searches, an action, a change seen elsewhere.

    python -m benchmarks.queue

A site of its own process on the loopback address with its log, fold and store; one browser that asks, one that listens.
"""

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from benchmarks.figure import Figure, figure
from benchmarks.live_site import Served, batch, post_all, served
from benchmarks.matter_lines import settings
from connectors.cloud_events import BATCH

OPEN = 10_000
TIMES = 60
ACTIONS = 40
_SETTLE_S = 120.0
_ANSWER_MS, _ACTION_MS = 50, 100


class Browser:
    """One connection with a session."""

    def __init__(self, site: Served) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port)
        self._headers = {"content-type": "application/json"}
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head, body = self._send("POST", "/api/v1/session", {"token": site.token})
        self._headers["cookie"] = str(head["set-cookie"]).partition(";")[0]
        self._headers["x-csrf"] = body["csrf"]
        self._port, self._number = site.port, 0

    def ask(self, path: str) -> Any:
        """GET."""
        return self._send("GET", f"/api/v1{path}")[1]

    def tell(self, warning: str, command: dict[str, Any]) -> Any:
        """A command."""
        self._number += 1
        key = {"idempotency-key": f"bench-{self._number:06d}"}
        return self._send("POST", f"/api/v1/warnings/{warning}/commands", command, key)[1]

    def _send(self, method: str, path: str, body: Any = None, more: dict[str, str] | None = None) -> tuple[Any, Any]:
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, self._headers | (more or {}))
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:300]!r}")
        return answer.headers, json.loads(read)

    @contextmanager
    def stream(self) -> Iterator[Callable[[str], float]]:
        """Listen; call with a warning's id to wait for its row and get the moment it came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/api/v1/stream", headers=self._headers)
        answer = connection.getresponse()

        def wait(warning: str) -> float:
            while line := answer.readline():
                if line.startswith(b"data: ") and warning.encode() in line:
                    return perf_counter()
            raise RuntimeError("the stream ended")

        try:
            yield wait
        finally:
            connection.close()


def queue_10k() -> list[Figure]:
    """95th percentiles over a queue of 10,000 open warnings."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        _fill(site)
        browser = Browser(site)
        _wait_open(browser)
        first = browser.ask("/queue")
        row = first["items"][50]
        asked = {
            "queue_page_p95": "/queue?limit=100",
            "queue_next_p95": f"/queue?limit=100&after={first['next']}",
            "queue_newest_p95": "/queue?order=newest&limit=100",
            "queue_filtered_p95": f"/queue?category={row['category']['id']}&place={row['place']['id']}&level=blue",
            "queue_search_p95": f"/queue?q={row['subject'][-4:]}",
            "groups_p95": "/groups",
            "detail_p95": f"/warnings/{row['id']}",
        }
        figures = [
            figure(
                name, _p95([_timed(browser, path) for _ in range(TIMES)]), "ms", goal=_ANSWER_MS, higher_is_better=False
            )
            for name, path in asked.items()
        ]
        acted, seen = _acted(browser, [each["id"] for each in first["items"][:ACTIONS]])
        return [
            *figures,
            figure("action_p95", acted, "ms", goal=_ACTION_MS, higher_is_better=False),
            figure("action_seen_elsewhere_p95", seen, "ms", goal=_ACTION_MS, higher_is_better=False),
        ]


def _fill(site: Served) -> None:
    """Register matters that are past the deadline which their source set: no budget holds those back."""
    made, territory = settings()
    categories = [category.id for category in made.categories if not category.hazard]
    grids = [grid.key for grid in territory.grids]
    now = datetime.now(UTC)
    records = []
    for number in range(OPEN):
        at = now - timedelta(days=8 + number % 20, minutes=number % 1_000)
        records.append(
            orjson.dumps(
                {
                    "id": f"q{number}",
                    "matter": f"WO{number:010d}",
                    "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "category": categories[number % len(categories)],
                    "place": grids[number * 7 % len(grids)],
                    "step": "registered",
                    "due": (at + timedelta(days=4)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "channel": "hotline",
                    "text": "路灯不亮，请尽快处理",
                }
            )
        )
    requests = [site.post(batch(records[first : first + 1_000]), BATCH) for first in range(0, OPEN, 1_000)]
    post_all(site, requests, 1)


def _wait_open(browser: Browser) -> None:
    until = perf_counter() + _SETTLE_S
    while (found := browser.ask("/queue?limit=1")["total"]) < OPEN * 0.95:
        if perf_counter() > until:
            raise RuntimeError(f"only {found} warnings are open")
        time.sleep(1)


def _timed(browser: Browser, path: str) -> float:
    begun = perf_counter()
    browser.ask(path)
    return 1000 * (perf_counter() - begun)


def _acted(browser: Browser, ids: Sequence[str]) -> tuple[float, float]:
    """Milliseconds until an action is answered, and until another browser has its row."""
    acted, seen = [], []
    with browser.stream() as wait:
        for id in ids:
            begun = perf_counter()
            verdict = browser.tell(id, {"command": "acknowledge"})
            acted.append(1000 * (perf_counter() - begun))
            if not verdict["ok"]:
                raise RuntimeError(str(verdict))
            seen.append(1000 * (wait(id) - begun))
    return _p95(acted), _p95(seen)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[round(0.95 * (len(values) - 1))]


def main() -> None:
    """Print the figures."""
    for each in queue_10k():
        print(f"{each.name:28s} {each.measured:8.1f} {each.unit}  {'' if each.passed is None else each.passed}")


if __name__ == "__main__":
    main()
