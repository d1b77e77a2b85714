"""`mapping new`: looks at a file and proposes a mapping, with what a person still has to decide marked TODO."""

import re
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from connectors.column_profile import Sniffed, sniff
from connectors.csv_file import Refusal, Table
from connectors.history import history_of
from connectors.mapping import Mapping, uses
from connectors.mapping_check import SHOWN, as_text
from connectors.mapping_model import MappingModel
from connectors.role_guess import Roles, guess
from connectors.step_words import step_word
from connectors.time_guess import TimeFound, find_times
from connectors.yaml_lines import read_yaml, validated
from pipeline.errors import ConfigError

TODO_PURPOSE = "TODO: what the warnings are for, in one sentence"
TODO_BASIS = "TODO: the law, rule or licence that allows this use"

_PREVIEWED = 1_000
"""Rows the preview is made of."""


def propose(path: Path) -> tuple[str, list[dict[str, str]]]:
    """A mapping for the file at `path` as YAML, and ten rows as they would arrive through it.

    `Mapping.load` and `check` refuse it until the contract's purpose and legal basis are filled in. Raises
    `ConfigError` when the file holds nothing that could be mapped.
    """
    sniffed = sniff(path)
    times = find_times(sniffed.columns)
    roles = guess(sniffed.columns, times)
    if roles.time is None:
        names = ", ".join(column.name for column in sniffed.columns)
        raise ConfigError([f"{path}: no column could be read as a time; columns: {names}"])
    content = _content(sniffed, roles)
    text = _text(content, sniffed, roles)
    return text, _preview(text, sniffed)


def _preview(text: str, sniffed: Sniffed) -> list[dict[str, str]]:
    name = Path("proposed.yaml")
    data, locate = read_yaml(text, name)
    mapping = Mapping(validated(MappingModel, data, name, locate), name, locate)
    whole = sniffed.table()
    entries = history_of(mapping, [Table(whole.name, whole.header, islice(whole.rows, _PREVIEWED))])
    return [as_text(entry) for entry in islice((e for e in entries if not isinstance(e, Refusal)), SHOWN)]


def _content(sniffed: Sniffed, roles: Roles) -> dict[str, Any]:
    content: dict[str, Any] = {"source": _source(sniffed.path), "shape": roles.shape}
    content["contract"] = {
        "purpose": TODO_PURPOSE,
        "legal_basis": TODO_BASIS,
        "allowed_fields": [],
        "precision": {"time": "second", "place": "street"},
        "retention_days": 365,
        **({"intake": "readings"} if roles.shape == "readings" else {}),
    }
    how = {"form": "jsonl"} if sniffed.form == "jsonl" else {}
    how |= {"encoding": sniffed.encoding} if sniffed.encoding != "utf-8" else {}
    content |= {"input": {**how, **({"delimiter": sniffed.delimiter} if sniffed.delimiter != "," else {})}}
    content["times"] = {"formats": _formats(roles), "zone": _zone(sniffed)}
    content |= {"readings": _readings, "steps": _steps, "matters": _matters}[roles.shape](roles)
    if roles.shape != "readings":
        content |= {
            role: roles.names[role]
            for role in ("category", "channel", "office", "place", "text")
            if role in roles.names
        }
        content["codes"] = {_name(column, number): column for number, column in enumerate(roles.codes)}
        content["outcomes"] = _outcomes(roles)
    content = {key: value for key, value in content.items() if value not in ({}, [], None, "")}
    probe = MappingModel.model_construct(**_placeholders(content))
    content["contract"]["allowed_fields"] = list(dict.fromkeys(column for _, column in uses(probe)))
    return content


def _placeholders(content: dict[str, Any]) -> dict[str, Any]:
    """The content as a model, so that the one list of used columns serves here too."""
    contract = {**content["contract"], "allowed_fields": ["x"]}
    text = _dump({**content, "contract": contract})
    data, locate = read_yaml(text, Path("proposed.yaml"))
    model = validated(MappingModel, data, Path("proposed.yaml"), locate)
    return {name: getattr(model, name) for name in type(model).model_fields}


