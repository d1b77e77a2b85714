"""`mapping check`: ten rows as they would arrive, and everything that would be refused."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path

from connectors.csv_file import Refusal
from connectors.history import Entry, Progress, history
from connectors.mapping import Mapping
from connectors.redact import Redactor
from pipeline.errors import ConfigError

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """`rows`: the first ten in the order of time, as name -> text. `problems`: of the mapping, or of the rows by reason
    with the first example. `taken`, `refused`: rows; `fields_lost`: fields of rows that were taken."""

    rows: list[dict[str, str]]
    problems: list[str]
    taken: int = 0
    refused: int = 0
    fields_lost: int = 0


def check(mapping: Path, files: Sequence[Path], *, progress: Progress | None = None) -> Checked:
    """Read `files` through the mapping in the file `mapping`, wholly, and say what comes of it. Raises nothing."""
    try:
        return checked(history(Mapping.load(mapping), files, progress=progress))
    except ConfigError as error:
        return Checked([], error.problems)


def checked(entries: Iterable[Entry]) -> Checked:
    """What a stream of entries amounts to."""
    rows: list[dict[str, str]] = []
    seen: Counter[tuple[str, str, bool]] = Counter()
    first: dict[tuple[str, str, bool], Refusal] = {}
    taken = 0
    for entry in entries:
        if isinstance(entry, Refusal):
            kind = (entry.reason.value, entry.field, entry.row_taken)
            seen[kind] += entry.count
            first.setdefault(kind, entry)
            continue
        taken += 1
        if len(rows) < SHOWN:
            rows.append(as_text(entry))
    problems = [
        _line(first[kind], number) for kind, number in sorted(seen.items(), key=lambda item: (item[0][2], -item[1]))
    ]
    refused = sum(number for kind, number in seen.items() if not kind[2])
    return Checked(rows, problems, taken, refused, sum(seen.values()) - refused)


def as_text(entry: Entry) -> dict[str, str]:
    """The fields of an entry that hold something, as people read them: times in ISO 8601, steps by name.

    The text is redacted: what nobody may keep nobody need see in a preview.
    """
    found = {}
    for part in fields(entry):
        value = getattr(entry, part.name)
        if part.name in ("at", "due") and value:
            found[part.name] = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat()
        elif isinstance(value, Enum):
            found[part.name] = value.name.lower()
        elif part.name == "text" and value:
            found["text"] = _redactor().redact(value)
        elif value or (value == 0 and part.name in ("value", "count")):
            found[part.name] = str(dict(value)) if hasattr(value, "items") else str(value)
    return found


@cache
def _redactor() -> Redactor:
    return Redactor()


def _line(example: Refusal, number: int) -> str:
    what = "field lost" if example.row_taken else "row refused"
    return f"{number} x {what}, first: {example}"
