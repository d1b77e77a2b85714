"""What only a server of a cluster can tell, declared once: lag by log, duties that it holds, what is not settled yet.

The other metrics are those of every site (runners.metrics).
"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from pipeline.errors import StoreUnavailable
from runners.serve.site import ClusterLive

LOGS = ("signals", "readings", "site")


def register(site: ClusterLive, registry: CollectorRegistry) -> None:
    """Add them to a server's registry."""
    registry.register(_ClusterCollector(site))


class _ClusterCollector(Collector):
    def __init__(self, site: ClusterLive) -> None:
        self._site = site

    def describe(self) -> list[Metric]:
        """Nothing is collected just to be registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything, as of the last look."""
        site, seen = self._site, self._site.health.seen
        frames = Gauge("forewarn_log_lag_frames", "Frames that are logged and not folded, by log.", labels=["log"])
        stalled = Gauge("forewarn_log_lagging_partitions", "Partitions with such frames, by log.", labels=["log"])
        for log in LOGS:
            counts = [count for (name, _), count in seen.lag.items() if name == log]
            frames.add_metric([log], sum(counts))
            stalled.add_metric([log], sum(count > 0 for count in counts))
        yield frames
        yield stalled
        held = Gauge("forewarn_duty", "1 while this server does it for all.", labels=["duty"])
        mine = site.duties.held()
        for duty in site.duties.names():
            held.add_metric([duty], float(duty in mine))
        yield held
        yield Gauge("forewarn_brokers_away", "1 while the brokers do not answer.", float(bool(seen.brokers)))
        yield Gauge("forewarn_database_away", "1 while the database does not answer.", float(bool(seen.database)))
        yield Gauge("forewarn_listening", "1 while the database tells what is new.", float(site.is_listening))
        yield Gauge("forewarn_config_version", "Version of the configuration in force.", site.rules.version)
        yield Gauge("forewarn_config_logs", "Logs that have it.", site.having)
        try:
            pledged = len(site.parts.pledges.open())
        except StoreUnavailable:
            return
        yield Gauge("forewarn_pledges", "Appends of servers that are under way or were left behind.", pledged)
