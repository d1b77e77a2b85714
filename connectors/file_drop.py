"""A folder into which a source drops files: each is read once, from front to end, and then moved to `done/`.

A writer gives a file its name when it is whole (write `x.part`, rename to `x.csv`); hidden files and `.part`, `.tmp`
are left alone. What the file holds is JSON lines, or CSV with a header, plain or gzip; the order is that of the names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from connectors.csv_file import Refusal, open_table
from connectors.decode import MAX_BYTES
from connectors.mapping_model import MappingModel
from pipeline.errors import Reason, Refused

DONE = "done"
_UNFINISHED = (".part", ".tmp")

Item = bytes | tuple[Refused, bytes]
"""A record, or why a line is none."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that is ready to be read. `mark` names exactly this file, so that another of its name is read anew."""

    path: Path
    mark: str


def ready_files(folder: Path) -> list[Dropped]:
    """What lies ready, by name; nothing where the folder is not there."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(_UNFINISHED) or not path.is_file():
            continue
        stat = path.stat()
        found.append(Dropped(path, f"{path.name}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"))
    return found


def items(file: Dropped, model: MappingModel) -> Iterator[Item]:
    """The records of a file as JSON objects, in order."""
    name = file.path.name.removesuffix(".gz")
    how = model.input
    is_lines = how.form == "jsonl" or (how.form is None and name.endswith((".jsonl", ".ndjson", ".json")))
    if is_lines and how.encoding == "utf-8" and not file.path.name.endswith(".gz"):
        yield from _lines(file.path)
        return
    table = open_table(file.path, encoding=how.encoding, delimiter=how.delimiter, form="jsonl" if is_lines else "csv")
    for row in table.rows:
        if isinstance(row, Refusal):
            yield Refused(row.reason, row.field, f"line {row.line}: {row.detail}"), row.content.encode()
        else:
            yield orjson.dumps(dict(zip(table.header, row.cells, strict=True)))


def finish(file: Dropped) -> Path:
    """Move a file that was read to `done/`, under a name of its own; where it lies now."""
    folder = file.path.parent / DONE
    folder.mkdir(exist_ok=True)
    place = folder / file.path.name
    number = 1
    while place.exists():
        number += 1
        place = folder / f"{file.path.name}.{number}"
    return file.path.rename(place)


def _lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        while line := file.readline(MAX_BYTES + 1):
            if len(line) > MAX_BYTES and not line.endswith(b"\n"):
                yield Refused(Reason.TOO_LARGE, "", f"a line of more than {MAX_BYTES} bytes", "one record a line"), line
                while rest := file.readline(MAX_BYTES):
                    if rest.endswith(b"\n"):
                        break
            elif line.strip():
                yield line
