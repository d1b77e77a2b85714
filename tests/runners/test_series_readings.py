"""A back-test of readings: what is wrong with a sensor becomes its warning, and the scores can be judged by anyone."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.columns import pack, unpack
from pipeline.frame import Frame
from pipeline.rules import FoldRules
from runners.backtest import Task, backtest
from runners.log_sqlite import Logs
from runners.replay import replay
from runners.wiring import topology

START = datetime(2026, 3, 2, tzinfo=UTC)
READINGS = 3_000
SPIKE, STUCK, GAP = 400, 900, 1_900
"""Minutes of sensor `north` at which each trouble comes; far enough apart for one warning to end before the next."""
STUCK_FOR, GAP_FOR = 120, 60
MAPPING = """
source: gauges
shape: readings
contract:
  purpose: Evaluate the detection of sensor anomalies on generated data
  legal_basis: Generated, of nobody
  allowed_fields: [time, value]
  precision: {time: minute, place: county}
  retention_days: 30
  intake: readings
sensor: {file: stem}
time: time
value: value
"""
CONFIG = """
site: {zone: UTC}
levels:
  blue: {dwell_down_minutes: 0, hold_hours: 0}
  yellow: {dwell_down_minutes: 0, hold_hours: 0}
  orange: {dwell_down_minutes: 0, hold_hours: 0}
  red: {dwell_down_minutes: 0, hold_hours: 0}
"""


def moment(minute: int) -> str:
    return (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_sensor(path: Path, values: dict[int, float]) -> Path:
    rows = [f"{moment(minute)},{value:.3f}" for minute, value in values.items()]
    path.write_text("time,value\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Two sensors, a reading a minute: `south` is calm, `north` has a spike, stands still, and falls silent."""
    folder = tmp_path_factory.mktemp("gauges")
    random = np.random.default_rng(5)
    south = dict(enumerate(random.normal(20, 1, READINGS).tolist()))
    north = dict(enumerate(random.normal(50, 1, READINGS).tolist()))
    north[SPIKE] += 25
    north |= dict.fromkeys(range(STUCK, STUCK + STUCK_FOR), 50.0)
    north = {minute: value for minute, value in north.items() if not GAP <= minute < GAP + GAP_FOR}
    files = (write_sensor(folder / "south.csv", south), write_sensor(folder / "north.csv", north))
    windows = {"north.csv": [[moment(SPIKE - 5), moment(SPIKE + 20)]]}
    (folder / "windows.json").write_text(json.dumps(windows))
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "config.yaml").write_text(CONFIG)
    return Task(
        folder / "mapping.yaml",
        files,
        folder / "out",
        config=folder / "config.yaml",
        truth=folder / "windows.json",
    )


@pytest.fixture(scope="module")
def note(task: Task) -> dict[str, Any]:
    return backtest(task)


def transitions(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "warnings.jsonl").read_text().splitlines()]


