"""What a step of a fold yields. The store applies all of it, and the partition's offset, in one transaction."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rows import Rows


@dataclass(slots=True)
class DecisionBlock:
    """Scores with their features as they were, for the trainer and for scores.csv.

    `heads` are DECISION rows; `raw` (n, targets) int64 logits in 1/65536 before calibration, `probability` (n, targets)
    in 1/10,000; `office`, `category` int64 codes and `share` of the clock used (NaN without one) for reports.
    """

    heads: NDArray[Any]
    rows: Rows
    raw: NDArray[np.int64]
    probability: NDArray[np.uint16]
    office: NDArray[np.int64]
    category: NDArray[np.int64]
    share: NDArray[np.float32]
    learn: NDArray[np.bool_]


@dataclass(slots=True)
class Effects:
    """Everything a step yields, in the order of the entries.

    transitions : changes of warnings, JSON-able, ids and codes only (names are joined at the way out).
    intents : wishes to tell somebody. decisions : blocks. labels : LABEL rows. to_site : counts entries with their seq.
    verdicts : answers to commands. rejected : entries that were not applied, with reason and address.
    series : (place, category, at, count, expected, recurrence, ...) dicts of the site fold, for scores.csv.
    counts : how many entries were applied, duplicate, late, ... (Reason values and "applied").
    """

    transitions: list[dict[str, Any]] = field(default_factory=list)
    intents: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[DecisionBlock] = field(default_factory=list)
    labels: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    to_site: list[dict[str, Any]] = field(default_factory=list)
    to_signals: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Digest:
    """A hash chained over effects: equal for equal effects in equal order, whatever the frames they came in."""

    __slots__ = ("value",)

    def __init__(self, value: bytes = bytes(16)) -> None:
        self.value = value

    def add(self, effect: bytes) -> None:
        """Chain one effect's canonical bytes."""
        self.value = blake2b(self.value + effect, digest_size=16).digest()
