"""What the console asks beside the warnings: in the log file of an embedded site, and in a cluster's register."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from alerts.directory import TableDirectory
from alerts.register import PgRegister
from console.api.directory import LogDirectory
from console.api.ports import Directory
from pipeline.ids import key128
from runners.log_sqlite import Logs
from runners.register import Register

LETTER = ("town", "7", "bad_time", "at", "is no time", "write it so", 12, "ab", b"redacted")


class Both(NamedTuple):
    """Where things are written, and who reads them."""

    register: Register
    directory: Directory


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    if request.param == "file":
        with Logs(tmp_path / "log.db") as logs:
            directory = LogDirectory(tmp_path / "log.db")
            yield Both(logs, directory)
            directory.close()
    else:
        register = PgRegister(request.getfixturevalue("database"))
        yield Both(register, TableDirectory(register.database, seconds=iter(range(0, 1000, 3)).__next__))
        register.close()


def direct(register: Register, *numbers: str) -> list[bytes]:
    """Register matters of the source `town`; their keys."""
    keys = [key128("town", number) for number in numbers]
    register.direct((key, 1, f"town/{number}") for key, number in zip(keys, numbers, strict=True))
    return keys


def test_names_are_looked_up_when_they_are_asked_for(both: Both) -> None:
    names = both.directory.names()
    assert names.get(1) is None
    both.register.name({1: ("place", "east"), 2: ("office", "roads")})
    assert (names[1], names.get(3), sorted(names), len(names)) == ("east", None, [1, 2], 2)


def test_names_of_a_kind_are_in_order(both: Both) -> None:
    both.register.name({1: ("office", "roads"), 2: ("office", "housing"), 3: ("place", "east"), 4: ("office", "water")})
    assert both.directory.ids("office", 2) == ["housing", "roads"]
    assert (both.directory.code("office", "water"), both.directory.code("office", "east")) == (4, None)


def test_a_new_point_moves_the_mark(both: Both) -> None:
    both.register.name({1: ("place", "east"), 2: ("place", "east/well")})
    before = both.directory.points_mark()
    assert both.directory.points() == [(2, "east/well")]
    both.register.name({3: ("place", "east/lift")})
    assert both.directory.points_mark() != before


def test_a_matter_is_known_by_its_key(both: Both) -> None:
    [key] = direct(both.register, "HT-7")
    assert both.directory.matter(key) == (1, "town/HT-7")
    assert both.directory.matter(b"x" * 16) is None


def test_the_whole_number_finds_that_matter_alone(both: Both) -> None:
    keys = direct(both.register, "HT-1", "HT-12")
    assert both.directory.search("HT-1", ["other", "town"]) == {keys[0]}


@pytest.mark.parametrize("part", ["HT-0", "ht-0", "07"])
def test_the_beginning_or_the_end_of_a_number_finds_what_has_it(both: Both, part: str) -> None:
    keys = direct(both.register, "HT-007", "HT-107", "HT-008", "ZZ-999")
    found = {"HT-0": {keys[0], keys[2]}, "ht-0": {keys[0], keys[2]}, "07": {keys[0], keys[1]}}
    assert both.directory.search(part, ["town"]) == found[part]


@pytest.mark.parametrize("text", ["%", "_", "\\", "nothing", "\0"])
def test_what_is_in_no_number_finds_nothing(both: Both, text: str) -> None:
    direct(both.register, "HT-007", "HT-107")
    assert both.directory.search(text, ["town"]) == set()


def test_a_search_finds_two_hundred_at_most(both: Both) -> None:
    direct(both.register, *(f"HT-{number:04}" for number in range(500)))
    assert len(both.directory.search("HT", ["town"])) == 200


def test_a_text_is_there_while_it_is_kept(both: Both) -> None:
    both.register.keep_texts(2, 5, [(3, "路灯不亮")], until=100)
    assert (both.directory.text(2, 5, 3), both.directory.text(2, 5, 4)) == ("路灯不亮", None)


def test_dead_letters_come_newest_first_and_can_be_narrowed(both: Both) -> None:
    for reason in ("bad_time", "too_large", "bad_time"):
        both.register.bury([(LETTER[0], LETTER[1], reason, *LETTER[3:])])
    both.register.bury([("other", *LETTER[1:])])
    newest = both.directory.letters("", "", None, 10)
    ids = [letter["id"] for letter in newest]
    assert ids == sorted(ids, reverse=True)
    assert [each["id"] for each in both.directory.letters("town", "bad_time", ids[1], 10)] == [ids[3]]
    assert "body" not in newest[0]
    assert both.directory.letter_reasons("town") == {"bad_time": 2, "too_large": 1}
    assert both.directory.letter_reasons("") == {"bad_time": 3, "too_large": 1}


def test_one_dead_letter_has_its_body(both: Both) -> None:
    both.register.bury([LETTER])
    [letter] = both.directory.letters("", "", None, 10)
    found = both.directory.letter(letter["id"])
    assert found is not None
    assert (found["body"], found["source"]) == (b"redacted", "town")
    assert both.directory.letter(letter["id"] + 1) is None
