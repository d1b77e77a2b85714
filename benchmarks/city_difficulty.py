"""How hard is the simulated city: the model's ranking of missed deadlines beside single columns and beside the oracle.

    python -m benchmarks.city_difficulty [SEED ...]

The city must leave something to learn and something that cannot be known: the model's AUC is at least .05 above that of
the best single column, and the oracle's at least .02 above the model's. A single column is scored by the failure rates
of the first half, the model by its scores at registration; both are judged on the second half. Exits 1 when not so.
"""

import csv
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from connectors.simulator import START, write
from runners.backtest import Task, backtest

DAYS, PER_DAY, GRIDS = 36, 700.0, 240
SEEDS = (7, 8, 9)
LEAD, GAP = 0.05, 0.02
PRIOR = 10.0
COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "category": lambda one: one["category"],
    "topic": lambda one: one["topic"],
    "office": lambda one: one["office"],
    "grid": lambda one: one["place"],
    "channel": lambda one: one["channel"],
    "limit": lambda one: one["rule"],
    "scope": lambda one: one["scope"],
    "history": lambda one: one["history"],
    "hour": lambda one: one["at"][11:13],
    "weekday": lambda one: datetime.fromisoformat(one["at"]).weekday(),
}


def area_under_curve(scores: list[float], failed: list[bool]) -> float:
    """Chance that one that failed stands above one that did not, ties by half."""
    values, y = np.array(scores), np.array(failed)
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    return float((ranks[y].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (~y).sum()))


def measured(seed: int, folder: Path) -> dict[str, float]:
    """AUC of the model, of the oracle and of each column."""
    write(folder, seed=seed, days=DAYS, grids=GRIDS, per_day=PER_DAY, sensors=1)
    backtest(
        Task(
            mapping=folder / "mapping.yaml",
            inputs=(folder / "signals.jsonl",),
            out=folder / "out",
            config=folder / "config.yaml",
            scores="first",
        )
    )
    truth = {one["matter"]: one for one in _lines(folder / "truth.jsonl") if one["kind"] == "matter"}
    rows = {one["matter"]: one for one in _lines(folder / "signals.jsonl") if one["step"] == "registered"}
    middle = (datetime.combine(START, datetime.min.time()) + timedelta(days=DAYS / 2)).isoformat()
    scores = _scores(folder / "out" / "scores.csv")
    late = [name for name in rows if rows[name]["at"] >= middle and name in scores]
    failed = [truth[name]["outcomes"]["breach"] for name in late]
    found = {
        "model": area_under_curve([scores[name] for name in late], failed),
        "oracle": area_under_curve([truth[name]["oracle"]["breach"] for name in late], failed),
    }
    early = [name for name in rows if rows[name]["at"] < middle]
    base = float(np.mean([truth[name]["outcomes"]["breach"] for name in early]))
    for label, column in COLUMNS.items():
        seen: dict[Any, list[bool]] = defaultdict(list)
        for name in early:
            seen[column(rows[name])].append(truth[name]["outcomes"]["breach"])
        rates = [(sum(own) + PRIOR * base) / (len(own) + PRIOR) for own in (seen[column(rows[name])] for name in late)]
        found[label] = area_under_curve(rates, failed)
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def _scores(path: Path) -> dict[str, float]:
    """The score of each matter's breach at registration."""
    found: dict[str, float] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["target"] == "breach":
                found.setdefault(row["subject"], float(row["score"]))
    return found


def main(seeds: list[int]) -> int:
    """Measure each seed and print it; 0 when all are as they should be."""
    is_fine = True
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(seed, Path(folder))
        best = max(COLUMNS, key=lambda name: found[name])
        is_fine &= found["model"] - found[best] >= LEAD and found["oracle"] - found["model"] >= GAP
        print(
            f"seed {seed}: best column {best} {found[best]:.3f}, model {found['model']:.3f},"
            f" oracle {found['oracle']:.3f}; " + ", ".join(f"{name} {found[name]:.3f}" for name in COLUMNS),
            flush=True,
        )
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main([int(seed) for seed in sys.argv[1:]] or list(SEEDS)))
