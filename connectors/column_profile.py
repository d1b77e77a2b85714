"""What a column looks like: how full, how distinct, numbers or times, in which format. Statistics before names."""

import csv
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from pathlib import Path

from connectors.csv_file import Row, Table, open_table
from connectors.times import time_parser
from pipeline.errors import ConfigError, Refused

SAMPLE = 5_000
"""Rows that are looked at."""
_HEAD = 1 << 18


@dataclass(frozen=True)
class Profile:
    """One column of the sample: its name and its cells, stripped, in the order of the file."""

    name: str
    cells: tuple[str, ...]

    @cached_property
    def filled(self) -> tuple[str, ...]:
        """The cells that hold something."""
        return tuple(cell for cell in self.cells if cell)

    @cached_property
    def fill(self) -> float:
        """Share of cells that hold something."""
        return len(self.filled) / len(self.cells) if self.cells else 0.0

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        return len(set(self.filled))

    @cached_property
    def unique(self) -> float:
        """Share of different values among those filled: 1 for a key."""
        return self.distinct / len(self.filled) if self.filled else 0.0

    @cached_property
    def length(self) -> float:
        """Mean length of a value."""
        return sum(map(len, self.filled)) / len(self.filled) if self.filled else 0.0

    @cached_property
    def numeric(self) -> float:
        """Share of plain numbers."""
        return _share(self.filled, r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")

    @cached_property
    def integral(self) -> float:
        """Share of whole numbers."""
        return _share(self.filled, r"[-+]?\d+(\.0+)?")

    def share(self, pattern: str) -> float:
        """Share of values in which `pattern` is found at the beginning."""
        return _share(self.filled, f"(?:{pattern}).*")

    def is_named(self, words: str) -> bool:
        """Whether the name contains one of `words`: Chinese anywhere, others as whole words."""
        parts = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name).lower()))
        return any((word in parts) if word.isascii() else (word in self.name) for word in words.split())


@dataclass(frozen=True, slots=True)
class Sniffed:
    """How a file is written, and its columns."""

    path: Path
    form: str
    encoding: str
    delimiter: str
    columns: tuple[Profile, ...]

    def table(self) -> Table:
        """The file, opened the way it is written."""
        return open_table(self.path, encoding=self.encoding, delimiter=self.delimiter, form=self.form)


def sniff(path: Path) -> Sniffed:
    """Encoding, delimiter and columns of a file, from its beginning. Raises `ConfigError` for a file without a row."""
    if not path.is_file():
        raise ConfigError([f"{path}: there is no such file"])
    head = _head(path)
    encoding = _encoding(head)
    text = head.decode(encoding, "ignore").lstrip("\ufeff")
    form = "jsonl" if text.lstrip().startswith("{") else "csv"
    delimiter = _delimiter(text) if form == "csv" else ","
    table = open_table(path, encoding=encoding, delimiter=delimiter, form=form)
    rows = list(islice((row.cells for row in table.rows if isinstance(row, Row)), SAMPLE))
    if not rows:
        raise ConfigError([f"{path}: has no row that could be read; is it CSV or JSON lines?"])
    columns = tuple(
        Profile(name, tuple(cells[number].strip() for cells in rows)) for number, name in enumerate(table.header)
    )
    return Sniffed(path, form, encoding, delimiter, columns)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head[:2] != b"\x1f\x8b":
        return head
    try:
        return zlib.decompressobj(31).decompress(head, _HEAD)
    except zlib.error as error:
        raise ConfigError([f"{path}: the gzip stream is damaged ({error})"]) from error


def _encoding(head: bytes) -> str:
    """UTF-8 is so particular that text which decodes is UTF-8; the cut at the end of the head is forgiven."""
    whole = head[: head.rfind(b"\n") + 1] or head
    for encoding in ("utf-8", "gb18030"):
        try:
            whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _delimiter(text: str) -> str:
    """The mark that cuts most lines into the same number of parts, more parts before fewer."""
    lines = text[: text.rfind("\n") + 1] or text

    def fit(mark: str) -> tuple[float, int]:
        widths = [len(cells) for cells in islice(csv.reader(io.StringIO(lines), delimiter=mark), 200) if cells]
        usual = max(set(widths), key=widths.count) if widths else 1
        return (round(widths.count(usual) / len(widths), 1) if usual > 1 else 0.0, usual)

    return max(",;\t|", key=fit)


_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%m.%d.%Y", "%Y%m%d", "%d/%m/%y", "%m/%d/%y",
)  # fmt: skip
_CLOCKS = (
    "", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "%H时%M分",
    " %H时%M分", "%H时%M分%S秒", " %H时%M分%S秒", "%H%M%S",
)  # fmt: skip
_TIME_NAMES = "time timestamp ts date epoch at when created updated 时间 时刻 日期"
FORMATS = ("iso", *(date + clock for date, clock in product(_DATES, _CLOCKS)))


def time_formats(column: Profile) -> dict[str, float]:
    """Share of the values that each known format reads, best first; empty for what is hardly ever a time."""
    values = column.filled[:: max(1, len(column.filled) // 400)]
    if len(values) < 2 or column.length < 6 or column.share(r"\d{4}|\d{1,2}[/.\-]") < 0.9:
        return {}
    if column.integral == 1.0 and column.length in (10, 13) and column.is_named(_TIME_NAMES):
        return {"epoch_s" if column.length == 10 else "epoch_ms": 1.0}
    # Digits alone are a date only if they look like one; a number of a matter often begins with a date.
    known = [f for f in FORMATS if not (column.integral > 0.5 and f not in ("%Y%m%d", "%Y%m%d%H%M%S"))]
    shares = {pattern: _read_share(pattern, values) for pattern in known}
    return {p: s for p, s in sorted(shares.items(), key=lambda item: -item[1]) if s > 0.2}


def _read_share(pattern: str, values: Sequence[str]) -> float:
    parse = time_parser((pattern,))
    return sum(_is_read(parse, value) for value in values) / len(values)


def _is_read(parse: object, value: str) -> bool:
    try:
        parse(value)  # type: ignore[operator]
    except Refused:
        return False
    return True


def _share(values: Sequence[str], pattern: str) -> float:
    whole = re.compile(pattern, re.DOTALL | re.IGNORECASE)
    return sum(whole.fullmatch(value) is not None for value in values) / len(values) if values else 0.0
