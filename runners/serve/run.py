"""`forewarn serve`: one server of a cluster, from its configuration until it is told to stop."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from alerts.database import postgres_url
from config.load import load_settings
from console.api.accounts import Accounts
from runners.cluster.log_kafka import KafkaLog
from runners.live.server import Address, LiveServer
from runners.live.sources import plan
from runners.metrics import Metrics
from runners.serve.metrics import register
from runners.serve.parts import Parts, open_parts
from runners.serve.site import ClusterLive


def run(
    config: Path, address: Address, *, metrics_port: int = 0, tell: Callable[[str], None] = lambda said: None,
    data: Path | None = None,
) -> bool:  # fmt: skip
    """Serve until stopped; False when the intake failed.

    `data`: folder for outlines and for what file sinks write, the configuration's own without it.
    Raises ConfigError, StoreUnavailable, LogUnavailable.
    """
    address.check()
    settings = load_settings(config)
    made = plan(config, settings=settings)
    with ExitStack() as stack:
        parts = on_kafka(config)
        stack.callback(parts.close)
        site = ClusterLive(made, parts, data or config.parent)
        stack.callback(site.stop)
        if metrics_port:
            stack.callback(metrics_of(site).serve(metrics_port).stop)
        accounts = Accounts(postgres_url(settings.postgres.url))
        server = LiveServer(site, address, accounts=accounts, ready=lambda url: tell(f"ready at {url}"))
        return server.serve()


def metrics_of(site: ClusterLive) -> Metrics:
    """The metrics of a server; before it starts."""
    metrics = Metrics(site)
    register(site, metrics.registry)
    return metrics


def on_kafka(config: Path) -> Parts:
    """What a server holds open, as its configuration says. Raises ConfigError, StoreUnavailable."""
    settings = load_settings(config)
    return open_parts(settings, lambda base: KafkaLog(settings.kafka, config.parent, base=base))
