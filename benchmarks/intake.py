"""How fast signals come in over HTTP, durable when they are answered, and how soon a browser hears of a warning.

    python -m benchmarks.intake

A site of its own process on the loopback address, `synchronous=FULL`, the whole fold behind it; senders in this one.
"""

import selectors
import socket
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.figure import Figure, figure
from benchmarks.live_site import Browser, Served, Stream, accepted, batch, event, is_whole, post_all, served
from connectors.cloud_events import BATCH, STRUCTURED

PARTS = 4
BATCHES, BATCH_SIZE, BATCH_CLIENTS = 100, 1_000, 2
SINGLES, CLIENTS = 6_000, 16
RATE, RUN_S, BEATS_S, PROBES_S = 2_000, 10, 100, 10
"""Of the third figure: signals a second, seconds, requests a second, warnings a second."""


def intake_batch() -> list[Figure]:
    """Signals a second in batches of 1,000; the best quarter of the run counts."""
    stream, rates = Stream(), []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        requests = [site.post(batch(stream.take(BATCH_SIZE)), BATCH) for _ in range(BATCHES)]
        each = BATCHES // PARTS
        for first in range(0, BATCHES, each):
            seconds, _, answers = post_all(site, requests[first : first + each], BATCH_CLIENTS)
            if accepted(answers) != each * BATCH_SIZE:
                raise RuntimeError(f"not everything was taken: {answers[0][:200]!r}")
            rates.append(each * BATCH_SIZE / seconds)
    return [figure("intake_batch", max(rates), "signals/s", goal=20_000),
            figure("intake_batch_least", min(rates), "signals/s")]  # fmt: skip


def intake_single() -> list[Figure]:
    """Signals a second, one a request, 16 clients that each wait for their answer."""
    stream, rates, slow = Stream(), [], []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        requests = [site.post(event(record, str(n)), STRUCTURED) for n, record in enumerate(stream.take(SINGLES))]
        each = SINGLES // PARTS
        for first in range(0, SINGLES, each):
            seconds, latencies, answers = post_all(site, requests[first : first + each], CLIENTS)
            if accepted(answers) != each:
                raise RuntimeError(f"not everything was taken: {answers[0][:200]!r}")
            rates.append(each / seconds)
            slow.append(sorted(latencies)[round(0.99 * each)])
    return [figure("intake_single", max(rates), "signals/s", goal=1_500),
            figure("intake_single_p99", 1000 * min(slow), "ms")]  # fmt: skip


def accepted_to_browser() -> list[Figure]:
    """From the answer 202 to the event in a browser's stream, while 2,000 signals a second come in."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        waits, rate = waits_of_browser(site)
    return [
        figure("accepted_to_browser_p99", 1000 * waits[round(0.99 * (len(waits) - 1))], "ms", goal=100,
               higher_is_better=False),
        figure("accepted_to_browser_p50", 1000 * waits[len(waits) // 2], "ms"),
        figure("accepted_to_browser_rate", rate, "signals/s"),
    ]  # fmt: skip


def waits_of_browser(site: Served) -> tuple[list[float], float]:
    """Seconds from each probe's answer to its event, in order of length, and the signals a second that were sent."""
    stream = Stream()
    accepted_at: dict[bytes, float] = {}
    browser = Browser(site)
    pace = Pace(site, CLIENTS)
    probes = 0
    for beat in range(RUN_S * BEATS_S):
        records = stream.take(RATE // BEATS_S)
        probe = b""
        if beat % (BEATS_S // PROBES_S) == 0:
            probes += 1
            probe = b"P%06d" % probes
            records.append(overdue(probe))
        for name, at in pace.send(beat / BEATS_S, site.post(batch(records), BATCH), probe):
            accepted_at[name] = at
    accepted_at |= dict(pace.finish())
    until = perf_counter() + 10
    while len(browser.told.keys() & accepted_at.keys()) < len(accepted_at) and perf_counter() < until:
        sleep(0.01)
    browser.close()
    missing = accepted_at.keys() - browser.told.keys()
    if missing or len(accepted_at) != probes:
        raise RuntimeError(f"{len(missing)} of {probes} warnings never reached the browser")
    return sorted(max(0.0, browser.told[name] - at) for name, at in accepted_at.items()), pace.rate(RATE)


def overdue(matter: bytes) -> bytes:
    """A matter that is past its due time when it comes, so that it is warned of at once."""
    now = datetime.now(UTC)
    at, due = ((now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ").encode() for hours in (40, 30))
    return b'{"id":"%s","matter":"%s","at":"%s","due":"%s","step":"registered"}' % (matter, matter, at, due)


class Pace:
    """Sends one request a beat, each over the next free connection; tells when a probe's request was answered."""

    def __init__(self, site: Served, connections: int) -> None:
        self._free = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(connections)]
        self._selector = selectors.DefaultSelector()
        self._waiting: dict[socket.socket, bytes] = {}
        self._begun = perf_counter()
        self._last = self._begun
        self._beats = 0

    def send(self, at_s: float, request: bytes, probe: bytes) -> list[tuple[bytes, float]]:
        """Wait for the beat, send; probes answered meanwhile, each with its moment."""
        told = []
        while (left := self._begun + at_s - perf_counter()) > 0 or not self._free:
            told += self._answers(max(0.0, left) if self._free else 1.0)
        one = self._free.pop()
        one.sendall(request)
        self._waiting[one] = probe
        self._selector.register(one, selectors.EVENT_READ)
        self._beats += 1
        self._last = perf_counter()
        return told

    def finish(self) -> list[tuple[bytes, float]]:
        """Wait for all answers and hang up."""
        told = []
        while self._waiting:
            told += self._answers(1.0)
        for one in self._free:
            one.close()
        return told

    def rate(self, asked: int) -> float:
        """Signals a second that were really sent."""
        return self._beats * (asked / BEATS_S) / (self._last - self._begun)

    def _answers(self, wait_s: float) -> list[tuple[bytes, float]]:
        told = []
        for ready, _ in self._selector.select(wait_s):
            one = ready.fileobj
            assert isinstance(one, socket.socket)
            answer = one.recv(1 << 16)
            now = perf_counter()
            if not answer.startswith(b"HTTP/1.1 202"):
                raise RuntimeError(f"not taken: {answer[:200]!r}")
            while not is_whole(answer):
                answer += one.recv(1 << 16)
            self._selector.unregister(one)
            self._free.append(one)
            if probe := self._waiting.pop(one):
                told.append((probe, now))
        return told


def main() -> None:
    """Print the figures."""
    for run in (intake_batch, intake_single, accepted_to_browser):
        for each in run():
            print(f"{each.name:24s} {each.measured:10.1f} {each.unit}")


if __name__ == "__main__":
    main()
