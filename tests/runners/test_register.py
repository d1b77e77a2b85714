"""What every register promises, in an embedded site's file and in a cluster's PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from alerts.register import PgRegister
from runners.cluster.logs import shared_edge_key
from runners.log_sqlite import Logs
from runners.register import ClusterRegister, Register

LETTER = ("town", "7", "bad_time", "at", "is no time", "write it so", 12, "ab", b"redacted")


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Register]:
    """An empty register."""
    if request.param == "file":
        with Logs(tmp_path / "log.db") as logs:
            yield logs
    else:
        tables = PgRegister(request.getfixturevalue("database"))
        yield tables
        tables.close()


@pytest.fixture
def two(database: str) -> Iterator[tuple[ClusterRegister, ClusterRegister]]:
    """The registers of two processes of one cluster."""
    first, second = PgRegister(database), PgRegister(database)
    yield first, second
    first.close()
    second.close()


def at_once(*calls: Callable[[], object]) -> None:
    """Make calls on a thread each, begun together."""
    start = Barrier(len(calls))

    def call(one: Callable[[], object]) -> None:
        start.wait()
        one()

    threads = [Thread(target=call, args=(one,)) for one in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def break_off(register: Register, write: Callable[[], object]) -> None:
    """Write inside a transaction that then fails with KeyError."""
    with register.transaction():
        write()
        raise KeyError


def test_the_first_to_register_a_matter_fixes_its_partition(register: Register) -> None:
    register.direct([(b"k" * 16, 1, "town/7"), (b"k" * 16, 3, "town/9")])
    register.direct([(b"k" * 16, 2, "town/8")])
    assert register.matter(b"k" * 16) == (1, "town/7")
    assert register.matter(b"x" * 16) is None
    assert list(register.matters()) == [(b"k" * 16, "town/7")]


@pytest.mark.parametrize("name", ["town/HT-2024_07", "HT-2024_07"])
def test_a_matter_is_found_by_its_whole_id_or_number(register: Register, name: str) -> None:
    register.direct([(b"a" * 16, 0, "town/HT-2024_07"), (b"b" * 16, 0, "town/HT-2024-07")])
    assert register.matter_key(name) == b"a" * 16
    assert register.matter_key(name[:-1]) is None


def test_a_matter_is_seated_where_it_came_first(register: Register) -> None:
    keys = [bytes([number]) * 16 for number in range(4)]
    names = [f"town/{number}" for number in range(4)]
    assert register.seat_matters(keys[:2], [5, 6], names[:2]) == [5, 6]
    assert register.seat_matters(keys[::-1], [1, 1, 1, 1], names[::-1]) == [1, 1, 6, 5]
    assert register.seats_of([keys[2], b"x" * 16, keys[0]]) == [1, None, 5]


def test_a_matter_that_comes_twice_in_one_call_gets_one_seat(register: Register) -> None:
    assert register.seat_matters([b"k" * 16] * 2, [3, 4], ["town/1"] * 2) == [3, 3]


def test_a_place_keeps_its_first_partition(register: Register) -> None:
    assert register.seats() == {}
    assert register.seat_places({7: 0, -8: 1}) == {7: 0, -8: 1}
    assert register.seat_places({7: 1, 9: 2}) == {7: 0, -8: 1, 9: 2}


def test_a_code_keeps_its_first_name(register: Register) -> None:
    register.name({1: ("office", "roads")})
    register.name({1: ("office", "other"), 2: ("place", "north")})
    assert register.names() == {1: "roads", 2: "north"}
    assert register.names_of("place") == {2: "north"}
    assert (register.named(2), register.named(3)) == ("north", "")


def test_texts_go_when_their_time_is_over(register: Register) -> None:
    register.keep_texts(0, 1, [(0, "early")], until=100)
    register.keep_texts(0, 2, [(0, "late"), (5, "later")], until=200)
    assert register.erase_texts(before=150) == 1
    assert (register.text(0, 1, 0), register.text(0, 2, 5)) == (None, "later")
    assert register.erase_texts() == 2


def test_dead_letters_are_found_by_reason(register: Register) -> None:
    register.bury([LETTER, (*LETTER[:2], "too_large", *LETTER[3:])], at=5)
    assert [letter["reason"] for letter in register.deadletters()] == ["bad_time", "too_large"]
    [letter] = register.deadletters("bad_time")
    assert (letter["position"], letter["detail"], letter["body"]) == ("7", "is no time", b"redacted")


def test_a_dead_letter_goes_when_it_is_given_up_or_old(register: Register) -> None:
    register.bury([LETTER], at=5)
    register.bury([LETTER], at=9)
    first = register.deadletters()[0]["id"]
    assert register.drop_letter(first)
    assert not register.drop_letter(first)
    register.forget_letters(9)
    assert len(register.deadletters()) == 1
    register.forget_letters(10)
    assert register.deadletters() == []


def test_a_request_is_known_by_its_key_until_it_is_forgotten(register: Register) -> None:
    assert register.batch(b"key") is None
    register.keep_batch(b"key", b"content", 5, b"answer")
    assert register.batch(b"key") == (b"content", b"answer")
    register.forget_batches(5)
    assert register.batch(b"key") is not None
    register.forget_batches(6)
    assert register.batch(b"key") is None


def test_a_source_is_remembered_as_far_as_it_was_read(register: Register) -> None:
    register.advance("town", 5)
    register.advance("town", 8)
    assert (register.position("town"), register.position("other")) == (8, 0)
    register.forget_cursor("town")
    assert register.position("town") == 0


def test_tallies_add_up(register: Register) -> None:
    register.tally({"late": 1, "bad_time": 2})
    register.tally({"bad_time": 1})
    assert register.tallies() == {"bad_time": 3, "late": 1}


def test_a_value_is_remembered_until_another_takes_its_place(register: Register) -> None:
    assert register.meta("config") is None
    register.remember("config", "a")
    register.remember("config", "b")
    assert register.meta("config") == "b"
    assert register.remember_first("config", "c") == "b"
    assert register.remember_first("edge", "d") == "d"


def test_a_transaction_that_fails_leaves_nothing(register: Register) -> None:
    with pytest.raises(KeyError):
        break_off(register, lambda: register.tally({"late": 1}))
    assert register.tallies() == {}
    with register.transaction():
        register.advance("town", 6)
    assert register.position("town") == 6


def test_nothing_to_write_is_nothing_written(register: Register) -> None:
    register.direct([])
    register.name({})
    register.bury([])
    register.keep_texts(0, 0, [], until=0)
    register.tally({})
    assert register.seat_matters([], [], []) == []
    assert register.seat_places({}) == {}


@pytest.mark.real
def test_the_character_zero_breaks_nothing(database: str) -> None:
    register = PgRegister(database)
    register.direct([(b"k" * 16, 0, "town/\0")])
    register.name({1: ("place", "a\0b")})
    register.keep_texts(0, 0, [(0, "\0")], until=1)
    register.bury([("t\0", "1", "bad_time", "\0", "\0", "", 1, "ab", b"\0")])
    assert register.named(1) == "a\ufffdb"
    register.close()


@pytest.mark.real
def test_of_two_servers_that_see_a_matter_first_one_decides(two: tuple[ClusterRegister, ClusterRegister]) -> None:
    keys = [number.to_bytes(16) for number in range(3000)]
    names = [f"town/{number}" for number in range(3000)]
    told: dict[int, list[int]] = {}

    def seat(number: int) -> None:
        order = slice(None, None, 1 if number else -1)
        told[number] = two[number].seat_matters(keys[order], [number] * 3000, names[order])[order]

    at_once(lambda: seat(0), lambda: seat(1))
    assert told[0] == told[1] == two[0].seats_of(keys)


@pytest.mark.real
def test_a_seat_stands_whatever_becomes_of_the_transaction_around_it(
    two: tuple[ClusterRegister, ClusterRegister],
) -> None:
    with pytest.raises(KeyError):
        break_off(two[0], lambda: two[0].seat_matters([b"k" * 16], [4], ["town/1"]))
    assert two[1].seats_of([b"k" * 16]) == [4]


@pytest.mark.real
def test_counts_of_several_servers_add_up(two: tuple[ClusterRegister, ClusterRegister]) -> None:
    def count(register: ClusterRegister, names: str) -> None:
        for _ in range(50):
            with register.transaction():
                register.tally(dict.fromkeys(names, 1))

    at_once(lambda: count(two[0], "abc"), lambda: count(two[1], "cba"))
    assert two[0].tallies() == {"a": 100, "b": 100, "c": 100}


@pytest.mark.real
def test_a_position_does_not_step_back(two: tuple[ClusterRegister, ClusterRegister]) -> None:
    two[0].advance("heard@town", 9)
    two[1].advance("heard@town", 8)
    assert two[0].position("heard@town") == 9


@pytest.mark.real
def test_all_servers_share_one_edge_key(two: tuple[ClusterRegister, ClusterRegister]) -> None:
    keys: set[bytes] = set()
    at_once(*(lambda each=each: keys.add(shared_edge_key(each)) for each in two))
    [key] = keys
    assert len(key) == 32


@pytest.mark.real
def test_a_log_that_was_moved_keeps_its_numbers(two: tuple[ClusterRegister, ClusterRegister]) -> None:
    assert two[0].base("signals", 1) == 0
    two[0].set_base("signals", 1, 7000)
    two[1].set_base("signals", 1, 9000)
    assert (two[1].base("signals", 1), two[1].base("signals", 0)) == (7000, 0)


@pytest.mark.real
def test_several_servers_may_begin_at_once(database: str) -> None:
    made: list[PgRegister] = []
    at_once(*[lambda: made.append(PgRegister(database))] * 4)
    assert len(made) == 4
    for each in made:
        each.close()
