"""`make demo-cluster`: Kafka, PostgreSQL, two workers, a server and a simulated city, all on this machine.

The city is told live, at the pace of the wall, since workers stamp by the wall; the last hours before the start are
told first, as fast as they are taken. There is no board of results: it needs the files of an embedded site.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
import yaml

from config.load import load_settings
from connectors.simulator import City
from connectors.simulator.reaction import SHARE
from connectors.simulator.site_files import as_yaml
from console.api.accounts import Accounts
from pipeline.errors import ForewarnError
from runners.cluster.kafka_topics import init
from runners.demo.demo import sign_in_links
from runners.demo.folder import DemoFolder
from runners.demo.stream import Done, Stream
from runners.live.server import Address, LiveServer
from runners.live.sources import plan
from runners.serve.parts import Parts
from runners.serve.run import metrics_of, on_kafka
from runners.serve.site import ClusterLive
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from runners.trial.process import Child

DATABASE = "forewarn"
ZONE = ZoneInfo("Asia/Shanghai")
SENSORS_US = 1_800_000_000
"""Readings of so long before the start are told; matters of more."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ClusterDemo:
    """What to show: `per_day` matters a day, `hours` of them before the start. Port 0 of metrics: none."""

    data: Path
    port: int = 8080
    seed: int = 7
    per_day: float = 12_000.0
    hours: float = 12.0
    grids: int = 240
    sensors: int = 400
    partitions: int = 4
    workers: int = 2
    metrics_port: int = 0


def run_demo(demo: ClusterDemo, say: Say, *, started: Callable[[LiveServer], None] = lambda server: None) -> bool:
    """Start everything, serve until stopped, end everything; False when the intake failed.

    `started` is given the server before it serves, so that it can be stopped.
    Raises PartMissing, TrialFailed, ConfigError.
    """
    address = Address(port=demo.port)
    now = datetime.now(ZONE)
    begin = now - timedelta(hours=demo.hours)
    city = _city(demo, begin.date())
    folder = DemoFolder(demo.data, city)
    with ExitStack() as stack:
        say("starting Kafka and PostgreSQL ...")
        kafka = stack.enter_context(TrialKafka(demo.data / "kafka"))
        postgres = stack.enter_context(TrialPostgres(demo.data / "postgres"))
        _configure(folder.config, demo, kafka, postgres.database(DATABASE))
        settings = load_settings(folder.config)
        init(settings.kafka, settings.partition_count, folder.files)
        parts = on_kafka(folder.config)
        stack.callback(parts.close)
        site = ClusterLive(plan(folder.config), parts, folder.files, simulated=True)
        stack.callback(site.stop)
        workers = [_worker(folder.config, number + 1, demo.data) for number in range(demo.workers)]
        for child in workers:
            stack.callback(child.end)
            child.start()
        if demo.metrics_port:
            stack.callback(metrics_of(site).serve(demo.metrics_port).stop)
        reached, sensors_from = _lived(city, begin, now)
        stream = Stream(site, city, reached, lambda truth: None, Reactions(parts).fresh, sensors_from)
        stack.callback(stream.stop)
        accounts = Accounts(settings.postgres.url)

        def ready(url: str) -> None:
            stream.start()
            say(f"configuration {folder.config}")
            say(f"brokers {', '.join(kafka.bootstrap)}, database {settings.postgres.url}")
            for child in workers:
                say(f"{child.name}: process {child.pid}, log {child.log}")
            say(f"server: process {os.getpid()}, {url}; the last {demo.hours:g} hours are being told")
            for link in sign_in_links(accounts, url):
                say(link)

        server = LiveServer(site, address, accounts=accounts, ready=ready)
        started(server)
        return server.serve()


def _city(demo: ClusterDemo, start: date) -> City:
    return City(seed=demo.seed, grids=demo.grids, start=start, per_day=demo.per_day, sensors=demo.sensors)


def _lived(city: City, begin: datetime, now: datetime) -> tuple[int, int]:
    """Let the day pass until the past begins that is told; the moments (µs UTC) from which matters and sensors are."""
    matters, sensors = int(begin.timestamp()) * 1_000_000, int(now.timestamp()) * 1_000_000 - SENSORS_US
    deque(city.signals(city.begin, matters), maxlen=0)
    deque(city.readings(city.begin, sensors), maxlen=0)
    return matters, sensors


def _configure(path: Path, demo: ClusterDemo, kafka: TrialKafka, database: str) -> None:
    """Turn the demonstration's configuration into one of a cluster."""
    found = yaml.safe_load(path.read_text("utf-8"))
    found |= {
        "runner": "kafka",
        "partition_count": demo.partitions,
        "kafka": {"bootstrap": list(kafka.bootstrap), "replication": 1, "min_insync": 1},
        "postgres": {"url": database},
    }
    path.write_text(as_yaml(found), "utf-8")


def _worker(config: Path, number: int, folder: Path) -> Child:
    command = [sys.executable, "-m", "runners.cli", "worker", "--config", str(config), "--name", f"worker-{number}"]
    return Child(f"worker {number}", command, folder / f"worker-{number}.log", Path.cwd())


class Reactions:
    """What people did to the warnings of matters since the last look, from the store of a cluster."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._seen = parts.news.cursor()

    def fresh(self) -> Iterator[Done]:
        """Matter, what was done (a cause of the reaction), when (µs UTC); nothing while the database is away."""
        try:
            for name, end in self._parts.news.cursor().items():
                log, _, number = name.rpartition("-")
                while (seen := self._seen.get(name, 0)) < end:
                    for ordinal, change in self._parts.news.after(log, int(number), seen):
                        self._seen[name] = ordinal
                        if change["cause"] in SHARE and change["kind"] == "matter":
                            known = self._parts.logs.matter(bytes.fromhex(change["subject"]))
                            if known is not None:
                                yield known[1].partition("/")[2], change["cause"], change["at"]
        except ForewarnError:
            time.sleep(1.0)


def main(
    port: Annotated[int, typer.Option(help="Port of the console on this machine.")] = 8080,
    data: Annotated[Path, typer.Option(help="Folder; an earlier demonstration in it is replaced.")] = Path(
        "out/demo-cluster"
    ),
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = 7,
    partitions: Annotated[int, typer.Option(min=1, max=64, help="Partitions of the logs.")] = 4,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Workers.")] = 2,
    per_day: Annotated[float, typer.Option(help="Matters a day.")] = 12_000.0,
    hours: Annotated[float, typer.Option(help="Hours before the start that are told first.")] = 12.0,
    metrics_port: Annotated[int, typer.Option(help="Port of /metrics on the loopback address; 0: none.")] = 9464,
) -> None:
    """A simulated city on Kafka and PostgreSQL, on this machine alone. Ctrl-C ends all of it.

    Example: python -m runners.demo.cluster --port 8080
    """
    demo = ClusterDemo(
        data, port, seed, per_day, hours, partitions=partitions, workers=workers, metrics_port=metrics_port
    )
    try:
        is_well = run_demo(demo, typer.echo)
    except ForewarnError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if not is_well:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
