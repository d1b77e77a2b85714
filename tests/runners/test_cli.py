"""The command line: help with examples, JSON where a program asks, silence in a pipe, exit codes 0, 1 and 2."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.main import get_command

from runners.cli import app, main
from tests.scenarios.small_history import good_lines, lay_out, line, row, run_lines


class Said(NamedTuple):
    code: int
    out: str
    err: str


Ask = Callable[..., Said]


def commands(found: Any, name: str = "forewarn") -> Iterator[tuple[str, Any]]:
    """Every command with its words, groups opened up."""
    inner = getattr(found, "commands", None)
    if inner is None:
        yield name, found
        return
    for word, command in inner.items():
        yield from commands(command, f"{name} {word}")


COMMANDS = dict(commands(get_command(app)))


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Call `forewarn` with these words: its exit code and what it said."""

    def asked(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["forewarn", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return Said(stopped.value.code, said.out, said.err)

    return asked


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --out folder of a small back-test with one dead letter."""
    folder = tmp_path_factory.mktemp("small")
    run_lines(folder, [*good_lines(), line(row(40, at="yesterday"))])
    return folder / "out"


def test_every_command_of_the_design_is_there() -> None:
    names = "run backtest replay simulate warnings explain digest deadletters tune doctor bench verify"
    wanted = {f"forewarn {name}" for name in names.split()}
    assert wanted | {"forewarn mapping new", "forewarn mapping check", "forewarn config check"} <= set(COMMANDS)


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_command_has_help_with_an_example_of_itself(words: str, ask: Ask) -> None:
    said = ask(*words.split()[1:], "--help")
    assert said.code == 0
    assert f"Example: {words}" in " ".join(said.out.split())


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_the_options_of_every_example_exist(words: str) -> None:
    example = (COMMANDS[words].help or "").split("Example: ")[1].split(" > ")[0]
    given = shlex.split(example)[len(words.split()) :]
    context = typer.Context(COMMANDS[words])
    assert COMMANDS[words].parse_args(context, given) is not None


def test_the_help_of_all_says_what_exit_codes_mean(ask: Ask) -> None:
    assert "Exit codes: 0 done, 1 failed or different, 2 wrong use" in ask("--help").out


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["backtest"],
        ["backtest", "--no-such-option"],
        ["backtest", "--mapping", "m.yaml", "--input", "i.csv", "--out", "out", "--scores", "some"],
        ["explain", "3f9a", "--data", ".", "--language", "fr"],
        ["replay"],
        ["simulate", "--out", "x", "--days", "many"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_with_2_and_says_so_on_standard_error(words: list[str], ask: Ask) -> None:
    said = ask(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err


@pytest.mark.parametrize("words", [["warnings"], ["digest"], ["deadletters"], ["replay"], ["explain", "3f9a"]])
def test_a_directory_that_is_not_there_exits_with_1_and_a_remedy(words: list[str], ask: Ask, tmp_path: Path) -> None:
    said = ask(*words, "--data", tmp_path / "nothing")
    assert said.code == 1
    assert "give the --data folder" in said.err
    assert not (tmp_path / "nothing").exists(), "a question makes no directory"


def test_a_mapping_that_is_not_there_exits_with_1(ask: Ask, tmp_path: Path) -> None:
    said = ask("backtest", "--mapping", tmp_path / "m.yaml", "--input", tmp_path / "i.csv", "--out", tmp_path / "out")
    assert said.code == 1
    assert "m.yaml" in said.err
    assert "Traceback" not in said.err


def backtest(ask: Ask, folder: Path, lines: list[bytes], *more: str) -> Said:
    """Back-test these lines by the command line."""
    lay_out(folder)
    (folder / "history.jsonl").write_bytes(b"".join(lines))
    files = ["--mapping", folder / "mapping.yaml", "--input", folder / "history.jsonl", "--config"]
    return ask("backtest", *files, folder / "config.yaml", "--out", folder / "out", *more)


def test_a_few_bad_records_exit_with_0_and_are_told(ask: Ask, tmp_path: Path) -> None:
    said = backtest(ask, tmp_path, [*good_lines(), b"{\n"])
    assert said.code == 0
    assert "broken_json" in said.out
    assert "report.html" in said.out


def test_more_than_a_fifth_of_bad_records_exits_with_1_after_all_is_written(ask: Ask, tmp_path: Path) -> None:
    said = backtest(ask, tmp_path, [*good_lines(), *[b"{\n"] * 30])
    assert said.code == 1
    assert "30 of 120 records were rejected: see `forewarn deadletters`" in said.err
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_live_run_exits_with_1_too_when_it_took_in_next_to_nothing(ask: Ask, tmp_path: Path) -> None:
    source = {"name": "town", "mapping": "mapping.yaml", "files": ["history.jsonl"]}
    lay_out(tmp_path, config={"sources": [source]})
    (tmp_path / "history.jsonl").write_bytes(b"{\n" * 40 + b"".join(good_lines()))
    words = ("run", "--config", tmp_path / "config.yaml", "--data", tmp_path / "data", "--json")
    first, again = ask(*words), ask(*words)
    assert (first.code, again.code) == (1, 1)
    assert json.loads(first.out)["counts"] == json.loads(again.out)["counts"]
    assert json.loads(first.out)["counts"]["reasons"] == {"broken_json": 40}


def test_a_folder_that_a_back_test_did_not_write_is_left_alone(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    said = backtest(ask, tmp_path, good_lines())
    assert said.code == 1
    assert "thesis.txt" in said.err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "precious"


def test_nothing_but_json_is_printed_where_json_is_asked_for(ask: Ask, tmp_path: Path) -> None:
    said = backtest(ask, tmp_path, good_lines(), "--json")
    assert json.loads(said.out)["counts"]["applied"] == 90
    assert said.err == "", "no progress bar in a pipe"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["warnings", "--all", "--data"], list),
        (["digest", "--data"], dict),
        (["deadletters", "--data"], list),
        (["replay", "--data"], dict),
        (["verify"], list),
        (["tune", "--target", "reopened", "--cutoff", "0.1", "--data"], list),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_prints_a_table_prints_json_too(words: list[str], kind: type, data: Path, ask: Ask) -> None:
    said = ask(*words, data, "--json")
    assert (said.code, said.err) == (0, "")
    assert isinstance(json.loads(said.out), kind)
    plain = ask(*words, data)
    assert (plain.code, plain.err) == (0, "")
    assert plain.out


def test_dead_letters_are_listed_with_reason_and_shown_one_by_one(data: Path, ask: Ask) -> None:
    listed = ask("deadletters", "--data", data, "--reason", "bad_time")
    assert "bad_time" in listed.out
    [letter] = json.loads(ask("deadletters", "--data", data, "--show", 1).out)
    assert "yesterday" in letter["body"]
    assert "no dead letters" in ask("deadletters", "--data", data, "--reason", "too_large").out


def test_a_replay_that_differs_exits_with_1(data: Path, ask: Ask, tmp_path: Path) -> None:
    import shutil
    import sqlite3
    from contextlib import closing

    shutil.copytree(data, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "store.db")) as db, db:
        db.execute("UPDATE offsets SET digests = replace(digests, 'transitions', 'changes')")
    assert ask("replay", "--data", tmp_path / "copy").code == 1
    assert ask("verify", tmp_path / "copy").code == 1
    assert ask("verify", data, data).code == 0


def test_a_configuration_is_checked_with_every_problem_at_once(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("rescore_hour: 99\nlevls: {}\n", encoding="utf-8")
    said = ask("config", "check", path)
    assert said.code == 1
    assert "site.yaml:1: rescore_hour" in said.err
    assert "site.yaml:2: levls" in said.err
    path.write_text("rescore_hour: 7\n", encoding="utf-8")
    assert ask("config", "check", path).code == 0


@pytest.mark.parametrize("words", [("mapping", "schema"), ("config", "schema")])
def test_schemas_are_json_schema(words: tuple[str, str], ask: Ask) -> None:
    assert json.loads(ask(*words).out)["type"] == "object"


def test_a_warning_is_explained_by_the_first_letters_of_its_id(data: Path, ask: Ask) -> None:
    [first, *_] = json.loads(ask("warnings", "--data", data, "--all", "--json").out)
    said = ask("explain", first["id"][:12], "--data", data)
    assert said.code == 0
    assert first["subject"] in said.out


def test_commands_that_cannot_be_read_are_told_by_line(ask: Ask, tmp_path: Path) -> None:
    commands = tmp_path / "commands.jsonl"
    commands.write_text('{"at": "2024-03-05T00:00:00Z", "command": "note"}\nnonsense\n{"command": "note"}\n')
    said = backtest(ask, tmp_path, good_lines(), "--commands", str(commands))
    assert said.code == 1
    assert "commands.jsonl:2:" in said.err
    assert "commands.jsonl:3:" in said.err
