"""Whatever befalls a partition and the workers that think it theirs, each entry counts once and nothing is made up.

How long: FOREWARN_MACHINES (50) runs of FOREWARN_MACHINE_STEPS (30); FOREWARN_SEED (7) draws what happens.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from runners.trial_kafka import TrialKafka
from tests.integration.two_owners import Stage, TwoOwners

MACHINES = int(os.environ.get("FOREWARN_MACHINES", "50"))
STEPS = int(os.environ.get("FOREWARN_MACHINE_STEPS", "30"))
SEED = int(os.environ.get("FOREWARN_SEED", "7"))


def test_a_partition_that_changes_hands_in_any_way_is_folded_once(
    tmp_path: Path, kafka: TrialKafka, database: str, prefix: str
) -> None:
    TwoOwners.stage = Stage(tmp_path, kafka, database, prefix)
    try:
        run_state_machine_as_test(
            seed(SEED)(TwoOwners),
            settings=settings(
                max_examples=MACHINES, stateful_step_count=STEPS, deadline=None, database=None, print_blob=False,
                phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    finally:
        TwoOwners.stage.close()
