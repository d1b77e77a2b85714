"""A simulated city as a folder: signals, readings, truth, mappings, configuration. Equal arguments, equal bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from connectors.simulator.city import START, City
from connectors.simulator.readings import SensorReadings
from connectors.simulator.site_files import as_yaml, mapping, readings_mapping, site
from connectors.simulator.truth import rfc3339
from connectors.simulator.working_time import day_of
from pipeline.signal import Reading, Signal, Step

README = """合成数据 SYNTHETIC DATA
本目录全部内容由程序生成，地名、单位、事项、电话均为虚构，号码不得拨打。
Everything here is generated. No place, office, matter or telephone number is real; do not call the numbers.

signals.jsonl          one line per step of a matter, in order of time
readings.jsonl         sensor readings, in order of time
mapping.yaml           how to read the signals (with their data contract)
mapping_readings.yaml  how to read the readings
config.yaml            places, offices, categories and who leads what
truth.jsonl            oracle probabilities, outcomes and planted cases: for checks only, never for a pipeline
"""

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
    grids: int = 24,
    start: date = START,
    per_day: float | None = None,
    sensors: int = 32,
    progress: Progress | None = None,
) -> Written:
    """Write a simulated city into the folder `out` (made if missing; files of the same names are replaced)."""
    if days < 1:
        raise ValueError(f"a run needs at least one day, not {days}")
    out.mkdir(parents=True, exist_ok=True)
    city = City(seed=seed, grids=grids, start=start, per_day=per_day)
    signals = matters = 0
    with (out / "signals.jsonl").open("wb") as lines, (out / "truth.jsonl").open("wb") as truths:
        for signal in _told(city, days, start, progress):
            lines.write(signal_line(signal))
            signals += 1
            matters += signal.step is Step.REGISTERED
            if signals % 4096 == 0:
                truths.writelines(map(_line, city.truth()))
        truths.writelines(map(_line, city.truth()))
        measured = SensorReadings(city.territory, seed=seed, start=start, days=days, sensors=sensors)
        truths.writelines(map(_line, measured.episodes))
    readings = 0
    with (out / "readings.jsonl").open("wb") as lines:
        for reading in measured:
            lines.write(reading_line(reading))
            readings += 1
    (out / "README.txt").write_text(README, "utf-8")
    (out / "mapping.yaml").write_text(as_yaml(mapping(), "How to back-test signals.jsonl."), "utf-8")
    (out / "mapping_readings.yaml").write_text(as_yaml(readings_mapping(), "How to read readings.jsonl."), "utf-8")
    (out / "config.yaml").write_text(as_yaml(site(city.territory, city.words.categories)), "utf-8")
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


def _told(city: City, days: int, start: date, progress: Progress | None) -> Iterator[Signal]:
    first, done = start.toordinal() - date(1970, 1, 1).toordinal(), 0
    for signal in city.signals(days):
        if progress and (day := day_of(signal.at // 1_000_000) - first) > done:
            done = day
            progress(done, days)
        yield signal
    if progress:
        progress(days, days)


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
