"""Workers on a real Kafka and a real PostgreSQL: what they fold is what a plain fold of the same logs gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.trial_kafka import TrialKafka
from tests.integration.working import Town, until


@pytest.fixture
def town(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Iterator[Town]:
    """A site where something has happened already."""
    made = Town(tmp_path, kafka, database, prefix)
    made.happen()
    yield made
    made.close()


def test_a_worker_folds_all_logs_to_what_a_plain_fold_of_them_gives(town: Town) -> None:
    with town.worker() as worker:
        until(town.is_folded, [worker])
        assert worker.stop() == 0
    assert town.store.count() > 20
    assert town.digests() == town.plain()
