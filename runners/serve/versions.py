"""Versions of a cluster's configuration: numbered by whoever writes a number first, then appended to every log.

config@<n>       the n-th configuration: what its entries carry, the hash of its content, the file it was read from
config@<n> logs  which logs have it, and the offset of its entry in each
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from config.cluster import Kafka, Postgres, Worker
from config.load import canonical, from_canonical
from config.settings import Settings
from pipeline.frame import Frame, Kind
from pipeline.rules import FoldRules
from runners.explain.frames_by_key import config_offsets
from runners.live.sources import Plan
from runners.log_sqlite import Logs
from runners.register import Memory
from runners.serve.parts import Log

Append = Callable[[Log, Sequence[tuple[Kind, dict[str, Any]]]], int]
"""Append entries, stamped now, as one frame; its offset. Raises LogUnavailable."""
_NEWEST = "config"
_OWN: dict[str, Any] = {"runner": "kafka", "kafka": Kafka(), "postgres": Postgres(), "worker": Worker()}
"""What each process has for itself: where brokers and database are for it may differ from machine to machine."""


@dataclass(frozen=True, slots=True)
class Version:
    """A configuration under its number. `payload`: of its entries in the signals and site logs."""

    number: int
    mark: str
    path: str
    payload: dict[str, Any]

    @classmethod
    def of(cls, made: Plan) -> "Version":
        """The version that a plan is, under the number of its rules."""
        return cls.at(made.rules.version, made.path, made.settings, made.rules.to_json())

    @classmethod
    def at(cls, number: int, path: Path, settings: Settings, rules: dict[str, Any]) -> "Version":
        """A configuration under a number; its mark says whether another is the same but for that."""
        shared = canonical(settings.model_copy(update=_OWN))
        told = sha256(orjson.dumps([shared, {**rules, "version": 0}])).hexdigest()
        return cls(number, told, str(path.absolute()), {"version": number, "rules": rules, "settings": shared})

    @property
    def rules(self) -> FoldRules:
        """What the folds read of it."""
        return FoldRules.from_json(self.payload["rules"])

    def settings(self, own: Settings) -> Settings:
        """The configuration, with this process's own brokers and database."""
        return from_canonical(self.payload["settings"]).model_copy(update={name: getattr(own, name) for name in _OWN})

    def entry(self, log: str) -> dict[str, Any]:
        """What an entry of a log carries."""
        if log != "readings":
            return self.payload
        settings = self.payload["settings"]
        return {"settings": {name: settings[name] for name in ("sensors", "duty")}}


class Versions:
    """All versions of one cluster. Raises StoreUnavailable."""

    def __init__(self, register: Memory) -> None:
        self._register = register
        self._known: Version | None = None

    def newest(self) -> Version | None:
        """The one with the highest number, None before the first."""
        number = self._known.number if self._known else int(self._register.meta(_NEWEST) or 1) - 1
        while (found := self._read(number + 1)) is not None:
            self._known, number = found, number + 1
        return self._known

    def is_old(self, told: str) -> bool:
        """Whether a configuration of this hash was in force once and another is now."""
        newest = self.newest()
        if newest is None or newest.mark == told:
            return False
        earlier = (self._read(number) for number in range(newest.number - 1, 0, -1))
        return any(version is not None and version.mark == told for version in earlier)

    def propose(self, version: Version) -> bool:
        """Write a version under its number; False where another has that number already."""
        body = orjson.dumps([version.mark, version.path, version.payload]).decode()
        if self._register.remember_first(_key(version.number), body) != body:
            return False
        self._register.remember(_NEWEST, str(version.number))
        return True

    def logs(self, number: int) -> dict[Log, int]:
        """The logs that have a version, with the offset of its entry."""
        rows = orjson.loads(self._register.meta(f"{_key(number)} logs") or "[]")
        return {(log, partition): offset for log, partition, offset in rows}

    def roll_out(self, version: Version, logs: Sequence[Log], append: Append) -> None:
        """Append a version to every log that lacks it, with the lease; twice is harmless. Raises LogUnavailable."""
        having = self.logs(version.number)
        for log in logs:
            if log not in having:
                having[log] = append(log, [(Kind.CONFIG, version.entry(log[0]))])
                self.adopt(version.number, having)

    def adopt(self, number: int, logs: Mapping[Log, int]) -> None:
        """These logs have a version, at these offsets."""
        rows = sorted([*log, offset] for log, offset in logs.items())
        self._register.remember(f"{_key(number)} logs", orjson.dumps(rows).decode())

    def offsets(self, log: str, partition: int) -> list[int]:
        """Offsets of the config entries of a log, in order."""
        newest = self.newest()
        numbers = range(1, newest.number + 1) if newest else ()
        found = {self.logs(number).get((log, partition)) for number in numbers}
        return sorted({0} | {offset for offset in found if offset is not None})

    def _read(self, number: int) -> Version | None:
        if number < 1:
            return None
        body = self._register.meta(_key(number))
        return None if body is None else Version(number, *orjson.loads(body))


def _key(number: int) -> str:
    return f"config@{number}"


def inherit(register: Memory, logs: Logs, config: Path) -> None:
    """Number the configurations of an embedded site's logs, which move into a cluster, as they were numbered there."""
    versions = Versions(register)
    having: dict[int, dict[Log, int]] = {}
    for log, partition in logs.partitions():
        for offset in config_offsets(logs, log, partition) if log != "readings" else ():
            body = logs.frame(log, partition, offset)
            for payload in Frame.from_bytes(body, offset).others if body else ():
                if "rules" in payload:
                    number = int(payload["version"])
                    settings = from_canonical(payload["settings"]) if payload.get("settings") else Settings()
                    rules = FoldRules.from_json(payload["rules"]).to_json()
                    versions.propose(Version.at(number, config, settings, rules))
                    having.setdefault(number, {})[log, partition] = offset
    for number, offsets in having.items():
        # Those of readings have no number; whoever has any has the newest.
        readings = {(log, partition): 0 for log, partition in logs.partitions() if log == "readings"}
        versions.adopt(number, offsets | readings)