def _readings(roles: Roles) -> dict[str, Any]:
    sensor: Any = roles.sensor or {"file": "stem"}
    return {"sensor": sensor, "time": _name_of(roles.time), "value": roles.value}


def _steps(roles: Roles) -> dict[str, Any]:
    if roles.step is None:
        raise ConfigError(["a file of steps without a step"])
    table = {word: _step(word, roles) for word in dict.fromkeys(roles.step.filled)}
    step: dict[str, Any] = {"translated": roles.step.name, "table": table, "otherwise": "updated"}
    if roles.is_repeating or list(table.values()).count("registered") > 1:
        step["repeated"] = "updated"
    row_id: Any = roles.id[0] if len(roles.id) == 1 else {"joined": list(roles.id), "by": "/"}
    return {
        "id": row_id,
        "matter": roles.matter,
        "sequence": roles.sequence,
        "time": _name_of(roles.time),
        "registered": _name_of(roles.registered),
        "due": _name_of(roles.due),
        "step": step,
        "shared_columns": [roles.sequence] if roles.sequence in roles.id and roles.sequence else [],
    }


def _step(word: str, roles: Roles) -> str:
    found = step_word(word)
    if found is None and word in (roles.first_step, roles.last_step):
        return "registered" if word == roles.first_step else "closed"
    return found.name.lower() if found else "updated"


def _matters(roles: Roles) -> dict[str, Any]:
    return {
        "id": roles.id[0] if roles.id else {"file": "stem"},
        "steps": [{"step": word, "at": found.name} for word, found in roles.steps],
        "due": _name_of(roles.due),
    }


def _outcomes(roles: Roles) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"name": "overdue", "rule": "breach"}] if roles.due else []
    words = {word for word, _ in roles.steps}
    if roles.step is not None:
        words |= {_step(word, roles) for word in roles.step.filled}
    if "returned" in words:
        found.append({"name": "bounced", "rule": "bounced", "count": 2})
    if "reopened" in words:
        found.append({"name": "reopened", "rule": "reopened", "window_days": 30})
    if {"place", "category"} <= set(roles.names):
        found.append({"name": "repeated", "rule": "repeated", "window_days": 30})
    return found


def _formats(roles: Roles) -> list[str]:
    found = [roles.time, roles.registered, roles.due, *(time for _, time in roles.steps)]
    return list(dict.fromkeys(pattern for time in found if time for pattern in time.formats))


def _zone(sniffed: Sniffed) -> str:
    """Chinese text means Chinese time; what else the zone may be, no file tells."""
    words = [column.name for column in sniffed.columns] + [
        cell for column in sniffed.columns for cell in column.filled[:50]
    ]
    return "Asia/Shanghai" if any("\u4e00" <= sign <= "\u9fff" for word in words for sign in word) else "UTC"


def _text(content: dict[str, Any], sniffed: Sniffed, roles: Roles) -> str:
    head = [f"# Proposed from {sniffed.path.name}; read it through before use. Fill in what is marked TODO."]
    head += ["# The zone of times without an offset is not in the file: check it."]
    head += [f"# Left out because it looks personal: {', '.join(roles.personal)}"] if roles.personal else []
    unmapped = [c.name for c in sniffed.columns if c.name not in content["contract"]["allowed_fields"]]
    head += [f"# Not read: {', '.join(name for name in unmapped if name not in roles.personal)}"] if unmapped else []
    if roles.codes:
        head += ["# codes: leave out what is written after intake (a result, a reason of closing): it tells the end."]
    head += [f"# Unsure: {words}" for words in roles.unsure]
    return "\n".join([*head, _dump(content)])


def _dump(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)


def _source(path: Path) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.removesuffix(".gz").rsplit(".", 1)[0].lower()).strip("_")
    return stem[:40] if re.match(r"[a-z]", stem) else f"source_{stem}"[:40].rstrip("_")


def _name(column: str, number: int) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:40]
    return word if re.match(r"[a-z]", word) else f"code_{number + 1}"


def _name_of(found: TimeFound | None) -> str:
    return found.name if found else ""
