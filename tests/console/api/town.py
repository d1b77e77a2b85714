"""A small invented town for the tests of the API: two counties, real log and store, and a running site over them."""

import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from config.load import load_settings
from config.mapped import settings_with
from config.settings import Settings
from connectors.mapping import Mapping
from console.api.directory import LogDirectory
from console.api.ports import Change, Directory, Overflow, Readiness, SourceStatus
from pipeline.frame import Kind
from pipeline.rules import FoldRules
from runners.backtest import Task, backtest
from runners.embedded import Site
from runners.explain.explain import as_json, explain
from runners.wiring import fold_rules

BEGIN = datetime(2024, 3, 4, 1, tzinfo=UTC)
PLACES = {"east": "root", "east-1": "east", "east-2": "east", "east-1-a": "east-1", "west": "root", "west-1": "west"}
GRIDS = ("east-1-a", "east-2", "west-1")
CONFIG: dict[str, Any] = {
    "site": {"name": "town", "name_zh": "样例市", "name_en": "Sample Town"},
    "learning": {"enabled": False},
    "places": [
        {"id": id, "parent": parent, "name_zh": f"{id}街道", "name_en": id.title(), "level": "township"}
        for id, parent in PLACES.items()
    ],
    "offices": [
        {"id": "housing", "name_zh": "区住建局", "name_en": "Housing Bureau", "place": "root"},
        {"id": "roads-office", "name_zh": "区城管局", "name_en": "Urban Management", "place": "root"},
    ],
    "categories": [
        {"id": id, "name_zh": zh, "name_en": en, "default_office": office, "clocks": clocks}
        for id, zh, en, office, clocks in (
            ("noise", "噪声扰民", "Noise", "housing", ["five_days"]),
            ("roads", "道路破损", "Broken road", "roads-office", []),
        )
    ],
    "clocks": [
        {
            "id": "five_days",
            "name_zh": "热线办理",
            "name_en": "Hotline",
            "source": "City rules Art. 5",
            "unit": "working_days",
            "length": 5,
        }
    ],
}
MAPPING: dict[str, Any] = {
    "source": "town",
    "shape": "steps",
    "contract": {
        "purpose": "tests",
        "legal_basis": "none needed, invented",
        "allowed_fields": ["id", "matter", "at", "step", "category", "place", "text"],
        "precision": {"time": "second", "place": "street"},
        "retention_days": 30,
        "intake": "matters",
    },
    "times": {"formats": ["iso"], "zone": "Asia/Shanghai"},
    "id": "id",
    "matter": "matter",
    "time": "at",
    "step": {
        "translated": "step",
        "table": {name: name for name in ("registered", "replied", "returned", "hazard", "closed")},
    },
    "category": "category",
    "place": "place",
    "text": "text",
    "outcomes": [{"name": "reopened", "rule": "reopened", "window_days": 5}],
}
DAYS = 20


def rows(matters: int) -> list[dict[str, Any]]:
    """Matters that nobody acts on, some returned three times (orange), some that may be an emergency (red)."""
    out = []
    for number in range(matters):
        begin = BEGIN + timedelta(minutes=7 * number)
        text = "燃气泄漏，有人晕倒，情况危急" if number % 10 == 3 else f"路灯不亮，请尽快处理，工单号 2024{number:06d}"
        common = {
            "matter": f"T-{number:05d}",
            "category": ("noise", "roads")[number % 2],
            "place": GRIDS[number % 3],
            "text": text,
        }
        steps = [("registered", begin)]
        if number % 10 == 5:
            steps += [("returned", begin + timedelta(days=day)) for day in (1, 2, 3)]
        if number % 10 == 7:
            steps += [("closed", begin + timedelta(days=1))]
        out += [
            common | {"id": f"{number}-{place}", "at": at.isoformat(), "step": step}
            for place, (step, at) in enumerate(steps)
        ]
    # The clock of a recorded log is that of its entries: a last one lets the town's time pass.
    last = BEGIN + timedelta(days=DAYS)
    out.append({"matter": "T-last", "category": "roads", "place": "west-1", "text": "", "id": "last",
                "at": last.isoformat(), "step": "registered"})  # fmt: skip
    return sorted(out, key=lambda row: row["at"])


