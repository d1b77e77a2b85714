"""Clocks of a running site: time passes, never jumps, and an operator decides about a wall clock that is far off."""

import threading

from runners.clock import SECOND, WAIT_US, ScaledClock, SetClock, WallClock


class Hands:
    """A wall and a monotonic clock that a test moves by hand, in seconds."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.beat = 50.0

    def pass_by(self, seconds: float, *, wall: float | None = None) -> None:
        """Let time pass; the wall may do otherwise."""
        self.beat += seconds
        self.wall += seconds if wall is None else wall

    def clock(self) -> WallClock:
        """A clock on these hands."""
        return WallClock(lambda: self.wall, lambda: self.beat)


def test_time_passes_with_the_wall() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(3600)
    assert clock.now() == int((1_000_000 + 3600) * SECOND)
    assert clock.trouble() == ""


def test_a_small_difference_is_slewed_away_unseen() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(1, wall=3)
    assert clock.now() < int(1_000_001.1 * SECOND)
    for _ in range(1_000):
        hands.pass_by(1)
        clock.now()
    assert abs(clock.now() - hands.wall * SECOND) < SECOND / 10
    assert clock.trouble() == ""


def test_a_step_back_of_the_wall_never_takes_time_back() -> None:
    hands = Hands()
    clock = hands.clock()
    before = clock.now()
    hands.pass_by(1, wall=-60)
    after = clock.now()
    assert before < after < before + SECOND
    assert "followed slowly" in clock.trouble()


def test_a_jump_forward_lets_no_deadline_expire_at_once() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(1, wall=300)
    assert clock.now() < int(1_000_002 * SECOND)


def test_a_jump_of_more_than_ten_minutes_waits_for_an_operator() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(1, wall=2 * WAIT_US / SECOND)
    for _ in range(100):
        hands.pass_by(60)
        clock.now()
    assert clock.now() == int((1_000_001 + 6000) * SECOND)
    assert "reload the configuration" in clock.trouble()
    clock.accept()
    assert clock.now() == int(hands.wall * SECOND)
    assert clock.trouble() == ""


def test_a_simulated_clock_stands_until_it_is_let_go_and_then_runs_ahead() -> None:
    hands = Hands()
    clock = ScaledClock(5 * SECOND, 60, lambda: hands.beat)
    hands.pass_by(10)
    clock.stand_at(8 * SECOND)
    assert clock.now() == 8 * SECOND
    clock.run()
    hands.pass_by(2)
    assert clock.now() == (8 + 120) * SECOND


def test_a_set_clock_wakes_whoever_waits_for_it() -> None:
    clock, condition, seen = SetClock(0), threading.Condition(), []

    def wait() -> None:
        with condition:
            while clock.now() < 10:
                clock.wait(condition, 10)
            seen.append(clock.now())

    waiting = threading.Thread(target=wait)
    waiting.start()
    while waiting.is_alive():
        clock.advance(1)
    assert seen[0] >= 10