def score_rows(out: Path) -> list[dict[str, str]]:
    with (out / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_trouble_raises_a_warning_of_its_sensor_that_ends_with_it(task: Task, note: dict[str, Any]) -> None:
    told = [
        (line["subject"], line["at"], line["to"], [reason["code"] for reason in line["reasons"]])
        for line in transitions(task.out)
    ]

    spike = moment(SPIKE)
    assert told[:2] == [
        ("north", spike, "blue", ["abnormal"]),
        ("north", spike, "yellow", ["spread", "abnormal"]),
    ]
    assert told[2][2:] == (None, []), "thirty readings without it end it"
    assert told[3:5] == [
        # 60 equal readings, the first of them the 900th minute
        ("north", moment(STUCK + 59), "blue", ["stuck"]),
        ("north", moment(STUCK + STUCK_FOR), None, []),
    ]
    assert told[5:] == [
        # ten usual intervals after the last reading, which nothing but time tells
        ("north", moment(GAP - 1 + 10), "blue", ["missing"]),
        ("north", moment(GAP + GAP_FOR), None, []),
    ]


def test_a_warning_says_the_value_and_what_was_usual(task: Task, note: dict[str, Any]) -> None:
    lines = transitions(task.out)

    assert "no reading for 10 min (normally every 1 min)" in lines[5]["sentence"]["en"]
    assert "一直为50" in lines[3]["sentence"]["zh"]


def test_two_runs_write_the_same_bytes(task: Task, note: dict[str, Any]) -> None:
    again = replace(task, out=task.out.parent / "again")

    assert backtest(again) == note
    for name in ("warnings.jsonl", "scores.csv", "run.json", "report.json", "report.html"):
        assert (again.out / name).read_bytes() == (task.out / name).read_bytes(), name


def test_one_other_value_gives_other_digests(task: Task, note: dict[str, Any], tmp_path: Path) -> None:
    north = tmp_path / "north.csv"
    spike = next(line for line in task.inputs[1].read_text().splitlines() if line.startswith(moment(SPIKE)))
    north.write_text(task.inputs[1].read_text().replace(spike, f"{moment(SPIKE)},90"))

    other = backtest(replace(task, inputs=(task.inputs[0], north), out=tmp_path / "out"))

    assert other["digests"]["readings-0"] != note["digests"]["readings-0"]
    assert other["digests"]["signals-0"] != note["digests"]["signals-0"]


def test_a_replay_of_the_signals_log_gives_the_same_warnings(task: Task, note: dict[str, Any]) -> None:
    assert replay(task.out).is_equal


def test_a_checkpoint_after_any_word_changes_no_warning(task: Task, note: dict[str, Any]) -> None:
    with Logs(task.out / "log.db", readonly=True) as logs:
        frames = [Frame.from_bytes(body, offset) for offset, body in logs.read("signals", 0)]
    rules = FoldRules.from_json(frames[0].others[0]["rules"])

    fold = topology(rules, {})
    for frame in frames:
        for index in range(len(frame)):
            fold.step(frame.entry(index))
            head, arrays = unpack(pack(*fold.checkpoint()))
            fold = topology(rules, {})
            fold.restore(head, arrays)
            fold.ready()

    assert fold.digest() == note["digests"]["signals-0"]


def test_a_stranger_gets_the_reported_auc_from_the_scores(task: Task, note: dict[str, Any]) -> None:
    rows = [row for row in score_rows(task.out) if row["label"]]
    inside = np.array([float(row["score"]) for row in rows if row["label"] == "1"])
    outside = np.array([float(row["score"]) for row in rows if row["label"] == "0"])

    pairs = (inside[:, None] > outside).mean() + (inside[:, None] == outside).mean() / 2

    (task_,) = json.loads((task.out / "report.json").read_text())["tasks"]
    figures = {metric["name"]: metric["value"] for metric in task_["metrics"]}
    assert figures["auc"] == pytest.approx(pairs, abs=1e-6)


def test_a_label_is_known_when_its_window_ends_and_empty_without_truth(task: Task, note: dict[str, Any]) -> None:
    rows = score_rows(task.out)
    north = {row["at"]: (row["label"], row["label_known_at"]) for row in rows if row["subject"] == "north"}

    assert north[moment(SPIKE)] == ("1", moment(SPIKE + 20))
    assert north[moment(SPIKE + 20)] == ("1", moment(SPIKE + 20))
    assert north[moment(SPIKE + 21)] == ("0", moment(SPIKE + 21))
    assert {row["label"] for row in rows if row["subject"] == "south"} == {""}
    assert len(rows) == note["counts"]["applied"] == 2 * READINGS - GAP_FOR


def test_rows_that_cannot_be_read_are_counted_and_the_rest_goes_on(task: Task, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(f"time,value\n{moment(0)},1\nsoon,2\n{moment(1)},nan\n{moment(2)},1e300\n{moment(3)},4\n")

    note = backtest(replace(task, inputs=(bad,), out=tmp_path / "out", truth=None))

    assert note["counts"]["applied"] == 2
    assert note["counts"]["reasons"] == {"bad_time": 1, "not_finite": 2}


def test_a_reading_at_its_hazard_limit_reaches_the_office_at_once(task: Task, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + "sensors:\n  - {prefix: nor, alarm_high: 70, held_seconds: 0}\n")

    backtest(replace(task, config=config, out=tmp_path / "out"))

    hazard = next(line for line in transitions(tmp_path / "out") if line["reasons"][0]["code"] == "alarm")
    assert (hazard["at"], hazard["proposed"], hazard["to"]) == (moment(SPIKE), "orange", "yellow")


@pytest.mark.real
def test_the_public_benchmark_goes_through_whole(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "nab_dev"
    mapping = Path(__file__).parents[2] / "examples" / "nab_dev" / "mapping.yaml"
    inputs = tuple(sorted(folder.glob("data/*/*.csv.gz")))

    note = backtest(Task(mapping, inputs, tmp_path / "out", truth=folder / "windows.json"))

    counts = note["counts"]
    assert (counts["read"], counts["sensors"], counts["reasons"]) == (179_391, 31, {})
    assert counts["applied"] + counts["duplicate"] == counts["read"]
    assert {"blue", "yellow"} <= {line["to"] for line in transitions(tmp_path / "out")}
