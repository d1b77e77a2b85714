"""A small history to spoil: 30 matters of an invented town as JSON lines, its mapping and its configuration."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from runners.backtest import Task, backtest

MATTERS = 30
BEGIN = datetime(2024, 3, 4, 1, tzinfo=UTC)
CONFIG: dict[str, Any] = {
    "learning": {"enabled": False},
    "categories": [{"id": "noise"}, {"id": "roads"}],
    "places": [{"id": "north"}, {"id": "south"}],
}
MAPPING: dict[str, Any] = {
    "source": "town",
    "shape": "steps",
    "contract": {
        "purpose": "tests",
        "legal_basis": "none needed, invented",
        "allowed_fields": ["id", "matter", "at", "step", "category", "place", "amount", "text"],
        "precision": {"time": "second", "place": "street"},
        "retention_days": 30,
        "intake": "matters",
    },
    "times": {"formats": ["iso"], "zone": "Asia/Shanghai"},
    "id": "id",
    "matter": "matter",
    "time": "at",
    "step": {"translated": "step", "table": {"registered": "registered", "replied": "replied", "closed": "closed"}},
    "category": "category",
    "place": "place",
    "text": "text",
    "values": {"amount": "amount"},
    "outcomes": [{"name": "reopened", "rule": "reopened", "window_days": 5}],
}


def row(number: int, step: str = "registered", **changed: Any) -> dict[str, Any]:
    """One row of a good matter, changed where a test wants it."""
    at = BEGIN + timedelta(hours=3 * number, days={"registered": 0, "replied": 1, "closed": 2}[step])
    return {
        "id": f"{number}-{step}",
        "matter": f"m{number}",
        "at": at.isoformat(),
        "step": step,
        "category": ("noise", "roads")[number % 2],
        "place": ("north", "south")[number % 3 % 2],
        "amount": number,
        "text": "路灯不亮，请尽快处理",
    } | changed


def good_rows() -> list[dict[str, Any]]:
    """Every matter is registered, replied to and closed: 90 rows."""
    return [row(number, step) for number in range(MATTERS) for step in ("registered", "replied", "closed")]


def line(fields: dict[str, Any]) -> bytes:
    """A row as a JSON line."""
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def good_lines() -> list[bytes]:
    """The good rows as JSON lines."""
    return [line(fields) for fields in good_rows()]


def lay_out(folder: Path, mapping: dict[str, Any] | None = None, config: dict[str, Any] | None = None) -> Path:
    """Write mapping and configuration into a folder; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapping.yaml").write_text(yaml.safe_dump(MAPPING | (mapping or {})), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | (config or {})), encoding="utf-8")
    return folder


def run_lines(folder: Path, lines: Sequence[bytes], mapping: dict[str, Any] | None = None) -> dict[str, Any]:
    """Back-test these lines in `folder`; the note of the run. The data directory is `folder / "out"`."""
    lay_out(folder, mapping)
    (folder / "history.jsonl").write_bytes(b"".join(lines))
    return run_file(folder, "history.jsonl")


def run_file(folder: Path, name: str) -> dict[str, Any]:
    """Back-test one file of a folder that is laid out."""
    return backtest(Task(folder / "mapping.yaml", (folder / name,), folder / "out", folder / "config.yaml"))
