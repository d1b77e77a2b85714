"""`scores.csv` as columns: read once in blocks, kept beside the file as arrays, so that a million rows open at once."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData

NEVER = np.iinfo(np.int64).min
"""`known_at` of a row whose label is not known yet."""

CONTRACT = ("subject", "kind", "target", "at", "score", "probability", "label", "label_known_at")
_CODED = ("subject", "kind", "target", "office", "category")
_TIMES = {"at": "at", "label_known_at": "known_at"}
_FLOATS = ("score", "probability", "share", "recurrence")
_BLOCK = 2_000
_LAYOUT = 1
_DAYS_TO_EPOCH = 719_468


@dataclass(frozen=True, slots=True)
class Scores:
    """All rows of one `scores.csv`, in the order of the file.

    `subject, kind, target, office, category` are codes into `names[column]`; `at, known_at` are microseconds UTC
    (`NEVER` while censored); `label` is 1, 0, or -1 while censored; `share` and `recurrence` are NaN where empty.
    """

    subject: NDArray[np.int32]
    kind: NDArray[np.int32]
    target: NDArray[np.int32]
    office: NDArray[np.int32]
    category: NDArray[np.int32]
    at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    share: NDArray[np.float64]
    recurrence: NDArray[np.float64]
    label: NDArray[np.int8]
    names: dict[str, list[str]]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.at)

    def take(self, rows: NDArray[Any]) -> "Scores":
        """The rows of a boolean mask or an array of positions, in that order."""
        columns = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return Scores(**columns, names=self.names)

    def of(self, *, kind: str | None = None, target: str | None = None) -> "Scores":
        """The rows of one kind and one target; all of them where a name is None."""
        keep = np.ones(len(self), np.bool_)
        for column, name in (("kind", kind), ("target", target)):
            if name is not None:
                names = self.names[column]
                code = names.index(name) if name in names else -1
                keep &= getattr(self, column) == code
        return self.take(keep)

    def tasks(self) -> list[tuple[str, str]]:
        """Every (kind, target) that has rows, sorted."""
        width = len(self.names["target"])
        pairs = np.unique(self.kind.astype(np.int64) * width + self.target)
        return sorted(
            (self.names["kind"][pair // width], self.names["target"][pair % width]) for pair in pairs.tolist()
        )


_ARRAYS = tuple(name for name in Scores.__slots__ if name != "names")


def read_scores(folder: Path, *, cached: bool = True) -> Scores:
    """`scores.csv` of a back-test folder; a copy as arrays under `.cache/` serves as long as the file stays as it is.

    Raises CorruptData, with the line, where the file breaks its contract.
    """
    path = folder / "scores.csv"
    stat = path.stat()
    stamp = [_LAYOUT, stat.st_size, stat.st_mtime_ns]
    copy = folder / ".cache" / "scores.fwc"
    if cached and copy.is_file():
        try:
            return _from_bytes(copy.read_bytes(), stamp)
        except CorruptData:
            copy.unlink()
    scores = _parse(path)
    if cached:
        _keep(copy, _to_bytes(scores, stamp))
    return scores


def parse_times(texts: Sequence[str]) -> NDArray[np.int64]:
    """Microseconds UTC of RFC 3339 texts; an empty text is `NEVER`. Raises ValueError."""
    result = np.full(len(texts), NEVER, np.int64)
    plain = np.fromiter((len(text) == 20 and text[19] == "Z" for text in texts), np.bool_, len(texts))
    if plain.any():
        joined = "".join(text for text, fits in zip(texts, plain, strict=True) if fits).encode("ascii")
        digits = np.frombuffer(joined, np.uint8).reshape(-1, 20).astype(np.int64) - ord("0")
        result[plain] = _from_digits(digits)
    for row in np.flatnonzero(~plain).tolist():
        if texts[row]:
            moment = datetime.fromisoformat(texts[row])
            if moment.tzinfo is None:
                raise ValueError(f"time without a zone: {texts[row]!r}")
            delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
            result[row] = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return result


def _from_digits(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    fields = digits[:, [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]]
    if ((fields < 0) | (fields > 9)).any():
        raise ValueError("a time is not of the form 2016-03-01T09:30:00Z")
    year = fields[:, 0] * 1000 + fields[:, 1] * 100 + fields[:, 2] * 10 + fields[:, 3]
    month, day, hour, minute, second = (fields[:, i] * 10 + fields[:, i + 1] for i in (4, 6, 8, 10, 12))
    # Days from the civil date, after H. Hinnant, "chrono-compatible low-level date algorithms".
    year = year - (month <= 2)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _DAYS_TO_EPOCH
    return np.asarray((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000, np.int64)


def _parse(path: Path) -> Scores:
    codes: dict[str, dict[str, int]] = {name: {} for name in _CODED}
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in _ARRAYS}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if missing := [name for name in CONTRACT if name not in header]:
            raise CorruptData(f"{path}: line 1: columns missing: {', '.join(missing)}")
        for first, rows in _blocks(reader):
            try:
                columns = dict(zip(header, zip(*rows, strict=True), strict=True))
                for name, part in _block_arrays(columns, codes, len(rows)):
                    parts[name].append(part)
            except ValueError as error:
                raise CorruptData(f"{path}: {_blame(rows, header, first)}: {error}") from error
    arrays = {name: np.concatenate(part) if part else np.empty(0, _dtype(name)) for name, part in parts.items()}
    return Scores(**arrays, names={name: list(table) for name, table in codes.items()})


def _blocks(reader: Iterable[list[str]]) -> Iterator[tuple[int, list[list[str]]]]:
    line = 2
    source = iter(reader)
    while rows := list(islice(source, _BLOCK)):
        yield line, rows
        line += len(rows)


def _block_arrays(
    columns: Mapping[str, Sequence[str]], codes: dict[str, dict[str, int]], count: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    empty: Sequence[str] = ("",) * count
    for name in _CODED:
        table = codes[name]
        texts = columns.get(name, empty)
        yield name, np.fromiter((table.setdefault(text, len(table)) for text in texts), np.int32, count)
    for column, name in _TIMES.items():
        yield name, parse_times(columns[column])
    for name in _FLOATS:
        texts = columns.get(name, empty)
        yield name, np.fromiter((float(text) if text else np.nan for text in texts), np.float64, count)
    labels = {"": -1, "0": 0, "1": 1}
    try:
        yield "label", np.fromiter((labels[text] for text in columns["label"]), np.int8, count)
    except KeyError as error:
        raise ValueError(f"label must be 0, 1 or empty, not {error}") from error


def _blame(rows: list[list[str]], header: list[str], first: int) -> str:
    """The line of a block that cannot be read, found by reading it row by row."""
    for line, row in enumerate(rows, first):
        try:
            columns = {name: (cell,) for name, cell in zip(header, row, strict=True)}
            list(_block_arrays(columns, {name: {} for name in _CODED}, 1))
        except ValueError:
            return f"row {line}"
    return f"rows {first} to {first + len(rows) - 1}"


def _dtype(name: str) -> type[np.generic]:
    if name in _CODED:
        return np.int32
    if name in _TIMES.values():
        return np.int64
    return np.int8 if name == "label" else np.float64


def _to_bytes(scores: Scores, stamp: list[int]) -> bytes:
    arrays = {name: getattr(scores, name) for name in _ARRAYS}
    for name, table in scores.names.items():
        # Names travel as one block of CSV, so that a comma or line end in one of them stays inside it.
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([name] for name in table)
        arrays["names." + name] = np.frombuffer(text.getvalue().encode(), np.uint8)
    return pack({"stamp": stamp}, arrays)


def _from_bytes(data: bytes, stamp: list[int]) -> Scores:
    head, arrays = unpack(data)
    if head.get("stamp") != stamp:
        raise CorruptData("the copy belongs to another scores.csv")
    names = {}
    for column in _CODED:
        text = arrays.pop("names." + column).tobytes().decode()
        names[column] = [row[0] if row else "" for row in csv.reader(io.StringIO(text))]
    return Scores(**arrays, names=names)


def _keep(path: Path, data: bytes) -> None:
    """Writes the copy; a folder that cannot be written to is read without one."""
    try:
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        return
