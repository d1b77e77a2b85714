"""What a file says itself wins over what it includes, item by item, and problems are told in the file they lie in."""

from pathlib import Path

import pytest

from config.layers import SHIPPED
from config.load import load_settings
from pipeline.errors import ConfigError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return caught.value.problems


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_loads(path: Path) -> None:
    assert load_settings(path).clocks


def test_every_shipped_clock_names_its_legal_source() -> None:
    petition = load_settings(SHIPPED / "rules" / "petition.yaml")
    assert all(clock.source.startswith("信访工作条例 第") for clock in petition.clocks)


def test_a_table_is_joined_key_by_key(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "include: [profiles/default]\nlevels: {red: {hold_hours: 5}}\n")
    red = load_settings(path).levels.red
    assert (red.hold_hours, red.raise_at) == (5, 0.8)


def test_an_item_of_ones_own_replaces_the_included_one_whole(tmp_path: Path) -> None:
    text = "include: [profiles/default]\ntargets:\n- {name: reopened, rule: reopened, window_days: 14}\n"
    targets = load_settings(write(tmp_path, "a.yaml", text)).targets
    assert [(t.window_days, t.name_zh) for t in targets if t.name == "reopened"] == [(14, "")]
    assert len(targets) == 6


def test_a_list_of_plain_words_is_replaced(tmp_path: Path) -> None:
    text = "include: [profiles/default]\ndefault_clocks: [petition_route]\n"
    assert load_settings(write(tmp_path, "a.yaml", text)).default_clocks == ("petition_route",)


def test_an_empty_list_takes_the_included_one_away(tmp_path: Path) -> None:
    text = "include: [profiles/default]\ntargets: []\n"
    assert load_settings(write(tmp_path, "a.yaml", text)).targets == ()


def test_a_file_beside_comes_before_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    write(tmp_path / "rules", "petition.yaml", "rescore_hour: 4\n")
    assert load_settings(write(tmp_path, "a.yaml", "include: [rules/petition]\n")).rescore_hour == 4


def test_a_problem_in_an_included_file_names_that_file_and_its_line(tmp_path: Path) -> None:
    included = write(tmp_path, "b.yaml", "offices:\n- {id: a}\n- {id: b, kind: parti}\n")
    path = write(tmp_path, "a.yaml", "include: [b]\noffices:\n- {id: c}\n- {id: d}\n")
    assert problems(path) == [f"{included}:3: offices.3.kind: cannot be 'parti'; did you mean 'party'?"]


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "include: [profiles/defalt]\n")
    assert problems(path) == [
        f"{path}:1: include.0: there is no file 'profiles/defalt'; did you mean 'profiles/default'?"
    ]


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "include: [b]\n")
    other = write(tmp_path, "b.yaml", "include: [a]\n")
    assert problems(path) == [f"{other}:1: include.0: 'a' includes itself; take it out"]


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "include: profiles/default\n", "a: 1\na: 2\n"])
def test_a_file_that_is_no_configuration_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "a.yaml", text)
    assert all(problem.startswith(f"{path}:") and "; " in problem for problem in problems(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no such file" in problems(tmp_path / "a.yaml")[0]
