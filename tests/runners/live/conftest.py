"""What the tests of a live site share: the town laid out in a folder of the test's own."""

from pathlib import Path

import pytest

from tests.runners.live.town import lay_out


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """The configuration of the town."""
    return lay_out(tmp_path / "town")
