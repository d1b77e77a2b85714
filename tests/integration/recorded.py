"""One recorded set of logs with every kind of entry: three counties and their site live for a day and a half.

Matters come and go, sensors alarm and fall silent, people act on warnings, a trainer publishes, the configuration
changes, notifications are receipted. What is made here is a data directory; its logs are the set.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from pipeline.frame import Frame, Kind, frame_of_others
from runners.clock import SetClock
from runners.live.site import Live
from runners.log_sqlite import Logs
from tests.runners.live.test_files import until
from tests.runners.live.town import BEGIN, CONFIG, HOUR, lay_out, moment, record, run, running, send, until_folded

PARTITIONS = 3
COUNTIES = ("north", "east", "south")
HOURS = 30
MATTERS = 12
"""New ones of each hour."""
CHANGED_AT = 16
"""Hour in which the configuration changes."""
MINUTE = HOUR // 60

TOWN: dict[str, Any] = {
    "partition_count": PARTITIONS,
    "places": [{"id": county, "level": "county"} for county in COUNTIES],
    "matrix": [
        {"place": place, "category": category, "office": "works"}
        for place in COUNTIES
        for category in ("noise", "roads")
    ],
    "targets": [
        {"name": "breach", "rule": "breach", "window_days": 0.1, "hold_days": 0.1},
        {"name": "reopened", "rule": "reopened", "window_days": 20},
    ],
    "learning": {"enabled": True, "min_labels": 50, "publish_every_hours": 6},
    "sensors": [{"prefix": "gas-", "alarm_high": 50.0, "held_seconds": 60, "interval_seconds": 600}],
    "sources": [
        {"name": "hotline", "mapping": "hotline.yaml", "interval_seconds": 600},
        *(
            {"name": f"gauges_{county}", "mapping": f"gauges_{county}.yaml", "default_place": county}
            for county in COUNTIES
        ),
    ],
}


def town(folder: Path) -> Path:
    """The configuration of three counties."""
    path = lay_out(folder, **TOWN)
    gauges = yaml.safe_load((folder / "gauges.yaml").read_text(encoding="utf-8"))
    for county in COUNTIES:
        (folder / f"gauges_{county}.yaml").write_text(
            yaml.safe_dump(gauges | {"source": f"gauges_{county}"}, allow_unicode=True), encoding="utf-8"
        )
    return path


def record_set(folder: Path) -> Path:
    """Live through the day and a half; the data directory."""
    path, data, clock = town(folder / "town"), folder / "data", SetClock(BEGIN)
    # Stopped, upgraded and started again in the middle: the second half goes on from checkpoints.
    for half in (range(HOURS // 2), range(HOURS // 2, HOURS)):
        if half.start:
            _upgrade(data)
        with running(path, data, clock) as site:
            for hour in half:
                _hour(path, site, clock, hour)
            until(site, lambda site=site: site.trainer.figures()["lessons"] >= 1 and site.trainer.state != "learning")  # type: ignore[misc]
    return data


def _hour(path: Path, site: Live, clock: SetClock, hour: int) -> None:
    if hour == CHANGED_AT:
        _change(path, site)
    _matters(site, clock, hour)
    _gauges(site, clock, hour)
    _people(site, clock, hour)
    clock.advance(HOUR // 3)
    run(until_folded(site))


def _matters(site: Live, clock: SetClock, hour: int) -> None:
    """New matters; those of the hours before move on, are handed back, or are forgotten."""
    now = clock.now()
    numbers = range(MATTERS * hour, MATTERS * (hour + 1))
    lines = [record(n, at=now, due=moment(now + HOUR), place=COUNTIES[n % 3]) for n in numbers]
    for n in range(MATTERS * (hour - 1), MATTERS * hour):
        if hour and n % 4 == 1:
            lines.append(record(n, "returned", at=now, place=""))
        if hour and n % 4 == 3:
            lines.append(record(n, "closed", at=now, place=""))
    if hour > 2:
        n = MATTERS * (hour - 2) + 3
        lines.append(record(n, "reopened", at=now))
    # An older step arrives late, and one record comes twice.
    lines.append(record(MATTERS * hour, "accepted", at=now - HOUR // 4))
    lines.append(lines[0])
    send(site, "hotline", lines)
    clock.advance(HOUR // 3)
    run(until_folded(site))


def _gauges(site: Live, clock: SetClock, hour: int) -> None:
    """Five readings of two sensors in each county; one of them alarms every fourth hour, and one falls silent."""
    for turn in range(5):
        at = moment(clock.now())
        for n, county in enumerate(COUNTIES):
            value = 80.0 if (hour + n) % 4 == 0 and turn < 3 else 12.0 + turn
            lines = [_reading(f"gas-{county}-1", at, value)]
            if hour % 9 < 7:
                lines.append(_reading(f"gas-{county}-2", at, 10.0 + n))
            send(site, f"gauges_{county}", lines)
        clock.advance(2 * MINUTE)
    run(until_folded(site))


def _reading(sensor: str, at: str, value: float) -> bytes:
    return f'{{"sensor": "{sensor}", "at": "{at}", "value": {value}}}'.encode()


def _people(site: Live, clock: SetClock, hour: int) -> None:
    """Two people act on open warnings, not always rightly."""
    rows = site.site.store.queue(states=["open", "acknowledged"], limit=200)
    rows.sort(key=lambda row: str(row["id"]))
    acts: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {"next_update_by": clock.now() + 4 * HOUR}),
        ("confirm", {}),
        ("note", {"remark": "已联系承办单位"}),
        ("decline", {"reason": "已现场核实"}),
        ("close", {"outcome": "confirmed"}),
        ("close", {}),
    ]

    async def all_of_it() -> None:
        for n, row in enumerate(rows[hour % 7 :: 7][:4]):
            name, more = acts[(n + hour) % len(acts)]
            payload = {
                "id": f"act-{hour}-{n}",
                "command": name,
                "warning": row["id"],
                "expected": row["number"],
                "principal": f"officer-{n % 2}",
                "role": "approver",
                **more,
            }
            await site.command(payload, 20.0)

    asyncio.run(all_of_it())


def _change(path: Path, site: Live) -> None:
    """Another yellow, and one category more."""
    changed = (
        CONFIG
        | TOWN
        | {
            "categories": [*CONFIG["categories"], {"id": "trees", "default_office": "works"}],
            "levels": {"yellow": {"raise_at": 0.35, "clear_at": 0.31}},
        }
    )
    path.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    told = run(site.reload())
    assert told["ok"], told


def _upgrade(data: Path) -> None:
    """What a new version of the product writes into each log when it takes over."""
    logs = Logs(data / "log.db")
    with logs.transaction():
        for log, number in logs.partitions():
            bodies = list(logs.read(log, number))
            last = int(Frame.from_bytes(bodies[-1][1], bodies[-1][0]).now[-1])
            if log != "readings":
                entry = (Kind.UPGRADE, last, {"fold_version": 2, "version": "0.1.0"})
                logs.append(log, number, [frame_of_others([entry]).to_bytes()])
    logs.close()


def facts(data: Path) -> set[str]:
    """What the facts of the set tell of."""
    found: set[str] = set()
    with Logs(data / "log.db", readonly=True) as logs:
        for log, number in logs.partitions():
            for offset, body in logs.read(log, number):
                frame = Frame.from_bytes(body, offset)
                if Kind.FACT in frame.kinds:
                    found.update(str(each.get("fact", "receipt" if "receipt" in each else "")) for each in frame.others)
    return found - {""}


def kinds(data: Path) -> Counter[str]:
    """How many entries of each kind the set holds."""
    found: Counter[str] = Counter()
    with Logs(data / "log.db", readonly=True) as logs:
        for log, number in logs.partitions():
            for offset, body in logs.read(log, number):
                found.update(Kind(kind).name for kind in Frame.from_bytes(body, offset).kinds.tolist())
    return found


if __name__ == "__main__":
    import sys

    made = record_set(Path(sys.argv[1]))
    print(kinds(made))
    os._exit(0)
