"""What a champion can be made of: one line per kind of scorer, by the name under which its arrays are published."""

from collections.abc import Callable, Mapping

from models.additive import Additive
from models.boosted import Boosted
from models.cells import Cells
from models.learner import Arrays, Scorer

SCORERS: Mapping[str, Callable[[Cells, Arrays], Scorer]] = {
    "rate_table": lambda cells, arrays: Additive.from_arrays(arrays),
    "binned": lambda cells, arrays: Additive.from_arrays(arrays),
    "boosting": Boosted,
}
