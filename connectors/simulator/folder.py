"""A simulated city as a folder: signals, readings, truth, mappings, configuration. Equal arguments, equal bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from connectors.simulator.city import START, City
from connectors.simulator.outlines import geojson
from connectors.simulator.site_files import as_yaml, mapping, readings_mapping, site, sources
from connectors.simulator.working_time import rfc3339
from pipeline.signal import Reading, Signal, Step

README = """合成数据 SYNTHETIC DATA
本目录全部内容由程序生成，地名、单位、事项、电话均为虚构，号码不得拨打。
Everything here is generated. No place, office, matter or telephone number is real; do not call the numbers.

signals.jsonl          one line per step of a matter, in order of time
readings.jsonl         sensor readings, in order of time
mapping.yaml           how to read the signals (with their data contract)
mapping_readings.yaml  how to read the readings
config.yaml            places, offices, categories, who leads what, sensors and sources
outlines.json          outlines of the places for a map (GeoJSON, invented, in kilometres)
truth.jsonl            oracle probabilities, outcomes and planted cases: for checks only, never for a pipeline
"""

COARSEST_S = 900
"""Seconds between two readings of a sensor at least: a folder's pace, coarser than the devices' own."""
Progress = Callable[[int, int], None]
"""Called with (days done, days in all)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: numbers of signals, matters and readings."""

    signals: int
    matters: int
    readings: int


def write(
    out: Path,
    *,
    seed: int = 7,
    days: int = 60,
    grids: int = 240,
    start: date = START,
    per_day: float | None = None,
    sensors: int = 32,
    progress: Progress | None = None,
) -> Written:
    """Write a simulated city into the folder `out` (made if missing; files of the same names are replaced)."""
    if days < 1:
        raise ValueError(f"a run needs at least one day, not {days}")
    out.mkdir(parents=True, exist_ok=True)
    city = City(seed=seed, grids=grids, start=start, per_day=per_day, sensors=sensors, coarsest_s=COARSEST_S)
    signals = matters = readings = 0
    with (
        (out / "signals.jsonl").open("wb") as lines,
        (out / "readings.jsonl").open("wb") as measured,
        (out / "truth.jsonl").open("wb") as truths,
    ):
        for day in range(days):
            begin, until = city.span(day)[1], city.span(day + 1)[1]
            for signal in city.signals(begin, until):
                lines.write(signal_line(signal))
                signals += 1
                matters += signal.step is Step.REGISTERED
            for reading in city.sensors.rows(begin, until):
                measured.write(reading_line(reading))
                readings += 1
            truths.writelines(map(_line, city.truth()))
            if progress:
                progress(day + 1, days)
    (out / "README.txt").write_text(README, "utf-8")
    (out / "mapping.yaml").write_text(as_yaml(mapping(), "How to back-test signals.jsonl."), "utf-8")
    (out / "mapping_readings.yaml").write_text(as_yaml(readings_mapping(), "How to read readings.jsonl."), "utf-8")
    configuration = site(city.territory, city.words.categories, coarsest_s=COARSEST_S) | {"sources": sources()}
    (out / "config.yaml").write_text(as_yaml(configuration), "utf-8")
    (out / "outlines.json").write_bytes(_line(geojson(city.territory, seed)))
    return Written(signals, matters, readings)


def signal_line(signal: Signal) -> bytes:
    """One line of signals.jsonl; a registration has every column, so that a reader learns them all early."""
    row: dict[str, Any] = {
        "id": signal.id,
        "matter": signal.matter,
        "at": rfc3339(signal.at // 1_000_000),
        "step": signal.step.name.lower(),
        "category": signal.category,
        "place": signal.place,
        "office": signal.office,
        "channel": signal.channel,
    }
    if signal.due:
        row["due"] = rfc3339(signal.due // 1_000_000)
    row.update(signal.codes)
    row.update(signal.values)
    if signal.text:
        row["text"] = signal.text
    row["synthetic"] = True
    return _line(row)


def reading_line(reading: Reading) -> bytes:
    """One line of readings.jsonl."""
    at = rfc3339(reading.at // 1_000_000)
    row = {"sensor": reading.sensor, "at": at, "value": reading.value, "place": reading.place, "synthetic": True}
    return _line(row)


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
