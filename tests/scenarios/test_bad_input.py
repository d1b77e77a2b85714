"""What is wrong with a file stops nothing else in it, and is told: a reason, a count, a dead letter, an exit code."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.store import Store
from pipeline.errors import ConfigError
from runners.questions import list_deadletters
from tests.scenarios.small_history import MAPPING, good_lines, good_rows, lay_out, line, row, run_file, run_lines


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The note of a back-test of the good rows alone, and what they warned of."""
    folder = tmp_path_factory.mktemp("clean")
    note = run_lines(folder, good_lines())
    assert note["counts"]["applied"] == len(good_rows())
    assert note["counts"]["reasons"] == {}
    warnings = (folder / "out" / "warnings.jsonl").read_bytes()
    assert warnings, "without a warning there is nothing that bad input could change"
    return note | {"warnings": warnings}


def spoiled(bad: bytes) -> list[bytes]:
    """The good lines with a bad one in their middle."""
    lines = good_lines()
    return [*lines[:45], bad, *lines[45:]]


def in_place_of_text(raw: bytes) -> bytes:
    """A good line of another matter, with these bytes where its text was."""
    return line(row(40, text="HERE")).replace(b'"HERE"', raw)


REFUSED = {
    "broken JSON": (b'{"id": "x", "matter": \n', "broken_json"),
    "not an object": (b"[1, 2, 3]\n", "wrong_type"),
    "bad UTF-8": (in_place_of_text(b'"\xff\xfe"'), "bad_encoding"),
    "GB 18030 that is not declared": (line(row(40)).decode().encode("gb18030"), "bad_encoding"),
    "NaN in JSON": (line(row(40)).replace(b'"amount": 40', b'"amount": NaN'), "broken_json"),
    "a field of 10 MB": (line(row(40, text="x" * 10_000_000)), "too_large"),
    "deep nesting": (in_place_of_text(b"[" * 100_000 + b"]" * 100_000), "too_deep"),
    "a time in the future": (line(row(40, at="2150-01-01T00:00:00Z")), "time_in_future"),
    "an absurd year": (line(row(40, at="9999-12-31T23:59:59Z")), "time_in_future"),
    "a year before all records": (line(row(40, at="0001-01-01T00:00:00Z")), "bad_time"),
    "no time at all": (line(row(40, at="yesterday")), "bad_time"),
    "an unknown step": (line(row(40) | {"step": "dissolved"}), "unknown_step"),
    "an unknown place": (line(row(40, place="atlantis")), "unknown_place"),
    "an unknown category": (line(row(40, category="dragons")), "unknown_category"),
    "no id": (line(row(40, id="")), "missing_field"),
}


