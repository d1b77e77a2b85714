"""The trainer beside a live site: asked by log time, answered in its own time, and started again when it dies."""

import os
import signal
from pathlib import Path

import pytest

from runners.clock import SetClock
from runners.live.site import Live
from runners.live.sources import plan
from runners.replay import replay
from tests.runners.live.test_files import until
from tests.runners.live.town import BEGIN, HOUR, lay_out, moment, record, run, running, send, until_folded

LEARNING = {"enabled": True, "min_labels": 50, "publish_every_hours": 6}


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """The town with one outcome that is known soon, and a trainer."""
    targets = [{"name": "breach", "rule": "breach", "window_days": 0.1, "hold_days": 0.1}]
    return lay_out(tmp_path / "town", targets=targets, learning=LEARNING)


def live_through(site: Live, clock: SetClock, first: int, hours: int) -> None:
    """So many hours with ten matters each; those of one category are late, the others closed in time."""
    for hour in range(first, first + hours):
        now = clock.now()
        numbers = range(10 * hour, 10 * hour + 10)
        send(site, "hotline", [record(n, at=now, due=moment(now + HOUR)) for n in numbers])
        clock.advance(HOUR // 2)
        send(site, "hotline", [record(n, "closed", at=clock.now()) for n in numbers if n % 2])
        clock.advance(HOUR // 2)
        run(until_folded(site))


def model_of(site: Live) -> int:
    """Version of the model in force."""
    return int(site.site.partitions[0].fold.grader.versions["model"])


def test_a_model_is_learned_from_the_labels_of_hours_and_put_in_force(school: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(school, tmp_path / "data", clock) as site:
        live_through(site, clock, 0, 12)
        until(site, lambda: site.trainer.figures()["lessons"] >= 1)
        until(site, lambda: model_of(site) >= 1)
        lessons = site.trainer.figures()["lessons"]
        live_through(site, clock, 12, 8)
        until(site, lambda: site.trainer.figures()["lessons"] > lessons)
    assert replay(tmp_path / "data").is_equal


def test_a_trainer_that_dies_stops_nothing_and_is_started_again(school: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(school, tmp_path / "data", clock) as site:
        site.trainer.rests_s = 0.0
        live_through(site, clock, 0, 9)
        until(site, lambda: site.trainer.state == "learning" or model_of(site) >= 1)
        pid = site.trainer.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        live_through(site, clock, 9, 9)
        until(site, lambda: model_of(site) >= 2)
        assert site.trainer.pid() != pid
    assert replay(tmp_path / "data").is_equal


def test_a_lesson_that_was_open_when_the_site_stopped_is_given_again(school: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(school, tmp_path / "data", clock) as site:
        live_through(site, clock, 0, 12)
        until(site, lambda: site.trainer.figures()["lessons"] >= 2)
    with running(school, tmp_path / "data", clock) as site:
        until(site, lambda: model_of(site) >= 2)


def test_without_learning_there_is_no_trainer(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        run(until_folded(site))
        assert site.trainer.state == "off"
        assert site.trainer.pid() is None


def test_a_plan_with_a_model_in_force_goes_on_with_it(school: Path, tmp_path: Path) -> None:
    clock = SetClock(BEGIN)
    with running(school, tmp_path / "data", clock) as site:
        live_through(site, clock, 0, 12)
        until(site, lambda: model_of(site) >= 1)
        version = model_of(site)
    site = Live(plan(school), tmp_path / "data", clock)
    try:
        assert model_of(site) == version
    finally:
        site.stop()
