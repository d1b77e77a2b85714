"""A little city behind a real server: its configuration, its records, its people, and a clock of the test's own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from console.api.accounts import Accounts
from console.api.shapes import Role
from runners.clock import SetClock
from runners.live.server import Address, LiveServer
from runners.live.site import Live
from runners.live.sources import plan

BEGIN = int(datetime(2026, 11, 23, 1, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000
DAY = 24 * HOUR

TOWNSHIPS = {
    "wangting": ("望汀街道", "Wangting Subdistrict"),
    "chenghu": ("澄湖街道", "Chenghu Subdistrict"),
    "shibu": ("石埠镇", "Shibu Town"),
    "liqiao": ("栎桥街道", "Liqiao Subdistrict"),
}
GRIDS = 4
CATEGORIES = {
    "drain": ("排水管堵塞", "Blocked drain", "housing-office"),
    "water": ("停水", "No water", "water-office"),
    "noise": ("夜间施工噪声", "Night construction noise", "urban-office"),
    "light": ("路灯不亮", "Street light out", "urban-office"),
    "road": ("道路破损", "Damaged road", "housing-office"),
    "gas": ("燃气异味", "Smell of gas", "gas-office"),
}
COMMON = tuple(CATEGORIES)[:-1]
OFFICES = {
    "housing-office": ("区住建局", "Housing Bureau"),
    "urban-office": ("区城管局", "Urban Management Bureau"),
    "water-office": ("区水利局", "Water Bureau"),
    "gas-office": ("燃气公司", "Gas Company"),
    "hotline-office": ("区12345热线工作机构", "Hotline Office"),
}
PEOPLE: dict[str, Role] = {"officer": "duty_officer", "second": "approver", "keeper": "administrator"}
FIELDS = ["id", "matter", "at", "step", "category", "place", "office", "channel", "due", "text"]
HOTLINE: dict[str, Any] = {
    "source": "hotline",
    "shape": "native",
    "contract": {
        "purpose": "tests of the console",
        "legal_basis": "none needed, invented",
        "allowed_fields": FIELDS,
        "precision": {"time": "second", "place": "street"},
        "retention_days": 30,
    },
}


def _places() -> Iterator[dict[str, Any]]:
    yield {"id": "qingxi", "name_zh": "清溪县", "name_en": "Qingxi County", "level": "county"}
    for id, (zh, en) in TOWNSHIPS.items():
        yield {"id": id, "parent": "qingxi", "name_zh": zh, "name_en": en, "level": "township"}
        for n in range(1, GRIDS + 1):
            name = {"name_zh": f"{zh}第{n}网格", "name_en": f"{en}, grid {n}"}
            yield {"id": f"{id}-{n}", "parent": id, "level": "grid", **name}


def configuration() -> dict[str, Any]:
    """The city's configuration."""
    clock = {
        "id": "hotline",
        "name_zh": "热线事项办理时限",
        "name_en": "Hotline matter",
        "source": "本市12345热线工作规则",
        "unit": "working_days",
        "length": 5,
    }
    return {
        "site": {"name": "city", "name_zh": "样例市", "name_en": "Sample City"},
        "learning": {"enabled": False},
        "places": list(_places()),
        "offices": [{"id": id, "name_zh": zh, "name_en": en, "place": "qingxi"} for id, (zh, en) in OFFICES.items()],
        "categories": [
            {"id": id, "name_zh": zh, "name_en": en, "default_office": office, "clocks": ["hotline"]}
            for id, (zh, en, office) in CATEGORIES.items()
        ],
        "clocks": [clock],
        "targets": [{"name": "breach", "rule": "breach"}],
        "sources": [{"name": "hotline", "mapping": "hotline.yaml", "interval_seconds": 600}],
    }


def lay_out(folder: Path, **changed: Any) -> Path:
    """Write the configuration into a folder; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hotline.yaml").write_text(yaml.safe_dump(HOTLINE, allow_unicode=True), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(configuration() | changed, allow_unicode=True), encoding="utf-8")
    return path


def record(number: int, at: int, step: str = "registered", **changed: Any) -> bytes:
    """A record of the hotline about matter `number`."""
    category = COMMON[number % len(COMMON)]
    township = list(TOWNSHIPS)[number // len(COMMON) % len(TOWNSHIPS)]
    fields = {
        "id": f"{number}-{step}-{at}",
        "matter": f"GD2026{number:06d}",
        "at": datetime.fromtimestamp(at / 1e6, UTC).isoformat(),
        "step": step,
        "category": category,
        "place": f"{township}-{number % GRIDS + 1}",
        "text": f"{CATEGORIES[category][0]}，希望尽快处理。" if step == "registered" else "",
    }
    return orjson.dumps(fields | changed)


def danger(number: int, at: int) -> bytes:
    """A matter whose text may tell of danger to life: red, once two persons confirm it."""
    return record(number, at, category="gas", text="燃气泄漏，有人晕倒，情况危急，请立即处理。")


@dataclass
class City:
    """The city as it runs."""

    url: str
    site: Live
    clock: SetClock
    accounts: Accounts
    server: LiveServer

    def link(self, name: str) -> str:
        """Where to sign in by one click, once."""
        return f"{self.url}/signin#token={self.accounts.token(name)}"

    def send(self, records: list[bytes]) -> None:
        """Hand records in and wait until they are folded."""

        async def sending() -> None:
            await self.site.accept("hotline", records)
            async with asyncio.timeout(20):
                while self.site.ledger.all()["pending"] or self.site.engine.lag_us():
                    await asyncio.wrap_future(self.site.call(lambda: None))

        # The browser's driver has an event loop of its own on this thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, sending()).result()

    def pass_time(self, us: int) -> None:
        """Let the city's clock go on."""
        self.clock.advance(us)
        self.send([])


def history(city: City, matters: int) -> None:
    """Eleven days: matters are registered, some returned again and again, some closed, the rest left until late."""
    city.send([record(number, city.clock.now() - HOUR) for number in range(matters)])
    for day in range(11):
        city.pass_time(DAY)
        now = city.clock.now() - HOUR
        city.send([record(number, now, "returned") for number in range(5, matters, 9) if day in (7, 8)])
        city.send([record(number, now, "returned") for number in range(5, matters, 18) if day == 9])
        city.send([record(number, now, "replied") for number in range(0, matters, 4) if day in (4, 8)])
        city.send([record(number, now, "closed") for number in range(3, matters, 7) if day == 1])
    city.send([danger(matters + n, city.clock.now() - HOUR // 6) for n in range(3)])


@contextmanager
def running(folder: Path, matters: int = 60, port: int = 0, **changed: Any) -> Iterator[City]:
    """The city, seeded and served on a port of the loopback address (0: a free one) while the block runs.

    With `matters` 0 it goes on from what the folder holds. `changed`: parts of the configuration.
    """
    clock = SetClock(BEGIN - 11 * DAY if matters else BEGIN)
    site = Live(plan(lay_out(folder, **changed)), folder / "data", clock)
    server = LiveServer(site, Address(port=port))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    assert server.wait_started(20)
    for name, role in PEOPLE.items():
        if not server.accounts.is_known(name):
            server.accounts.add(name, role, area="root", office="hotline-office", post="热线值班岗")
    city = City(server.url, site, clock, server.accounts, server)
    try:
        if matters:
            history(city, matters)
        yield city
    finally:
        server.stop()
        thread.join(20)