@pytest.mark.parametrize(("bad", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refused_line_stops_no_other_and_is_told(
    bad: bytes, reason: str, clean: dict[str, Any], tmp_path: Path
) -> None:
    note = run_lines(tmp_path, spoiled(bad))
    assert note["counts"]["reasons"] == {reason: 1}
    assert json.loads((tmp_path / "out" / "run.json").read_bytes())["counts"] == note["counts"]
    assert note["counts"]["applied"] == clean["counts"]["applied"]
    assert note["digests"] == clean["digests"]
    assert (tmp_path / "out" / "warnings.jsonl").read_bytes() == clean["warnings"]
    [letter] = list_deadletters(tmp_path / "out", None)
    assert (letter["reason"], letter["source"]) == (reason, "town")
    assert int(letter["position"]) > 0
    assert letter["detail"]


def test_a_dead_letter_keeps_the_record_without_the_people_in_it(tmp_path: Path) -> None:
    run_lines(tmp_path, spoiled(line(row(40, category="dragons", text="电话13812345678，请回电"))))
    [letter] = list_deadletters(tmp_path / "out", "unknown_category")
    assert "40-registered" in letter["body"]
    assert "13812345678" not in letter["body"]
    assert (letter["field"], letter["size"] > 100) == ("category", True)


def test_a_number_that_is_not_finite_costs_its_field_not_its_row(clean: dict[str, Any], tmp_path: Path) -> None:
    note = run_lines(tmp_path, spoiled(line(row(40, amount="NaN"))))
    assert note["counts"]["reasons"] == {"not_finite": 1}
    assert note["counts"]["applied"] == clean["counts"]["applied"] + 1


def test_a_file_in_gb18030_is_read_when_that_is_declared(clean: dict[str, Any], tmp_path: Path) -> None:
    lines = [text.decode().encode("gb18030") for text in good_lines()]
    note = run_lines(tmp_path, lines, {"input": {"encoding": "gb18030"}})
    assert note["counts"] == clean["counts"]
    assert note["digests"] == clean["digests"]


def test_the_same_moments_written_in_another_zone_are_the_same_history(clean: dict[str, Any], tmp_path: Path) -> None:
    local = [fields | {"at": fields["at"].replace("+00:00", "")} for fields in good_rows()]
    note = run_lines(tmp_path, [line(fields) for fields in local], {"times": {"formats": ["iso"], "zone": "UTC"}})
    assert note["digests"] == clean["digests"]
    shifted = run_lines(tmp_path / "again", [line(fields) for fields in local])
    assert shifted["counts"] == clean["counts"]
    assert shifted["digests"] != clean["digests"], "eight hours earlier is another history"


def test_lines_in_any_order_are_put_in_the_order_of_time(clean: dict[str, Any], tmp_path: Path) -> None:
    note = run_lines(tmp_path, good_lines()[::-1])
    assert note["counts"] == clean["counts"]
    assert note["digests"] == clean["digests"]


FOLDED: dict[str, tuple[dict[str, Any], str, int]] = {
    "a reply before its registration": (
        row(3, "replied", id="early", at="2024-03-04T00:30:00Z"),
        "before_registration",
        1,
    ),
    "a reply to a matter never registered": (row(12, "replied", id="lone", matter="none"), "before_registration", 1),
    "the same record again": (row(12), "duplicate", 0),
    "the same id with other content": (row(12, amount=99), "conflicting_duplicate", 0),
}


@pytest.mark.parametrize(("extra", "reason", "more"), FOLDED.values(), ids=FOLDED)
def test_what_the_fold_finds_odd_is_counted_and_applied_once(
    extra: dict[str, Any], reason: str, more: int, clean: dict[str, Any], tmp_path: Path
) -> None:
    note = run_lines(tmp_path, spoiled(line(extra)))
    assert note["counts"]["reasons"] == {reason: 1}
    assert note["counts"]["applied"] == clean["counts"]["applied"] + more
    assert note["counts"]["read"] == clean["counts"]["read"] + 1
    if not more:
        assert (tmp_path / "out" / "warnings.jsonl").read_bytes() == clean["warnings"]


def test_the_same_id_with_other_content_is_kept_with_its_address(tmp_path: Path) -> None:
    run_lines(tmp_path, spoiled(line(row(12, amount=99))))
    store = Store(tmp_path / "out" / "store.db", readonly=True)
    [rejected] = store.rejected()
    store.close()
    assert rejected["reason"] == "conflicting_duplicate"
    assert rejected["offset"] > 0


def test_a_plain_file_cut_in_the_middle_gives_what_stands_before(tmp_path: Path) -> None:
    whole = b"".join(good_lines())
    note = run_lines(tmp_path, [whole[: len(whole) // 2 + 40]])
    assert note["counts"]["reasons"] == {"truncated": 1}
    assert note["counts"]["applied"] == note["counts"]["read"] - 1 > 40


def test_a_gzip_file_cut_in_the_middle_gives_what_stands_before(tmp_path: Path) -> None:
    lay_out(tmp_path)
    packed = gzip.compress(b"".join(good_lines()))
    (tmp_path / "history.jsonl.gz").write_bytes(packed[: len(packed) * 3 // 4])
    note = run_file(tmp_path, "history.jsonl.gz")
    assert note["counts"]["reasons"] == {"truncated": 1}
    assert note["counts"]["applied"] == note["counts"]["read"] - 1 > 20


def test_an_empty_file_is_told_and_leaves_a_report(tmp_path: Path) -> None:
    note = run_lines(tmp_path, [])
    assert note["counts"]["reasons"] == {"empty_input": 1}
    assert (tmp_path / "out" / "report.html").stat().st_size > 0
    assert (tmp_path / "out" / "warnings.jsonl").read_bytes() == b""


def test_a_mapping_that_names_a_missing_column_says_which_and_where(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mapping\.yaml:\d+: category: .*no column 'kind'") as caught:
        run_lines(tmp_path, good_lines(), {"category": "kind", "contract": contract("kind")})
    assert len(caught.value.problems) == 1


def test_two_mappings_for_one_column_are_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="column 'place' is already place"):
        run_lines(tmp_path, good_lines(), {"office": "place"})


def contract(*more: str) -> dict[str, Any]:
    """The data contract with more allowed fields."""
    agreed: dict[str, Any] = MAPPING["contract"]
    return agreed | {"allowed_fields": [*agreed["allowed_fields"], *more]}


def as_csv(change: Callable[[list[list[str]]], None] | None = None) -> bytes:
    """The good rows as CSV, changed."""
    rows = good_rows()
    cells = [list(rows[0]), *([str(value) for value in fields.values()] for fields in rows)]
    if change is not None:
        change(cells)
    out = io.StringIO()
    csv.writer(out).writerows(cells)
    return out.getvalue().encode()


def test_csv_and_json_lines_of_the_same_rows_are_the_same_history(clean: dict[str, Any], tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "history.csv").write_bytes(as_csv())
    assert run_file(tmp_path, "history.csv")["digests"] == clean["digests"]


BAD_CSV: dict[str, tuple[Callable[[list[list[str]]], None], str]] = {
    "a row with too few cells": (lambda rows: rows.insert(9, rows[5][:3]), "missing_field"),
    "a row with too many cells": (lambda rows: rows.insert(9, [*rows[5], "more"]), "wrong_type"),
    "a cell of 10 MB": (lambda rows: rows.insert(9, [*rows[5][:-1], "x" * 10_000_000]), "too_large"),
    "a time in no known format": (lambda rows: rows.insert(9, ["x", "m77", "04.03.2024", *rows[5][3:]]), "bad_time"),
}


@pytest.mark.parametrize(("change", "reason"), BAD_CSV.values(), ids=BAD_CSV)
def test_a_refused_row_of_a_csv_file_stops_no_other(
    change: Callable[[list[list[str]]], None], reason: str, clean: dict[str, Any], tmp_path: Path
) -> None:
    lay_out(tmp_path)
    (tmp_path / "history.csv").write_bytes(as_csv(change))
    note = run_file(tmp_path, "history.csv")
    assert note["counts"]["reasons"] == {reason: 1}
    assert note["digests"] == clean["digests"]
    assert [letter["reason"] for letter in list_deadletters(tmp_path / "out", None)] == [reason]
