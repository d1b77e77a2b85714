"""What is wrong with a configuration, in words: the key, what it is not, and what may stand there instead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where (path of keys), what is wrong, and a suggestion."""

    keys: Keys
    what: str
    suggestion: str


def near(word: object, allowed: Iterable[str], otherwise: str) -> str:
    """`did you mean 'x'?` for the closest allowed word, whatever its case, else what may stand there."""
    words = {name.lower(): name for name in allowed}
    close = get_close_matches(str(word).lower(), list(words), n=1, cutoff=0.6)
    return f"did you mean {words[close[0]]!r}?" if close else otherwise


def listed(words: list[str], most: int = 24) -> str:
    """Words in a row, the end cut off where there are too many."""
    return ", ".join(words[:most]) + (", …" if len(words) > most else "")


def problem_of(error: Mapping[str, Any], schema: dict[str, Any]) -> Problem:
    """A validation error as a problem; `schema` is the JSON Schema of the whole."""
    keys: Keys = tuple(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        here = sorted(resolved(schema_at(schema, keys[:-1]), schema).get("properties", {}))
        return Problem(keys, "is not a key here", near(keys[-1], here, f"keys here: {listed(here)}"))
    allowed = allowed_at(schema, keys)
    if kind == "missing":
        return Problem(keys, "is required and is not there", f"add {keys[-1]}: {allowed}")
    part = resolved(schema_at(schema, keys), schema)
    words = [str(word) for word in part.get("enum", [])]
    shown = "a table" if isinstance(error["input"], dict) else "a list" if isinstance(error["input"], list) else ""
    what = f"cannot be {shown or repr(error['input'])}"
    return Problem(keys, what, near(error["input"], words, f"write {allowed}"))


def schema_at(schema: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """The part of a JSON Schema that rules what lies at a path of keys; empty where none does."""
    part: dict[str, Any] = schema
    for key in keys:
        part = resolved(part, schema)
        part = part.get("items", {}) if isinstance(key, int) else part.get("properties", {}).get(key, {})
    return part


def resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema with references followed and `or null` taken off."""
    while True:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in part:
            part = next((one for one in part["anyOf"] if one.get("type") != "null"), {})
        else:
            return part


def allowed_at(schema: dict[str, Any], keys: Keys) -> str:
    """What may stand at a path of keys, in words."""
    part = resolved(schema_at(schema, keys), schema)
    if "enum" in part:
        return f"one of {listed([str(word) for word in part['enum']], 40)}"
    if "const" in part:
        return str(part["const"])
    kind = part.get("type")
    if kind in ("integer", "number"):
        return _range(part, "a whole number" if kind == "integer" else "a number")
    if kind == "array":
        most = f" of at most {part['maxItems']}" if "maxItems" in part else ""
        least = " of at least one" if part.get("minItems") else ""
        return f"a list{least}{most}"
    if kind == "object":
        return f"a table with {listed(sorted(part.get('properties', {})))}"
    if part.get("format") == "date":
        return "a date as 2027-01-31, from 1970 to 2199"
    if kind == "boolean":
        return "true or false"
    return _text(part)


def _text(part: dict[str, Any]) -> str:
    if ":" in part.get("pattern", ""):
        return "a time of day as 09:00"
    if part.get("minLength"):
        return f"a text of 1 to {part.get('maxLength')} characters without blanks at its ends"
    return "a text (in quotes if it looks like a number)"


def _range(part: dict[str, Any], noun: str) -> str:
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    above = "above " if "exclusiveMinimum" in part else "from "
    below = " and below " if "exclusiveMaximum" in part else " to "
    return noun if low is None or high is None else f"{noun} {above}{low:g}{below}{high:g}"
