"""Lines of JSON become records, or dead letters that say exactly what is wrong. One bad line stops no other."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isinf
from typing import Any, Never

import orjson

from connectors.deadletter import DeadLetter, Redacts
from connectors.redact import Redactor
from pipeline.errors import Reason, Refused

MAX_BYTES = 1_048_576
"""Longest line taken, in bytes."""
MAX_DEPTH = 16
"""Deepest nesting taken: a flat object has depth 1."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')


@dataclass(frozen=True, slots=True)
class Record:
    """One decoded object; `position`: number of its line, from 1."""

    position: int
    fields: dict[str, Any]


def json_lines(
    lines: Iterable[bytes],
    *,
    source: str = "",
    encoding: str = "utf-8",
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    redactor: Redacts | None = None,
) -> Iterator[Record | DeadLetter]:
    """Records of all lines that are one JSON object each; blank lines are passed over, an input without any is told.

    `encoding` is what the source declares; nothing is guessed, but a refusal names GB 18030 when that would read.
    """
    redactor = redactor or Redactor()
    count = 0
    for position, line, is_last in _numbered(lines):
        body = line.removeprefix(b"\xef\xbb\xbf") if position == 1 else line
        if not body.strip():
            continue
        count += 1
        try:
            fields = decoded(body, encoding=encoding, max_bytes=max_bytes, max_depth=max_depth, is_last=is_last)
        except Refused as refused:
            yield DeadLetter.of(source, position, refused, line, redactor)
        else:
            yield Record(position, fields)
    if not count:
        empty = Refused(Reason.EMPTY_INPUT, detail="no record in the input", remedy="check the file and the query")
        yield DeadLetter.of(source, 0, empty, b"", redactor)


def decoded(
    line: bytes,
    *,
    encoding: str = "utf-8",
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    is_last: bool = False,
) -> dict[str, Any]:
    """The object of one line. Raises Refused; a last line without a line end that stops short counts as cut off."""
    if len(line) > max_bytes:
        raise Refused(Reason.TOO_LARGE, "", f"{len(line)} bytes", f"at most {max_bytes} bytes a record")
    # counting is cheaper than following: only a line with many brackets is looked at bracket by bracket
    if line.count(b"{") + line.count(b"[") > max_depth and _depth(line) > max_depth:
        raise Refused(Reason.TOO_DEEP, "", f"nested deeper than {max_depth}", "send flat objects")
    text = line if encoding == "utf-8" else _text(line, encoding)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _broken(line, text, error, is_last=is_last) from error
    if not isinstance(value, dict):
        raise Refused(
            Reason.WRONG_TYPE, "", f"a {type(value).__name__} where an object was expected", "one object a line"
        )
    return value


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Lines with their number from 1, and whether a line is the last and has no line end."""
    held: tuple[int, bytes] | None = None
    for position, line in enumerate(lines, 1):
        if held is not None:
            yield *held, False
        held = position, line
    if held is not None:
        yield *held, not held[1].endswith(b"\n")


def _text(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused(
            Reason.BAD_ENCODING,
            "",
            f"byte {error.start} is no {encoding}",
            "declare the encoding that the source writes",
        ) from error


def _broken(line: bytes, text: bytes | str, error: orjson.JSONDecodeError, *, is_last: bool) -> Refused:
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as wrong:
            remedy = "declare encoding: gb18030" if _reads_as_gb18030(line) else "send UTF-8, or declare the encoding"
            # a character cut in two at the very end of a file is a file cut off
            if is_last and wrong.reason == "unexpected end of data":
                return _cut_off(len(line))
            return Refused(Reason.BAD_ENCODING, "", f"byte {wrong.start} is no UTF-8", remedy)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except Refused as refused:
        return refused
    except json.JSONDecodeError as wrong:
        if is_last and _stops_short(text, wrong):
            return _cut_off(len(line))
        return Refused(Reason.BROKEN_JSON, "", f"{wrong.msg} at column {wrong.pos + 1}", "one whole JSON object a line")
    except (ValueError, RecursionError):
        value = None
    if name := _infinite(value, ""):
        return Refused(Reason.NOT_FINITE, name, "a number too large", "leave a missing number out")
    return Refused(Reason.BROKEN_JSON, "", str(error.msg), "one whole JSON object a line")


def _cut_off(size: int) -> Refused:
    return Refused(Reason.TRUNCATED, "", f"ends after {size} bytes in the middle of a record", "send the file again")


def _stops_short(text: str, wrong: json.JSONDecodeError) -> bool:
    return wrong.pos >= len(text.rstrip()) or wrong.msg.startswith("Unterminated string")


def _refuse_constant(name: str) -> Never:
    raise Refused(Reason.NOT_FINITE, "", f"{name} is no JSON number", "leave a missing number out")


def _reads_as_gb18030(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.decode("gb18030")), dict)
    except ValueError:
        return False


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(line):
        token = match.group()
        if token in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token in b"]}":
            depth -= 1
    return deepest


def _infinite(value: object, name: str) -> str:
    """Name of a number that overflowed, or ''; the lenient parser lets it through as an infinity."""
    if isinstance(value, float):
        return (name or "value") if isinf(value) else ""
    if isinstance(value, dict):
        found = (_infinite(inner, f"{name}.{key}" if name else key) for key, inner in value.items())
        return next(filter(None, found), "")
    if isinstance(value, list):
        return next(filter(None, (_infinite(inner, name) for inner in value)), "")
    return ""
