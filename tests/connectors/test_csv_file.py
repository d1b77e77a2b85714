"""Broken files are read as far as they can be read, and each broken part is told with its line and a reason."""

import gzip
from pathlib import Path

import pytest

from connectors.csv_file import MAX_LINE, Refusal, Row, open_table
from pipeline.errors import ConfigError, Reason


def read(path: Path, content: bytes, **how: str) -> tuple[list[Row], list[tuple[Reason, int]]]:
    path.write_bytes(content)
    found = list(open_table(path, **how).rows)
    return [r for r in found if isinstance(r, Row)], [(r.reason, r.line) for r in found if isinstance(r, Refusal)]


def test_rows_carry_the_line_they_begin_on(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", b'a,b\n1,"x\ny"\n\n2,z\n')
    assert rows == [Row(2, ["1", "x\ny"]), Row(5, ["2", "z"])]
    assert refusals == []


def test_a_missing_last_line_end_is_no_fault(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", b"a,b\r\n1,2")[0] == [Row(2, ["1", "2"])]


def test_a_byte_order_mark_is_not_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeff编号,时间\n1,2\n".encode())
    assert open_table(tmp_path / "a.csv").header == ("编号", "时间")


def test_bad_utf8_loses_its_row_only(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", b"a,b\n1,x\n2,\xff\xfe\n3,z\n")
    assert [row.cells[0] for row in rows] == ["1", "3"]
    assert refusals == [(Reason.BAD_ENCODING, 3)]


def test_gb18030_is_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", "编号,内容\n1,路灯不亮𠮷\n".encode("gb18030"), encoding="gb18030")
    assert rows == [Row(2, ["1", "路灯不亮𠮷"])]
    assert refusals == []


@pytest.mark.parametrize(("line", "reason"), [(b"1", Reason.MISSING_FIELD), (b"1,2,3", Reason.WRONG_TYPE)])
def test_a_row_of_another_width_is_refused(tmp_path: Path, line: bytes, reason: Reason) -> None:
    rows, refusals = read(tmp_path / "a.csv", b"a,b\n" + line + b"\n3,4\n")
    assert rows == [Row(3, ["3", "4"])]
    assert refusals == [(reason, 2)]


def test_a_file_cut_in_the_middle_gives_what_stands_before(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", b"a,b,c\n1,2,3\n4,5")
    assert rows == [Row(2, ["1", "2", "3"])]
    assert refusals == [(Reason.TRUNCATED, 3)]


def test_a_cut_gzip_gives_what_stands_before(tmp_path: Path) -> None:
    lines = [f"{n},{n**5}" for n in range(20_000)]
    whole = gzip.compress("\n".join(["a,b", *lines, ""]).encode())
    rows, refusals = read(tmp_path / "a.csv.gz", whole[: len(whole) // 2])
    assert 5_000 < len(rows) < 15_000
    assert [row.cells for row in rows] == [line.split(",") for line in lines[: len(rows)]]
    assert {reason for reason, _ in refusals} == {Reason.TRUNCATED}


def test_gzip_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv.gz", gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert [row.cells[0] for row in rows] == ["1", "3"]
    assert refusals == []


def test_a_line_too_long_is_passed_over(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", b"a,b\n1,2\n3," + b"x" * (10 * MAX_LINE) + b"\n5,6\n")
    assert [row.cells for row in rows] == [["1", "2"], ["5", "6"]]
    assert refusals == [(Reason.TOO_LARGE, 3)]


def test_a_cell_too_long_is_refused_and_the_next_row_read(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.csv", b"a,b\n3," + b"x" * 200_000 + b"\n5,6\n")
    assert [row.cells for row in rows] == [["5", "6"]]
    assert refusals == [(Reason.TOO_LARGE, 2)]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "b.csv"])
def test_an_empty_file_is_told(tmp_path: Path, name: str) -> None:
    rows, refusals = read(tmp_path / name, b"x,y\n" if name == "b.csv" else b"")
    assert rows == []
    assert [reason for reason, _ in refusals] == [Reason.EMPTY_INPUT]


def test_json_lines_may_leave_out_what_they_do_not_have(tmp_path: Path) -> None:
    rows, refusals = read(tmp_path / "a.jsonl", b'{"a": 1, "b": "x"}\n{"b": true, "c": null}\n\n{"a": [1, 2]}\n')
    assert rows == [Row(1, ["1", "x", ""]), Row(2, ["", "true", ""]), Row(4, ["[1, 2]", "", ""])]
    assert refusals == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": NaN}', Reason.BROKEN_JSON),
        (b"{a: 1}", Reason.BROKEN_JSON),
        (b"[1]", Reason.WRONG_TYPE),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, Reason.TOO_DEEP),
        (b'{"a": "\xff"}', Reason.BAD_ENCODING),
    ],
)
def test_a_broken_json_line_is_refused_alone(tmp_path: Path, line: bytes, reason: Reason) -> None:
    rows, refusals = read(tmp_path / "a.jsonl", b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    assert [row.cells for row in rows] == [["1"], ["2"]]
    assert refusals == [(reason, 2)]


def test_json_cut_in_the_middle_is_truncated(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", b'{"a": 1}\n{"a": ')[1] == [(Reason.TRUNCATED, 2)]


def test_a_missing_file_is_an_error_of_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        open_table(tmp_path / "none.csv")
