"""What every test shares: where the real data lies, and that its absence is loud."""

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
