"""A mapping file, loaded and checked: every problem at once, each with file, line, key and a suggestion."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from connectors.mapping_model import Expression, MappingModel, TimeColumn, TimeIndex
from connectors.times import format_problem
from connectors.yaml_lines import Locate, load_yaml, suggestion, validated
from pipeline.errors import ConfigError

Keys = tuple[str | int, ...]

_NEEDED = {
    "steps": ("id", "matter", "time", "step"),
    "matters": ("id", "steps"),
    "readings": ("sensor", "time", "value"),
    "counts": ("category", "time", "count"),
    "native": (),
}
_MATTER_KEYS = (
    "id",
    "matter",
    "channel",
    "office",
    "asset",
    "due",
    "text",
    "codes",
    "values",
    "outcomes",
    "known_from",
)
_FOREIGN = {
    "steps": ("steps", "sensor", "value", "count", "outbreak"),
    "matters": ("time", "step", "derived", "registered", "sequence", "sensor", "value", "count", "outbreak"),
    "readings": (*_MATTER_KEYS, "step", "steps", "derived", "registered", "sequence", "category", "count", "outbreak"),
    "counts": (*_MATTER_KEYS, "step", "steps", "derived", "registered", "sequence", "sensor", "value"),
    # outcomes by rule and the contract are all that is left to say
    "native": (
        *(key for key in _MATTER_KEYS if key != "outcomes"),
        *("input", "times", "time", "step", "steps", "derived", "registered", "sequence", "category", "place"),
        *("sensor", "value", "count", "outbreak"),
    ),
}


class Mapping:
    """How the rows of a file become signals, readings or counts; `model` is what the file says."""

    def __init__(self, model: MappingModel, path: Path, locate: Locate) -> None:
        self.model = model
        self.path = path
        self._locate = locate

    @classmethod
    def load(cls, path: Path) -> "Mapping":
        """The mapping in the file `path`. Raises `ConfigError` with all its problems."""
        data, locate = load_yaml(path)
        mapping = cls(validated(MappingModel, data, path, locate), path, locate)
        if problems := [
            *mapping._unfilled(),
            *mapping._misplaced(),
            *mapping._times(),
            *mapping._twice(),
            *mapping._beyond_contract(),
        ]:
            raise ConfigError(sorted(problems, key=_line_number))
        return mapping

    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        return tuple(dict.fromkeys(column for _, column in uses(self.model)))

    def header_problems(self, header: Iterable[str], file: str) -> list[str]:
        """Columns that the mapping names and the header of `file` does not have, or has twice."""
        names = list(header)
        found = []
        for keys, column in uses(self.model):
            if column not in names:
                near = suggestion(column, names) or f"; it has {', '.join(names[:12])}"
                found.append(self._problem(keys, f"{file} has no column {column!r}{near}"))
            elif names.count(column) > 1:
                found.append(self._problem(keys, f"{file} has {names.count(column)} columns named {column!r}"))
        return found

    def _problem(self, keys: Keys, what: str) -> str:
        return f"{self.path}:{self._locate(keys)}: {'.'.join(map(str, keys))}: {what}"

    def _unfilled(self) -> Iterator[str]:
        for key in ("purpose", "legal_basis"):
            if "TODO" in getattr(self.model.contract, key):
                yield self._problem(("contract", key), "is still to be filled in; without it no source may be read")

    def _misplaced(self) -> Iterator[str]:
        shape, given = self.model.shape, self.model.model_fields_set
        for key in _NEEDED[shape]:
            if key not in given:
                yield self._problem((key,), f"is required by the shape {shape!r} and is not there")
        for key in _FOREIGN[shape]:
            if key in given:
                yield self._problem((key,), f"has no meaning in the shape {shape!r}")
        seen: set[str] = set()
        for number, outcome in enumerate(self.model.outcomes):
            if outcome.name in seen:
                yield self._problem(("outcomes", number, "name"), f"{outcome.name!r} is given twice")
            seen.add(outcome.name)

    def _times(self) -> Iterator[str]:
        for keys, formats, zone in _time_words(self.model):
            for number, pattern in enumerate(formats):
                if problem := format_problem(pattern):
                    yield self._problem((*keys, "formats", number), f"{pattern!r}: {problem}")
            try:
                ZoneInfo(zone or "UTC")
            except (KeyError, ValueError, OSError):
                near = suggestion(zone or "", available_timezones()) or "; for instance Asia/Shanghai"
                yield self._problem((*keys, "zone"), f"{zone!r} is no time zone{near}")

    def _twice(self) -> Iterator[str]:
        roles: dict[str, list[Keys]] = defaultdict(list)
        for keys, column in uses(self.model):
            if keys[0] not in ("id", "matter", "known_from") and "joined" not in keys and "first_of" not in keys:
                roles[column].append(keys)
        for column, places in roles.items():
            if len(places) > 1 and column not in self.model.shared_columns:
                first = ".".join(map(str, places[0]))
                what = f"column {column!r} is already {first}; name it in shared_columns if both are meant"
                yield self._problem(places[1], what)

    def _beyond_contract(self) -> Iterator[str]:
        allowed = self.model.contract.allowed
        for keys, column in uses(self.model):
            if column not in allowed:
                near = suggestion(column, allowed)
                yield self._problem(keys, f"column {column!r} is not in contract.allowed_fields{near}")


def uses(model: MappingModel) -> list[tuple[Keys, str]]:
    """Every place where the mapping names a column: the path of keys, and the column."""
    found: list[tuple[Keys, str]] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name in ("sequence", "value", "count", "outbreak") and value:
            found.append(((name,), value))
        elif name in ("codes", "values", "derived"):
            for key, part in value.items():
                found += _columns((name, key), part)
        elif name == "known_from":
            found += [((name, column), column) for column in value]
        elif name == "steps":
            found += [(("steps", number, "at"), step.at.column) for number, step in enumerate(value)]
        elif name == "outcomes":
            found += [(("outcomes", number, "column"), item.column) for number, item in enumerate(value) if item.column]
        else:
            found += _columns((name,), value)
    return found


def _columns(keys: Keys, part: object) -> list[tuple[Keys, str]]:
    if isinstance(part, str):
        return [(keys, part)] if keys[0] == "values" else []
    if isinstance(part, Expression):
        kind = "joined" if part.joined else "first_of" if part.first_of else "translated" if part.translated else ""
        return [((*keys, kind) if kind else keys, column) for column in part.columns]
    if isinstance(part, TimeIndex):
        return [((*keys, "index"), part.index), *_columns(keys, part.start), *_columns(keys, part.step_days)]
    column = getattr(part, "column", None) or getattr(part, "translated", None) or getattr(part, "when_increases", None)
    return [(keys, column)] if isinstance(column, str) else []


def _time_words(model: MappingModel) -> list[tuple[Keys, tuple[str, ...], str | None]]:
    columns: list[tuple[Keys, object]] = [
        (("time",), model.time),
        (("registered",), model.registered),
        (("due",), model.due),
    ]
    columns += [(("steps", number, "at"), step.at) for number, step in enumerate(model.steps)]
    found = [(keys, part.formats, part.zone) for keys, part in columns if isinstance(part, TimeColumn)]
    return [(("times",), model.times.formats, model.times.zone), *found]


def _line_number(problem: str) -> int:
    return int(problem.split(": ", 1)[0].rsplit(":", 1)[1])
