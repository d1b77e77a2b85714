"""The same records give the same warnings, to the byte: twice, live, replayed, and under other cut-offs."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.store import Store
from runners.backtest import Task, backtest
from runners.replay import Replayed, difference, replay
from runners.run_files import run_files

FILES = ("warnings.jsonl", "scores.csv", "report.json")


def run(city: Path, out: Path, **changed: Any) -> dict[str, Any]:
    """Back-test the city, or a variant of it."""
    settings: dict[str, Any] = {
        "mapping": city / "mapping.yaml",
        "inputs": (city / "signals.jsonl",),
        "out": out,
        "config": city / "site.yaml",
    }
    return backtest(Task(**settings | changed))


@pytest.fixture(scope="module")
def first(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --out folder of a back-test of the city; to be read only."""
    out = tmp_path_factory.mktemp("first") / "out"
    run(city, out)
    return out


@pytest.fixture(scope="module")
def stricter(city: Path) -> Path:
    """A configuration with other cut-offs."""
    path = city / "stricter.yaml"
    levels = {
        "blue": {"raise_at": 0.2, "clear_at": 0.1, "budget_per_office_day": 3},
        "yellow": {"raise_at": 0.35, "clear_at": 0.3},
    }
    settings = yaml.safe_load((city / "site.yaml").read_text(encoding="utf-8")) | {"levels": levels}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def digests(out: Path) -> Any:
    """What the run's note says of its digests."""
    return json.loads((out / "run.json").read_bytes())["digests"]


def warnings(out: Path) -> list[dict[str, Any]]:
    """The transitions of warnings.jsonl."""
    return [json.loads(line) for line in (out / "warnings.jsonl").read_bytes().splitlines()]


def transitions(out: Path) -> list[dict[str, Any]]:
    """The transitions of the store."""
    store = Store(out / "store.db", readonly=True)
    found = list(store.transitions())
    store.close()
    return found


def test_two_runs_write_the_same_bytes(city: Path, first: Path, tmp_path: Path) -> None:
    run(city, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(first)
    assert len(warnings(first)) > 100
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (first / name).read_bytes(), name


def test_one_changed_field_changes_the_digest(city: Path, first: Path, tmp_path: Path) -> None:
    lines = (city / "signals.jsonl").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines) if n > 2_000 and '"registered"' in line)
    fields = json.loads(lines[number])
    lines[number] = json.dumps(fields | {"category": "M01" if fields["category"] != "M01" else "M02"})
    (tmp_path / "signals.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(city, tmp_path / "out", inputs=(tmp_path / "signals.jsonl",))
    assert digests(tmp_path / "out") != digests(first)


def test_a_live_run_on_the_same_file_gives_the_same_warnings(city: Path, first: Path, tmp_path: Path) -> None:
    run_files(city / "site.yaml", tmp_path / "live")
    assert (tmp_path / "live" / "warnings.jsonl").read_bytes() == (first / "warnings.jsonl").read_bytes()
    assert (tmp_path / "live" / "scores.csv").read_bytes() == (first / "scores.csv").read_bytes()


def test_a_replay_gives_the_same_digests(first: Path) -> None:
    again = replay(first)
    assert again.is_equal
    assert again.transitions == again.stored_transitions == len(warnings(first))
    assert (again.only_replay, again.only_stored) == ([], [])


def test_a_replay_with_other_cutoffs_differs_as_two_back_tests_do(
    city: Path, first: Path, stricter: Path, tmp_path: Path
) -> None:
    run(city, tmp_path / "strict", config=stricter, keep_models=first)
    only_strict, only_first = difference(transitions(tmp_path / "strict"), transitions(first))
    asked = replay(first, stricter, keep_models=True)
    assert only_strict
    assert only_first
    assert changes(asked.only_replay) == changes(only_strict)
    assert changes(asked.only_stored) == changes(only_first)
    assert asked.transitions == len(transitions(tmp_path / "strict"))


def changes(found: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Transitions by what they change."""
    names = ("subject", "at", "from", "to", "proposed", "state", "cause")
    return sorted(tuple(str(transition[name]) for name in names) for transition in found)


class Desk:
    """Commands of a shift, as the lines of a --commands file."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def tell(self, key: str, warning: dict[str, Any], minutes: int, command: str, **fields: Any) -> None:
        """A command so many minutes after a warning was raised."""
        line = {"id": key, "at": later(warning, minutes), "command": command, "warning": warning["warning"]}
        self.lines.append(line | {"principal": "post-a"} | fields)

    def write(self, path: Path) -> Path:
        """The file."""
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines), encoding="utf-8")
        return path


