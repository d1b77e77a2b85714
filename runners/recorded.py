"""The one driver behind `backtest` and `run` on files: records in the order of time, the trainer in lockstep by day.

Under a recorded clock the same input gives the same log: frames are cut at 1,000 signals and at local midnight, and a
model enters at the midnight after the day in which it was learned. So a run that was killed goes on where it stopped
and ends with the log, store and digests of one that was not.
"""

import hmac
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.store import Lesson
from config.load import canonical
from config.settings import Settings
from connectors.csv_file import Refusal
from connectors.deadletter import DeadLetter
from connectors.edge import Admitted, Edge
from connectors.history import Entry, history
from connectors.mapping import Mapping as SourceMapping
from connectors.ngrams import Grams
from connectors.redact import Redactor
from connectors.times import time_parser
from pipeline.calendar import DAY_US
from pipeline.effects import Effects
from pipeline.errors import ConfigError, CorruptData, Reason, Refused
from pipeline.frame import MAX_ENTRIES, Frame, Kind, frame_of_signals
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.signal import Signal
from runners.embedded import Site
from runners.routing import Routing, ragged, split
from runners.site_runner import SiteRunner
from runners.trainer import KeptModels, TrainerProcess

Command = tuple[int, dict[str, Any]]
"""When (µs UTC) a recorded command was given, and its payload."""
COMMANDS = "commands"
_REASONS = frozenset(reason.value for reason in Reason)
_EMPTY: tuple[Command, ...] = ()


@dataclass(slots=True)
class Summary:
    """What became of a run's input: entries read, and every reason with its count."""

    read: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    folds: dict[str, int] = field(default_factory=dict)


class SignalSource:
    """One mapped source of matters: its history, and the edge that lets it in."""

    def __init__(
        self, mapping: SourceMapping, files: Sequence[Path], rules: FoldRules, settings: Settings, key: bytes
    ) -> None:
        self.mapping, self.files = mapping, files
        self.name = mapping.model.source
        self.retention = settings.retention.texts_days * DAY_US
        redactor = Redactor()
        self.redactor = redactor
        self.edge = Edge(
            source=self.name,
            contract=mapping.model.contract,
            redactor=redactor,
            grams=Grams(key),
            targets=[target.name for target in rules.targets],
            codes=rules.codes,
            values=rules.values,
            known_categories={category.id for category in settings.categories} or None,
            known_places={place.id for place in settings.places} or None,
            key=hmac.digest(key, b"content", "sha256"),
        )

    def entries(self, progress: Callable[[int], None] | None) -> Iterator[Entry]:
        """The history in the order of time."""
        return history(self.mapping, self.files, progress=progress, clean=self.redactor.redact)


