"""A whole back-test of two simulated weeks: what may change nothing, changes nothing."""

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.simulator import write
from runners.backtest import Task, backtest
from runners.log_sqlite import Logs
from runners.replay import replay


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with two simulated weeks (`input`) and their back-test (`out`)."""
    folder = tmp_path_factory.mktemp("weeks")
    write(folder / "input", days=14, grids=2, per_day=30.0, sensors=1)
    run(folder / "input", folder / "out")
    return folder


QUICK = """
targets:
  - {name: breach, rule: breach, window_days: 0, hold_days: 0}
learning: {min_labels: 20}
"""
"""What is learned within two weeks."""


def run(source: Path, out: Path) -> None:
    (source / "quick.yaml").write_text(QUICK, encoding="utf-8")
    backtest(Task(source / "mapping.yaml", (source / "signals.jsonl",), out, source / "quick.yaml", scores="all"))


def test_erasing_all_text_changes_no_warning(weeks: Path, tmp_path: Path) -> None:
    shutil.copytree(weeks / "out", tmp_path / "out")
    logs = Logs(tmp_path / "out" / "log.db")
    erased = logs.erase_texts()
    logs.close()
    assert erased > 0
    again = replay(tmp_path / "out")
    assert again.is_equal
    assert again.transitions == again.stored_transitions > 0


def test_what_is_known_later_moves_no_score_that_came_before(weeks: Path, tmp_path: Path) -> None:
    source = tmp_path / "input"
    shutil.copytree(weeks / "input", source)
    lines = (source / "signals.jsonl").read_text(encoding="utf-8").splitlines()
    kept = lines[: len(lines) * 2 // 3]
    (source / "signals.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    run(source, tmp_path / "out")
    before, whole = scores(tmp_path / "out"), scores(weeks / "out")
    until = datetime.fromisoformat(json.loads(kept[-1])["at"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    cut = [row for row in before if row["at"] < until]
    assert len(cut) > 100
    assert list((tmp_path / "out" / "models").iterdir()), "without a model there is nothing to leak into"
    assert [known(row) for row in cut] == [known(row) for row in whole if row["at"] < until]


def scores(out: Path) -> list[dict[str, str]]:
    with (out / "scores.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: (row["at"], row["subject"], row["target"]))


def known(row: dict[str, str]) -> tuple[str, ...]:
    """What was known when it was scored: all but the label."""
    return tuple(row[name] for name in ("subject", "kind", "target", "at", "score", "probability"))
