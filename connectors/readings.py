"""JSON lines of readings become READING columns, a whole frame at a time.

One line: ``{"sensor": "S06-0012", "at": 1767225600000, "value": 3.41}``. `at` is milliseconds since the epoch, or an
RFC 3339 time with its zone. Further fields are dropped unseen. Here msgspec stands in for the strict types of the other
connectors: validation is the same, at a tenth of the cost, and readings are where it counts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import Reason, Refused
from pipeline.frame import NO_READINGS, READING
from pipeline.ids import code64

MAX_LINE = 4096
"""Bytes of one line; a longer one is no reading."""
MAX_NAME = 120
LARGEST = 1e15
"""No gauge shows more; squares of it stay far from overflow."""
_MILLISECOND = 1_000
_FIRST, _LAST = -2_208_988_800_000, 4_102_444_800_000
"""1900 and 2100 in ms: beyond them `at` is in another unit."""
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Line(msgspec.Struct, gc=False):
    sensor: str
    at: int | str
    value: float


_LINES = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Decoded:
    """READING rows of the good lines in order, their sensors' names, and (line number, refusal) of the others."""

    readings: NDArray[Any]
    names: list[str]
    refused: list[tuple[int, Refused]]


def decode(lines: bytes, *, latest: int | None = None) -> Decoded:
    """Decode newline-separated JSON; blank lines are skipped.

    `latest` (µs): a reading with a later `at` is refused; without it a clock that runs ahead would make all of its
    sensor's true readings look late.
    """
    try:
        rows = _LINES.decode_lines(lines)
        names = [row.sensor for row in rows]
        at = _times([row.at for row in rows])
        value = np.array([row.value for row in rows], np.float64)
        clean = max(map(len, names), default=1) <= MAX_NAME and "" not in names and _longest(lines) <= MAX_LINE
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return _one_by_one(lines, latest)
    # one comparison each for the whole frame; NaN fails it too
    if not clean or not bool((np.abs(value) <= LARGEST).all()) or not _within(at, latest):
        return _one_by_one(lines, latest)
    readings = np.empty(len(rows), READING)
    readings["sensor"] = list(map(code64, names))
    readings["at"], readings["value"] = at, value
    return Decoded(readings, names, [])


def _longest(lines: bytes) -> int:
    """Bytes of the longest line."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))
    return int(np.diff(ends, prepend=-1, append=len(lines)).max()) - 1


def _within(at: NDArray[np.int64], latest: int | None) -> bool:
    if not len(at):
        return True
    last = int(at.max())
    return (
        int(at.min()) >= _FIRST * _MILLISECOND and last <= _LAST * _MILLISECOND and (latest is None or last <= latest)
    )


def _times(at: list[Any]) -> NDArray[np.int64]:
    """µs of a frame that is written in one manner; ValueError sends it to the slow way."""
    if type(at[0] if at else 0) is int:
        return np.array(at, np.int64) * _MILLISECOND
    if not all(map(_ZULU.fullmatch, at)):
        raise ValueError("not all in UTC")
    return np.array([time[:-1] for time in at], "datetime64[us]").astype(np.int64)


def _one_by_one(lines: bytes, latest: int | None) -> Decoded:
    rows: list[tuple[int, int, float]] = []
    names: list[str] = []
    refused: list[tuple[int, Refused]] = []
    for number, line in enumerate(lines.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row, at = _checked(line, latest)
        except Refused as refusal:
            refused.append((number, refusal))
            continue
        rows.append((code64(row.sensor), at, row.value))
        names.append(row.sensor)
    return Decoded(np.array(rows, READING) if rows else NO_READINGS, names, refused)


def _checked(line: bytes, latest: int | None) -> tuple[_Line, int]:
    if len(line) > MAX_LINE:
        raise Refused(Reason.TOO_LARGE, detail=f"{len(line)} bytes", remedy=f"a reading has at most {MAX_LINE}")
    try:
        row = _LINES.decode(line)
    except msgspec.ValidationError as error:
        missing = "missing required field" in str(error)
        field = re.search(r"\$\.(\w+)|field `(\w+)`", str(error))
        name = next(filter(None, field.groups()), "") if field else ""
        raise Refused(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, name, str(error)) from error
    except UnicodeDecodeError as error:
        raise Refused(Reason.BAD_ENCODING, remedy="write UTF-8") from error
    except msgspec.DecodeError as error:
        try:
            line.decode()
        except UnicodeDecodeError as bad:
            raise Refused(Reason.BAD_ENCODING, remedy="write UTF-8") from bad
        raise Refused(Reason.BROKEN_JSON, detail=str(error)) from error
    except RecursionError as error:
        raise Refused(Reason.TOO_DEEP) from error
    if not row.sensor:
        raise Refused(Reason.MISSING_FIELD, "sensor", "empty")
    if len(row.sensor) > MAX_NAME:
        raise Refused(Reason.TOO_LARGE, "sensor", remedy=f"a name has at most {MAX_NAME} characters")
    if not abs(row.value) <= LARGEST:
        raise Refused(Reason.NOT_FINITE, "value", detail=repr(row.value), remedy=f"at most {LARGEST:g} in size")
    return row, _checked_time(row.at, latest)


def _checked_time(at: int | str, latest: int | None) -> int:
    if isinstance(at, str):
        try:
            moment = datetime.fromisoformat(at)
        except ValueError as error:
            raise Refused(Reason.BAD_TIME, "at", at[:40], "write RFC 3339 or milliseconds") from error
        if moment.tzinfo is None:
            raise Refused(Reason.BAD_TIME, "at", at[:40], "name the zone, as in 2026-01-01T08:00:00+08:00")
        elapsed = moment - _EPOCH
        at = (elapsed.days * 86_400 + elapsed.seconds) * 1_000 * _MILLISECOND + elapsed.microseconds
    else:
        at *= _MILLISECOND
    if not _FIRST * _MILLISECOND <= at <= _LAST * _MILLISECOND:
        raise Refused(Reason.BAD_TIME, "at", str(at // _MILLISECOND), "write milliseconds since 1970")
    if latest is not None and at > latest:
        raise Refused(Reason.TIME_IN_FUTURE, "at", remedy="set the device's clock")
    return at