def build(folder: Path, matters: int = 60) -> Path:
    """Back-test the town's history; its data directory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapping.yaml").write_text(yaml.safe_dump(MAPPING), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG, allow_unicode=True), encoding="utf-8")
    history = folder / "history.jsonl"
    bad = orjson.dumps(rows(1)[0] | {"id": "bad", "category": "dragons"}) + b"\n"
    history.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows(matters)) + bad)
    backtest(Task(folder / "mapping.yaml", (history,), folder / "out", folder / "config.yaml"))
    return folder / "out"


def configured(folder: Path) -> tuple[Settings, FoldRules]:
    """The town's configuration."""
    mapping = Mapping.load(folder / "mapping.yaml")
    settings = settings_with(load_settings(folder / "config.yaml"), mapping.model, path="mapping.yaml")
    return settings, fold_rules(settings)


class TownSubscription:
    """Changes for one reader."""

    def __init__(self, bound: int) -> None:
        self.queue: asyncio.Queue[Change | None] = asyncio.Queue(bound)
        self.is_over = False

    async def __aiter__(self) -> AsyncIterator[Change]:
        while (change := await self.queue.get()) is not None:
            yield change
        if self.is_over:
            raise Overflow

    def close(self) -> None:
        self.is_over = self.is_over or False


class TownSite:
    """A running site over real logs and store: commands are appended, folded and told at once."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "out"
        self.settings, self.rules = configured(folder)
        self.simulated, self.speed = False, 1.0
        self.site = Site(self.data, self.rules, durable=False, checkpointing=False)
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self.browser_seconds: list[float] = []
        self.status: list[SourceStatus] = []
        self.figures: dict[str, Any] | None = None
        self.resubmitted: list[tuple[int, str, dict[str, Any]]] = []
        self.bound = 1_000
        self.state: Readiness | None = None
        self.is_slow = self.is_full = False
        self._verdicts: dict[str, dict[str, Any]] = {}
        self._subscriptions: list[TownSubscription] = []
        self._cursor = {"signals-0": sum(1 for _ in self.site.store.transitions(log="signals"))}

    def close(self) -> None:
        self.site.close()

    @property
    def store_url(self) -> Path | str:
        return self.data / "store.db"

    def directory(self) -> Directory:
        return LogDirectory(self.data / "log.db")

    def now(self) -> int:
        return int(self.site.partitions[0].fold.county.now)

    def readiness(self) -> Readiness:
        return self.state or Readiness(True, "", self.now(), 0)

    async def command(self, payload: dict[str, Any], wait_s: float = 2.0) -> dict[str, Any] | None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left")
        verdict = self.told([(Kind.COMMAND, self.now() + 1_000_000, payload)])[-1]
        self._verdicts.setdefault(payload["id"], verdict)
        return None if self.is_slow else verdict

    def told(self, entries: list[tuple[Kind, int, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Append entries, fold them, tell everybody; the verdicts."""
        effects = self.site.append_others(entries)
        changes = tuple(each for one in effects for each in one.transitions)
        if changes:
            self._cursor["signals-0"] += len(changes)
            self.hand_on(Change(dict(self._cursor), changes, self.now()))
        return [verdict for one in effects for verdict in one.verdicts]

    def hand_on(self, change: Change) -> None:
        """Give a change to every subscription."""
        for each in self._subscriptions:
            try:
                each.queue.put_nowait(change)
            except asyncio.QueueFull:
                each.is_over = True
                while not each.queue.empty():
                    each.queue.get_nowait()
                each.queue.put_nowait(None)

    def let_pass(self, **time: float) -> None:
        """Let log time pass."""
        self.told([(Kind.TICK, self.now() + round(timedelta(**time).total_seconds() * 1e6), {})])

    def verdict(self, key: str) -> dict[str, Any] | None:
        return self._verdicts.get(key)

    def subscribe(self) -> TownSubscription:
        self._subscriptions.append(TownSubscription(self.bound))
        return self._subscriptions[-1]

    def cursor(self) -> dict[str, int]:
        return dict(self._cursor)

    def sources(self) -> list[SourceStatus]:
        return self.status

    async def resubmit(self, letter: int, source: str, record: dict[str, Any]) -> dict[str, Any]:
        self.resubmitted.append((letter, source, record))
        return {"ok": True, "reason": "", "detail": "", "remedy": ""}

    async def discard(self, letter: int) -> bool:
        return letter == 1

    async def reload(self) -> dict[str, Any]:
        return {"ok": True, "version": 2, "problems": []}

    def explain(self, warning: str) -> dict[str, Any]:
        return as_json(explain(self.data, warning))

    def scoreboard(self) -> dict[str, Any] | None:
        return self.figures

    def reached(self, seconds: float) -> None:
        self.browser_seconds.append(seconds)

    async def fact(self, name: str, payload: dict[str, Any]) -> None:
        self.facts.append((name, payload))
