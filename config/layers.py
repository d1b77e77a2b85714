"""One configuration out of several files: what a file says itself wins over what it includes, item by item."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.problems import Keys, listed, near
from connectors.yaml_lines import Locate, load_yaml
from pipeline.errors import ConfigError

SHIPPED = Path(__file__).parent
"""Folder of the profiles and rules that come with the product."""

INCLUDE = "include"
"""Key that names other files: beside this one, or shipped (`profiles/default`, `rules/petition`); `.yaml` may go."""

IDENTITY = (("id",), ("name",), ("date",), ("prefix",), ("place", "category"))
"""Which keys make two items of a list the same item."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file: what it says, and on which lines."""

    path: Path
    data: Any
    locate: Locate


@dataclass(frozen=True, slots=True)
class Layers:
    """Files, the strongest first, and what they say together; items of lists stay the objects of their file."""

    layers: tuple[Layer, ...]
    data: dict[str, Any]

    def place_of(self, keys: Keys) -> str:
        """`file:line` of the deepest of these keys that is there, in the strongest file that has it."""
        found = [_within(layer, self.data, keys) for layer in self.layers]
        depths = [len(path) for path in found]
        layer, path = self.layers[depths.index(max(depths))], found[depths.index(max(depths))]
        return f"{layer.path}:{layer.locate(path) if path else 1}"


def read_layers(path: Path) -> Layers:
    """The file and all that it includes: tables are joined key by key, lists of named items by name, other lists and
    plain values are those of the strongest file. Raises ConfigError, with all problems, for what cannot be read."""
    layers: list[Layer] = []
    problems: list[str] = []
    _read(path, (), layers, problems)
    if problems:
        raise ConfigError(problems)
    whole: dict[str, Any] = {}
    for layer in layers:
        whole = _joined(whole, {key: value for key, value in layer.data.items() if key != INCLUDE})
    return Layers(tuple(layers), whole)


def _read(path: Path, above: tuple[Path, ...], layers: list[Layer], problems: list[str]) -> None:
    try:
        data, locate = load_yaml(path)
    except ConfigError as error:
        problems.extend(f"{problem}; mend the file" for problem in error.problems)
        return
    if not isinstance(data, dict):
        problems.append(f"{path}:1: (top): is not a table; write `key: value` lines")
        return
    layers.append(Layer(path, data, locate))
    includes = data.get(INCLUDE, [])
    if not isinstance(includes, list) or not all(isinstance(name, str) for name in includes):
        problems.append(f"{path}:{locate((INCLUDE,))}: {INCLUDE}: is not a list of files; write [profiles/default]")
        return
    for number, name in enumerate(includes):
        found = _found(path, name)
        where = f"{path}:{locate((INCLUDE, number))}: {INCLUDE}.{number}"
        if found is None:
            shipped = sorted(str(p.relative_to(SHIPPED).with_suffix("")) for p in SHIPPED.glob("*/*.yaml"))
            hint = near(name, shipped, f"shipped are {listed(shipped)}")
            problems.append(f"{where}: there is no file {name!r}; {hint}")
        elif found in (*above, path):
            problems.append(f"{where}: {name!r} includes itself; take it out")
        elif all(found != layer.path for layer in layers):
            _read(found, (*above, path), layers, problems)


def _found(path: Path, name: str) -> Path | None:
    candidates = (path.parent / name, path.parent / f"{name}.yaml", SHIPPED / name, SHIPPED / f"{name}.yaml")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _identity(item: Any) -> tuple[Any, ...] | None:
    if isinstance(item, dict):
        for keys in IDENTITY:
            if all(key in item for key in keys):
                return (keys, *(str(item[key]) for key in keys))
    return None


def _joined(strong: Any, weak: Any) -> Any:
    if isinstance(strong, dict) and isinstance(weak, dict):
        return {
            **strong,
            **{key: _joined(strong[key], value) if key in strong else value for key, value in weak.items()},
        }
    if isinstance(strong, list) and isinstance(weak, list):
        return [*strong, *_added(strong, weak)]
    return strong


def _added(strong: list[Any], weak: list[Any]) -> list[Any]:
    """Items of the weaker list that the stronger does not name; none where items have no names."""
    own = {_identity(item) for item in strong}
    return [item for item in weak if (name := _identity(item)) is not None and name not in own] if strong else []


def _within(layer: Layer, whole: Any, keys: Keys) -> Keys:
    """The path in one layer of the deepest of `keys`, which are keys of the whole."""
    node: Any = layer.data
    path: Keys = ()
    for key in keys:
        if isinstance(whole, list) and isinstance(node, list) and isinstance(key, int) and key < len(whole):
            key = _position(node, whole[key], key)
            whole = node[key] if key < len(node) else None
        else:
            whole = whole.get(key) if isinstance(whole, dict) else None
        present = (
            key < len(node)
            if isinstance(node, list) and isinstance(key, int)
            else isinstance(node, dict) and key in node
        )
        if not present:
            break
        node, path = node[key], (*path, key)
    return path


def _position(items: list[Any], item: Any, guess: int) -> int:
    """Where an item of the whole stands in one file's list; past its end when it comes from another file."""
    if guess < len(items) and items[guess] is item:
        return guess
    return next((place for place, own in enumerate(items) if own is item), len(items))
