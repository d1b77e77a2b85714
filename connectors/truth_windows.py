"""Labelled windows of sensors, for scoring only: a JSON object from file name to a list of [start, end]."""

from pathlib import Path

import orjson

from connectors.times import time_parser
from pipeline.errors import ConfigError, Refused

Windows = dict[str, list[tuple[int, int]]]
"""Sensor -> windows in µs UTC, both ends included, in order."""


def truth_windows(path: Path, *, zone: str = "UTC") -> Windows:
    """The windows in the file `path`; a sensor is called as `{file: folder_and_stem}` calls it, without `.csv`.

    Raises `ConfigError` with every problem at once.
    """
    if not path.is_file():
        raise ConfigError([f"{path}: there is no such file"])
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigError([f"{path}: is not JSON: {error}"]) from error
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: is not an object from file name to windows"])
    parse = time_parser(("iso",), zone)
    windows: Windows = {}
    problems: list[str] = []
    for name, pairs in content.items():
        try:
            found = sorted((parse(start), parse(end)) for start, end in pairs)
        except (Refused, TypeError, ValueError) as error:
            problems.append(f"{path}: {name}: windows are [[start, end], ...] in ISO 8601; {error}")
            continue
        problems += [f"{path}: {name}: a window ends before it starts" for start, end in found if end < start]
        windows[name.removesuffix(".gz").removesuffix(".csv")] = found
    if problems:
        raise ConfigError(problems)
    return windows