def later(warning: dict[str, Any], minutes: int) -> str:
    """Minutes after a transition, in RFC 3339."""
    return (datetime.fromisoformat(warning["at"]) + timedelta(minutes=minutes)).isoformat()


@pytest.fixture(scope="module")
def shift(city: Path, first: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A back-test with what people did, and the verdict on each command by its key."""
    raised = [w for w in warnings(first) if w["number"] == 1]
    red = next(w for w in raised if w["proposed"] == "red")
    other_red = [w for w in raised if w["proposed"] == "red"][1]
    desk = Desk()
    desk.tell("take", red, 1, "acknowledge", next_update_by=later(red, 60 * 24), expected=1)
    desk.tell("late", red, 2, "note", remark="on the way", expected=1)
    desk.tell("note", red, 3, "note", remark="致电13812345678，无人接听")
    desk.tell("assign", red, 4, "assign", office="c1-D02")
    desk.tell("undo", red, 5, "undo")
    desk.tell("one", red, 6, "confirm", principal="post-a")
    desk.tell("same", red, 7, "confirm", principal="post-a")
    desk.tell("two", red, 8, "confirm", principal="post-b")
    desk.tell("shut", red, 9, "close")
    desk.tell("close", red, 10, "close", outcome="confirmed")
    desk.tell("after", red, 11, "note", remark="too late")
    desk.tell("again", red, 12, "reopen")
    desk.tell("no", other_red, 1, "decline")
    desk.tell("decline", other_red, 2, "decline", reason="known to the office")
    desk.tell("nobody", red | {"warning": "0" * 32}, 13, "note", remark="?")
    out = tmp_path_factory.mktemp("shift") / "out"
    run(city, out, commands=desk.write(out.parent / "commands.jsonl"))
    store = Store(out / "store.db", readonly=True)
    verdicts = {verdict["id"]: verdict["reason"] for verdict in store.verdicts()}
    store.close()
    return out, verdicts


def test_every_command_has_its_verdict(shift: tuple[Path, dict[str, str]]) -> None:
    assert shift[1] == {
        "take": "applied",
        "late": "stale",
        "note": "applied",
        "assign": "applied",
        "undo": "applied",
        "one": "applied",
        "same": "same_person",
        "two": "applied",
        "shut": "outcome_required",
        "close": "applied",
        "after": "not_open",
        "again": "applied",
        "no": "reason_required",
        "decline": "applied",
        "nobody": "unknown_warning",
    }


def test_what_people_did_stands_in_the_warnings(shift: tuple[Path, dict[str, str]]) -> None:
    changed = warnings(shift[0])
    causes = {cause: [w for w in changed if w["cause"] == cause] for cause in {w["cause"] for w in changed}}
    assert [w["confirmed"] for w in causes["confirmed"]] == ["orange", "red"]
    assert causes["closed"][0]["state"] == "closed"
    assert causes["reopened"][0]["state"] == "open"
    assert causes["declined"][0]["proposed"] == "yellow"


def test_a_replay_takes_the_commands_with_it(shift: tuple[Path, dict[str, str]]) -> None:
    again: Replayed = replay(shift[0])
    assert again.is_equal
    assert again.stored["signals-0"]["verdicts"] != "0" * 32


def test_a_remark_is_redacted_before_it_is_logged(shift: tuple[Path, dict[str, str]]) -> None:
    for name in ("log.db", "store.db", "warnings.jsonl"):
        assert b"13812345678" not in (shift[0] / name).read_bytes(), name