class RecordedDriver:
    """Feeds one source's history to a site.

    Parameters
    ----------
    commands : what people did, in order of time; each becomes an entry before the first signal that is later.
    learning : whether a trainer runs beside it. keep : models of an earlier run, used instead of learning.
    """

    lesson_days = 2
    """Local days between two lessons. The fold goes on through them, so that it seldom has to wait for the trainer."""

    def __init__(
        self, site: Site, source: SignalSource, settings: Settings, rules: FoldRules,
        *, commands: Sequence[Command] = _EMPTY, learning: bool = True, keep: KeptModels | None = None,
    ) -> None:  # fmt: skip
        self.site, self.source, self.settings, self.rules = site, source, settings, rules
        self.summary = Summary()
        self.position = site.logs.position(source.name)
        self._commands = list(commands)[site.logs.position(COMMANDS) :]
        self._learning = learning and settings.learning.enabled and bool(rules.targets)
        self._trainer: TrainerProcess | KeptModels | None = keep
        self._routing = Routing(settings, site.logs, len(site.partitions))
        self._now = site.now
        self._surges = SiteRunner(site, rules)
        self._surges.restore()
        last = site.last_signal()
        self._midnight = self._next_midnight(last) if last is not None else 0
        self._batch: list[Signal] = []
        self._letters: list[DeadLetter] = []
        self._dropped: Counter[str] = Counter()
        self._lessons = site.store.lessons()

    # running -------------------------------------------------------------------------------------------------------

    def run(
        self, progress: Callable[[int], None] | None = None, folded: Callable[[int], None] | None = None
    ) -> Summary:
        """Everything that is not in the log yet; returns what became of it."""
        try:
            self._run(progress, folded)
        except BaseException:
            self._stop_trainer(kill=True)
            raise
        self._stop_trainer(kill=False)
        return self.summary

    def _run(self, progress: Callable[[int], None] | None, folded: Callable[[int], None] | None) -> None:
        if self._learning and self._trainer is None:
            self._trainer = TrainerProcess(
                self.site.data,
                self.rules,
                seed=self.settings.learning.seed,
                min_labels=self.settings.learning.min_labels,
                lessons=self._lessons,
            )
        skip = self.position
        for number, entry in enumerate(self.source.entries(progress)):
            self.summary.read += 1
            if number < skip:
                continue
            self.position = number
            if isinstance(entry, Signal):
                self._take(entry)
            elif isinstance(entry, Refusal):
                self._refuse(entry)
            if folded is not None and number % MAX_ENTRIES == 0:
                folded(number)
        self._commit()
        self._give_commands(1 << 62)
        # A log that goes on by the wall must not be carried past its last entry by what was learned at its end.
        self._collect(limit=self._now if self.site.logs.is_wall else 1 << 62)
        self._pass_time()
        self._surges.drain(self._now)
        self._surges.close()

    def _take(self, signal: Signal) -> None:
        if self.site.is_new:
            self.site.configure(self.rules, canonical(self.settings), signal.at)
            self._now = max(self._now, signal.at)
        if not self._midnight:
            self._midnight = self._next_midnight(self._now or signal.at)
        if signal.at >= self._midnight:
            self._commit()
            self._give_commands(self._midnight)
            self._cross(signal.at)
        if self._commands and self._commands[0][0] < signal.at:
            self._commit()
            self._give_commands(signal.at)
        self._batch.append(signal)
        self.position += 1  # not before: what a midnight commits must not claim the signal that comes after it
        if len(self._batch) >= MAX_ENTRIES:
            self._commit()

    def _refuse(self, refusal: Refusal) -> None:
        self.position += 1
        self.summary.reasons[refusal.reason.value] += refusal.count
        if refusal.reason is Reason.FIELD_NOT_ALLOWED:
            self._dropped[f"dropped.{refusal.field}"] += refusal.count
            return
        self._dropped[refusal.reason.value] += refusal.count
        refused = Refused(refusal.reason, refusal.field, refusal.detail)
        self._letters.append(
            DeadLetter.of(self.source.name, refusal.line, refused, refusal.content.encode(), self.source.redactor)
        )
        if len(self._letters) >= MAX_ENTRIES:
            self._commit()

    def _commit(self) -> None:
        """Log what was gathered in one transaction, then fold it in another."""
        if not self._batch and not self._letters and not self._dropped:
            return
        # Places in the order of time: a record that only the edge could judge has lost its line.
        first = self.position - len(self._batch) + 1
        admitted = self.source.edge.admit(self._batch, positions=range(first, self.position + 1))
        self._batch = []
        rows = admitted.rows
        letters = [*self._letters, *admitted.rejected]
        for letter in admitted.rejected:
            self.summary.reasons[letter.reason.value] += 1
            self._dropped[letter.reason.value] += 1
        if len(rows):
            self._now = max(self._now, int(rows["at"][0]))
            rows["now"] = np.maximum.accumulate(np.maximum(rows["at"], self._now))
            self._now = int(rows["now"][-1])
        frames: list[tuple[int, Frame]] = []
        logs = self.site.logs
        with logs.transaction():
            for number, index in self._parted(admitted):
                frames.append((number, self._append(number, index, admitted)))
            if admitted.names:
                logs.name(admitted.names)
            if letters:
                logs.bury(
                    (
                        d.source,
                        str(d.position),
                        d.reason.value,
                        d.field,
                        d.detail,
                        d.remedy,
                        d.size,
                        d.sha256.hex(),
                        d.body,
                    )
                    for d in letters
                )
            tallied = self._dropped + Counter({f"dropped.{name}": n for name, n in admitted.dropped.items()})
            if tallied:
                logs.tally(tallied)
            logs.advance(self.source.name, self.position)
        self._letters = []
        self._dropped = Counter()
        for number, frame in frames:
            self._count(self.site.partitions[number].step([frame]))

    def _parted(self, admitted: Admitted) -> Iterator[tuple[int, NDArray[np.int64] | None]]:
        """The partitions of what was let in, each with the positions of its rows; None for all of them."""
        rows = admitted.rows
        if self._routing.count == 1:
            yield from [(0, None)] if len(rows) else []
            return
        self._routing.learn(admitted.names)
        keys, places = rows["matter"].tolist(), rows["place"].tolist()
        yield from split(self._routing.signals(self.source.name, keys, places, admitted.matters))

    def _append(self, number: int, index: NDArray[np.int64] | None, admitted: Admitted) -> Frame:
        rows, grams, ends, texts = admitted.rows, admitted.grams, admitted.gram_ends, admitted.texts
        logs = self.site.logs
        if index is not None:
            grams, ends = ragged(grams, ends, index)
            rows, texts = rows[index], [texts[place] for place in index.tolist()]
        frame = frame_of_signals(rows, grams, ends)
        frame.offset = logs.append("signals", number, [frame.to_bytes()])
        if index is None:
            # Several partitions need to know a matter's own before there is a frame: the routing keeps the directory.
            known = self.site.partitions[number].fold.county.matters.slot_of
            prefix = self.source.name + "/"
            logs.direct(
                (key, number, prefix + name)
                for key, name in zip(rows["matter"].tolist(), admitted.matters, strict=True)
                if key not in known
            )
        told = [(place, text) for place, text in enumerate(texts) if text]
        if told:
            logs.keep_texts(number, frame.offset, told, self._now + self.source.retention)
        return frame

    def _pass_time(self) -> None:
        """Tell partitions that are behind the others what time it is, so that none holds up site or trainer."""
        if self._routing.count == 1 or self.site.is_new:
            return
        behind = [each.number for each in self.site.partitions if each.fold.county.now < self._now]
        if behind:
            self._count(self.site.append_others([(Kind.TICK, self._now, {})], only=behind))

    def _give_commands(self, before: int) -> None:
        while self._commands and self._commands[0][0] < before:
            at, payload = self._commands.pop(0)
            if self.site.is_new:
                # Nothing was ever read, so there is no warning that a command could mean.
                self.summary.folds["unknown_warning"] = self.summary.folds.get("unknown_warning", 0) + 1
                continue
            self._now = max(self._now, at)
            entry = (Kind.COMMAND, self._now, payload)
            log, number = self.site.store.log_of(str(payload.get("warning", ""))) or ("signals", 0)
            only = (number if log == "signals" else 0,)
            self._count(self.site.append_others([entry], cursor=(COMMANDS, 1), only=only))

    def _count(self, all_effects: Iterable[Effects]) -> None:
        for effects in all_effects:
            folds, reasons = by_reason(effects.counts)
            self.summary.reasons.update(reasons)
            for name, count in folds.items():
                self.summary.folds[name] = self.summary.folds.get(name, 0) + count

    # lockstep ------------------------------------------------------------------------------------------------------

    def _cross(self, at: int) -> None:
        """Local midnight has passed: take the model learned since the last lesson, hand out the next one."""
        day_of = self.rules.calendar.day_of
        midnight = self.rules.calendar.start_of(day_of(at))
        is_due = not self._lessons or day_of(midnight) >= self._day_of_answer(self._lessons[-1])
        if is_due:
            self._collect(limit=midnight)
        self._pass_time()
        is_parted = self._routing.count > 1
        if self.site.logs.is_wall or is_parted or (day_of(self._midnight) - 1) // 7 != day_of(at) // 7:
            # Under a recorded clock once a week, since how often changes no effect; of several partitions every day,
            # since their budgets hang on it. Behind the model, whose entry may complete a minute: crossed again after
            # a stop, nothing is cut otherwise.
            self._surges.drain(self._now)
        if is_parted:
            shares = self._surges.to_counties()
            told = {number: [(kind, self._now, row) for kind, _, row in own] for number, own in shares.items()}
            self._count(self.site.append_each(told) if told else ())
        if self._trainer is not None and is_due:
            marks = self.site.store.marks()
            before = self._lessons[-1].labels if self._lessons else 0
            if marks[1] > before:
                lesson = self.site.store.ask(midnight, marks)
                self._lessons.append(lesson)
                self._trainer.ask(lesson)
        self._midnight = self._next_midnight(at)

    def _day_of_answer(self, lesson: Lesson) -> int:
        return self.rules.calendar.day_of(lesson.until) + self.lesson_days

    def _collect(self, limit: int = 1 << 62) -> None:
        """Wait for the outstanding lesson and append its model, at the midnight on which the next lesson is due."""
        if self._trainer is None or not self._lessons:
            return
        lesson = self._lessons[-1]
        result = lesson.result
        if result is None:
            result = self._trainer.answer()
            self.site.store.answer(lesson, result)
            self._lessons[-1] = type(lesson)(lesson.id, lesson.until, lesson.decisions, lesson.labels, result)
        if result and self.site.model_version() < lesson.id:
            midnight = self.rules.calendar.start_of(self._day_of_answer(lesson))
            self._now = max(self._now, min(midnight, limit))
            self._count(self.site.append_others([(Kind.MODEL, self._now, {"sha256": result, "version": lesson.id})]))

    def _next_midnight(self, at: int) -> int:
        return self.rules.calendar.start_of(self.rules.calendar.day_of(at) + 1)

    def _stop_trainer(self, *, kill: bool) -> None:
        if self._trainer is not None:
            self._trainer.close(kill=kill)
            self._trainer = None


