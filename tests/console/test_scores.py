"""`scores.csv` is read as it was written, fast the second time, and a fault in it is named."""

from pathlib import Path

import numpy as np
import pytest

from console.reports.scores import NEVER, parse_times, read_scores
from pipeline.errors import CorruptData
from tests.console.conftest import BackTest, lines


def test_a_time_is_read_to_the_microsecond_wherever_it_comes_from() -> None:
    texts = ["2016-03-01T09:30:00Z", "2016-02-29T23:59:59.25Z", "2016-03-01T17:30:00+08:00", "", "1969-12-31T00:00:00Z"]
    us = parse_times(texts)
    moments = ["2016-03-01T09:30:00", "2016-02-29T23:59:59.25", "2016-03-01T09:30:00"]
    assert us[:3].tolist() == np.array(moments, "datetime64[us]").astype(np.int64).tolist()
    assert us[3:].tolist() == [NEVER, -86_400_000_000]


def test_a_row_without_a_label_is_censored_not_negative(back_test: BackTest) -> None:
    back_test.row("A", 0, -1.5, None)
    back_test.row("B", 1, 0.5, 0, known=9)
    scores = back_test.scores()
    assert scores.label.tolist() == [-1, 0]
    assert scores.known_at[0] == NEVER
    assert scores.known_at[1] - scores.at[1] == 8 * 86_400_000_000


def test_a_quoted_name_with_comma_and_line_end_survives_the_copy(tmp_path: Path) -> None:
    text = 'subject,kind,target,at,score,probability,label,label_known_at,office\n"A, ""1""\nB",risk,late,'
    (tmp_path / "scores.csv").write_text(text + '2016-03-01T00:00:00Z,1,.5,,,"Roads, East"\n')
    first, copy = read_scores(tmp_path), read_scores(tmp_path)
    assert (tmp_path / ".cache" / "scores.fwc").is_file()
    assert first.names == copy.names
    assert copy.names["subject"] == ['A, "1"\nB']
    assert copy.names["office"] == ["Roads, East"]


def test_the_copy_is_not_used_once_the_file_has_changed(back_test: BackTest) -> None:
    back_test.row("A", 0, 1.0, 1)
    read_scores(back_test.write())
    back_test.row("B", 0, 1.0, 1)
    assert len(read_scores(back_test.write())) == 2


def test_a_spoilt_copy_is_read_anew_from_the_file(back_test: BackTest) -> None:
    back_test.row("A", 0, 1.0, 1)
    read_scores(back_test.write())
    (back_test.folder / ".cache" / "scores.fwc").write_bytes(b"FWC1\x05")
    assert len(read_scores(back_test.folder)) == 1


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("B,risk,late,2016-03-01T00:00:00Z,high,.5,,", "row 3: could not convert"),
        ("B,risk,late,2016-03-01T00:00:00Z,1,.5,2,", "row 3: label must be 0, 1 or empty"),
        ("B,risk,late,2016-03-01 00h00m00,1,.5,,", "row 3: "),
        ("B,risk,late", "row 3: "),
    ],
)
def test_a_row_that_breaks_the_contract_is_named(tmp_path: Path, row: str, complaint: str) -> None:
    head = "subject,kind,target,at,score,probability,label,label_known_at"
    lines(tmp_path / "scores.csv", [head, "A,risk,late,2016-03-01T00:00:00Z,1,.5,,", row])
    with pytest.raises(CorruptData, match=complaint):
        read_scores(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    lines(tmp_path / "scores.csv", ["subject,kind,target,at,score,probability,label"])
    with pytest.raises(CorruptData, match="label_known_at"):
        read_scores(tmp_path)
