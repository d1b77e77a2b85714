"""A small town for live sites: its configuration, its records, and a site that runs on a clock of the test's own."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
import yaml

from runners.clock import Clock, SetClock
from runners.live.site import Live
from runners.live.sources import plan

BEGIN = int(datetime(2026, 3, 2, 1, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000
FIELDS = ["id", "matter", "at", "step", "category", "place", "office", "channel", "due", "text"]
CONTRACT = {
    "purpose": "tests",
    "legal_basis": "none needed, invented",
    "allowed_fields": FIELDS,
    "precision": {"time": "second", "place": "street"},
    "retention_days": 30,
}
HOTLINE = {"source": "hotline", "shape": "native", "contract": CONTRACT}
GAUGES = {
    "source": "gauges",
    "shape": "readings",
    "contract": {**CONTRACT, "allowed_fields": ["sensor", "at", "value"], "intake": "readings"},
    "sensor": "sensor",
    "time": "at",
    "value": "value",
}
CONFIG: dict[str, Any] = {
    "site": {"name": "town", "name_zh": "小镇", "name_en": "Town"},
    "learning": {"enabled": False},
    "categories": [{"id": "noise"}, {"id": "roads"}],
    "places": [{"id": "north"}, {"id": "south"}],
    "offices": [{"id": "works", "name_zh": "市政", "name_en": "Works"}],
    "matrix": [
        {"place": place, "category": category, "office": "works"}
        for place in ("north", "south")
        for category in ("noise", "roads")
    ],
    # reopening stays open when a deadline has passed, so that warnings do not end by themselves
    "targets": [{"name": "breach", "rule": "breach"}, {"name": "reopened", "rule": "reopened"}],
    "sources": [
        {"name": "hotline", "mapping": "hotline.yaml", "interval_seconds": 600},
        {"name": "gauges", "mapping": "gauges.yaml"},
    ],
}


THREE: list[dict[str, Any]] = [*CONFIG["categories"], {"id": "trees", "default_office": "works"}]
"""The categories of a changed configuration."""


def lay_out(folder: Path, **changed: Any) -> Path:
    """Write the town's configuration into a folder; the path of the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("hotline", HOTLINE), ("gauges", GAUGES)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(CONFIG | changed, allow_unicode=True), encoding="utf-8")
    return path


def moment(us: int) -> str:
    """RFC 3339 of µs UTC."""
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat()


def record(number: int, step: str = "registered", *, at: int = BEGIN, **changed: Any) -> bytes:
    """A native record of matter `number`."""
    fields = {
        "id": f"{number}-{step}",
        "matter": f"m{number}",
        "at": moment(at),
        "step": step,
        "category": ("noise", "roads")[number % 2],
        "place": ("north", "south")[number % 3 % 2],
        "office": "works",
        "text": "路灯不亮，请尽快处理" if step == "registered" else "",
    }
    return orjson.dumps(fields | changed)


def records(count: int, first: int = 0, *, at: int = BEGIN) -> list[bytes]:
    """Registrations of so many matters."""
    return [record(number, at=at) for number in range(first, first + count)]


def overdue(number: int, *, at: int = BEGIN) -> bytes:
    """A matter that is past its due time when it comes: a rule of duty warns of it."""
    return record(number, at=at - 80 * HOUR, due=moment(at - 60 * HOUR))


@contextmanager
def running(config: Path, data: Path, clock: Clock | None = None) -> Iterator[Live]:
    """A live site that runs while the block does."""
    site = Live(plan(config), data, clock or SetClock(BEGIN))
    site.start()
    try:
        yield site
    finally:
        site.stop()


T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on an event loop of its own."""
    return asyncio.run(coroutine)


async def until_folded(site: Live, wait_s: float = 10.0) -> None:
    """Wait until everything that was accepted is folded and kept, and the engine has looked at its clock."""
    async with asyncio.timeout(wait_s):
        for _ in range(2):
            await asyncio.wrap_future(site.call(lambda: None))
        while site.ledger.all()["pending"] or not site.engine.is_idle():
            await asyncio.wrap_future(site.call(lambda: None))


def send(site: Live, source: str, sent: Sequence[bytes], **how: Any) -> Any:
    """Post records and wait until they are folded; the answer."""

    async def sending() -> Any:
        answer = await site.accept(source, sent, **how)
        await until_folded(site)
        return answer

    return run(sending())
