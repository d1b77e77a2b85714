"""Back-test of counts: sums of periods come in as files and leave as scores with their expectation."""

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from runners.backtest import Task, backtest

MAPPING = """
source: sums
shape: counts
contract:
  purpose: tests
  legal_basis: none needed
  allowed_fields: [what, where, week, n, outbreak]
  precision: {time: day, place: county}
  retention_days: 30
  intake: counts
times: {zone: UTC}
category: what
place: where
time: {column: week, formats: ["%Y-%m-%d"]}
count: n
outbreak: outbreak
"""
Run = Callable[[list[str]], tuple[Path, dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Back-test these rows (what, where, week, n, outbreak); the folder and its note."""

    def backtested(rows: list[str]) -> tuple[Path, dict[str, Any]]:
        (tmp_path / "mapping.yaml").write_text(MAPPING)
        (tmp_path / "sums.csv").write_text("\n".join(["what,where,week,n,outbreak", *rows]))
        task = Task(tmp_path / "mapping.yaml", (tmp_path / "sums.csv",), tmp_path / "out")
        return tmp_path / "out", backtest(task)

    return backtested


def weekly(what: str, where: str, values: list[int], marked: int = -1, mark: str = "0") -> list[str]:
    """Rows of one weekly series from 2023-01-02 on; week `marked` is an outbreak."""
    return [
        f"{what},{where},{date(2023, 1, 2) + timedelta(weeks=week)},{value},{1 if week == marked else mark}"
        for week, value in enumerate(values)
    ]


def scores(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_sum_has_a_row_with_count_and_expectation(run: Run) -> None:
    folder, _ = run(weekly("water", "east", [4, 6, 5, 5] * 10))
    rows = scores(folder)
    assert len(rows) == 40
    assert (rows[0]["subject"], rows[0]["kind"], rows[0]["target"]) == ("water@east", "count", "outbreak")
    assert 4 < float(rows[-1]["expected"]) < 6


def test_a_label_is_known_when_its_week_is_over(run: Run) -> None:
    folder, _ = run(weekly("water", "east", [5] * 29 + [20], marked=29))
    last = scores(folder)[-1]
    assert (last["at"], last["label"]) == ("2023-07-24T00:00:00Z", "1")
    assert last["label_known_at"] == "2023-07-31T00:00:00Z"


def test_a_category_without_any_mark_has_no_labels(run: Run) -> None:
    folder, _ = run([*weekly("water", "east", [5] * 20, marked=19), *weekly("roads", "east", [5] * 20)])
    assert {row["label"] for row in scores(folder) if row["category"] == "roads"} == {""}
    assert {row["label"] for row in scores(folder) if row["category"] == "water"} == {"0", "1"}


def test_a_week_of_many_is_a_warning_with_a_readable_subject(run: Run) -> None:
    folder, _ = run(weekly("water", "east", [4, 6, 5, 5] * 10 + [40]))
    lines = [json.loads(line) for line in (folder / "warnings.jsonl").read_text().splitlines()]
    assert [(line["subject"], line["kind"], line["proposed"]) for line in lines] == [("water@east", "surge", "red")]


def test_marks_never_change_what_is_expected(run: Run) -> None:
    values = [4, 6, 5, 5] * 10
    plain = [row["score"] for row in scores(run(weekly("water", "east", values))[0])]
    marked = [row["score"] for row in scores(run(weekly("water", "east", values, marked=20))[0])]
    assert plain == marked


def test_two_runs_say_the_same(run: Run) -> None:
    rows = [*weekly("water", "east", [4, 6, 5, 25] * 10), *weekly("roads", "west", [1, 0, 2, 9] * 10)]
    folder, first = run(rows)
    told = (folder / "warnings.jsonl").read_bytes()
    _, second = run(rows)
    assert first["digests"] == second["digests"]
    assert (folder / "warnings.jsonl").read_bytes() == told != b""


def test_a_row_that_is_no_count_is_refused_and_the_rest_goes_on(run: Run) -> None:
    folder, note = run([*weekly("water", "east", [5] * 20), "water,east,2023-06-05,many,0"])
    assert len(scores(folder)) == 20
    assert sum(note["counts"]["reasons"].values()) == 1


@pytest.mark.real
def test_the_public_series_are_taken_whole(real_data: Path, tmp_path: Path) -> None:
    mapping = Path(__file__).parents[2] / "examples" / "count_series" / "mapping.yaml"
    note = backtest(Task(mapping, (real_data / "count_series" / "counts_long.csv.gz",), tmp_path / "out"))
    assert (note["counts"]["applied"], note["counts"]["series"]) == (22_751, 96)
    assert sum(row["label"] == "1" for row in scores(tmp_path / "out")) == 124
