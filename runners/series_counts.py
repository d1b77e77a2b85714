"""Back-test of counts: sums of periods through the site fold on a recorded clock, then the four files.

A sum is known when its period is over, so that is when it enters the log; how long the periods of a series are is seen
from its own times. Marked outbreaks are kept apart and joined to the scores at the end: the fold never sees them.
"""

import csv
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

import orjson

from config.load import canonical
from config.settings import Settings
from connectors.csv_file import Refusal
from connectors.deadletter import DeadLetter
from connectors.history import history
from connectors.mapping import Mapping
from connectors.redact import Redactor
from console.reports.report import write_report
from pipeline.calendar import DAY_US
from pipeline.errors import Reason, Refused
from pipeline.frame import MAX_ENTRIES, Kind
from pipeline.ids import code64, key128
from pipeline.rules import FoldRules
from pipeline.signal import Count
from runners.embedded import Site
from runners.exports import rfc3339
from runners.site_runner import LOG, Entry, SiteRunner
from runners.warnings_file import write_warnings

if TYPE_CHECKING:
    from runners.backtest import Task, Tell

Series = tuple[str, str]
"""Category and place, by name."""
_HEADER = ("subject", "kind", "target", "at", "score", "probability", "label", "label_known_at", "office", "category",
           "share", "count", "expected", "recurrence")  # fmt: skip
_BATCH = 16 * MAX_ENTRIES


@dataclass(slots=True)
class CountHistory:
    """What a first reading of the files shows: period (µs) and codes of each series, what was refused, and the truth.

    `truth`: (category, place, at) by code -> whether the source marks an outbreak, of categories with any mark.
    """

    read: int = 0
    periods: dict[Series, int] = field(default_factory=dict)
    truth: dict[tuple[int, int, int], bool] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    first: int = 0
    last: int = 0


def backtest_counts(
    task: "Task", mapping: Mapping, settings: Settings, rules: FoldRules, tell: "Tell | None"
) -> dict[str, Any]:
    """Run a task of shape `counts` and write the four files; returns the run's note. Raises ConfigError."""
    site = Site(task.out, rules, durable=False, checkpointing=False)
    try:
        found = survey(task, mapping, tell)
        runner = SiteRunner(site, rules)
        runner.restore()
        _keep_names(site, mapping, found, rules)
        if found.periods:
            runner.configure(rules, canonical(settings), found.first)
        entries: list[Entry] = []
        for number, entry in enumerate(arrivals(task, mapping, found, rules.root)):
            entries.append(entry)
            if len(entries) == _BATCH:
                runner.append(entries)
                entries = []
            if tell is not None and number % MAX_ENTRIES == 0:
                tell("folding", number)
        if entries:
            runner.append(entries)
        write_warnings(task.out / "warnings.jsonl", site.store, site.logs, rules)
        if task.scores != "none":
            write_count_scores(task.out / "scores.csv", site, found)
        note = _note(task, settings, found, runner)
    finally:
        site.close()
    (task.out / "run.json").write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
    if task.scores != "none":
        write_report(task.out)
    return note


def survey(task: "Task", mapping: Mapping, tell: "Tell | None" = None) -> CountHistory:
    """Read the files once for what must be known beforehand."""
    found = CountHistory()
    last: dict[Series, int] = {}
    steps: dict[Series, list[int]] = defaultdict(list)
    marked: set[int] = set()
    for entry in history(mapping, task.inputs, progress=None if tell is None else lambda n: tell("reading", n)):
        found.read += 1
        if isinstance(entry, Refusal):
            found.refusals.append(entry)
        elif isinstance(entry, Count):
            series = (entry.category, entry.place)
            if series in last and entry.at > last[series]:
                steps[series].append(entry.at - last[series])
            last[series] = entry.at
            found.first = min(found.first or entry.at, entry.at)
            if entry.outbreak is not None:
                category = code64(entry.category)
                found.truth[category, code64(entry.place), entry.at] = entry.outbreak
                if entry.outbreak:
                    marked.add(category)
    # A source that marks nothing in a category says nothing of it: that is unknown, not quiet.
    found.truth = {name: value for name, value in found.truth.items() if name[0] in marked}
    found.periods = {series: median_low(steps[series]) if steps[series] else DAY_US for series in last}
    return found


