"""Back-test of readings: history through the readings fold on a recorded clock, then the four files.

Labelled windows are joined to the scores on their way into `scores.csv`; no fold ever sees them.
"""

import csv
from collections import Counter
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from config.load import canonical
from config.settings import Settings
from connectors.csv_file import Refusal
from connectors.deadletter import DeadLetter
from connectors.history import history
from connectors.mapping import Mapping
from connectors.readings import LARGEST
from connectors.redact import Redactor
from connectors.truth_windows import Windows, truth_windows
from console.reports.report import write_report
from pipeline.errors import Reason, Refused
from pipeline.frame import MAX_ENTRIES, READING, Frame, frame_of_readings
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.signal import Reading
from pipeline.stages.reading_word import SENSOR, SENSOR_CODE, sensor_key
from runners.embedded import Site
from runners.exports import rfc3339
from runners.reading_limits import limits_of, reading_rules
from runners.readings_runner import LOG, ReadingsRunner
from runners.ruled_readings import Columns
from runners.warnings_file import write_warnings

if TYPE_CHECKING:
    from runners.backtest import Task, Tell

GROUP = 8
"""Frames a commit at most."""
_HEADER = ("subject", "kind", "target", "at", "score", "probability", "label", "label_known_at", "office", "category",
           "share", "value")  # fmt: skip


def backtest_readings(
    task: "Task", mapping: Mapping, settings: Settings, rules: FoldRules, tell: "Tell | None"
) -> dict[str, Any]:
    """Run a task of shape `readings` and write the four files; returns the run's note. Raises ConfigError."""
    windows = truth_windows(task.truth, zone=mapping.model.times.zone) if task.truth else {}
    is_scored = task.scores != "none"
    with ExitStack() as stack:
        site = Site(task.out, rules, durable=False, checkpointing=False)
        stack.callback(site.close)
        scores = stack.enter_context(ScoreFile(task.out / "scores.csv", windows) if is_scored else nullcontext())
        feed = ReadingFeed(site, mapping, settings, rules, scores)
        progress = None if tell is None else lambda n: tell("reading", n)
        for entry in history(mapping, task.inputs, progress=progress):
            if isinstance(entry, Reading):
                feed.take(entry)
            elif isinstance(entry, Refusal):
                feed.refuse(entry)
            if tell is not None and feed.read % MAX_ENTRIES == 0:
                tell("folding", feed.read)
        feed.commit()
        write_warnings(task.out / "warnings.jsonl", site.store, site.logs, rules)
        note = _note(task, settings, feed, site)
    (task.out / "run.json").write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
    if is_scored:
        if tell is not None:
            tell("reporting", 0)
        write_report(task.out)
    return note


