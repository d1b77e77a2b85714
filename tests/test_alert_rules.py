"""The rules for Prometheus speak of metrics that there are, and each alert is explained."""

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from runners.metrics import Metrics
from runners.serve.metrics import register
from runners.worker.metrics import WorkerMetrics
from runners.worker.site import Place
from runners.worker.state import Look
from tests.runners.live.town import lay_out, running

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations" / "cluster.md").read_text(encoding="utf-8")
GROUPS = yaml.safe_load((ROOT / "docker" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
NAME = re.compile(r"\bforewarn_\w+")


class OneLook:
    """A worker with one partition."""

    def looks(self) -> dict[Place, Look]:
        """It is level with its log."""
        return {("signals", 0): Look(0, 0.0, 0.0, 0.0, False)}

    def trouble(self) -> str:
        """None."""
        return ""


def told(registry: CollectorRegistry) -> set[str]:
    """Names of the samples of a scrape, and of metrics whose labels nobody has used yet."""
    text = generate_latest(registry).decode()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    of_histograms = {f"{name}_{part}" for name, kind in kinds.items() if kind == "histogram" for part in PARTS}
    return set(re.findall(r"^(\w+)[{ ]", text, re.M)) | set(kinds) | of_histograms


PARTS = ("bucket", "sum", "count")


def of_workers() -> set[str]:
    """Names of what a worker tells."""
    metrics = WorkerMetrics()
    metrics.watch(OneLook())
    return told(metrics.registry)


def of_servers(folder: Path) -> set[str]:
    """Names of what a server tells: what every site does, and what is declared for servers of a cluster."""
    module = inspect.getmodule(register)
    assert module
    with running(lay_out(folder / "town"), folder / "data") as site:
        return told(Metrics(site).registry) | set(re.findall(r'Gauge\("(forewarn_\w+)"', inspect.getsource(module)))


def named(texts: Iterable[str]) -> set[str]:
    """Metrics that texts speak of."""
    return {name for text in texts for name in NAME.findall(text)}


def test_every_metric_in_an_alert_is_declared(tmp_path: Path) -> None:
    used = named(rule["expr"] for rule in RULES)
    assert len(used) > 20
    assert used - of_workers() - of_servers(tmp_path) == set()


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_and_the_documentation_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "warn")
    assert f"| `{rule['alert']}` |" in PAGE


def test_every_metric_of_a_worker_is_explained() -> None:
    samples = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in of_workers()}
    own = {name for name in samples if name.startswith("forewarn_worker_") and "_process_" not in name}
    assert len(own) > 15
    assert {name for name in own if name not in named([PAGE]) and name.removesuffix("_total") not in own} == set()
