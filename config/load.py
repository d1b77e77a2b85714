"""From files to `Settings`: every problem at once, each with file, line, key and a suggestion; and to JSON and back."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from config.calendar import work_calendar
from config.checks import problems_of
from config.layers import INCLUDE, read_layers
from config.problems import Keys, Problem, problem_of
from config.settings import Settings
from pipeline.calendar import WorkCalendar
from pipeline.errors import ConfigError

Positions = dict[str, list[int]]


def load_settings(path: Path | None = None) -> Settings:
    """The settings of a file and of what it includes; without a file those that back-test any mapping.

    Raises ConfigError with all problems, sorted by file and line.
    """
    if path is None:
        return Settings()
    layers = read_layers(path)
    settings, problems, positions = _checked(layers.data)
    problems += [_moved(problem, positions) for problem in _missing_mappings(settings, path.parent)]
    if problems:
        lines = [(layers.place_of(p.keys), ".".join(str(key) for key in p.keys) or "(top)", p) for p in problems]
        raise ConfigError([f"{place}: {key}: {p.what}; {p.suggestion}" for place, key, p in sorted(lines, key=_order)])
    return settings


def settings_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a configuration file, for editors."""
    schema: dict[str, Any] = orjson.loads(_schema())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "forewarn configuration"
    schema["properties"][INCLUDE] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "files whose content holds where this one says nothing",
    }
    return schema


@lru_cache(maxsize=1)
def _schema() -> bytes:
    return orjson.dumps(Settings.model_json_schema())


WHERE = frozenset({"runner", "kafka", "postgres", "worker", "sinks"})
"""Parts that say where a site runs and where it tells; what it does, and so its log, is the same everywhere."""


def canonical(settings: Settings) -> dict[str, Any]:
    """Every value that says what the site does, defaults included, as plain JSON-able values in a fixed order."""
    return settings.model_dump(mode="json", exclude=set(WHERE))


def from_canonical(values: Mapping[str, Any]) -> Settings:
    """The settings that gave these values. Raises ConfigError for what is not a configuration of this version."""
    settings, problems, _ = _checked(dict(values))
    if problems:
        raise ConfigError([f"{'.'.join(map(str, p.keys))}: {p.what}; {p.suggestion}" for p in problems])
    return settings


def genesis(settings: Settings) -> dict[str, Any]:
    """What the first entry of a log says: the settings and the calendar's tables, so that a replay needs no library."""
    return {"settings": canonical(settings), "calendar": work_calendar(settings).to_state()}


def from_genesis(values: Mapping[str, Any]) -> tuple[Settings, WorkCalendar]:
    """Settings and calendar as the log has them."""
    return from_canonical(values["settings"]), WorkCalendar.from_state(values["calendar"])


def _checked(data: dict[str, Any]) -> tuple[Settings, list[Problem], Positions]:
    """Settings (of what is sound in `data`), every problem of form and of reference, and where sound items stood."""
    try:
        return (settings := Settings.model_validate_json(orjson.dumps(data))), problems_of(settings, data), {}
    except ValidationError as error:
        schema = settings_schema()
        problems = [problem_of(dict(one), schema) for one in error.errors(include_url=False)]
        wrong = {problem.keys[0] for problem in problems}
        sound, positions = _sound(data)
        found = [_moved(problem, positions) for problem in problems_of(sound, data)]
        return sound, problems + [p for p in found if p.keys[0] not in wrong & _RANGES], positions


_RANGES = {"levels", "calendar"}
"""Parts whose values are compared with each other: with one of them wrong the comparison says nothing."""


def _sound(data: dict[str, Any]) -> tuple[Settings, Positions]:
    """What remains of `data` without its wrong values, and where the remaining items of its lists stood."""
    data = orjson.loads(orjson.dumps(data))
    positions = {key: list(range(len(value))) for key, value in data.items() if isinstance(value, list)}
    for _ in range(_ROUNDS):
        try:
            return Settings.model_validate_json(orjson.dumps(data)), positions
        except ValidationError as error:
            culprits = {_culprit(dict(one)) for one in error.errors(include_url=False)}
            for keys in sorted(culprits, key=_from_the_end, reverse=True):
                _removed(data, keys, positions)
    return Settings(), {}


_ROUNDS = 8  # a missing key takes its table with it, which may be missing in its turn; the schema is not deeper


def _from_the_end(keys: Keys) -> tuple[tuple[str, int], ...]:
    return tuple(("", key) if isinstance(key, int) else (key, -1) for key in keys)


def _culprit(error: Mapping[str, Any]) -> Keys:
    keys: Keys = tuple(error["loc"])
    return keys[:-1] if error["type"] == "missing" else keys


def _removed(data: Any, keys: Keys, positions: Positions) -> None:
    node = data
    for key in keys[:-1]:
        try:
            node = node[key]
        except (KeyError, IndexError):
            return
    last = keys[-1]
    if isinstance(node, list) and isinstance(last, int) and last < len(node):
        del node[last]
        if len(keys) == 2:
            del positions[str(keys[0])][last]
    elif isinstance(node, dict):
        node.pop(last, None)


def _moved(problem: Problem, positions: Mapping[str, list[int]]) -> Problem:
    """The problem with the position its item had before wrong ones were taken out."""
    keys = problem.keys
    if len(keys) > 1 and isinstance(keys[1], int) and keys[0] in positions:
        keys = (keys[0], positions[str(keys[0])][keys[1]], *keys[2:])
    return Problem(keys, problem.what, problem.suggestion)


def _missing_mappings(settings: Settings, folder: Path) -> list[Problem]:
    what = "there is no file {!r} beside the configuration"
    return [
        Problem(("sources", number, "mapping"), what.format(source.mapping), f"write a path as seen from {folder}")
        for number, source in enumerate(settings.sources)
        if not (folder / source.mapping).is_file()
    ]


def _order(line: tuple[str, str, Problem]) -> tuple[str, int, str]:
    path, _, number = line[0].rpartition(":")
    return path, int(number), line[1]