class ReadingFeed:
    """Gathers readings into frames, and commits frames with the names and dead letters that belong to them."""

    def __init__(
        self, site: Site, mapping: Mapping, settings: Settings, rules: FoldRules, scores: "ScoreFile | None"
    ) -> None:
        self.runner = ReadingsRunner(site, reading_rules(settings, {}))
        self.read = 0
        self.first = 0
        self.counts = Counter[str]()
        self.reasons = Counter[str]()
        self.names: dict[int, str] = {}
        self._site, self._source, self._settings, self._rules, self._scores = (
            site, mapping.model.source, settings, rules, scores,
        )  # fmt: skip
        self._redactor = Redactor()
        self._rows: list[tuple[int, int, float]] = []
        self._frames: list[Frame] = []
        self._fresh: dict[int, str] = {}
        self._letters: list[DeadLetter] = []
        self._dropped = Counter[str]()

    def take(self, reading: Reading) -> None:
        """One reading, in the order of time."""
        self.read += 1
        if abs(reading.value) > LARGEST:
            refused = Refused(Reason.NOT_FINITE, "value", f"{reading.value:g}", f"at most {LARGEST:g} in size")
            self._bury(DeadLetter.of(self._source, self.read, refused, b"", self._redactor))
            return
        sensor = code64(reading.sensor)
        if sensor not in self.names:
            self.names[sensor] = self._fresh[sensor] = reading.sensor
            if reading.place:
                self.runner.places[sensor] = code64(reading.place)
                self._fresh[code64(reading.place)] = reading.place
        self._rows.append((sensor, reading.at, reading.value))
        if len(self._rows) == MAX_ENTRIES:
            self._close_frame()
            if len(self._frames) == GROUP:
                self.commit()

    def refuse(self, refusal: Refusal) -> None:
        """One row or field that was not taken in."""
        self.read += 1
        if refusal.reason is Reason.FIELD_NOT_ALLOWED:
            self.reasons[refusal.reason.value] += refusal.count
            self._dropped[f"dropped.{refusal.field}"] += refusal.count
            return
        refused = Refused(refusal.reason, refusal.field, refusal.detail)
        self._bury(DeadLetter.of(self._source, refusal.line, refused, refusal.content.encode(), self._redactor))

    def commit(self) -> None:
        """Log and fold what was gathered."""
        self._close_frame()
        if not self._frames:
            with self._site.logs.transaction():
                self._write_beside()
            return
        if self._site.is_new:
            self.first = int(self._frames[0].now[0])
            self._site.configure(self._rules, canonical(self._settings), self.first)
        if any(limits_of(self._settings, name) for name in self._fresh.values()):
            self.runner.fold.obey(reading_rules(self._settings, self.names))
        frames, self._frames = self._frames, []
        done, scored = self.runner.append(frames, self._write_beside, with_scores=self._scores is not None)
        for effects in done:
            self.counts.update(effects.counts)
            self.counts["assessments"] += len(effects.to_signals)
        if self._scores is not None:
            for columns in scored:
                self._scores.write(columns, self.names)
            self.counts["labelled"] = self._scores.labelled

    def _close_frame(self) -> None:
        if self._rows:
            readings = np.array(self._rows, READING)
            frame = frame_of_readings(readings, 0)
            # The recorded clock; history comes in the order of time, so it is each reading's own.
            frame.now = readings["at"].copy()
            self._frames.append(frame)
            self._rows = []

    def _bury(self, letter: DeadLetter) -> None:
        self.reasons[letter.reason.value] += 1
        self._dropped[letter.reason.value] += 1
        self._letters.append(letter)
        if len(self._letters) == MAX_ENTRIES:
            self.commit()

    def _write_beside(self) -> None:
        logs = self._site.logs
        fresh, self._fresh = self._fresh, {}
        sensors = {code: name for code, name in fresh.items() if code in self.names}
        kinds = {code: (SENSOR if code in sensors else "place", name) for code, name in fresh.items()}
        logs.name(kinds | {SENSOR_CODE: ("category", SENSOR)})
        logs.direct((sensor_key(code), self.runner.number, f"{self._source}/{name}") for code, name in sensors.items())
        letters, self._letters = self._letters, []
        logs.bury(
            (one.source, str(one.position), one.reason.value, one.field, one.detail, one.remedy, one.size,
             one.sha256.hex(), one.body)
            for one in letters
        )  # fmt: skip
        dropped, self._dropped = self._dropped, Counter()
        logs.tally(dropped)
        logs.advance(self._source, self.read)


class ScoreFile:
    """`scores.csv` of readings: 1 inside a labelled window, 0 outside, empty for a sensor without any truth."""

    def __init__(self, path: Path, windows: Windows) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(_HEADER)
        self._windows = windows
        self.labelled = 0
        """Rows with a label: none means that the truth names other sensors."""

    def __enter__(self) -> "ScoreFile":
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._file.close()

    def write(self, columns: Columns, names: dict[int, str]) -> None:
        """One row per reading."""
        ordered = (columns[name].tolist() for name in ("sensor", "at", "value", "score"))
        for sensor, at, value, score in zip(*ordered, strict=True):
            name, moment = names[sensor], rfc3339(at)
            label = self._label(name, at, moment)
            self.labelled += bool(label[0])
            row = (_cell(name), "reading", "anomaly", moment, f"{score:.6g}", "", *label, "", SENSOR, "", repr(value))
            self._writer.writerow(row)

    def _label(self, name: str, at: int, moment: str) -> tuple[str, str]:
        windows = self._windows.get(name)
        if windows is None:
            return "", ""
        end = next((end for start, end in windows if start <= at <= end), None)
        return ("0", moment) if end is None else ("1", rfc3339(end))


def _cell(name: str) -> str:
    """What a spreadsheet would run as a formula begins with an apostrophe instead."""
    return "'" + name if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _note(task: "Task", settings: Settings, feed: ReadingFeed, site: Site) -> dict[str, Any]:
    fold = site.partitions[0].fold
    levels = settings.levels.ascending()
    return {
        "input": [path.name for path in task.inputs],
        "mapping": task.mapping.name,
        "weekday_zone": settings.site.zone,
        "span": [rfc3339(feed.first), rfc3339(feed.runner.now)] if feed.names else [],
        "counts": {
            **{str(name): count for name, count in sorted(feed.counts.items()) if count},
            "read": feed.read,
            "sensors": len(feed.names),
            "reasons": dict(sorted(feed.reasons.items())),
        },
        "targets": [{"name": "anomaly", "zh": "读数异常", "en": "Labelled anomaly"}],
        "levels": {
            "raise": {name: level.raise_at for name, level in levels},
            "clear": {name: level.clear_at for name, level in levels},
            "budgets": {name: level.budget_per_office_day for name, level in levels},
        },
        "versions": dict(fold.grader.versions),
        "digests": {f"{LOG}-0": feed.runner.digest(), "signals-0": fold.digest()},
    }
