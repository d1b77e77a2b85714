"""Metrics: declared once, without places or matters, and the counts add up at every instant."""

import asyncio
import re
import threading
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from pipeline.errors import ConfigError
from runners.metrics import CONSERVED, Metrics
from tests.runners.live.town import overdue, record, records, run, running, send, until_folded

LINE = re.compile(r"^(\w+?)(?:\{(.*)\})? (\S+)$")


def scrape(metrics: Metrics) -> dict[str, float]:
    """Every figure by its name and labels."""
    found = {}
    for line in generate_latest(metrics.registry).decode().splitlines():
        if not line.startswith("#"):
            match = LINE.match(line)
            assert match, line
            found[f"{match[1]}{{{match[2]}}}" if match[2] else match[1]] = float(match[3])
    return found


def conserved(found: dict[str, float], source: str) -> tuple[float, float]:
    """What a source handed over, and the sum of what became of it."""
    label = f'{{source="{source}"}}'
    parts = [found[f"forewarn_{name}_total{label}"] for name in CONSERVED]
    return found[f"forewarn_accepted_total{label}"], sum(parts) + found[f"forewarn_pending{label}"]


def test_what_was_accepted_is_somewhere_at_every_instant(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        metrics, seen = Metrics(site), Counter[float]()
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                accepted, found = conserved(scrape(metrics), "hotline")
                assert accepted == found
                seen[accepted] += 1

        looking = threading.Thread(target=look)
        looking.start()

        async def post() -> None:
            await asyncio.gather(*(site.accept("hotline", [*records(40, 40 * n), b"{"]) for n in range(60)))
            await asyncio.gather(*(site.accept("hotline", records(40, 40 * n)) for n in range(60)))
            await until_folded(site)

        run(post())
        over.set()
        looking.join()
        found = scrape(metrics)
    assert conserved(found, "hotline") == (60 * 81, 60 * 81)
    assert found['forewarn_duplicate_total{source="hotline"}'] == 60 * 40
    assert found['forewarn_dead_lettered_total{source="hotline"}'] == 60
    assert len(seen) > 1


def test_open_warnings_are_counted_by_level_and_kind(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        metrics = Metrics(site)
        send(site, "hotline", [overdue(1)])
        found = scrape(metrics)
    assert found['forewarn_warnings_open{kind="matter",level="blue"}'] == 1
    assert found['forewarn_latency_seconds_count{stage="intake"}'] == 1
    assert found["forewarn_ready"] == 1


def test_no_label_is_a_place_or_a_matter(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        metrics = Metrics(site)
        send(site, "hotline", [overdue(1), record(2)])
        labels = set(re.findall(r'(\w+)="', " ".join(scrape(metrics))))
    assert labels == {"source", "level", "kind", "stage", "state", "le"}


def test_metrics_have_an_address_of_their_own(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        metrics = Metrics(site)
        server = metrics.serve(0)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
                assert b"forewarn_accepted_total" in answer.read()
            with pytest.raises(ConfigError, match="--metrics-port"):
                metrics.serve(server.port)
        finally:
            server.stop()
