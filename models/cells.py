"""Feature rows become cells: each column of each row falls into one numbered cell, shared by all learners and targets.

Code columns and combinations of them have a region of hashed cells each; value columns have one cell per quantile bin
and one for the missing value. A learner then needs only a number per cell. The cells of a frame are found once,
whatever the number of targets and learners. A collision of two codes of one column blurs a feature and no more.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learner import Index
from models.rows import Rows, Schema, Values

CODE_BITS = 14
"""Cells of one code column: 2**14."""
COMBINATION_BITS = 16
"""Cells of one combination of code columns: 2**16."""
BINS = 32
"""Quantile bins of one value column, at most."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SIGN = np.uint32(0x80000000)


class Cells:
    """Where each value of each column lies: `index` gives (width, n) cell numbers below `size`.

    Columns of the index are the code columns, then the combinations (every prefix of length >= 2 of `schema.pairs`),
    then the value columns. `edges` are the inner bin edges of the value columns, ascending; none means one bin.
    """

    def __init__(self, schema: Schema, edges: tuple[Values, ...] | None = None) -> None:
        self.schema = schema
        self.edges = edges if edges is not None else tuple(np.empty(0, np.float32) for _ in schema.values)
        prefixes = (pair[:length] for pair in schema.pairs for length in range(2, len(pair) + 1))
        self.combinations: tuple[tuple[str, ...], ...] = tuple(dict.fromkeys(prefixes))
        n_codes, n_combinations, n_values = len(schema.codes), len(self.combinations), len(schema.values)
        self.width = n_codes + n_combinations + n_values
        starts = [i << CODE_BITS for i in range(n_codes)]
        starts += [(n_codes << CODE_BITS) + (i << COMBINATION_BITS) for i in range(n_combinations)]
        self._bins_start = (n_codes << CODE_BITS) + (n_combinations << COMBINATION_BITS)
        self._offsets = np.array(starts, dtype=np.intp)[:, None]
        self._edge_keys = _edge_keys(self.edges)
        self.size = self._bins_start + len(self._edge_keys) + 1
        self._column_salt = (np.arange(n_values, dtype=np.uint64) << np.uint64(32))[:, None]
        self._members = _members(schema, self.combinations)

    def column_of(self, name: str) -> int:
        """Row of the index that belongs to a code or value column."""
        if name in self.schema.codes:
            return self.schema.codes.index(name)
        return len(self.schema.codes) + len(self.combinations) + self.schema.values.index(name)

    def owners(self) -> list[str]:
        """The schema column each row of the index speaks for: a combination speaks for its most special column."""
        return [*self.schema.codes, *(names[-1] for names in self.combinations), *self.schema.values]

    def region(self, column: int) -> tuple[int, int]:
        """First cell of a row of the index, and the first one after it."""
        n_hashed = len(self._offsets)
        if column < n_hashed:
            bits = CODE_BITS if column < len(self.schema.codes) else COMBINATION_BITS
            start = int(self._offsets[column, 0])
            return start, start + (1 << bits)
        salts = np.array([column - n_hashed, column - n_hashed + 1], dtype=np.uint64) << np.uint64(32)
        first, after = np.searchsorted(self._edge_keys, salts, side="left")
        return self._bins_start + int(first) + 1, self._bins_start + int(after) + 1

    def index(self, rows: Rows) -> Index:
        """Cell numbers of n rows, shape (width, n)."""
        out = np.empty((self.width, len(rows)), dtype=np.intp)
        n_codes, n_hashed = len(self.schema.codes), len(self._offsets)
        codes = np.zeros((n_codes + 1, len(rows)), dtype=np.uint64)
        codes[:n_codes] = rows.codes.T
        out[:n_codes] = ((codes[:n_codes] + np.uint64(1)) * _GOLDEN) >> np.uint64(64 - CODE_BITS)
        if self.combinations:
            mixed = np.zeros((len(self.combinations), len(rows)), dtype=np.uint64)
            for members in self._members:
                mixed += codes[members] + np.uint64(1)
                mixed *= _GOLDEN
                mixed ^= mixed >> np.uint64(29)
            out[n_codes:n_hashed] = (mixed * _GOLDEN) >> np.uint64(64 - COMBINATION_BITS)
        out[:n_hashed] += self._offsets
        keys = _ordered(rows.values.T) | self._column_salt
        out[n_hashed:] = np.searchsorted(self._edge_keys, keys, side="right") + self._bins_start
        return out

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The bin edges of all value columns in one array, and how many each column has."""
        counts = np.array([len(edges) for edges in self.edges], dtype=np.int32)
        return {"edges": np.concatenate([np.empty(0, np.float32), *self.edges]), "edge_counts": counts}

    @classmethod
    def from_arrays(cls, schema: Schema, arrays: dict[str, NDArray[Any]]) -> "Cells":
        """The cells whose `to_arrays` gave `arrays`."""
        stops = np.cumsum(arrays["edge_counts"])
        edges = np.split(np.asarray(arrays["edges"], np.float32), stops)[: len(schema.values)]
        return cls(schema, tuple(edges))


def quantile_edges(values: Values, bins: int = BINS) -> tuple[Values, ...]:
    """Inner edges that split each column of `values` (n, k) into at most `bins` bins of like population."""
    edges = []
    for column in values.T:
        known = column[~np.isnan(column)]
        if not len(known):
            edges.append(np.empty(0, np.float32))
            continue
        cuts = np.quantile(known, np.arange(1, bins) / bins, method="higher").astype(np.float32)
        edges.append(np.unique(cuts[cuts > known.min()] + np.float32(0.0)))
    return tuple(edges)


def _ordered(values: Values) -> NDArray[np.uint64]:
    """Unsigned integers in the order of the numbers; NaN is 0, below all."""
    bits = (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0.0)).view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return np.where(np.isnan(values), np.uint32(0), ordered).astype(np.uint64)


def _edge_keys(edges: tuple[Values, ...]) -> NDArray[np.uint64]:
    keys = [np.empty(0, np.uint64)]
    for column, cuts in enumerate(edges):
        # Two extra keys a column: one parts it from the column before, one parts the missing value from the numbers.
        own = np.concatenate([np.array([0, 1], dtype=np.uint64), _ordered(cuts)])
        keys.append(own | np.uint64(column << 32))
    return np.concatenate(keys)


def _members(schema: Schema, combinations: tuple[tuple[str, ...], ...]) -> list[NDArray[np.intp]]:
    """For each depth the code column of every combination; shorter ones repeat a column of zeros."""
    depth = max((len(names) for names in combinations), default=0)
    absent = len(schema.codes)
    positions = [[schema.codes.index(n) for n in names] + [absent] * (depth - len(names)) for names in combinations]
    return [np.array([row[level] for row in positions], dtype=np.intp) for level in range(depth)]
