"""A duty desk with the shipped rules, and desks with others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alerts.level import DEFAULT_LEVELS, LevelRules
from alerts.testing import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def desk_with() -> Callable[..., Desk]:
    """A desk whose levels all differ from the shipped ones by these fields."""

    def make(**changes: Any) -> Desk:
        blue, yellow, orange, red = (replace(each, **changes) for each in DEFAULT_LEVELS)
        return Desk(LevelRules((blue, yellow, orange, red), consequence=(10_000, 10_000)))

    return make