def arrivals(task: "Task", mapping: Mapping, found: CountHistory, root: int) -> Iterator[Entry]:
    """`counts` entries in the order in which the periods end; those of one beginning and length together."""
    waiting: list[tuple[int, int, int]] = []
    cells: dict[tuple[int, int, int], list[list[float]]] = {}

    def due(until: int) -> Iterator[Entry]:
        while waiting and waiting[0][0] <= until:
            key = heapq.heappop(waiting)
            end, at, period = key
            yield Kind.COUNTS, end, {"at": at, "period_us": period, "cells": cells.pop(key)}

    for entry in history(mapping, task.inputs):
        if isinstance(entry, Count):
            yield from due(entry.at)
            period = found.periods[entry.category, entry.place]
            key = (entry.at + period, entry.at, period)
            if key not in cells:
                cells[key] = []
                heapq.heappush(waiting, key)
            place = code64(entry.place) or root
            count = int(entry.count) if entry.count == int(entry.count) else entry.count
            cells[key].append([place, code64(entry.category), count])
    yield from due(1 << 62)


def write_count_scores(path: Path, site: Site, found: CountHistory) -> int:
    """One row per period and series: score, count, expectation, and the marked truth where there is any; how many."""
    names = site.logs.names()
    periods = {(code64(category), code64(place)): period for (category, place), period in found.periods.items()}
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for one in site.store.series(LOG):
            place = one["place"] if (one["category"], one["place"]) in periods else 0
            at, period = one["at"], periods[one["category"], place]
            truth = found.truth.get((one["category"], place, at))
            category = names[one["category"]]
            label = ["", ""] if truth is None else [int(truth), rfc3339(at + period)]
            said = [one[name] for name in ("count", "expected", "recurrence")]
            subject = _cell(subject_name(category, names.get(place, "")))
            writer.writerow(
                [subject, "count", "outbreak", rfc3339(at), one["score"], "", *label, "", _cell(category), "", *said]
            )
            rows += 1
    return rows


def subject_name(category: str, place: str) -> str:
    """Readable name of a series."""
    return f"{category}@{place}" if place else category


def _cell(name: str) -> str:
    """What a spreadsheet would run as a formula begins with an apostrophe instead."""
    return "'" + name if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _keep_names(site: Site, mapping: Mapping, found: CountHistory, rules: FoldRules) -> None:
    """Names of codes and of series, and every refusal as a dead letter, in one transaction."""
    source, redactor = mapping.model.source, Redactor()
    names: dict[int, tuple[str, str]] = {}
    matters = []
    for category, place in found.periods:
        names[code64(category)] = ("category", category)
        if place:
            names[code64(place)] = ("place", place)
        key = key128("surge", str(code64(place) or rules.root), str(code64(category)))
        matters.append((key, 0, f"{source}/{subject_name(category, place)}"))
    logs = site.logs
    with logs.transaction():
        logs.name(names)
        logs.direct(matters)
        letters = [
            DeadLetter.of(
                source, each.line, Refused(each.reason, each.field, each.detail), each.content.encode(), redactor
            )
            for each in found.refusals
            if each.reason is not Reason.FIELD_NOT_ALLOWED
        ]
        logs.bury(
            (one.source, str(one.position), one.reason.value, one.field, one.detail, one.remedy, one.size,
             one.sha256.hex(), one.body)
            for one in letters
        )  # fmt: skip
        logs.tally(Counter(_reason(each) for each in found.refusals for _ in range(each.count)))


def _reason(refusal: Refusal) -> str:
    return f"dropped.{refusal.field}" if refusal.reason is Reason.FIELD_NOT_ALLOWED else refusal.reason.value


def _note(task: "Task", settings: Settings, found: CountHistory, runner: SiteRunner) -> dict[str, Any]:
    fold = runner.fold
    reasons = Counter[str]()
    for refusal in found.refusals:
        reasons[refusal.reason.value] += refusal.count
    return {
        "input": [path.name for path in task.inputs],
        "mapping": task.mapping.name,
        "weekday_zone": settings.site.zone,
        "span": [rfc3339(found.first), rfc3339(fold.now)] if found.periods else [],
        "counts": {
            **runner.site.store.tallies().get(LOG, {}),
            "read": found.read,
            "series": len(found.periods),
            "reasons": dict(sorted(reasons.items())),
        },
        "targets": [{"name": "outbreak", "zh": "集中多发", "en": "Marked outbreak"}],
        "levels": {
            "raise": {name: level.raise_at for name, level in settings.levels.ascending()},
            "clear": {name: level.clear_at for name, level in settings.levels.ascending()},
            "raise_recurrence_days": {name: level.raise_recurrence_days for name, level in settings.levels.ascending()},
            "budgets": {name: level.budget_per_office_day for name, level in settings.levels.ascending()},
        },
        "versions": dict(fold.grader.versions),
        "digests": {f"{LOG}-0": fold.digest()},
    }
