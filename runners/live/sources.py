"""The live sources of a configuration: each with its mapping, its contract, and the edge that lets its records in."""

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.learning import Source
from config.load import load_settings
from config.mapped import settings_with
from config.settings import Settings
from connectors.deadletter import DeadLetter
from connectors.edge import Edge
from connectors.mapping import Mapping
from connectors.native import SignalDecoder
from connectors.ngrams import Grams
from connectors.pushed import ReadingDecoder, RecordDecoder
from connectors.readings import LARGEST
from connectors.redact import Redactor
from connectors.signatures import secret_of
from pipeline.calendar import DAY_US
from pipeline.errors import ConfigError, Reason, Refused
from pipeline.frame import READING
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.signal import Reading
from runners.wiring import fold_rules

FUTURE_US = 300_000_000
"""How far ahead of the site a time may lie."""


@dataclass(slots=True)
class Part:
    """What came of at most a frame of records of one source; all lists follow `rows` (SIGNAL) or `readings`.

    `refused` are positions in the records handed in; `names` code -> (kind, name); `matters` readable ids by row;
    `sensors` code -> name of the sensors that are new to this process.
    """

    source: "LiveSource"
    rows: NDArray[Any]
    grams: NDArray[np.uint32]
    gram_ends: NDArray[np.int64]
    texts: list[str]
    names: dict[int, tuple[str, str]]
    matters: list[str]
    rejected: list[DeadLetter]
    dropped: Counter[str]
    readings: NDArray[Any] = field(default_factory=lambda: np.zeros(0, READING))
    sensors: dict[int, str] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    is_emergency: bool = False

    @property
    def count(self) -> int:
        """Signals and readings that go to a log."""
        return len(self.rows) + len(self.readings)


class LiveSource:
    """One source: its records in, parts out. Not for several threads at once."""

    def __init__(
        self, source: Source, mapping: Mapping, folder: Path, settings: Settings, rules: FoldRules, key: bytes
    ):
        self.name = source.name
        self._again = (source, mapping, folder, settings, rules)
        self.mapping = mapping
        self.shape = mapping.model.shape
        self.folder = folder / source.folder if source.folder else None
        self.topic = source.kafka
        self.secret = secret_of(folder / source.secret_file) if source.secret_file else None
        self.interval = source.interval_seconds
        self.retention = min(settings.retention.texts_days, mapping.model.contract.retention_days) * DAY_US
        self.redactor = Redactor()
        self._emergency = rules.emergency_cues
        self._known: set[int] = set()
        contract = mapping.model.contract
        self._readings = ReadingDecoder(mapping, self.redactor) if self.shape == "readings" else None
        self._decoder = (
            None if self.shape == "readings"
            else SignalDecoder(contract, self.redactor, source=self.name) if self.shape == "native"
            else RecordDecoder(mapping, self.redactor)
        )  # fmt: skip
        self._edge = Edge(
            source=self.name,
            contract=contract,
            redactor=self.redactor,
            grams=Grams(key),
            targets=[target.name for target in rules.targets],
            codes=rules.codes,
            values=rules.values,
            known_categories={category.id for category in settings.categories} or None,
            known_places={place.id for place in settings.places} or None,
            key=hmac.digest(key, b"content", "sha256"),
            future_tolerance_s=FUTURE_US / 1e6,
        )

    @property
    def is_pushed(self) -> bool:
        """Whether it may post over HTTP."""
        return self.folder is None and self.topic is None

    def prepare(self, records: Sequence[bytes], now: int, first: int = 0) -> Part:
        """Decode, redact and hash; `first` is the position of the first record, for its dead letter."""
        if self._readings is not None:
            return self._prepare_readings(self._readings, records, now, first)
        assert self._decoder is not None
        decoded = self._decoder.decode(records, first)
        admitted = self._edge.admit(decoded.signals, now, positions=decoded.positions)
        dropped = decoded.dropped + admitted.dropped
        return Part(
            source=self,
            rows=admitted.rows,
            grams=admitted.grams,
            gram_ends=admitted.gram_ends,
            texts=admitted.texts,
            names=admitted.names,
            matters=admitted.matters,
            rejected=decoded.rejected + admitted.rejected,
            dropped=dropped,
            is_emergency=bool(self._emergency and (admitted.rows["cues"] & self._emergency).any()),
        )

    def rehearse(self, record: bytes, now: int, key: bytes) -> DeadLetter | None:
        """Why a record would not be taken, None when it would; on any thread, nothing is written."""
        found = LiveSource(*self._again, key).prepare([record], now)
        return found.rejected[0] if found.rejected else None

    def refuse(self, refused: Sequence[tuple[int, Refused, bytes]]) -> list[DeadLetter]:
        """Dead letters of what was no record at all."""
        return [DeadLetter.of(self.name, place, why, body, self.redactor) for place, why, body in refused]

    def empty(self, rejected: list[DeadLetter]) -> Part:
        """A part that holds dead letters alone."""
        nothing = self._edge.admit([], 0)
        return Part(
            source=self, rows=nothing.rows, grams=nothing.grams, gram_ends=nothing.gram_ends, texts=[], names={},
            matters=[], rejected=rejected, dropped=Counter(),
        )  # fmt: skip

    def _prepare_readings(self, decoder: ReadingDecoder, records: Sequence[bytes], now: int, first: int) -> Part:
        decoded = decoder.decode(records, first)
        part = self.empty(decoded.rejected)
        part.dropped = decoded.dropped
        taken: list[tuple[int, int, float]] = []
        for reading in decoded.readings:
            refused = _reading_refused(reading, now)
            if refused is not None:
                body = f'{{"sensor":"{reading.sensor}","at":{reading.at},"value":{reading.value}}}'.encode()
                part.rejected.append(DeadLetter.of(self.name, first, refused, body, self.redactor))
                continue
            sensor = code64(reading.sensor)
            if sensor not in self._known:
                self._known.add(sensor)
                part.sensors[sensor] = reading.sensor
                if reading.place:
                    part.places[sensor] = code64(reading.place)
                    part.names[code64(reading.place)] = ("place", reading.place)
            taken.append((sensor, reading.at, reading.value))
        part.readings = np.array(taken, READING) if taken else np.zeros(0, READING)
        return part


