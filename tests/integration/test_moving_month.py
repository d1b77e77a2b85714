"""A simulated month, with its readings and its models, moves house: a replay there gives the same digests."""

from datetime import date
from pathlib import Path

import yaml

from connectors.simulator import City, write
from runners.cluster.moving import move
from runners.demo.folder import DemoFolder
from runners.demo.past import fold_past
from runners.live.sources import plan
from runners.run_files import run_files
from runners.trial.kafka import TrialKafka

DAYS, HOURS = 30, 8


def test_a_simulated_month_moves_with_equal_digests(
    kafka: TrialKafka, database: str, prefix: str, tmp_path: Path
) -> None:
    city = City(seed=7, grids=24, start=date(2026, 3, 2), per_day=150.0, sensors=60)
    folder = DemoFolder(tmp_path / "data", city)
    made = plan(folder.config)
    signals = fold_past(made, folder.data, city, days=DAYS, hours=HOURS, tell=lambda share: None)
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    config = yaml.safe_load(folder.config.read_text("utf-8"))
    there = folder.config.with_name("cluster.yaml")
    where = {"runner": "kafka", "kafka": brokers, "postgres": {"url": database}}
    there.write_text(yaml.safe_dump(config | where, allow_unicode=True), "utf-8")
    moved = move(folder.data, there)
    assert {log.log: log.digests for log in moved.logs} == dict.fromkeys(["readings-0", "signals-0", "site-0"], "equal")
    assert signals > 20_000
    assert moved.rows["transitions"] > 200
    assert moved.rows["models"] >= 2
    assert moved.rows["matters"] > 4_000


def test_a_site_that_was_run_on_files_moves_too(kafka: TrialKafka, database: str, prefix: str, tmp_path: Path) -> None:
    write(tmp_path / "city", seed=7, days=5, grids=24)
    config = tmp_path / "city" / "config.yaml"
    run_files(config, tmp_path / "data", None, None)
    brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
    there = config.with_name("cluster.yaml")
    where = {"runner": "kafka", "kafka": brokers, "postgres": {"url": database}}
    there.write_text(yaml.safe_dump(yaml.safe_load(config.read_text("utf-8")) | where, allow_unicode=True), "utf-8")
    moved = move(tmp_path / "data", there)
    assert {log.log: log.digests for log in moved.logs} == dict.fromkeys(["signals-0", "site-0"], "equal")
    assert moved.rows["matters"] > 500
