"""YAML with line numbers: what is wrong with a file is said with file, line, key and a suggestion.

Unlike plain YAML 1.1, only `true` and `false` are truth values (`no`, `on` and `y` are words), dates stay text, and a
key is always the text that was written, so that a table may translate `-100` or `007`. A key given twice is an error.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ValidationError

from pipeline.errors import ConfigError

Locate = Callable[[tuple[Any, ...]], int]
M = TypeVar("M", bound=BaseModel)

_PLAIN = {
    "extra_forbidden": "is not a key here",
    "missing": "is required and is not there",
}


# The parser in C reads a city of 7,000 places in a tenth of the time; both give the same nodes with the same marks.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[misc]
    """SafeLoader with the YAML 1.2 idea of truth values and numbers: dates, `007` and `12:30` stay text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (the base class has it so)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789")
)


def load_yaml(path: Path) -> tuple[Any, Locate]:
    """The content of `path` and a function from a path of keys to its line (1-based; the nearest parent's if absent).

    Raises `ConfigError` for a file that is missing, is not UTF-8 or YAML, is empty, or gives a key twice.
    """
    return read_yaml(_text_of(path), path)


def read_yaml(text: str, path: Path) -> tuple[Any, Locate]:
    """As `load_yaml`, of a text already read; `path` is only named in problems."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigError([f"{path}:{line}: is not YAML: {getattr(error, 'problem', None) or error}"]) from error
    finally:
        loader.dispose()
    if root is None:
        raise ConfigError([f"{path}:1: the file is empty"])
    problems: list[str] = []
    data = _plain(root, path, (), problems, _Loader(""))
    if problems:
        raise ConfigError(problems)
    return data, lambda keys: _line(root, keys)


def validated(model: type[M], data: object, path: Path, locate: Locate) -> M:
    """`data` as a `model`; raises `ConfigError` with every problem of it at once."""
    try:
        return model.model_validate_json(orjson.dumps(data))
    except ValidationError as error:
        raise ConfigError(problems_from(error, path, locate, keys_of(model))) from error


def problems_from(error: ValidationError, path: Path, locate: Locate, known: Iterable[str]) -> list[str]:
    """One line for each error: file, line, dotted key, what is wrong, and the nearest of the `known` keys."""
    items = sorted(error.errors(include_url=False), key=lambda item: locate(item["loc"]))
    return [_problem(item, path, locate, list(known)) for item in items]


def keys_of(model: type[BaseModel]) -> set[str]:
    """Names of all fields of `model` and of the models inside it."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of the `known` words, else nothing."""
    lowered = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""


def _problem(item: Any, path: Path, locate: Locate, known: list[str]) -> str:
    keys = tuple(item["loc"])
    key = ".".join(str(part) for part in keys) or "(top)"
    what = _PLAIN.get(item["type"], item["msg"].removeprefix("Value error, "))
    hint = ""
    if item["type"] == "extra_forbidden":
        hint = suggestion(str(keys[-1]), known)
    elif item["type"] in ("literal_error", "enum"):
        words = item["ctx"]["expected"].replace(" or ", ", ").split(", ")
        hint = suggestion(str(item["input"]), [word.strip("'") for word in words])
    return f"{path}:{locate(keys)}: {key}: {what}{hint}"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        near = suggestion(path.name, [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else [])
        raise ConfigError([f"{path}:1: there is no such file{near}"]) from error
    except IsADirectoryError as error:
        raise ConfigError([f"{path}:1: is a folder; name a file in it"]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8; save the file as UTF-8"]) from error


def _plain(node: yaml.Node, path: Path, keys: tuple[str, ...], problems: list[str], loader: _Loader) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path, (*keys, str(number)), problems, loader) for number, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _table(node, path, keys, problems, loader)
    try:
        return loader.construct_object(node)
    except yaml.YAMLError as error:
        problems.append(f"{path}:{node.start_mark.line + 1}: {'.'.join(keys)}: {getattr(error, 'problem', error)}")
        return None


def _table(
    node: yaml.MappingNode, path: Path, keys: tuple[str, ...], problems: list[str], loader: _Loader
) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in node.value:
        place = f"{path}:{key.start_mark.line + 1}: {'.'.join((*keys, str(key.value)))}"
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{place}: a key must be a word")
        elif key.value in table:
            problems.append(f"{place}: is given twice")
        else:
            table[key.value] = _plain(value, path, (*keys, key.value), problems, loader)
    return table


def _line(root: yaml.Node, keys: tuple[Any, ...]) -> int:
    """Line of the deepest key that is there; what is not there (a branch's name, a missing key) is passed over."""
    line, node = root.start_mark.line + 1, root
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if name.value == str(key):
                    line, node = name.start_mark.line + 1, value
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line
