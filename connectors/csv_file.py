"""Rows of CSV and JSON lines, plain or gzip, with their line numbers. A broken row is a value, never an exception.

Memory is bounded whatever the file holds: gzip is unpacked in pieces, a line longer than `MAX_LINE` is passed over.
"""

import csv
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.errors import ConfigError, Reason

MAX_LINE = 1 << 20
"""Bytes of one line; a longer one is refused as TOO_LARGE and the next line is read."""
MAX_CELL = 131_072
"""Characters of one cell (the csv module's own limit); an unclosed quote swallows at most so much."""
_PIECE = 1 << 18


class Row(NamedTuple):
    """One row of a table: the line it begins on (1-based) and its cells in the order of the header."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row, field or rest of a file that was not taken in. `row_taken` says that only the field was lost."""

    reason: Reason
    file: str
    line: int
    field: str = ""
    detail: str = ""
    content: str = ""
    row_taken: bool = False
    count: int = 1
    """How often, where the same is said of many rows at once."""

    def __str__(self) -> str:
        """Place, reason, field and detail on one line."""
        parts = [f"{self.file}:{self.line}", self.reason.value, self.field, self.detail]
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Table:
    """A file opened for reading: its header, and its rows and refusals in the order of the file (to be read once)."""

    name: str
    header: tuple[str, ...]
    rows: Iterator[Row | Refusal]


def open_table(path: Path, *, encoding: str = "utf-8", delimiter: str = ",", form: str = "") -> Table:
    """Open `path`; the form (`csv` or `jsonl`) comes from the name unless given.

    Raises `ConfigError` for a file that is not there. An empty file is a table without header, with one refusal.
    """
    if not path.is_file():
        raise ConfigError([f"{path}: there is no such file"])
    form = form or ("jsonl" if path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json")) else "csv")
    lines = _Lines(path, encoding)
    return _json_table(lines) if form == "jsonl" else _csv_table(lines, delimiter)


class _Lines:
    """Decoded lines of a file. What cannot be decoded comes as an empty line and is told in `refusals`."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.name = str(path)
        self.number = 0
        self.refusals: list[Refusal] = []
        self.is_cut = False
        """The file ends within a line (or within its gzip stream), so its last row may be half a row."""
        self._texts = self._decode(path, "utf-8-sig" if encoding == "utf-8" else encoding)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._texts)

    def refuse(self, reason: Reason, detail: str, line: int = 0) -> Refusal:
        return Refusal(reason, self.name, line or self.number, detail=detail)

    def _decode(self, path: Path, encoding: str) -> Iterator[str]:
        rest_encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        for raw in self._split(path):
            self.number += 1
            try:
                yield raw.decode(encoding)
            except UnicodeDecodeError as error:
                self.refusals.append(self.refuse(Reason.BAD_ENCODING, f"byte {error.start} is not {rest_encoding}"))
                yield "\n"
            encoding = rest_encoding

    def _split(self, path: Path) -> Iterator[bytes]:
        rest, is_passing = b"", False
        for piece in self._pieces(path):
            parts = (rest + piece).split(b"\n")
            rest = parts.pop()
            for part in parts:
                if is_passing or len(part) > MAX_LINE:
                    is_passing = False
                    self._too_large()
                    yield b"\n"
                else:
                    yield part + b"\n"
            if len(rest) > MAX_LINE:
                rest, is_passing = b"", True
        if is_passing:
            self._too_large()
        elif rest and not self.is_cut:
            # Where the gzip stream is known to be cut, half a line is no row, even if its cells happen to fit.
            self.is_cut = True
            yield rest

    def _pieces(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                file.seek(0)
                while piece := file.read(_PIECE):
                    yield piece
                return
            file.seek(0)
            unpack = zlib.decompressobj(31)
            try:
                while piece := unpack.unconsumed_tail or unpack.unused_data or file.read(_PIECE):
                    if unpack.eof:
                        unpack = zlib.decompressobj(31)
                    yield unpack.decompress(piece, _PIECE)
                yield unpack.flush()
                if not unpack.eof:
                    self._cut("the gzip stream ends too early")
            except zlib.error as error:
                self._cut(f"the gzip stream is damaged ({error})")

    def _too_large(self) -> None:
        self.refusals.append(self.refuse(Reason.TOO_LARGE, f"a line of more than {MAX_LINE} bytes", self.number + 1))

    def _cut(self, detail: str) -> None:
        self.is_cut = True
        self.refusals.append(self.refuse(Reason.TRUNCATED, f"{detail}; what stands before was read"))


def _csv_table(lines: _Lines, delimiter: str) -> Table:
    reader = csv.reader(lines, delimiter=delimiter)
    header = tuple(name.strip() for name in next(_filled(reader), []))
    return Table(lines.name, header, _csv_rows(lines, reader, len(header)))


def _filled(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in reader if cells)


def _csv_rows(lines: _Lines, reader: Any, width: int) -> Iterator[Row | Refusal]:
    if not width:
        yield from lines.refusals or [lines.refuse(Reason.EMPTY_INPUT, "the file has no header", 1)]
        return
    is_empty = True
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield lines.refuse(Reason.TOO_LARGE, f"{error}; lines {line} to {reader.line_num} were passed over", line)
            continue
        if lines.refusals:
            yield from lines.refusals
            lines.refusals.clear()
        if len(cells) == width:
            is_empty = False
            yield Row(line, cells)
        elif cells:
            yield _misfit(lines, line, cells, width)
    yield from lines.refusals
    if is_empty:
        yield lines.refuse(Reason.EMPTY_INPUT, "no row could be read")


def _misfit(lines: _Lines, line: int, cells: list[str], width: int) -> Refusal:
    said = f"{len(cells)} cells under a header of {width}"
    if len(cells) < width and lines.is_cut:
        return lines.refuse(Reason.TRUNCATED, f"the file ends within this row ({said})", line)
    return lines.refuse(Reason.MISSING_FIELD if len(cells) < width else Reason.WRONG_TYPE, said, line)


_LOOK_AHEAD = 1000
"""JSON lines from which the columns are gathered: an object may leave out what it does not have."""


def _json_table(lines: _Lines) -> Table:
    first: list[tuple[int, dict[str, Any]] | Refusal] = []
    objects = _objects(lines)
    for item in objects:
        first.append(item)
        if len(first) == _LOOK_AHEAD:
            break
    header = tuple(dict.fromkeys(key for item in first if not isinstance(item, Refusal) for key in item[1]))

    def rows() -> Iterator[Row | Refusal]:
        for group in (first, objects):
            for item in group:
                if isinstance(item, Refusal):
                    yield item
                else:
                    yield Row(item[0], [_cell(item[1].get(name)) for name in header])
        if not header:
            yield lines.refuse(Reason.EMPTY_INPUT, "no row could be read")

    return Table(lines.name, header, rows())


def _objects(lines: _Lines) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    for text in lines:
        yield from lines.refusals
        lines.refusals.clear()
        if text.isspace():
            continue
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield lines.refuse(*_broken(lines, str(error)))
            continue
        if isinstance(found, dict):
            yield lines.number, found
        else:
            yield lines.refuse(Reason.WRONG_TYPE, "is not a JSON object")
    yield from lines.refusals


def _broken(lines: _Lines, said: str) -> tuple[Reason, str]:
    if "recursion" in said.lower() or "depth" in said.lower():
        return Reason.TOO_DEEP, "objects are nested too deeply"
    return (Reason.TRUNCATED, "the file ends within this row") if lines.is_cut else (Reason.BROKEN_JSON, said[:120])


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
