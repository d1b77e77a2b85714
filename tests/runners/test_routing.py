"""Places are dealt out once, a matter stays where its first record went, and frames are parted in order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.learning import Source
from config.settings import Settings
from config.territory import Place
from pipeline.ids import code64, key128
from runners.log_sqlite import Logs
from runners.routing import Routing, dealt, ragged, split

PLACES = (
    Place(id="city", level="city"),
    Place(id="east", parent="city"),
    Place(id="west", parent="city"),
    Place(id="north", parent="city"),
    Place(id="mill", parent="west", level="township"),
    Place(id="mill/3", parent="mill", level="grid"),
)
SETTINGS = Settings(
    places=PLACES,
    sources=(Source(name="hotline", mapping="h.yaml"), Source(name="grid", mapping="g.yaml", default_place="west")),
    partition_count=2,
)
EAST, WEST, NORTH = code64("east"), code64("west"), code64("north")


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    with Logs(tmp_path / "log.db") as opened:
        yield opened


def told(routing: Routing, matters: str, place: str = "", source: str = "hotline") -> list[int]:
    """Partitions of one signal of each of these matters."""
    keys = [key128(source, matter) for matter in matters]
    found = routing.signals(source, keys, [code64(place) if place else 0] * len(keys), list(matters))
    return [int(number) for number in found]


def test_units_are_dealt_out_to_the_least_loaded_partition_in_order() -> None:
    assert dealt([1, 2, 3], 2, {}) == {1: 0, 2: 1, 3: 0}
    assert dealt([1, 2, 3, 4], 2, {9: 0, 8: 0, 1: 1}) == {2: 1, 3: 0, 4: 1}


def test_a_grid_belongs_to_the_partition_of_its_county(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    assert [routing.place(code64(name)) for name in ("east", "west", "north", "mill/3")] == [0, 1, 0, 1]
    assert [routing.place(code64(name)) for name in ("city", "root", "nowhere")] == [None, None, None]


def test_a_point_belongs_to_its_grid_once_its_name_was_told(logs: Logs) -> None:
    routing, point = Routing(SETTINGS, logs), code64("west/door 4")
    assert routing.place(point) is None
    routing.learn({point: ("place", "west/door 4"), 5: ("office", "west/roads")})
    assert routing.place(point) == 1
    routing.follow(SETTINGS)
    assert routing.place(point) == 1


def test_seats_outlive_a_change_of_the_tree(logs: Logs) -> None:
    Routing(SETTINGS, logs)
    fewer = SETTINGS.model_copy(update={"places": (PLACES[0], Place(id="new", parent="city"), *PLACES[2:])})
    routing = Routing(fewer, logs)
    assert routing.place(WEST) == 1
    assert routing.place(NORTH) == 0
    assert routing.place(code64("new")) == 1


def test_named_units_go_before_counties(logs: Logs) -> None:
    routing = Routing(SETTINGS.model_copy(update={"partitions": ("mill", "north")}), logs)
    assert [routing.place(code64(name)) for name in ("mill/3", "north", "west")] == [0, 1, None]


def test_a_matter_stays_where_its_first_record_went(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    assert told(routing, "ab", "west") == [1, 1]
    assert told(routing, "ba", "east") == [1, 1]
    assert told(routing, "a") == [1]


def test_another_process_and_a_restart_find_the_same_seat(logs: Logs) -> None:
    assert told(Routing(SETTINGS, logs), "a", "west") == [1]
    assert told(Routing(SETTINGS, logs), "a", "east") == [1]
    assert logs.matter(key128("hotline", "a")) == (1, "hotline/a")


def test_a_matter_without_a_place_goes_where_its_source_stands_else_to_the_first(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    assert told(routing, "x", source="grid") == [1]
    assert told(routing, "x", source="hotline") == [0]
    assert told(routing, "y", place="nowhere", source="grid") == [1]


def test_within_one_batch_the_first_record_decides(logs: Logs) -> None:
    key = key128("hotline", "a")
    assert Routing(SETTINGS, logs).signals("hotline", [key, key], [WEST, EAST], ["a", "a"]).tolist() == [1, 1]


def test_what_was_taken_back_is_asked_for_again(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    logs.db.execute("BEGIN")
    told(routing, "a", "west")
    logs.db.execute("ROLLBACK")
    routing.forget()
    assert told(routing, "a", "east") == [0]


def test_one_partition_asks_nobody(logs: Logs) -> None:
    routing = Routing(SETTINGS.model_copy(update={"partition_count": 1}), logs)
    assert told(routing, "ab", "west") == [0, 0]
    assert logs.seats() == {}
    assert list(logs.matters()) == []


def test_readings_follow_their_sensor(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    sensors = np.array([7, 8, 7, 9], np.int64)
    assert routing.readings("grid", sensors, {7: "s7"}, {7: EAST, 8: WEST}).tolist() == [0, 1, 0, 1]
    assert Routing(SETTINGS, logs).readings("grid", sensors[::-1], {}, {}).tolist() == [1, 0, 1, 0]


def test_many_sensors_find_their_seats(logs: Logs) -> None:
    routing = Routing(SETTINGS, logs)
    sensors = np.random.default_rng(3).integers(-(2**62), 2**62, 5000)
    places = {code: (EAST, WEST)[number % 2] for number, code in enumerate(sensors.tolist())}
    first = routing.readings("grid", sensors, {}, places)
    assert first.tolist() == [number % 2 for number in range(5000)]
    assert (routing.readings("grid", sensors, {}, {}) == first).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_splitting_keeps_every_entry_once_and_in_order(where: list[int]) -> None:
    parts = {number: index.tolist() for number, index in split(np.array(where, np.int64))}
    assert sorted(place for index in parts.values() for place in index) == list(range(len(where)))
    for number, index in parts.items():
        assert index == sorted(index)
        assert {where[place] for place in index} == {number}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=20))
def test_text_indices_go_with_their_entries(rows: list[tuple[int, int]]) -> None:
    sizes = np.array([size for _, size in rows], np.int64)
    own = [[number] * size for number, size in enumerate(sizes.tolist())]
    values = np.array([value for one in own for value in one], np.uint32)
    for _, index in split(np.array([part for part, _ in rows], np.int64)):
        taken, ends = ragged(values, np.cumsum(sizes), index)
        starts = [0, *ends.tolist()]
        found = [taken[starts[place] : starts[place + 1]].tolist() for place in range(len(index))]
        assert found == [own[place] for place in index.tolist()]
