"""What pulled sources share: patience while a site is full, and an eye on how much of them is rejected."""

import threading
from collections.abc import Mapping, Sequence

import pytest

from connectors.file_drop import Item
from connectors.intake_http import Accepted, Full
from runners.live.pull import WATCHED, Cursor, Watch, put
from runners.live.sources import LiveSource


class Door:
    """Is full so many times; then it takes."""

    def __init__(self, full: int) -> None:
        self.full = full
        self.cursors: list[Cursor] = []
        self.sources: Mapping[str, LiveSource] = {}

    def position(self, cursor: str) -> int:
        """Nothing was read."""
        return 0

    def forget(self, cursor: str) -> None:
        """There is nothing."""

    def take(self, source: str, items: Sequence[Item], cursor: Cursor) -> Accepted | Exception:
        """Take it, or say when to come again."""
        if self.full:
            self.full -= 1
            raise Full("wait", 0.001)
        self.cursors.append(cursor)
        return Accepted(len(items))


def test_while_a_site_is_full_the_same_records_are_offered_again() -> None:
    door = Door(full=3)
    assert put(door, "water", [b"1", b"2"], ("topic", 2), threading.Event()) == Accepted(2)
    assert door.cursors == [("topic", 2)]


def test_whoever_is_asked_to_stop_offers_nothing_more() -> None:
    door, stop = Door(full=0), threading.Event()
    stop.set()
    assert put(door, "water", [b"1"], ("topic", 1), stop) is None
    assert door.cursors == []


def bad_after(pieces: Sequence[tuple[int, int]]) -> list[bool]:
    watch = Watch()
    return [watch.is_bad(records, rejected) for records, rejected in pieces]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(WATCHED, 200)], [False]),
        ([(WATCHED, 201)], [True]),
        ([(WATCHED - 1, WATCHED - 1)], [False]),
        ([(500, 0), (500, 201)], [False, True]),
        ([(WATCHED, 0), (500, 150)], [False, False]),
        ([(WATCHED, 0), (WATCHED, 300)], [False, True]),
    ],
)
def test_more_than_a_fifth_of_the_last_thousand_is_too_much(
    pieces: list[tuple[int, int]], expected: list[bool]
) -> None:
    assert bad_after(pieces) == expected


def test_what_was_bad_long_ago_is_forgotten() -> None:
    assert bad_after([(100, 100)] + [(100, 0)] * 20)[-1] is False
