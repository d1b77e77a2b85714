"""Feature rows as every learner sees them: categorical codes and plain numbers, with a schema that names them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Schema:
    """Names of the columns of `Rows`: `codes` (uint32 hashes, 0 = missing) and `values` (float32, NaN = missing).

    `pairs` are the code columns whose products are worth a table of their own (hierarchical rate table), each a tuple
    of column names from general to special, for instance ("category", "office").
    """

    codes: tuple[str, ...]
    values: tuple[str, ...]
    pairs: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """n feature rows: codes of shape (n, len(schema.codes)), values of shape (n, len(schema.values))."""

    codes: Codes
    values: Values

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.codes)

    def take(self, index: NDArray[np.intp] | slice) -> "Rows":
        """The rows at `index`."""
        return Rows(self.codes[index], self.values[index])


DECISION = np.dtype(
    [
        ("subject", "V16"),
        ("at", "<i8"),
        ("number", "<u2"),
        ("open", "u1"),
        ("pad", "u1"),
        ("index", "<u4"),
        ("offset", "<i8"),
    ]
)
"""Head of one decision: who, when (µs UTC), which decision of the subject, bit mask of targets still undecided then,
and the address (offset, index) of the entry whose text indices belong to it. Its feature row lies beside it."""

LABEL = np.dtype([("subject", "V16"), ("known_at", "<i8"), ("target", "u1"), ("y", "u1"), ("pad", "V6")])
"""One matured outcome: subject, when it became known (µs UTC), which target, failed or not."""
