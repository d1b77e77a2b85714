"""Folding all logs from their beginning gives what the runs that wrote them gave."""

from pathlib import Path

import numpy as np
import pytest

from config.load import canonical
from config.settings import Settings
from config.territory import Sensor
from pipeline.frame import READING, frame_of_readings
from pipeline.ids import code64
from runners.embedded import Site
from runners.fold_logs import fold_logs, sensor_rules
from runners.log_sqlite import Logs
from runners.model_files import ModelFiles
from runners.reading_limits import reading_rules
from runners.readings_runner import ReadingsRunner
from runners.replay import replay
from runners.wiring import fold_rules

MINUTE = 60_000_000
START = 1_767_225_600_000_000
SETTINGS = Settings(sensors=(Sensor(prefix="gas", alarm_high=5.0),))


def sensed(folder: Path, *, sensors: tuple[str, ...] = ("gas/1", "water/1")) -> dict[str, str]:
    """Readings of two sensors with an alarm, in the log of a live site; the digest that its fold gave."""
    rules = fold_rules(SETTINGS)
    site = Site(folder, rules, clock="wall")
    site.configure(rules, canonical(SETTINGS), START)
    runner = ReadingsRunner(site, reading_rules(Settings(), {}), rules_of=sensor_rules)
    runner.configure({name: canonical(SETTINGS)[name] for name in ("sensors", "duty")}, START)
    for number in range(20):
        rows = np.zeros(len(sensors), READING)
        names = {code64(name): name for name in sensors[: 1 + number // 10]}
        rows = rows[: len(names)]
        rows["sensor"], rows["at"] = list(names), START + number * MINUTE
        rows["value"] = 9.0 if number > 15 else 1.0 + number % 3 / 10
        runner.names.update(names)
        site.logs.name({code: ("sensor", name) for code, name in names.items()})
        frame = frame_of_readings(rows, START + number * MINUTE)
        frame.others = [{"source": "sensors"}]
        runner.append([frame], lambda: None)
    runner.close()
    site.close()
    return runner.digest()


def test_readings_are_folded_again_by_the_limits_that_stand_in_their_log(tmp_path: Path) -> None:
    told = sensed(tmp_path)
    again = replay(tmp_path)
    assert again.is_equal
    assert again.digests["readings-0"] == told != {"readings": "0" * 32}


def test_a_log_whose_beginning_is_gone_is_named_and_not_compared(tmp_path: Path) -> None:
    sensed(tmp_path)
    with Logs(tmp_path / "log.db") as logs:
        logs.db.execute("DELETE FROM readings_0 WHERE offset < 3")
    again = replay(tmp_path)
    assert again.pruned == ["readings-0"]
    assert sorted(again.digests) == ["signals-0"]
    assert again.is_equal


def test_counts_are_told_by_log_and_partition(tmp_path: Path) -> None:
    sensed(tmp_path)
    with Logs(tmp_path / "log.db", readonly=True) as logs:
        found = fold_logs(logs, ModelFiles(tmp_path / "models"))
    assert found.counts["readings-0"]["applied"] == 30
    assert found.total() == found.counts["signals-0"]


def test_nothing_to_fold_is_told(tmp_path: Path) -> None:
    with Logs(tmp_path / "log.db") as logs, pytest.raises(FileNotFoundError, match="no frame yet"):
        fold_logs(logs, ModelFiles(tmp_path))
