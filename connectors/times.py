"""Times as files write them become µs since the Unix epoch, UTC.

A format is a `strptime` pattern of the directives below, or one of the words `iso`, `epoch_s`, `epoch_ms`. A time
without an offset is read in the mapping's zone; where clocks went back, the first of the two moments is meant.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from pipeline.errors import Reason, Refused

SECOND = 1_000_000
DAY = 86_400 * SECOND

_DIRECTIVES = {
    "%Y": r"(?P<year>\d{4})",
    "%y": r"(?P<year2>\d{2})",
    "%m": r"(?P<month>\d{1,2})",
    "%d": r"(?P<day>\d{1,2})",
    "%H": r"(?P<hour>\d{1,2})",
    "%I": r"(?P<hour12>\d{1,2})",
    "%p": r"(?P<half>[AaPp]\.?[Mm]\.?|上午|下午)",
    "%M": r"(?P<minute>\d{1,2})",
    "%S": r"(?P<second>\d{1,2})",
    "%f": r"(?P<fraction>\d{1,9})",
    "%z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
}
_EARLIEST, _LATEST = 1900, 2100
"""Years of real records. What lies outside is a slip of the pen, and one such row would carry a recorded clock away."""

Parse = Callable[[str], int]


def time_parser(formats: Sequence[str] = ("iso",), zone: str = "UTC") -> Parse:
    """A function from text to µs UTC that tries `formats` in order.

    It raises `Refused` with BAD_TIME for text of no format or no such day, TIME_IN_FUTURE for years past 2100.
    """
    tz = ZoneInfo(zone)
    readers = [_reader(pattern) for pattern in formats]

    @lru_cache(maxsize=1 << 14)
    def parse(text: str) -> int:
        for read in readers:
            moment = read(text)
            if moment is not None:
                return _micros(moment if moment.tzinfo else moment.replace(tzinfo=tz), text)
        raise Refused(Reason.BAD_TIME, detail=f"{text[:40]!r} is none of {', '.join(formats)}")

    return parse


def format_problem(pattern: str) -> str:
    """What is wrong with a time format; empty when nothing is."""
    if pattern in _WORDS:
        return ""
    unknown = [part for part in re.findall(r"%.", pattern) if part not in _DIRECTIVES]
    if unknown:
        return f"{unknown[0]} is not one of {' '.join(_DIRECTIVES)}"
    if not {"%m", "%d"} <= set(re.findall(r"%.", pattern)) or not ("%Y" in pattern or "%y" in pattern):
        return f"needs year, month and day, or one of the words {', '.join(_WORDS)}"
    repeated = [part for part in _DIRECTIVES if pattern.count(part) > 1]
    return f"{repeated[0]} occurs twice" if repeated else ""


def _micros(moment: datetime, text: str) -> int:
    if moment.year > _LATEST:
        raise Refused(Reason.TIME_IN_FUTURE, detail=f"{text[:40]!r} is past the year {_LATEST}")
    if moment.year < _EARLIEST:
        raise Refused(Reason.BAD_TIME, detail=f"{text[:40]!r} is before the year {_EARLIEST}")
    return (moment - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _reader(pattern: str) -> Callable[[str], datetime | None]:
    if pattern in _WORDS:
        return _WORDS[pattern]
    regex = re.compile("".join(_DIRECTIVES.get(part) or re.escape(part) for part in re.findall(r"%.|.", pattern)))

    def read(text: str) -> datetime | None:
        found = regex.fullmatch(text)
        return None if found is None else _moment({key: value for key, value in found.groupdict().items() if value})

    return read


def _moment(part: dict[str, str]) -> datetime | None:
    year = int(part["year"]) if "year" in part else 2000 + int(part["year2"])
    hour = int(part.get("hour", 0))
    if "hour12" in part:
        afternoon = part.get("half", "a")[0] in "pP下"
        hour = int(part["hour12"]) % 12 + (12 if afternoon else 0)
    # The day ends at 24:00, and hotline systems write it so.
    extra = timedelta(days=1) if hour == 24 and int(part.get("minute", 0)) == int(part.get("second", 0)) == 0 else None
    try:
        moment = datetime(
            year,
            int(part["month"]),
            int(part["day"]),
            0 if extra else hour,
            int(part.get("minute", 0)),
            int(part.get("second", 0)),
            int(part.get("fraction", "0")[:6].ljust(6, "0")),
            tzinfo=_offset(part["offset"]) if "offset" in part else None,
        )
        return moment + extra if extra else moment
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-size if text[0] == "-" else size)


def _iso(text: str) -> datetime | None:
    if text.isdigit() and len(text) != 8:
        return None  # the library takes any sign between day and hour, so it reads the number of a matter as a time
    try:
        return datetime.fromisoformat(text) if len(text) >= 8 and text[4:5] in "-0123456789" else None
    except ValueError:
        return None


def _since_epoch(per_second: int) -> Callable[[str], datetime | None]:
    def read(text: str) -> datetime | None:
        try:
            return _EPOCH + timedelta(microseconds=round(float(text) * SECOND / per_second))
        except (ValueError, OverflowError):
            return None

    return read


_WORDS: dict[str, Callable[[str], datetime | None]] = {
    "iso": _iso,
    "epoch_s": _since_epoch(1),
    "epoch_ms": _since_epoch(1000),
}
