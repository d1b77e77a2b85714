"""`run.json`: what a back-test says about itself. Whatever it does not say stays empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from console.reports.transitions import LEVELS
from pipeline.errors import CorruptData


@dataclass(frozen=True, slots=True)
class RunNote:
    """The parts of `run.json` a report uses; `budgets` and `cutoffs` are by level, a budget is per office and day."""

    inputs: list[str] = field(default_factory=list)
    mapping: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)
    cutoffs: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"

    def zone_info(self) -> ZoneInfo:
        """The zone in which a day begins at midnight."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def title(self, target: str) -> tuple[str, str]:
        """English and Chinese name of a target; its own name where none is set."""
        about = self.targets.get(target, {})
        return str(about.get("en") or target.replace("_", " ")), str(about.get("zh") or "")


def read_run_note(folder: Path) -> RunNote:
    """`run.json` of a back-test folder; an empty note where there is none. Raises CorruptData."""
    path = folder / "run.json"
    if not path.is_file():
        return RunNote()
    try:
        told = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise CorruptData(f"{path}: {error}") from error
    levels = _mapping(told.get("levels"))
    inputs = told.get("input") or []
    return RunNote(
        # Names only: where a file lay on one machine is nobody's business on another.
        inputs=[Path(str(name)).name for name in ([inputs] if isinstance(inputs, str) else inputs)],
        mapping=Path(str(told.get("mapping") or "")).name,
        counts=_mapping(told.get("counts")),
        targets={str(item.get("name")): item for item in told.get("targets") or [] if isinstance(item, dict)},
        budgets=_numbers(levels.get("budgets")),
        cutoffs=_numbers(levels.get("raise") or levels.get("cutoffs") or levels),
        versions=_mapping(told.get("versions")),
        digests=_mapping(told.get("digests")),
        zone=str(told.get("weekday_zone") or told.get("zone") or "UTC"),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _numbers(value: object) -> dict[str, float]:
    """The plain numbers by level; a level told as a mapping gives its `raise`."""
    found = {}
    for level, told in _mapping(value).items():
        number = told.get("raise") if isinstance(told, dict) else told
        if level in LEVELS and isinstance(number, int | float) and not isinstance(number, bool):
            found[level] = float(number)
    return found
