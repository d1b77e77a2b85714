"""One town while workers and servers break: all that was accepted is folded once, and to what a plain fold gives.

Two workers fold, `one` and `fixed`; the second comes back as the member that it was. Each test breaks something while
matters and readings come in, waits until all is folded, and compares. How often and how long: FOREWARN_KILLS (20),
FOREWARN_OUTAGE_S (6); FOREWARN_SEED (7) draws who is hurt and when, and what happens in the town.
"""

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from tests.integration.agreement import must_agree
from tests.integration.herd import SESSION_S, Feed, Herd, herd, lay_out
from tests.integration.working import until

KILLS = int(os.environ.get("FOREWARN_KILLS", "20"))
OUTAGE_S = float(os.environ.get("FOREWARN_OUTAGE_S", "6"))
SEED = int(os.environ.get("FOREWARN_SEED", "7"))
BUSY = 0.2
"""Of one CPU: more a worker may not use while it waits."""


@dataclass(frozen=True)
class Scene:
    """A town that lives, and who folds."""

    herd: Herd
    feed: Feed

    def must_agree(self) -> None:
        """Nothing more comes; all is folded and as it should be. The pace of the feed does not matter."""
        self.feed.end()
        begun = time.monotonic()
        self.herd.until_folded()
        settled = time.monotonic()
        folded = must_agree(self.herd.town, self.feed)
        print(
            f"seed {SEED}: {folded.frames} frames, {len(folded.transitions)} transitions; all folded after"
            f" {settled - begun:.1f} s, compared in {time.monotonic() - settled:.1f} s"
        )


@pytest.fixture(scope="module")
def town_that_lives(
    tmp_path_factory: pytest.TempPathFactory, kafka: TrialKafka, postgres: TrialPostgres
) -> Iterator[Scene]:
    """One for all tests of this module."""
    town = lay_out(tmp_path_factory.mktemp("town"), kafka, postgres.database(), f"t{uuid.uuid4().hex[:10]}")
    with herd(town, ["one", "fixed"]) as workers:
        yield Scene(workers, Feed(town, SEED))
    town.close()


@pytest.fixture
def scene(town_that_lives: Scene) -> Iterator[Scene]:
    """Two workers own everything, and the town lives."""
    town_that_lives.herd.only("one", "fixed")
    with town_that_lives.feed:
        yield town_that_lives


def test_workers_that_end_at_random_lose_nothing_and_do_nothing_twice(scene: Scene) -> None:
    chance = Random(SEED)
    scene.herd.start("two")
    for _ in range(KILLS):
        if chance.random() < 0.6:
            scene.herd.until_some_progress()
        time.sleep(chance.uniform(0.0, 0.8))
        scene.herd.restart(chance.choice(sorted(scene.herd.workers)), kill=chance.random() < 0.6)
    print("ended", KILLS, "times")
    scene.must_agree()


def test_workers_become_more_and_are_replaced_one_by_one_and_become_fewer(scene: Scene) -> None:
    scene.herd.only("one")
    scene.herd.only("one", "fixed")
    scene.herd.only("one", "fixed", "three")
    for name in ("one", "fixed"):
        scene.herd.restart(name, kill=False)
        scene.herd.until_owned()
    scene.herd.only("three")
    scene.must_agree()


def test_a_frozen_worker_that_wakes_as_nobody_s_owner_changes_nothing(scene: Scene) -> None:
    workers, everything = scene.herd.workers, len(scene.herd.town.places)
    scene.feed.heap(150)
    scene.herd.freeze("one")
    until(lambda: workers["fixed"].owns() == everything)
    scene.herd.until_some_progress(50)
    scene.herd.wake("one")
    until(lambda: workers["one"].owns() < everything and sum(each.owns() for each in workers.values()) == everything)
    refused = sum(each.metric("forewarn_worker_fence_refusals_total") for each in workers.values())
    print(f"frozen while it had work; {refused:.0f} transactions were refused")
    scene.must_agree()


def test_a_broker_that_is_away_is_waited_for_without_haste_and_caught_up_with(scene: Scene, kafka: TrialKafka) -> None:
    kafka.kill(1)
    try:
        busy = waiting(scene.herd)
    finally:
        kafka.start_broker(1)
    begun = time.monotonic()
    scene.must_agree()
    drained = time.monotonic() - begun
    print(f"waiting: {busy:.1%} of a CPU; drained in {drained:.1f} s after {OUTAGE_S:.0f} s")
    assert busy < BUSY
    assert drained < 2 * OUTAGE_S


def test_a_database_that_is_killed_and_then_hangs_is_waited_for_without_haste(
    scene: Scene, postgres: TrialPostgres
) -> None:
    scene.feed.heap(40)
    postgres.kill()
    try:
        busy = waiting(scene.herd)
    finally:
        postgres.start()
    scene.herd.until_some_progress()
    scene.feed.heap(40)
    postgres.pause()
    time.sleep(2 * SESSION_S)
    postgres.resume()
    scene.must_agree()
    assert busy < BUSY


def test_records_that_nobody_can_read_are_passed_over_and_kept_as_dead_letters(scene: Scene) -> None:
    town = scene.herd.town
    scene.herd.until_some_progress(20)
    good = town.logs.frame("signals", 1, 1)
    assert good is not None
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0x10
    poison = {("signals", 0): [b"no frame", b""], ("signals", 1): [bytes(flipped)], ("readings", 1): [good[:-3]]}
    for place, bodies in poison.items():
        town.logs.append(*place, bodies)
    scene.herd.until_some_progress(20)
    scene.must_agree()
    told = town.store.tallies()
    assert (told["signals"]["unreadable"], told["readings"]["unreadable"]) == (3, 1)


def waiting(workers: Herd) -> float:
    """Through an outage: the most that one of them needed, as part of one CPU. The first second is to notice."""
    time.sleep(1.0)
    before = {name: worker.cpu_s() for name, worker in workers.workers.items()}
    time.sleep(OUTAGE_S - 1.0)
    assert all(worker.process.poll() is None for worker in workers.workers.values())
    return max(worker.cpu_s() - before[name] for name, worker in workers.workers.items()) / (OUTAGE_S - 1.0)
