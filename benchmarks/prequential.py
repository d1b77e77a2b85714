"""Runs the trainer over real history day by day and prints how well its scores ranked what came later.

    python -m benchmarks.prequential uci|boston

Builds simple point-in-time features itself, without the fold: a harness to develop learners with. Scores are those of
the champion of the moment of decision; the first fifth of the span is dropped.
"""

import csv
import gzip
import os
import sys
import time
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from math import log1p
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from models.champion import Champion
from models.fitting.learners import LEARNERS
from models.fitting.trainer import TargetSpec, Trainer
from models.rows import DECISION, LABEL, Rows, Schema

DAY = 86_400_000_000
HOUR = DAY // 24
DATA = Path(os.environ.get("FOREWARN_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))


@dataclass(frozen=True)
class Task:
    """Decisions in order of time with their rows, and what became of each: y (n, targets), -1 = never known."""

    schema: Schema
    targets: tuple[TargetSpec, ...]
    at: NDArray[np.int64]
    rows: Rows
    y: NDArray[np.int8]
    known_at: NDArray[np.int64]


def micros(text: str) -> int:
    """A naive time of the file as if it were UTC; 0 for none."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000 if text else 0


def code(field: str, value: str) -> int:
    """A stable uint32 of a categorical value, 0 for none."""
    return int.from_bytes(blake2b(f"{field}\x1f{value}".encode(), digest_size=4).digest(), "little") if value else 0


class Recent:
    """Counts and recency of a key at a moment, from arrivals before it."""

    def __init__(self) -> None:
        self._seen: dict[object, list[int]] = defaultdict(list)

    def values(self, key: object, at: int, *days: int) -> list[float]:
        """log1p hours since the last arrival, then log1p counts in the last `days`."""
        seen = self._seen[key]
        last = log1p((at - seen[-1]) / HOUR) if seen else np.nan
        return [last, *(log1p(len(seen) - bisect_left(seen, at - d * DAY)) for d in days)]

    def add(self, key: object, at: int) -> None:
        """One more arrival."""
        self._seen[key].append(at)


class Load:
    """Open matters of a key."""

    def __init__(self) -> None:
        self._ends: dict[object, list[int]] = defaultdict(list)

    def now(self, key: object, at: int) -> float:
        """log1p of those open at `at`."""
        self._ends[key] = [end for end in self._ends[key] if end > at]
        return log1p(len(self._ends[key]))

    def add(self, key: object, end: int) -> None:
        """One more until `end`."""
        self._ends[key].append(end)


def read(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a compressed CSV."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def uci() -> Task:
    """Incidents at their first event: deadline missed, two or more hand-overs, reopened."""
    events: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read(DATA / "uci_incidents" / "incident_event_log_noperson.csv.gz"):
        events[row["number"]].append(row)
    fields = ("category", "subcategory", "u_symptom", "location", "assignment_group", "contact_type", "impact",
              "urgency", "priority", "knowledge", "u_priority_confirmation", "cmdb_ci", "notify")  # fmt: skip
    pairs = (("category", "assignment_group"), ("location", "category"), ("subcategory", "u_symptom"))
    values = ("hour", "weekday", "group_last", "group_1d", "group_7d", "category_last", "category_7d",
              "location_last", "location_7d", "location_category_last", "location_category_30d",
              "group_open", "all_1d")  # fmt: skip
    order = sorted(events.values(), key=lambda e: (micros(e[0]["opened_at"]), e[0]["number"]))
    recent, load = Recent(), Load()
    at, codes, numbers, y, known = [], [], [], [], []
    for life in order:
        first, when = life[0], micros(life[0]["opened_at"])
        group, category, place = first["assignment_group"], first["category"], first["location"]
        codes.append([code(f, first[f]) for f in fields])
        moment = datetime.fromtimestamp(when / 1e6, UTC)
        numbers.append([
            moment.hour, moment.weekday(),
            *recent.values(("g", group), when, 1, 7), *recent.values(("c", category), when, 7),
            *recent.values(("l", place), when, 7), *recent.values(("lc", place, category), when, 30),
            load.now(group, when), recent.values("all", when, 1)[1],
        ])  # fmt: skip
        for key in (("g", group), ("c", category), ("l", place), ("lc", place, category), "all"):
            recent.add(key, when)
        times = np.maximum.accumulate([max(when, micros(e["sys_updated_at"])) for e in life])
        closed = next((int(t) for e, t in zip(life, times, strict=True) if e["incident_state"] == "Closed"), 0)
        missed = next((int(t) for e, t in zip(life, times, strict=True) if e["made_sla"] == "false"), 0)
        handed = next((int(t) for e, t in zip(life, times, strict=True) if int(e["reassignment_count"]) >= 2), 0)
        reopened = next((int(t) for e, t in zip(life, times, strict=True) if int(e["reopen_count"]) >= 1), 0)
        load.add(group, closed or int(times[-1]))
        outcome, moments = [], []
        for hit, quiet in ((missed, closed), (handed, closed), (reopened, closed + 30 * DAY if closed else 0)):
            outcome.append(1 if hit else 0 if quiet else -1)
            moments.append(hit or quiet)
        at.append(when)
        y.append(outcome)
        known.append(moments)
    targets = (
        TargetSpec("deadline", 7.0, 0.2),
        TargetSpec("handed_over", 7.0, 0.2),
        TargetSpec("reopened", 30.0, 0.02),
    )
    return _task(Schema(fields, values, pairs), targets, at, codes, numbers, y, known)


def boston() -> Task:
    """Requests at registration: overdue, reported again at the same place within 30 days."""
    lines = sorted(read(DATA / "boston_311" / "boston_animal_pest_2013_2023.csv.gz"),
                   key=lambda r: (micros(r["open_dt"]), r["case_enquiry_id"]))  # fmt: skip
    fields = ("type", "neighborhood", "source", "ward", "location", "location_zipcode")
    pairs = (("type", "neighborhood"), ("neighborhood", "location", "type"), ("type", "source"))
    values = ("due_hours", "hour", "weekday", "month", "place_last", "place_30d", "place_365d", "place_type_last",
              "place_type_30d", "place_type_365d", "hood_type_1d", "hood_type_7d", "type_1d", "type_open", "hood_open",
              "zip_type_last", "zip_type_7d")  # fmt: skip
    recent, load = Recent(), Load()
    again: dict[tuple[str, str], deque[tuple[int, int]]] = defaultdict(deque)
    at, codes, numbers, y, known = [], [], [], [], []
    for number, row in enumerate(lines):
        when, due, closed = micros(row["open_dt"]), micros(row["sla_target_dt"]), micros(row["closed_dt"])
        place, kind, hood, area = row["location"], row["type"], row["neighborhood"], row["location_zipcode"]
        moment = datetime.fromtimestamp(when / 1e6, UTC)
        codes.append([code(f, row[f]) for f in fields])
        numbers.append([
            (due - when) / HOUR if due else np.nan, moment.hour, moment.weekday(), moment.month,
            *recent.values(("p", place), when, 30, 365), *recent.values(("pt", place, kind), when, 30, 365),
            *recent.values(("ht", hood, kind), when, 1, 7)[1:], recent.values(("t", kind), when, 1)[1],
            load.now(kind, when), load.now((hood, kind), when), *recent.values(("zt", area, kind), when, 7),
        ])  # fmt: skip
        for key in (("p", place), ("pt", place, kind), ("ht", hood, kind), ("t", kind), ("zt", area, kind)):
            recent.add(key, when)
        for queue in (kind, (hood, kind)):
            load.add(queue, min(closed or 1 << 62, when + 60 * DAY))
        late = (-1, 0) if not due else (0, closed) if closed and closed <= due else (1, max(due, when))
        y.append([late[0], 0])
        known.append([late[1], when + 30 * DAY])
        waiting = again[place, kind]
        while waiting and place:
            earlier, opened = waiting.popleft()
            if opened >= when - 30 * DAY:
                y[earlier][1], known[earlier][1] = 1, when
        waiting.append((number, when))
        at.append(when)
    targets = (TargetSpec("overdue", 30.0, 0.15), TargetSpec("repeated", 30.0, 0.1))
    return _task(Schema(fields, values, pairs), targets, at, codes, numbers, y, known)


def _task(schema: Schema, targets: tuple[TargetSpec, ...], at: list[int], codes: list[list[int]],
          numbers: list[list[float]], y: list[list[int]], known: list[list[int]]) -> Task:  # fmt: skip
    rows = Rows(np.array(codes, dtype=np.uint32), np.array(numbers, dtype=np.float32))
    return Task(schema, targets, np.array(at), rows, np.array(y, dtype=np.int8), np.array(known))


def run(task: Task, trainer: Trainer) -> dict[str, NDArray[np.float64]]:
    """Scores at decision time (n, targets) by the champion, its probabilities, and by each learner alone."""
    n, k = task.y.shape
    heads = np.zeros(n, dtype=DECISION)
    heads["subject"] = np.arange(n, dtype=">u8").repeat(2).view("V16")
    heads["at"] = task.at
    heads["open"] = ((task.y >= 0) << np.arange(k)).sum(axis=1)
    labels = np.concatenate([_labels(heads, task, target) for target in range(k)])
    labels = labels[np.argsort(labels["known_at"], kind="stable")]
    names = ("champion", "probability", *LEARNERS)
    out = {name: np.zeros((n, k)) for name in names}
    champion: Champion = trainer.champion
    alone = {name: champion.alone(name) for name in LEARNERS}
    start = labelled = 0
    for day in range(int(task.at[0]) // DAY, int(task.at[-1]) // DAY + 1):
        stop = int(np.searchsorted(task.at, (day + 1) * DAY))
        if stop > start:
            rows = task.rows.take(slice(start, stop))
            for target, scores in enumerate(champion.score_all(rows)):
                out["champion"][start:stop, target] = scores.raw / 65536
                out["probability"][start:stop, target] = scores.probability / 10_000
            for name, each in alone.items():
                for target, scores in enumerate(each.score_all(rows)):
                    out[name][start:stop, target] = scores.raw / 65536
            trainer.decide(heads[start:stop], rows)
        known = int(np.searchsorted(labels["known_at"], (day + 1) * DAY, side="right"))
        trainer.know(labels[labelled:known])
        start, labelled = stop, known
        published = trainer.learn_until((day + 1) * DAY)
        if published is not None:
            champion = Champion.from_arrays(published.arrays, published.head)
            alone = {name: champion.alone(name) for name in LEARNERS}
    return out


def _labels(heads: NDArray[np.void], task: Task, target: int) -> NDArray[np.void]:
    own = np.flatnonzero(task.y[:, target] >= 0)
    labels = np.zeros(len(own), dtype=LABEL)
    labels["subject"], labels["known_at"] = heads["subject"][own], task.known_at[own, target]
    labels["target"], labels["y"] = target, task.y[own, target]
    return labels


def auc(score: NDArray[np.float64], y: NDArray[np.int8]) -> float:
    """Area under the ROC curve, ties counted half."""
    order = np.sort(score)
    rank = (np.searchsorted(order, score, "left") + np.searchsorted(order, score, "right") + 1) / 2
    n1 = int(y.sum())
    return float((rank[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(y) - n1)))


def average_precision(score: NDArray[np.float64], y: NDArray[np.int8]) -> float:
    """Mean precision at the failures, worst score first."""
    hits = y[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(y) + 1))[hits == 1].mean())


def report(task: Task, scores: dict[str, NDArray[np.float64]]) -> None:
    """One line per target and learner."""
    burned = task.at > task.at[0] + (task.at[-1] - task.at[0]) / 5
    for target, spec in enumerate(task.targets):
        # Both cuts: by span of time, and the first fifth of the labelled rows.
        labelled = np.flatnonzero(task.y[:, target] >= 0)
        for cut, keep in (("rows", labelled[len(labelled) // 5 :]), ("span", labelled[burned[labelled]])):
            y = task.y[keep, target]
            print(f"{spec.name} [{cut}] n={len(y)} base={y.mean():.3f}")
            for name, each in scores.items():
                s = each[keep, target]
                top = np.argsort(-s, kind="stable")[: max(1, len(s) // 10)]
                line = f"  {name:12s} auc {auc(s, y):.4f}  ap {average_precision(s, y):.4f}  p@10 {y[top].mean():.4f}"
                p = s if name == "probability" else 1 / (1 + np.exp(-np.clip(s, -30, 30)))
                p = np.clip(p, 1e-4, 1 - 1e-4)
                loss = -np.log(np.where(y == 1, p, 1 - p)).mean()
                groups = np.array_split(np.argsort(p, kind="stable"), 10)
                error = sum(abs(p[g].mean() - y[g].mean()) * len(g) for g in groups) / len(y)
                print(f"{line}  loss {loss:.4f}  ece {error:.4f}")


def main() -> None:
    """Build the features, run, print."""
    task = {"uci": uci, "boston": boston}[sys.argv[1]]()
    trainer = Trainer(task.schema, task.targets)
    began = time.perf_counter()
    scores = run(task, trainer)
    print(f"{sys.argv[1]}: {len(task.at)} decisions, {time.perf_counter() - began:.1f} s with the trainer")
    report(task, scores)


if __name__ == "__main__":
    main()
