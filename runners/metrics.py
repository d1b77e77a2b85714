"""Every metric of a live site, declared once; the one place that knows prometheus_client.

No label is a place or a matter. The counts of one scrape are of one moment, and add up:
accepted = applied + duplicate + late + dead_lettered + pending.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily as Counted
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from alerts.names import LEVEL_NAMES
from alerts.store import Store
from pipeline.effects import Effects
from pipeline.errors import ConfigError
from runners.live.quality import Quality
from runners.live.trainer import STATES
from runners.served import ServedSite

CONSERVED = ("applied", "duplicate", "late", "dead_lettered")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HELP = {
    "accepted": "Signals and readings that a source handed over, by source.",
    "applied": "Of those, folded and kept.",
    "duplicate": "Of those, known already.",
    "late": "Of those, readings that came after their time.",
    "dead_lettered": "Of those, not taken in, with a reason.",
    "dropped_fields": "Fields that the contract does not allow, dropped before anything was written.",
}


class Metrics:
    """The registry of one live site; make it before `start`."""

    def __init__(self, site: ServedSite) -> None:
        self.registry = CollectorRegistry()
        self.quality = Quality()
        stages = Histogram(
            "forewarn_latency_seconds",
            "How long each stage took: intake (until durable), fold (until kept), hub (until handed to readers),"
            " browser (until a connection has taken it).",
            ["stage"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        fold = stages.labels("fold")
        site.gate.observe = stages.labels("intake").observe
        site.hub.observe = stages.labels("hub").observe
        site.hub.observe_told = stages.labels("browser").observe
        site.engine.watchers += [self.quality, _FoldTimes(site.speed, fold.observe)]
        self.registry.register(_SiteCollector(site, self.quality))
        ProcessCollector(namespace="forewarn", registry=self.registry)

    def serve(self, port: int, host: str = "127.0.0.1") -> "MetricsServer":
        """Answer `/metrics` on an address of its own. Raises ConfigError when the port is taken."""
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise ConfigError([f"--metrics-port {port}: {error.strerror}; choose another, or 0 for none"]) from error
        return MetricsServer(server, thread)


class MetricsServer:
    """The thread that answers."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self._server, self._thread = server, thread
        self.port = int(server.server_port)

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _FoldTimes:
    def __init__(self, speed: float, observe: Callable[[float], None]) -> None:
        self._speed, self._observe = speed, observe

    def folded(self, effects: Iterable[Effects], entries: int, lag_us: int) -> None:
        """One observation a step, of its oldest entry."""
        self._observe(lag_us / 1e6 / self._speed)


class _SiteCollector(Collector):
    def __init__(self, site: ServedSite, quality: Quality) -> None:
        self._site, self._quality = site, quality
        self._store = Store(site.store_url, readonly=True)
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        """Nothing is collected just to be registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything, as of now."""
        yield from self._counts()
        yield from self._health()
        yield from self._warnings()
        yield from self._learning()

    def _counts(self) -> Iterator[Metric]:
        found = self._site.ledger.by_source(self._site.gate.sources)
        for name in ("accepted", *CONSERVED, "dropped_fields"):
            family = Counted(f"forewarn_{name}", _HELP[name], labels=["source"])
            for source, counts in found.items():
                family.add_metric([source], counts[name])
            yield family
        pending = Gauge("forewarn_pending", "Accepted and neither folded nor refused yet.", labels=["source"])
        for source, counts in found.items():
            pending.add_metric([source], counts["pending"])
        yield pending

    def _health(self) -> Iterator[Metric]:
        site = self._site
        ready = site.readiness()
        yield Gauge("forewarn_ready", "1 while work is taken and the fold moves.", float(ready.ready))
        yield Gauge(
            "forewarn_lag_seconds",
            "Age of the oldest entry that is logged and not folded.",
            ready.lag_us / 1e6 / site.speed,
        )
        yield Gauge("forewarn_waiting", "Records between the door and the fold.", site.engine.room.waiting())
        yield Gauge("forewarn_readers", "Open subscriptions to changes.", site.hub.readers)
        clock = bool(site.clock.trouble())
        yield Gauge("forewarn_clock_off", "1 while the wall clock is not followed as it is.", float(clock))
        yield Gauge("forewarn_disk_full", "1 while nothing can be written.", float(bool(site.engine.trouble)))
        age = Gauge("forewarn_source_age_seconds", "Log time since a source was heard.", labels=["source"])
        for source in site.gate.sources:
            heard = site.ledger.heard(source)
            if heard is not None:
                age.add_metric([source], max(0, ready.now - heard) / 1e6)
        yield age
        outbox = Gauge("forewarn_notifications", "Notifications by state of delivery.", labels=["state"])
        for state in ("waiting", "sent", "failed"):
            outbox.add_metric([state], site.delivery.depth().get(state, 0))
        yield outbox

    def _warnings(self) -> Iterator[Metric]:
        family = Gauge("forewarn_warnings_open", "Open warnings by proposed level.", labels=["level", "kind"])
        with self._lock:
            rows = self._store.open_by_level()
        for level, kind, count in rows:
            family.add_metric([LEVEL_NAMES[level] or "none", kind], count)
        yield family

    def _learning(self) -> Iterator[Metric]:
        names = [target.name for target in self._site.rules.targets]
        figures = self._quality.figures()
        for place, (name, help) in enumerate(
            (
                ("forewarn_log_loss", "Log-loss of scores at registration, once their outcome is known."),
                ("forewarn_calibration_error", "Mean distance of said and seen probability, by tenths."),
                ("forewarn_labels_weight", "Labels behind the two, fading."),
            )
        ):
            family = Gauge(name, help, labels=["target"])
            for target, values in figures.items():
                if target < len(names):
                    family.add_metric([names[target]], values[place])
            yield family
        trainer = self._site.trainer
        states = Gauge("forewarn_trainer", "1 for the state of the trainer.", labels=["state"])
        for state in STATES:
            states.add_metric([state], float(trainer.state == state))
        yield states
        yield Counted("forewarn_lessons", "Lessons given to the trainer.", trainer.figures().get("lessons", 0))
