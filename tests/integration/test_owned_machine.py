"""Whatever befalls a partition and the workers that think it theirs, each entry counts once and nothing is made up.

How long: FOREWARN_MACHINES (20) runs of FOREWARN_MACHINE_STEPS (30); FOREWARN_SEED (7) draws what happens.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from pipeline.errors import CorruptData
from runners.trial.kafka import TrialKafka
from tests.integration.two_owners import Stage, TwoOwners

MACHINES = int(os.environ.get("FOREWARN_MACHINES", "20"))
STEPS = int(os.environ.get("FOREWARN_MACHINE_STEPS", "30"))
SEED = int(os.environ.get("FOREWARN_SEED", "7"))


@pytest.fixture
def stage(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Iterator[Stage]:
    """Topics and a database."""
    made = TwoOwners.stage = Stage(tmp_path, kafka, database, prefix)
    yield made
    made.close()


def test_a_partition_that_changes_hands_in_any_way_is_folded_once(stage: Stage) -> None:
    run_state_machine_as_test(
        seed(SEED)(TwoOwners),
        # Not made smaller when it fails: on real parts the same steps may end in another way.
        settings=settings(
            max_examples=MACHINES, stateful_step_count=STEPS, deadline=None, database=None, print_blob=False,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_a_state_is_not_made_again_without_frames_that_it_came_from(stage: Stage) -> None:
    machine = TwoOwners()
    machine.live(["comes"] * 6, [("one", 8, 0, 0)])
    stage.forget(machine.place, 4)
    with pytest.raises(CorruptData, match=r"frames 0 to 3 were folded, the log no longer has them, and no checkpoint"):
        machine.be_overtaken([], "other", "other")


def test_what_was_lost_at_first_may_be_missing_when_a_state_is_made_again(stage: Stage) -> None:
    machine = TwoOwners()
    machine.live(["comes"] * 6, [("one", 1, 0, 0)])
    machine.write_checkpoint("one", is_end=True)
    machine.forget(1.0)
    stage.forget(machine.place, 4)
    machine.first = 4
    machine.live([], [("one", 8, 0, 0), ("other", 8, 0, 0)])
    machine.teardown()
    assert stage.store.lost(*machine.place) == [(1, 3)]
