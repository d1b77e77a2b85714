"""The files that let a pipeline read the simulated city: mappings with data contracts, and the site's configuration."""

from typing import Any

import yaml

from connectors.simulator.devices import DEVICES
from connectors.simulator.readings import SOURCE
from connectors.simulator.telling import SOURCE as SIGNALS
from connectors.simulator.territory import ROOT, Territory
from connectors.simulator.vocabulary import Category
from pipeline.signal import Step

PURPOSE = "Try out and demonstrate early warning on an invented city"
BASIS = "None needed: every record is generated and marked synthetic 合成数据"
COLUMNS = (
    "id", "matter", "at", "step", "category", "place", "point", "office", "channel", "due", "rule", "scope", "topic",
    "history", "limit_hours", "text", "synthetic",
)  # fmt: skip
"""Columns of signals.jsonl, in order."""
CODES = ("rule", "scope", "topic", "history")
ATTRIBUTES = {
    "grid": ("所属网格", "grid"),
    "rule": ("时限规则", "deadline rule"),
    "scope": ("影响范围", "scope"),
    "topic": ("具体事由", "topic"),
    "history": ("既往情况", "history"),
    "limit_hours": ("办理时限（小时）", "hours allowed"),
}
"""What the attributes are called, in Chinese and English."""
"""Columns that are learned from as words."""
SENSOR = {"id": "sensor", "name_zh": "感知设备", "name_en": "Sensor"}
"""The category under which warnings of sensors stand, and who answers for it."""
STEPS = (
    Step.REGISTERED, Step.ROUTED, Step.RETURNED, Step.UPHELD, Step.NOT_UPHELD, Step.HANDED_OVER, Step.ACCEPTED,
    Step.HANDLING, Step.EXTENDED, Step.REPLIED, Step.REPORTED_DONE, Step.SOLVED, Step.UNSOLVED, Step.VERIFIED,
    Step.CLOSED, Step.REOPENED, Step.REPORTED_AGAIN,
)  # fmt: skip
"""Every step a simulated matter can take."""


def mapping() -> dict[str, Any]:
    """The mapping of signals.jsonl. Its place is grid/point: a whole grid has reports of any category each month."""
    return {
        "source": SIGNALS,
        "shape": "steps",
        "contract": _contract("matters", list(COLUMNS)),
        "input": {"form": "jsonl"},
        "times": {"formats": ["iso"], "zone": "Asia/Shanghai"},
        "id": "id",
        "matter": "matter",
        "time": "at",
        "step": {"translated": "step", "table": {step.name.lower(): step.name.lower() for step in STEPS}},
        "category": "category",
        "place": {"joined": ["place", "point"], "by": "/"},
        "office": "office",
        "channel": "channel",
        "due": "due",
        "text": "text",
        "codes": {"grid": "place", **{column: column for column in CODES}},
        "values": {"limit_hours": "limit_hours"},
        "shared_columns": ["place"],
        "outcomes": [
            {"name": "breach", "rule": "breach", "hold_days": 7},
            {"name": "bounced", "rule": "bounced", "count": 2, "hold_days": 7},
            {"name": "reopened", "rule": "reopened", "window_days": 30},
            {"name": "repeated", "rule": "repeated", "window_days": 30},
            {"name": "unsatisfied", "rule": "unsatisfied", "hold_days": 10},
        ],
    }


def readings_mapping() -> dict[str, Any]:
    """The mapping of readings.jsonl."""
    return {
        "source": SOURCE,
        "shape": "readings",
        "contract": _contract("readings", ["sensor", "at", "value", "place", "synthetic"]),
        "input": {"form": "jsonl"},
        "times": {"formats": ["iso"], "zone": "Asia/Shanghai"},
        "sensor": "sensor",
        "time": "at",
        "value": "value",
        "place": "place",
    }


def site(territory: Territory, categories: tuple[Category, ...], *, coarsest_s: int = 0) -> dict[str, Any]:
    """The configuration: places, offices, categories, the responsibility matrix, limits of the sensors.

    `coarsest_s`: no sensor reports more often than this.
    """
    counties = [place for place in territory.places.values() if place.kind == "county"]
    root = territory.places[ROOT]
    return {
        "include": ["profiles/default"],
        "site": {
            "name": "simulated-city",
            "name_zh": f"{root.zh}（合成数据）",
            "name_en": "Simulated city (synthetic)",
        },
        # Due times are asserted by the source; the profile's legal clocks would be a second opinion on each.
        "default_clocks": [],
        "attributes": {
            "names": [{"id": id, "name_zh": zh, "name_en": en} for id, (zh, en) in ATTRIBUTES.items()],
        },
        "places": [
            {
                "id": place.key,
                "name_zh": place.zh,
                "level": place.kind,
                **({"parent": place.parent} if place.parent else {}),
            }
            for place in territory.places.values()
        ],
        "offices": [
            {"id": one.key, "name_zh": one.zh, "name_en": one.en, "kind": _kind(one.kind), "place": one.place}
            for one in territory.offices.values()
        ],
        "categories": [
            *({"id": one.key, "name_zh": one.zh, "name_en": one.en, "hazard": one.hazard} for one in categories),
            SENSOR,
        ],
        "matrix": [
            {"place": county.key, "category": one.key, "office": f"{county.key}-{one.lead[0]}"}
            for county in counties
            for one in categories
        ]
        + [{"place": county.key, "category": SENSOR["id"], "office": f"{county.key}-D13"} for county in counties],
        "sensors": _sensors(coarsest_s),
    }


def sources() -> list[dict[str, Any]]:
    """The sources of a folder, for `forewarn run --config`."""
    return [{"name": SIGNALS, "mapping": "mapping.yaml", "files": ["signals.jsonl"]}]


def _sensors(coarsest_s: int) -> list[dict[str, Any]]:
    found = []
    for device in {device.prefix: device for device in DEVICES}.values():
        low, high = device.possible
        found.append(
            {
                "prefix": device.prefix,
                "name_zh": device.zh,
                "name_en": device.en,
                "unit": device.unit,
                "normal_low": float(low),
                "normal_high": float(high),
                "alarm_high" if device.rises else "alarm_low": device.alarm,
                "held_seconds": device.held_s,
                "interval_seconds": max(device.interval_s, coarsest_s),
            }
        )
    return found


def as_yaml(data: dict[str, Any], *heading: str) -> str:
    """YAML text under comment lines that say what it is; everything simulated says so in its first line."""
    comments = "".join(
        f"# {line}\n" for line in ("合成数据 Synthetic data: no real place or office is meant.", *heading)
    )
    return comments + yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)


def _contract(intake: str, fields: list[str]) -> dict[str, Any]:
    return {
        "purpose": PURPOSE,
        "legal_basis": BASIS,
        "allowed_fields": fields,
        "precision": {"time": "second", "place": "street"},
        "retention_days": 365,
        "intake": intake,
    }


def _kind(code: str) -> str:
    if code in ("D26", "D27", "D28", "D29"):
        return "enterprise"
    if code in ("D08", "D14"):
        return "vertical"
    return "institution" if code == "D30" else "station" if code in ("T11", "T12", "T13") else "government"
