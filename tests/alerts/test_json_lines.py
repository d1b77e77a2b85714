"""The sink of JSON lines: one line a key, whole lines only, whatever happened before."""

import json
from pathlib import Path

from alerts.sinks.json_lines import FILE, JsonLines


def lines(data: Path) -> list[str]:
    """Keys in the file, in order."""
    return [json.loads(line)["key"] for line in (data / FILE).read_text().splitlines()]


def test_a_notification_is_a_line_with_its_key(tmp_path: Path) -> None:
    assert JsonLines(tmp_path).deliver("a", {"items": [1]}).ok
    assert json.loads((tmp_path / FILE).read_text()) == {"key": "a", "items": [1]}


def test_the_same_key_again_is_told_once(tmp_path: Path) -> None:
    sink = JsonLines(tmp_path)
    assert [sink.deliver(key, {}).ok for key in ("a", "b", "a")] == [True, True, True]
    assert lines(tmp_path) == ["a", "b"]


def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    JsonLines(tmp_path).deliver("a", {})
    assert JsonLines(tmp_path).deliver("a", {}).detail == "was there already"
    assert lines(tmp_path) == ["a"]


def test_half_a_line_that_a_crash_left_is_cut_off(tmp_path: Path) -> None:
    JsonLines(tmp_path).deliver("a", {})
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"key":"b","it')
    JsonLines(tmp_path).deliver("b", {})
    assert lines(tmp_path) == ["a", "b"]


def test_a_folder_that_is_not_there_is_told_and_raises_nothing(tmp_path: Path) -> None:
    receipt = JsonLines(tmp_path / "gone").deliver("a", {})
    assert (receipt.ok, receipt.detail) == (False, "No such file or directory")
