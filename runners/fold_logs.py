"""A set of logs folded from their beginning, whatever keeps them: what any run of any number of workers must give.

Signals and readings partitions are independent of each other and of the site log once all of them are recorded, so
they are folded one after the other. Nothing is written.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from config.load import from_canonical
from config.settings import Settings
from models.champion import Champion
from pipeline.effects import Effects
from pipeline.errors import CorruptData, LogGap
from pipeline.frame import Frame, Kind
from pipeline.reading_rules import ReadingRules
from pipeline.rules import FoldRules
from pipeline.site import SiteFold
from pipeline.stages.reading_word import SENSOR
from pipeline.topology import Topology
from runners.log_frames import decoded
from runners.reading_limits import reading_rules
from runners.ruled_readings import RuledReadings
from runners.supervise import Supervised
from runners.wiring import CountyWarnings, topology


class ReadLogs(Protocol):
    """What is read of logs: runners.log_sqlite.Logs, runners.cluster.logs.ClusterLogs."""

    def partitions(self) -> list[tuple[str, int]]: ...
    def read(
        self, log: str, partition: int, after: int = -1, until: int | None = None
    ) -> Iterator[tuple[int, bytes]]: ...
    def frame(self, log: str, partition: int, offset: int) -> bytes | None: ...
    def names_of(self, kind: str) -> dict[int, str]: ...


class ReadModels(Protocol):
    """Where published models lie: runners.model_files.ModelFiles and its like."""

    @property
    def champions(self) -> dict[str, Champion]: ...
    def load(self, name: str) -> Champion: ...


@dataclass(slots=True)
class Folded:
    """What came of all logs.

    `digests` by kind of effect and `counts` of each `<log>-<partition>`; transitions in the order of log and partition;
    `folds` of the signals partitions; `pruned`: logs whose beginning is gone, which cannot be folded from there.
    """

    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    folds: dict[int, Topology] = field(default_factory=dict)
    pruned: list[str] = field(default_factory=list)
    frames: int = 0

    def total(self) -> Counter[str]:
        """Counts of the signals partitions together."""
        return sum((counts for name, counts in self.counts.items() if name.startswith("signals-")), Counter())


Mask = Callable[[str, Frame], Frame]
"""What a frame of a log becomes before it is folded."""


def fold_logs(
    logs: ReadLogs, models: ReadModels, *, rules: FoldRules | None = None, mask: Mask | None = None,
    progress: Callable[[int], None] | None = None,
) -> Folded:  # fmt: skip
    """Fold every partition of every log from its first frame on.

    `rules`: to begin with instead of those of the genesis entry. Raises CorruptData, NewerData, LogGap, and
    FileNotFoundError where there is no log yet.
    """
    try:
        first = genesis(logs)
    except FileNotFoundError:
        if rules is None:
            raise
        first = {"settings": {}}
    folding = _Folding(logs, models, rules or FoldRules.from_json(first["rules"]), mask or _unmasked, progress)
    folds = {"signals": folding.signals, "readings": folding.readings, "site": folding.site}
    for log, number in sorted(logs.partitions(), key=lambda each: (_ORDER[each[0]], each[1])):
        name = f"{log}-{number}"
        try:
            folding.found.digests[name] = folds[log](name, number, first["settings"])
        except LogGap:
            if logs.frame(log, number, 0) is not None:
                raise
            folding.found.pruned.append(name)
    return folding.found


def genesis(logs: ReadLogs) -> dict[str, Any]:
    """Payload of the first config entry: rules and settings. Raises FileNotFoundError where none can be read."""
    for log, number in sorted(logs.partitions(), key=lambda each: (_ORDER[each[0]], each[1])):
        if log == "readings":
            continue
        body = logs.frame(log, number, 0)
        if body is not None:
            with suppress(CorruptData):  # a record that nobody can read tells nothing
                return dict(Frame.from_bytes(body, 0).others[0])
    raise FileNotFoundError(f"{getattr(logs, 'path', 'the log')} holds no frame yet")


def sensor_rules(settings: dict[str, Any], names: dict[int, str]) -> ReadingRules:
    """Rules of the readings fold by the settings of a config entry of its log."""
    return reading_rules(from_canonical(settings) if settings else Settings(), names)


class _Folding:
    """One pass over all logs."""

    def __init__(
        self, logs: ReadLogs, models: ReadModels, rules: FoldRules, mask: Mask, progress: Callable[[int], None] | None
    ) -> None:
        self.found = Folded()
        self._logs, self._models, self._rules, self._mask, self._progress = logs, models, rules, mask, progress

    def signals(self, name: str, number: int, settings: dict[str, Any]) -> dict[str, str]:
        """Fold one county partition; its digests."""

        def read(after: int = -1, before: int | None = None) -> Iterator[Frame]:
            for frame in self._frames("signals", number, after, None if before is None else before - 1):
                if Kind.MODEL in frame.kinds:
                    for payload in frame.others:
                        if "sha256" in payload:
                            self._models.load(payload["sha256"])
                yield frame

        def empty(before: int = 0) -> tuple[Topology, int]:
            return topology(self._rules, self._models.champions), -1

        supervised = Supervised(empty()[0], empty, read)
        for frame in read():
            for effects in supervised.step(frame):
                self._keep(name, effects)
            self._tell()
        self.found.folds[number] = supervised.fold
        return supervised.fold.digest()

    def readings(self, name: str, number: int, settings: dict[str, Any]) -> dict[str, str]:
        """Fold one partition of readings; its digest. A recorded log has no config entries: the site's hold."""
        ruled = RuledReadings(ReadingRules(), sensor_rules)
        ruled.names = self._logs.names_of(SENSOR)
        ruled.follow(settings)
        for frame in self._frames("readings", number):
            self._keep(name, ruled.step(frame)[0])
            self._tell()
        return ruled.digest()

    def site(self, name: str, number: int, settings: dict[str, Any]) -> dict[str, str]:
        """Fold the site log; its digests."""
        fold = SiteFold(self._rules, CountyWarnings(self._rules))
        for frame in self._frames("site", number):
            self._keep(name, fold.step(frame))
            self._tell()
        return fold.digest()

    def _frames(self, log: str, number: int, after: int = -1, until: int | None = None) -> Iterator[Frame]:
        for offset, body in self._logs.read(log, number, after, until):
            yield self._mask(log, decoded(body, offset))

    def _keep(self, name: str, effects: Effects) -> None:
        self.found.transitions += effects.transitions
        counts = self.found.counts.setdefault(name, Counter())
        counts.update(effects.counts)
        counts.update(verdict["reason"] for verdict in effects.verdicts if not verdict["ok"])

    def _tell(self) -> None:
        self.found.frames += 1
        if self._progress is not None:
            self._progress(self.found.frames)


def _unmasked(log: str, frame: Frame) -> Frame:
    return frame


_ORDER = {"signals": 0, "readings": 1, "site": 2}
