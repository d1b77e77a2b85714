"""What every test shares: where the real data lies, a real PostgreSQL, and that the absence of either is loud."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A real PostgreSQL is asked for beside tests/integration too: what runs on both databases is tested on both.
from tests.integration.conftest import database, postgres

__all__ = ["database", "postgres"]

settings.register_profile("forewarn", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("forewarn")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the public data sets; skips loudly without them, fails instead under FOREWARN_REQUIRE_REAL=1."""
    folder = Path(os.environ.get("FOREWARN_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        message = f"the public data sets are not at {folder}; set FOREWARN_DATA to their folder"
        if os.environ.get("FOREWARN_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Of a store that is not there yet, in each of the two databases."""
    if request.param == "sqlite":
        return tmp_path / "store.db"
    return str(request.getfixturevalue("database"))
