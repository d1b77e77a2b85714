"""Every metric of a worker, declared once, and the one address of a worker that answers: metrics, health, readiness.

Labels are logs and partitions, never places or matters.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pipeline.errors import ConfigError
from runners.worker.site import Place
from runners.worker.state import Look

CONTENT_TYPE, TEXT = "text/plain; version=0.0.4; charset=utf-8", "text/plain; charset=utf-8"
Page = Callable[[], tuple[int, bytes, str]]
"""Status, body and type of an answer."""
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STATES = (
    ("lag_frames", "Frames of a partition that are in the log and not folded."),
    ("lag_seconds", "Log time since the newest folded entry of a partition that has lag, 0 without."),
    ("idle_seconds", "Since a partition with lag made progress, 0 without lag."),
    ("checkpoint_age_seconds", "Since a checkpoint of a partition was written by this worker."),
    ("stopped", "1 where a partition cannot go on by itself."),
)


class Telling(Protocol):
    """What the metrics ask of a worker."""

    def looks(self) -> dict[Place, Look]:
        """How each owned partition is."""
        ...

    def trouble(self) -> str:
        """Why this worker is not ready, '' when it is."""
        ...


class WorkerMetrics:
    """The registry of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._entries = self._counter("entries", "Entries folded and kept.", "log")
        self._frames = self._counter("frames", "Frames folded and kept.", "log")
        self._latency = Histogram(
            "forewarn_worker_frame_latency_seconds", "From the arrival of a frame's first entry until it was kept.",
            ["log"], buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._step = Histogram(
            "forewarn_worker_step_seconds", "Folding some frames and keeping what they yielded, together.",
            ["log"], buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.transaction = Histogram(
            "forewarn_worker_transaction_seconds", "One transaction of the store.",
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.rebalances = self._counter("rebalances", "Times that partitions were dealt out anew.")
        self.fenced = self._counter("fence_refusals", "Times that the store had moved on under another owner.")
        self.lost = self._counter("lost_frames", "Frames that were gone from the log before they were folded.")
        self.unreadable = self._counter("unreadable_frames", "Records that were passed over and kept as dead letters.")
        self.forwarded = self._counter("forwarded", "Rows of the outbox that were handed on.", "log")
        self.rejected = self._counter("rejected", "Entries that were not applied, with a reason.", "log")
        self.restored = Histogram(
            "forewarn_worker_restore_seconds", "Restoring a partition until it can go on.",
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        ProcessCollector(namespace="forewarn_worker", registry=self.registry)

    def watch(self, worker: Telling) -> None:
        """Tell the state of a worker with every scrape."""
        self.registry.register(_States(worker))

    def kept(self, log: str, entries: int, frames: int, seconds: float, latency_s: float) -> None:
        """One transaction is done."""
        self._entries.labels(log).inc(entries)
        self._frames.labels(log).inc(frames)
        self._step.labels(log).observe(seconds)
        self._latency.labels(log).observe(latency_s)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"forewarn_worker_{name}", help, labels, registry=self.registry)


class _States(Collector):
    def __init__(self, worker: Telling) -> None:
        self._worker = worker

    def describe(self) -> list[Metric]:
        """Nothing is collected just to be registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """How it is now."""
        looks = self._worker.looks()
        for name, help in _STATES:
            family = Gauge(f"forewarn_worker_{name}", help, labels=["log", "partition"])
            for (log, number), look in looks.items():
                value = getattr(look, name)
                if value is not None:
                    family.add_metric([log, str(number)], float(value))
            yield family
        yield Gauge("forewarn_worker_partitions", "Partitions of all logs that this worker owns.", float(len(looks)))
        ready = float(not self._worker.trouble())
        yield Gauge("forewarn_worker_ready", "1 while every owned partition makes progress.", ready)


class Doorplate:
    """Answers `/metrics`, `/healthz` and `/readyz` on an address of its own.

    Raises ConfigError when the port is taken.
    """

    def __init__(self, registry: CollectorRegistry, trouble: Callable[[], str], host: str, port: int) -> None:
        pages: dict[str, Page] = {
            "/metrics": lambda: (200, generate_latest(registry), CONTENT_TYPE),
            "/healthz": lambda: (200, b"ok\n", TEXT),
            "/readyz": lambda: _ready(trouble()),
        }
        try:
            self._server = ThreadingHTTPServer((host, port), partial(_Handler, pages))
        except OSError as error:
            raise ConfigError([f"worker.metrics_port {port}: {error.strerror}; choose another, 0 for none"]) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pages: dict[str, Page], *args: Any) -> None:
        self._pages = pages
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer one of the pages."""
        page = self._pages.get(self.path.partition("?")[0])
        status, body, kind = page() if page else (404, b"not found\n", TEXT)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Being asked is nothing to write down."""


def _ready(trouble: str) -> tuple[int, bytes, str]:
    return (503 if trouble else 200), f"{trouble or 'ready'}\n".encode(), TEXT
