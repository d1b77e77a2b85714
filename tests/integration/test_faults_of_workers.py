"""Workers that are killed, frozen, replaced, more and fewer: everything accepted is folded once, whoever folds it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from runners.trial_kafka import TrialKafka
from tests.integration.agreement import must_agree
from tests.integration.herd import Feed, herd, lay_out
from tests.integration.working import Town

KILLS = int(os.environ.get("FOREWARN_KILLS", "20"))
SEED = int(os.environ.get("FOREWARN_SEED", "7"))


@pytest.fixture
def town(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Iterator[Town]:
    """A town where nothing has happened yet."""
    made = lay_out(tmp_path, kafka, database, prefix)
    yield made
    made.close()


def test_workers_that_are_killed_and_stopped_at_random_lose_nothing_and_do_nothing_twice(town: Town) -> None:
    chance = Random(SEED)
    with herd(town, ["one", "two", "fixed"]) as workers, Feed(town, SEED) as feed:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 1.8))
            workers.restart(chance.choice(sorted(workers.workers)), kill=chance.random() < 0.6)
        feed.end()
        workers.until_folded()
        folded = must_agree(town, feed)
    print(f"seed {SEED}: {KILLS} ends, {folded.frames} frames, {len(folded.transitions)} transitions")
