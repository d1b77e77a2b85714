"""The labelled windows of a benchmark are read by sensor, or refused with every problem at once."""

from pathlib import Path

import pytest

from connectors.truth_windows import truth_windows
from pipeline.errors import ConfigError


def test_windows_are_told_by_sensor_in_order(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(
        '{"real/a.csv": [["1970-01-01 00:00:05", "1970-01-01 00:00:06"],'
        ' ["1970-01-01 00:00:01.5", "1970-01-01 00:00:02"]],'
        ' "real/b.csv": []}'
    )
    assert truth_windows(tmp_path / "w.json") == {
        "real/a": [(1_500_000, 2_000_000), (5_000_000, 6_000_000)],
        "real/b": [],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "is not an object"),
        ("{", "is not JSON"),
        ('{"a.csv": [["soon", "later"]]}', "a.csv: windows are"),
        ('{"a.csv": [["1970-01-02", "1970-01-01"]]}', "a.csv: a window ends before it starts"),
        ('{"a.csv": 7}', "a.csv: windows are"),
    ],
)
def test_what_is_no_window_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "w.json").write_text(content)
    with pytest.raises(ConfigError, match=words):
        truth_windows(tmp_path / "w.json")


@pytest.mark.real
def test_every_sensor_of_the_benchmark_has_its_windows(real_data: Path) -> None:
    windows = truth_windows(real_data / "nab_dev" / "windows.json")
    files = (real_data / "nab_dev" / "data").glob("*/*.csv.gz")
    sensors = {f"{path.parent.name}/{path.name.removesuffix('.csv.gz')}" for path in files}
    assert sensors <= set(windows)