def by_reason(counts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Counts of a fold or an edge, parted: what was done, and what was not or only in part, by Reason."""
    done, reasons = {}, Counter[str]()
    for name, count in counts.items():
        if name.startswith("dropped."):
            reasons[Reason.FIELD_NOT_ALLOWED.value] += count
        elif name in _REASONS:
            reasons[str(name)] += count
        else:
            done[str(name)] = count
    return done, dict(reasons)


def read_commands(path: Path | None) -> list[Command]:
    """Recorded commands of a JSON-lines file, in order of time; remarks are redacted. Raises ConfigError.

    `at` and `next_update_by` in RFC 3339, `office` by its id; everything else as the API takes it.
    """
    if path is None:
        return []
    found, problems, clean = [], [], Redactor().redact
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_command(json.loads(line), clean))
        except (ValueError, KeyError, TypeError, AttributeError, Refused) as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(f"{path}:{number}: {said}; one JSON object a line, with `at` in RFC 3339")
    if problems:
        raise ConfigError(problems)
    return sorted(found, key=lambda command: command[0])


def _command(payload: dict[str, Any], clean: Callable[[str], str]) -> Command:
    parse = time_parser(("iso",), "UTC")
    at = parse(payload.pop("at"))
    if isinstance(payload.get("next_update_by"), str):
        payload["next_update_by"] = parse(payload["next_update_by"])
    if isinstance(payload.get("office"), str):
        payload["office"] = code64(payload["office"])
    for name in ("remark", "reason"):
        if isinstance(payload.get(name), str):
            payload[name] = clean(payload[name])
    return at, payload


def edge_key(data: Path, *, fixed: bool) -> bytes:
    """Secret of the edge: one of the data directory, or a published constant where the input is public history."""
    if fixed:
        return sha256(b"forewarn back-test").digest()
    path = data / "edge.key"
    if not path.is_file():
        data.mkdir(parents=True, exist_ok=True)
        # Whole under its name or not there at all: half a key would be taken for the secret after a kill.
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    key = path.read_bytes()
    if len(key) != 32:
        raise CorruptData(f"{path} holds {len(key)} bytes where 32 belong; restore it from a backup")
    return key
