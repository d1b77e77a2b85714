"""The folder of a demonstration: its configuration, made anew for each, and the mark that it may be thrown away."""

import shutil
from pathlib import Path
from typing import Any

import orjson

from connectors.simulator import City
from connectors.simulator.outlines import geojson
from connectors.simulator.readings import SOURCE as SENSORS
from connectors.simulator.site_files import as_yaml, mapping, readings_mapping, site
from connectors.simulator.telling import SOURCE as SIGNALS
from pipeline.errors import ConfigError

MARK = "demo.json"
TARGETS = ("breach", "bounced")
"""Outcomes that a demonstration learns: those that are known when an office is done, so that the board fills soon."""


class DemoFolder:
    """`data` is the data directory; configuration, outlines and ground truth lie in `city` inside it.

    Raises ConfigError for a folder that holds something else than an earlier demonstration.
    """

    def __init__(self, data: Path, city: City) -> None:
        self.data = data
        self.files = data / "city"
        self.config = self.files / "config.yaml"
        self.truth = self.files / "truth.jsonl"
        if data.is_dir() and any(data.iterdir()):
            if not (data / MARK).is_file():
                raise ConfigError([f"{data}: holds no demonstration; give --data a folder that is empty or not there"])
            shutil.rmtree(data)
        self.files.mkdir(parents=True)
        (data / MARK).write_bytes(orjson.dumps({"synthetic": True, "seed": city.seed, "start": str(city.start)}))
        self._write("config.yaml", _configuration(city))
        self._write("mapping.yaml", _mapping())
        self._write("mapping_readings.yaml", readings_mapping())
        (self.files / "outlines.json").write_bytes(orjson.dumps(geojson(city.territory, city.seed)))

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self.files / name).write_text(as_yaml(content), "utf-8")


def _configuration(city: City) -> dict[str, Any]:
    return site(city.territory, city.words.categories) | {
        # Without the profile: what is learned and graded is what is named here.
        "include": ["rules/hotline", "rules/petition"],
        "sources": [
            {"name": SIGNALS, "mapping": "mapping.yaml", "interval_seconds": 3600},
            {"name": SENSORS, "mapping": "mapping_readings.yaml", "interval_seconds": 300},
        ],
        "targets": [_target(name) for name in TARGETS],
    }


def _target(name: str) -> dict[str, Any]:
    words = {
        "breach": ("逾期", "Past its deadline", 60, 0.15),
        "bounced": ("多次退单", "Returned twice or more", 30, 0.03),
    }
    zh, en, window, prior = words[name]
    found = {"name": name, "name_zh": zh, "name_en": en, "rule": name, "window_days": window, "prior": prior}
    return found | {"hold_days": 7} | ({"at_least": 2} if name == "bounced" else {})


def _mapping() -> dict[str, Any]:
    """The folder's mapping, with the grid as the place, so that the tree of places holds."""
    made = mapping()
    made["place"] = "place"
    made["codes"] = {name: column for name, column in made["codes"].items() if column != "place"}
    made.pop("shared_columns")
    made["outcomes"] = [one for one in made["outcomes"] if one["name"] in TARGETS]
    return made
