"""Real servers for these tests. What a machine lacks is said loudly; under FOREWARN_REQUIRE_REAL=1 it is a failure.

`kafka` and `postgres` run once per test process and start when a test first asks for them; `kafka3` has three brokers,
runs for one module, and may be hurt. Every test gets a `database` and a topic `prefix` of its own.
"""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from runners.trial.process import PartMissing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs real parts."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """A folder that goes in the end, and that another system user can reach; says what is missing."""
    try:
        with tempfile.TemporaryDirectory(prefix="forewarn-test-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            yield folder
    except PartMissing as error:
        if os.environ.get("FOREWARN_REQUIRE_REAL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka() -> Iterator[TrialKafka]:
    """One broker for all tests of the process; whoever hurts it mends it."""
    with folder_for_servers() as folder, TrialKafka(folder) as server:
        yield server


@pytest.fixture(scope="module")
def kafka3() -> Iterator[TrialKafka]:
    """Three brokers for one module, with the node ids 1, 2 and 3."""
    with folder_for_servers() as folder, TrialKafka(folder, brokers=3, heap_mib=320) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[TrialPostgres]:
    """One PostgreSQL for all tests of the process; whoever hurts it mends it."""
    with folder_for_servers() as folder, TrialPostgres(folder) as server:
        yield server
        # Stopped in order, it would write databases to the disk that go the moment after.
        server.kill()


@pytest.fixture
def database(postgres: TrialPostgres) -> str:
    """URL of an empty database; it goes with the server, since dropping one waits for the disk."""
    return postgres.database()


@pytest.fixture
def prefix() -> str:
    """A prefix of topics that nobody else has."""
    return f"t{uuid.uuid4().hex[:10]}"
