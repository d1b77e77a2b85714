"""The learners that make up the champion: one line each. Their names are those of `models.registry.SCORERS`."""

from collections.abc import Callable, Mapping

from models.binned import Binned
from models.cells import Cells
from models.fitting.boosting import Boosting
from models.learner import Learner
from models.rate_table import RateTable

LEARNERS: Mapping[str, Callable[[Cells, float, int], Learner]] = {
    "rate_table": lambda cells, prior, seed: RateTable(cells, prior),
    "binned": lambda cells, prior, seed: Binned(cells, prior),
    "boosting": lambda cells, prior, seed: Boosting(cells, prior, seed=seed),
}
