"""Lines of JSON: what is read, and what each kind of damage is called."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.deadletter import DeadLetter
from connectors.decode import Record, json_lines
from pipeline.errors import Reason

BOM = b"\xef\xbb\xbf"


def read(lines: Iterable[bytes], **limits: object) -> tuple[list[Record], list[DeadLetter]]:
    found = list(json_lines(lines, source="s", **limits))  # type: ignore[arg-type]
    return [item for item in found if isinstance(item, Record)], [
        item for item in found if isinstance(item, DeadLetter)
    ]


def only(line: bytes, **limits: object) -> DeadLetter:
    """The dead letter of a line between two good ones, which must both be read."""
    records, letters = read([b'{"a": 1}\n', line, b'{"b": 2}\n'], **limits)
    assert [record.position for record in records] == [1, 3]
    assert [letter.position for letter in letters] == [2]
    return letters[0]


def test_good_lines_become_records_with_their_line_numbers() -> None:
    records, letters = read([b'{"a": 1}\n', b"\n", '{"b": "漏水"}'.encode()])
    assert records == [Record(1, {"a": 1}), Record(3, {"b": "漏水"})]
    assert letters == []


def test_a_byte_order_mark_is_no_fault() -> None:
    records, letters = read([BOM + b'{"a": 1}\n'])
    assert (records, letters) == ([Record(1, {"a": 1})], [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1,}\n', Reason.BROKEN_JSON),
        (b'{"a": 1\n', Reason.BROKEN_JSON),
        (b"{'a': 1}\n", Reason.BROKEN_JSON),
        (b"hello\n", Reason.BROKEN_JSON),
        (b'{"a": "\xff\xfe"}\n', Reason.BAD_ENCODING),
        (b'{"a": NaN}\n', Reason.NOT_FINITE),
        (b'{"a": -Infinity}\n', Reason.NOT_FINITE),
        (b'{"a": {"b": 1e999}}\n', Reason.NOT_FINITE),
        (b"[1, 2]\n", Reason.WRONG_TYPE),
        (b'"text"\n', Reason.WRONG_TYPE),
        (b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}\n", Reason.TOO_DEEP),
        (b'{"a": ' + b"[" * 100_000 + b"\n", Reason.TOO_DEEP),
        (b'{"a": "' + b"x" * 10_000_000 + b'"}\n', Reason.TOO_LARGE),
    ],
)
def test_each_damage_has_its_reason_and_stops_no_other_line(line: bytes, reason: Reason) -> None:
    letter = only(line)
    assert letter.reason is reason
    assert letter.remedy


def test_brackets_inside_strings_are_not_depth() -> None:
    line = json.dumps({"a": "[[[[[[[[[[[[[[[[[[[[" + '"' * 3}).encode() + b"\n"
    assert read([line])[1] == []


def test_gb_18030_is_read_where_it_is_declared() -> None:
    line = '{"内容": "道路积水"}\n'.encode("gb18030")
    assert read([line], encoding="gb18030")[0] == [Record(1, {"内容": "道路积水"})]


def test_undeclared_gb_18030_is_refused_and_named() -> None:
    letter = only('{"内容": "道路积水"}\n'.encode("gb18030"))
    assert letter.reason is Reason.BAD_ENCODING
    assert "gb18030" in letter.remedy


def test_bytes_that_the_declared_encoding_cannot_hold_are_told() -> None:
    records, letters = read([b'{"a": "\xff\xff"}\n'], encoding="gb18030")
    assert records == []
    assert letters[0].reason is Reason.BAD_ENCODING


@given(st.integers(1, 30))
def test_a_file_cut_in_the_middle_is_told_as_cut(size: int) -> None:
    whole = '{"id": "1", "text": "积水"}'.encode()
    records, letters = read([b'{"a": 1}\n', whole[: min(size, len(whole) - 1)]])
    assert len(records) == 1
    assert [letter.reason for letter in letters] == [Reason.TRUNCATED]


def test_a_last_line_without_a_line_end_is_whole_when_it_reads() -> None:
    assert len(read([b'{"a": 1}\n', b'{"b": 1}'])[0]) == 2


@pytest.mark.parametrize("lines", [[], [b""], [b"\n", b"  \n"]])
def test_an_empty_input_is_told(lines: list[bytes]) -> None:
    records, letters = read(lines)
    assert records == []
    assert [letter.reason for letter in letters] == [Reason.EMPTY_INPUT]


def test_bodies_of_dead_letters_are_redacted() -> None:
    assert b"13800138000" not in only(b'{"phone": "13800138000",}\n').body


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_at_all_stop_the_reading(lines: list[bytes]) -> None:
    whole = [line.replace(b"\n", b"") + b"\n" for line in lines]
    records, letters = read(whole)
    spoken = [line for number, line in enumerate(whole) if (line if number else line.removeprefix(BOM)).strip()]
    assert len(records) + len(letters) == max(len(spoken), 1)