def _reading_refused(reading: Reading, now: int) -> Refused | None:
    if not abs(reading.value) <= LARGEST:
        return Refused(Reason.NOT_FINITE, "value", f"{reading.value:g}", f"at most {LARGEST:g} in size")
    if reading.at > now + FUTURE_US:
        return Refused(
            Reason.TIME_IN_FUTURE, "at", "ahead of this site's clock", "check the clock and zone of the device"
        )
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration as it is to run: settings with what the mappings declare, rules, live sources by name."""

    path: Path
    settings: Settings
    rules: FoldRules
    mappings: dict[str, Mapping]

    def sources(self, key: bytes) -> dict[str, LiveSource]:
        """Fresh sources; `key` is the secret of the edge."""
        folder = self.path.parent
        return {
            source.name: LiveSource(source, self.mappings[source.name], folder, self.settings, self.rules, key)
            for source in self.settings.sources
        }


def is_live(settings: Settings) -> bool:
    """Whether a configuration describes a live site: one whose sources name no files to read once."""
    return bool(settings.sources) and not any(source.files for source in settings.sources)


def plan(path: Path, *, version: int = 1, settings: Settings | None = None) -> Plan:
    """The plan of a configuration file, or of what was read from it already. Raises ConfigError with every problem."""
    settings = load_settings(path) if settings is None else settings
    problems: list[str] = []
    if not settings.sources:
        problems.append(f"{path}:1: sources: there is none; name at least one with a mapping")
    mappings: dict[str, Mapping] = {}
    for source in settings.sources:
        where = f"{path}: sources: {source.name}"
        if source.files:
            problems.append(
                f"{where}: files: a site that reads files once is not live; use `folder` to drop files into"
            )
        try:
            mapping = Mapping.load(path.parent / source.mapping)
        except ConfigError as error:
            problems += error.problems
            continue
        if mapping.model.shape == "counts":
            problems.append(f"{where}: {source.mapping} has the shape counts, which is read from files alone")
        if mapping.model.source != source.name:
            problems.append(
                f"{where}: {source.mapping} is of the source {mapping.model.source!r}; the names must agree"
            )
        if source.kafka is not None and find_spec("kafka") is None:
            problems.append(f"{where}: kafka: a library is missing; pip install 'forewarn[cluster]'")
        mappings[source.name] = mapping
    if settings.sinks.kafka is not None and find_spec("kafka") is None:
        problems.append(f"{path}: sinks: kafka: a library is missing; pip install 'forewarn[cluster]'")
    if problems:
        raise ConfigError(problems)
    for source in settings.sources:
        settings = settings_with(settings, mappings[source.name].model, path=source.mapping)
    made = Plan(path, settings, fold_rules(settings, version=version), mappings)
    made.sources(bytes(32))  # what a decoder, an edge or a secret cannot use is told now, not at the first record
    return made
