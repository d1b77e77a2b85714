"""Every learner keeps every promise, and a learner that breaks one is found out."""

from collections.abc import Callable

import numpy as np
import pytest

from models.additive import Additive
from models.binned import Binned
from models.checks import PROMISES, Subject, batch_does_not_matter, noise_is_not_learned, the_obvious_is_learned
from models.fitting.learners import LEARNERS
from models.learner import Flags, Index, Units
from models.registry import SCORERS


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_keeps_its_promise(name: str, promise: Callable[[Subject], None]) -> None:
    promise(Subject(name, LEARNERS[name]))


def test_what_is_learned_can_be_scored() -> None:
    assert list(LEARNERS) == list(SCORERS)


class _Deaf(Binned):
    """Learns nothing from the labels."""

    def learn(self, index: Index, y: Flags, at: int) -> None:
        super().learn(index, np.roll(y, len(y) // 2), at)


def test_a_learner_that_does_not_listen_is_found_out() -> None:
    deaf = Subject("binned", lambda cells, prior, seed: _Deaf(cells, prior))
    noise_is_not_learned(deaf)
    with pytest.raises(AssertionError):
        the_obvious_is_learned(deaf)


class _Relative(Additive):
    """Scores a row by its distance to the lowest of its neighbours."""

    def score(self, index: Index) -> Units:
        raw = super().score(index)
        return raw - np.int64(raw.min())


class _Envious(Binned):
    def scorer(self, share: float) -> Additive | None:
        honest = super().scorer(share)
        return honest and _Relative(honest.base, honest.weights)


def test_a_scorer_that_looks_at_its_neighbours_is_found_out() -> None:
    with pytest.raises(AssertionError):
        batch_does_not_matter(Subject("binned", lambda cells, prior, seed: _Envious(cells, prior)))
