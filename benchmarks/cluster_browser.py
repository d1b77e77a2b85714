"""How soon a browser hears of a warning, on a cluster: a server and a worker as processes of their own."""

import json
import socket
from pathlib import Path

import yaml

from benchmarks.cluster_parts import Cluster, Process, cluster, until
from benchmarks.figure import Figure, figure
from benchmarks.intake import waits_of_browser
from benchmarks.live_site import Served
from benchmarks.matter_lines import CONTRACT, SOURCE
from benchmarks.matter_lines import settings as city_settings
from console.api.accounts import Accounts
from console.api.keys import Keys
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres


def accepted_to_browser(parts: tuple[Path, TrialKafka, TrialPostgres]) -> list[Figure]:
    """From the answer 202 to the event in a browser's stream, while 2,000 signals a second come in."""
    with cluster(parts, "browser", city_settings()[0], partitions=2) as site:
        worker = Process("worker", "--config", str(site.path))
        server, served = _server(site)
        try:
            until(lambda: _is_ready(served), [worker, server], 60)
            waits, rate = waits_of_browser(served)
        finally:
            server.stop()
            worker.stop()
    return [
        figure("cluster_accepted_to_browser_p99", 1000 * waits[round(0.99 * (len(waits) - 1))], "ms", goal=250,
               higher_is_better=False),
        figure("cluster_accepted_to_browser_p50", 1000 * waits[len(waits) // 2], "ms"),
        figure("cluster_accepted_to_browser_rate", rate, "signals/s"),
    ]  # fmt: skip


def _server(site: Cluster) -> tuple[Process, Served]:
    """A server that takes signals from the city, and how to reach it."""
    config = json.loads(site.path.read_text("utf-8")) | {"sources": [{"name": SOURCE, "mapping": "mapping.yaml"}]}
    mapping = {"source": SOURCE, "shape": "native", "contract": CONTRACT.model_dump(mode="json")}
    site.path.with_name("mapping.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    site.path.write_text(json.dumps(config), encoding="utf-8")
    accounts = Accounts(site.url)
    key = Keys(accounts).create(SOURCE)
    accounts.add("bench", role="duty_officer", password="a long enough password")
    token = accounts.token("bench")
    accounts.close()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = Process("serve", "--config", str(site.path), "--port", str(port), "--metrics-port", "0")
    return process, Served(port, site.path.parent, key, token, process.pid)


def _is_ready(site: Served) -> bool:
    try:
        return bool(site.json("/readyz")["ready"])
    except OSError:
        return False
