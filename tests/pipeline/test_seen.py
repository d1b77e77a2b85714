"""Ids that were seen: remembered for their days, however they are stored."""

import numpy as np

from pipeline.seen import _RECENT, Seen


def told(seen: Seen, first: int, number: int, day: int, content: int = 1) -> None:
    for id in range(first, first + number):
        seen.remember(id, content, day)


def known(seen: Seen, id: int, today: int) -> int | None:
    return seen.content(id, today, seen.before(np.array([id], np.uint64)))


def test_ids_that_have_left_the_dict_are_still_known() -> None:
    seen = Seen(30)
    told(seen, 1, _RECENT, 100)
    seen.settle(100)
    assert not seen.recent
    assert known(seen, 5, 129) == 1
    assert known(seen, 5, 130) is None
    assert known(seen, _RECENT + 1, 100) is None


def test_arrays_of_similar_size_are_merged() -> None:
    seen = Seen(30)
    for turn in range(5):
        told(seen, 1 + turn * _RECENT, _RECENT, 100)
        seen.settle(100)
    assert len(seen.runs) <= 3
    assert seen.to_arrays()["sizes"].sum() == 5 * _RECENT
    assert all(known(seen, 1 + turn * _RECENT, 100) for turn in range(5))


def test_an_id_that_came_again_after_its_days_has_its_newer_content() -> None:
    seen = Seen(30)
    told(seen, 1, _RECENT, 100, content=1)
    seen.settle(100)
    told(seen, 1, _RECENT, 125, content=2)
    seen.settle(125)
    assert known(seen, 7, 126) == 2


def test_what_is_older_than_its_days_goes_when_arrays_are_merged() -> None:
    seen = Seen(30)
    told(seen, 1, _RECENT, 100)
    seen.settle(100)
    told(seen, 1 + _RECENT, _RECENT, 140)
    seen.settle(140)
    assert seen.to_arrays()["sizes"].sum() == _RECENT


def test_when_all_of_a_full_dict_is_old_nothing_is_kept_and_asking_goes_on() -> None:
    seen = Seen(30)
    told(seen, 1, _RECENT, 100)
    seen.settle(200)
    assert known(seen, 5, 200) is None


def test_a_copy_of_the_arrays_knows_the_same() -> None:
    seen, again = Seen(30), Seen(30)
    told(seen, 1, _RECENT, 100)
    seen.settle(100)
    told(seen, 1 + _RECENT, 10, 101)
    again.from_arrays(seen.to_arrays())
    ids = (1, _RECENT, _RECENT + 5, _RECENT + 50)
    assert [known(again, id, 110) for id in ids] == [known(seen, id, 110) for id in ids] == [1, 1, 1, None]
