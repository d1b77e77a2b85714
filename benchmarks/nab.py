"""The cheap tier on the public part of the Numenta Anomaly Benchmark, through the readings fold itself.

Scoring rules of NAB v1.1, standard profile (Lavin & Ahmad 2015, "Evaluating real-time anomaly detection algorithms"):
the first 15 % of a file (at most 750 rows) is probation; of a window only the earliest alarm counts, the more the
earlier; an alarm outside costs 0.11 times how far it lies behind the window before; a missed window costs 1; 0 is a
silent detector, 100 a perfect one. One threshold serves all files: the best one (in sample), or for each category the
best on the other categories, which is the honest figure.
"""

import csv
import gzip
import json
import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure
from pipeline.frame import READING, frame_of_readings
from pipeline.ids import code64
from pipeline.reading_rules import ReadingRules
from pipeline.readings import ReadingsFold

FRAME = 1000
FALSE_ALARM = 0.11
THRESHOLDS = np.geomspace(1.2, 6.0, 60)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One file: µs, values, and windows as (first, last) row."""

    name: str
    at: NDArray[np.int64]
    value: NDArray[np.float64]
    windows: list[tuple[int, int]]

    @property
    def category(self) -> str:
        """The folder it came from."""
        return self.name.split("/")[0]


def nab_files(folder: Path) -> list[Labelled]:
    """The labelled files in `folder` (windows.json and data/)."""
    files = []
    for name, windows in sorted(json.loads((folder / "windows.json").read_text()).items()):
        with gzip.open(folder / "data" / f"{name}.gz", "rt") as text:
            rows = list(csv.reader(text))[1:]
        at = np.array([row[0] for row in rows], "datetime64[us]").astype(np.int64)
        bounds = []
        for first, last in windows:
            edges = np.array([first, last], "datetime64[us]").astype(np.int64)
            inside = np.flatnonzero((at >= edges[0]) & (at <= edges[1]))
            bounds.append((int(inside[0]), int(inside[-1])))
        files.append(Labelled(name, at, np.array([float(row[1]) for row in rows]), bounds))
    return files


def scored(file: Labelled, rules: ReadingRules) -> tuple[NDArray[np.float64], float]:
    """The fold's score of each row, 0 for rows it refuses as late, and the seconds inside the fold."""
    fold = ReadingsFold(rules)
    readings = np.zeros(len(file.at), READING)
    readings["sensor"], readings["at"], readings["value"] = code64(file.name), file.at, file.value
    scores, seconds = np.zeros(len(readings)), 0.0
    now = np.maximum.accumulate(file.at)
    for first in range(0, len(readings), FRAME):
        part = readings[first : first + FRAME]
        frame = frame_of_readings(part, 0)
        frame.now = now[first : first + FRAME]
        frame.offset = first // FRAME
        since = perf_counter()
        effects = fold.step(frame, with_scores=True)
        seconds += perf_counter() - since
        for columns in effects.series:
            # rows are found again by their time, which is unique among those applied
            applied = np.flatnonzero(np.isin(part["at"], columns["at"]))
            rows = applied[np.unique(part["at"][applied], return_index=True)[1]]
            scores[first + np.sort(rows)] = columns["score"]
    return scores, seconds


def quieted(scores: NDArray[np.float64], threshold: float, quiet: int) -> NDArray[np.int64]:
    """Rows of the alarms: at or above the threshold, and `quiet` rows apart."""
    alarms: list[int] = []
    for row in np.flatnonzero(scores >= threshold).tolist():
        if not alarms or row - alarms[-1] >= quiet:
            alarms.append(row)
    return np.array(alarms, np.int64)


def points(file: Labelled, alarms: NDArray[np.int64]) -> float:
    """NAB's raw sum of one file: at most its number of windows, minus it for a silent detector."""
    size = len(file.at)
    alarms = alarms[alarms >= min(int(0.15 * size), 750)]
    outside = np.ones(len(alarms), np.bool_)
    total = 0.0
    for first, last in file.windows:
        inside = (alarms >= first) & (alarms <= last)
        outside &= ~inside
        width = last - first + 1
        total += _sigmoid(-(last - alarms[inside][0] + 1) / width) / _sigmoid(-1.0) if inside.any() else -1.0
    for alarm in alarms[outside].tolist():
        before = [(first, last) for first, last in file.windows if last < alarm]
        behind = (alarm - before[-1][1]) / max(before[-1][1] - before[-1][0], 1) if before else inf
        total += FALSE_ALARM * (_sigmoid(behind) if behind < 3.0 else -1.0)
    return total


def _sigmoid(position: float) -> float:
    return float(2.0 / (1.0 + np.exp(5.0 * position)) - 1.0)


def normalised(total: float, windows: int) -> float:
    """0 for a silent detector, 100 for a perfect one."""
    return 100.0 * (total + windows) / (2.0 * windows)


def nab_standard(folder: Path | None = None) -> list[Figure]:
    """Standard score in sample, out of category, and with the rules as shipped; and the speed of the fold."""
    folder = folder or Path(os.environ.get("FOREWARN_DATA", "../shared/data")) / "nab_dev"
    files = nab_files(folder)
    rows, windows = sum(len(file.at) for file in files), sum(len(file.windows) for file in files)
    shipped = ReadingRules()
    raw = [scored(file, ReadingRules(spread=inf))[0] for file in files]
    runs = [scored(file, shipped) for file in files]
    seconds = sum(seconds for _, seconds in runs)
    table = np.array(
        [
            [points(file, quieted(scores, threshold, shipped.quiet_readings)) for threshold in THRESHOLDS]
            for file, scores in zip(files, raw, strict=True)
        ]
    )
    categories = np.array([file.category for file in files])
    elsewhere = sum(
        table[categories == one][:, table[categories != one].sum(0).argmax()].sum() for one in np.unique(categories)
    )
    as_shipped = sum(
        points(file, np.flatnonzero(scores >= shipped.spread)) for file, (scores, _) in zip(files, runs, strict=True)
    )
    return [
        figure("nab_standard_cheap_out_of_category", normalised(elsewhere, windows), "points", goal=50),
        figure("nab_standard_cheap_in_sample", normalised(float(table.sum(0).max()), windows), "points"),
        figure("nab_standard_cheap_as_shipped", normalised(as_shipped, windows), "points"),
        figure("nab_cheap_readings", rows / seconds, "readings/s", goal=500_000),
    ]
