"""Decisions and labels of made-up subjects, for tests of what learns from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rows import DECISION, LABEL

DAY = 86_400_000_000


def subjects(numbers: NDArray[np.int64]) -> NDArray[Any]:
    return np.stack([numbers, numbers * 7], axis=1).astype(">u8").reshape(-1).view("V16")


def decisions(numbers: NDArray[np.int64], at: int | NDArray[np.int64], targets: int, number: int = 0) -> NDArray[Any]:
    heads = np.zeros(len(numbers), dtype=DECISION)
    heads["subject"], heads["at"], heads["number"], heads["open"] = subjects(numbers), at, number, targets
    return heads


def labels(
    numbers: NDArray[np.int64], y: NDArray[np.uint8], known_at: int | NDArray[np.int64], target: int = 0
) -> NDArray[Any]:
    out = np.zeros(len(numbers), dtype=LABEL)
    out["subject"], out["y"], out["known_at"], out["target"] = subjects(numbers), y, known_at, target
    return out
