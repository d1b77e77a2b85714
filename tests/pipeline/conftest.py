"""County folds as the runners build them, with the rules of a test."""

from collections.abc import Callable
from typing import Any

import pytest

from config.learning import Target
from config.settings import Settings
from models.champion import Champion
from pipeline.rules import FoldRules
from pipeline.testing import Entry, Happening, Story, entry, fold, frames_of
from pipeline.topology import Topology
from runners.wiring import fold_rules, topology


class Bench:
    """One fold under test: tell it what happens, ask what came of it."""

    def __init__(self, rules: FoldRules) -> None:
        self.rules = rules
        self.models: dict[str, Champion] = {}
        self.fold = topology(rules, self.models)
        self.story = Story()
        self.offset = 0

    def tell(self, *happenings: Happening | Entry) -> Story:
        """Fold these as one frame."""
        entries = [entry(each) if isinstance(each, Happening) else each for each in happenings]
        fold(self.fold, frames_of(entries, first=self.offset), self.story)
        self.offset += 1
        return self.story

    def row(self, matter: bytes) -> Any:
        """The row that the fold keeps of a matter."""
        county = self.fold.county
        return county.matters.rows[county.matters.slot_of[matter]]


def rules_with(*targets: Target, **changes: Any) -> FoldRules:
    """Rules of the shipped settings with these targets and changes."""
    return fold_rules(Settings(targets=targets, **changes))


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Make a fold with the shipped settings, these targets and changes."""

    def make(*targets: Target, **changes: Any) -> Bench:
        return Bench(rules_with(*targets, **changes))

    return make


@pytest.fixture
def fresh() -> Callable[[FoldRules], Topology]:
    """Make an empty fold under rules."""
    return lambda rules: topology(rules, {})
