"""The results board and a script that shares no code with it give the same figures of a simulated city."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.backtest import Task, backtest
from runners.demo.board import Board
from runners.questions import list_warnings

SCRIPT = Path(__file__).parents[2] / "examples" / "scoreboard_check.py"
DAY_US = 86_400_000_000
BEGIN_US = 1_746_979_200_000_000
"""Midnight of 12 May 2025, when the city begins."""


@pytest.fixture(scope="module")
def told(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with board.json, warnings.json and truth.jsonl of a back-test of the city."""
    out = tmp_path_factory.mktemp("board")
    backtest(
        Task(
            mapping=city / "mapping.yaml",
            inputs=(city / "signals.jsonl",),
            out=out / "data",
            config=city / "site.yaml",
        )
    )
    records = [json.loads(line) for line in (city / "truth.jsonl").read_text("utf-8").splitlines()]
    board = Board(out / "data", out / "truth.jsonl", ("breach", "bounced"), BEGIN_US, lambda: BEGIN_US + 7 * DAY_US)
    board.take(records)
    (out / "board.json").write_text(json.dumps(board()), "utf-8")
    warnings = list_warnings(out / "data", every=True, limit=1_000_000)
    (out / "warnings.json").write_text(json.dumps(warnings), "utf-8")
    return out


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    """The script on the files of a folder."""
    board = json.loads((folder / "board.json").read_text("utf-8"))
    files = ["truth.jsonl", "warnings.json", "--board", "board.json", "--since", board["since"], "--now", board["now"]]
    command = [sys.executable, str(SCRIPT), *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_script_confirms_every_figure(told: Path) -> None:
    run = checked(told)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" same") == 16


def test_there_is_something_to_confirm(told: Path) -> None:
    found = {(one["policy"], one["id"]): one for one in json.loads((told / "board.json").read_text())["figures"]}
    assert found["forewarn", "incidents"]["value"] > 50
    assert found["forewarn", "warned"]["value"] > 10
    assert found["forewarn", "precision"]["denominator"] > 10
    assert found["deadline_only", "lead"]["value"] > 0


def test_the_script_tells_where_a_board_is_wrong(told: Path, tmp_path: Path) -> None:
    board: dict[str, Any] = json.loads((told / "board.json").read_text("utf-8"))
    board["figures"][0]["value"] += 1
    for name in ("truth.jsonl", "warnings.json"):
        (tmp_path / name).write_bytes((told / name).read_bytes())
    (tmp_path / "board.json").write_text(json.dumps(board), "utf-8")
    run = checked(tmp_path)
    assert run.returncode == 1
    assert run.stdout.count("DIFFERS") == 1
