"""What is wrong with a YAML file is said at once, with file, line, key and a suggestion."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from connectors.yaml_lines import load_yaml, read_yaml, validated
from pipeline.errors import ConfigError

HERE = Path("site.yaml")


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    purpose: str
    days: int = 1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    contract: Inner
    steps: tuple[Inner, ...] = ()


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validated(Outer, *read_yaml(text, HERE)[:1], HERE, read_yaml(text, HERE)[1])
    return caught.value.problems


def test_every_problem_is_told_with_its_line() -> None:
    told = problems("contract:\n  purpos: x\n  days: many\nsteps:\n  - purpose: a\n  - purpose: b\n    days: no\n")
    assert [line.split(": ")[0] for line in told] == ["site.yaml:1", "site.yaml:2", "site.yaml:3", "site.yaml:7"]


def test_a_misspelt_key_gets_a_suggestion() -> None:
    assert "site.yaml:3: contract.dayz: is not a key here; did you mean 'days'?" in problems(
        "contract:\n  purpose: x\n  dayz: 2\n"
    )


def test_a_key_given_twice_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"site.yaml:3: a.b: is given twice"):
        read_yaml("a:\n  b: 1\n  b: 2\n", HERE)


def test_words_stay_words_and_keys_stay_as_written() -> None:
    data, _ = read_yaml("no: yes\n-100: 2016-03-01\n007: true\nn: 7\nt: 08:30\nz: 007\n", HERE)
    assert data == {"no": "yes", "-100": "2016-03-01", "007": True, "n": 7, "t": "08:30", "z": "007"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("a: [1\n", "is not YAML"), ("a: 'x\n", "is not YAML"), ("a: !!python/none 1", "a: could not")],
)
def test_a_file_that_is_no_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_yaml(text, HERE)


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("a: 1\n")
    with pytest.raises(ConfigError, match=r"no such file; did you mean 'mapping.yaml'"):
        load_yaml(tmp_path / "maping.yaml")


def test_a_file_in_another_encoding_is_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("a: 1\nb: 转办\n".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"a.yaml:2: is not UTF-8"):
        load_yaml(tmp_path / "a.yaml")
