"""Joins decisions with the labels that come later, and holds each label back until its decision is old enough.

Delay depends on the label (late matters close late, repeats come early), so "all labels known today" is a biased
sample. A label is therefore used only once its decision is as old as the outcome's own window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.rows import DECISION, LABEL, Rows, Schema

DAY = 86_400_000_000


class EarlyLabel(AssertionError):
    """A label was handed over before it could have been known; whoever sends it leaks the future."""


@dataclass(frozen=True, slots=True)
class Matured:
    """Examples of one target in the order of use: rows, labels, raw scores given at the decision, if learned, and
    whether it was a later decision than its subject's first."""

    rows: Rows
    y: NDArray[np.uint8]
    raw: NDArray[np.int64]
    scored: NDArray[np.bool_]
    later: NDArray[np.bool_]


class Join:
    """Decisions that wait for labels and labels that wait for their decision to age."""

    def __init__(self, schema: Schema, hold_days: Sequence[float], patience_days: float) -> None:
        self._hold = np.array([round(days * DAY) for days in hold_days], dtype=np.int64)
        self._patience = round((max(hold_days, default=0.0) + patience_days) * DAY)
        self._heads = np.empty(0, dtype=DECISION)
        self._rows = no_rows(schema)
        self._raw = np.empty((0, len(hold_days)), dtype=np.int64)
        self._trained = np.empty((0, len(hold_days)), dtype=bool)
        self._labels = np.empty(0, dtype=LABEL)
        self._new: list[_Block] = []
        self._new_labels: list[NDArray[np.void]] = []
        self.waiting_labels = 0

    def __len__(self) -> int:
        """Decisions remembered."""
        return len(self._heads) + sum(len(block.heads) for block in self._new)

    def decide(self, heads: NDArray[np.void], rows: Rows, raw: NDArray[np.int64], trained: Sequence[bool]) -> None:
        """Remember n decisions, their rows, their raw scores (n, targets), and which targets' scores were learned."""
        self._new.append(_Block(heads.copy(), rows, raw, np.tile(np.array(trained, dtype=bool), (len(rows), 1))))

    def know(self, labels: NDArray[np.void]) -> None:
        """Remember labels until they may be used."""
        self._new_labels.append(labels.copy())
        self.waiting_labels += len(labels)

    def check(self, now: int) -> None:
        """Raises EarlyLabel if any label in hand is known only after `now`."""
        for labels in (self._labels, *self._new_labels):
            if len(labels) and labels["known_at"].max() > now:
                early = labels[np.argmax(labels["known_at"])]
                raise EarlyLabel(f"a label known at {early['known_at']} was handed over by {now}")

    def matured(self, now: int) -> list[Matured]:
        """Examples that may be used by `now`, for each target in the order (usable, known, subject, number)."""
        self._settle()
        pairs = self._pairs()
        ready = pairs[pairs["usable_at"] <= now]
        ready = ready[np.lexsort((ready["number"], ready["low"], ready["high"], ready["known_at"], ready["usable_at"]))]
        out = []
        for target in range(len(self._hold)):
            own = ready[ready["target"] == target]
            # A second label of the same decision changes nothing: the first one was the outcome.
            own = own[np.sort(np.unique(own["decision"], return_index=True)[1])]
            at = own["decision"]
            scored, later = self._trained[at, target], own["number"] != 0
            out.append(Matured(self._rows.take(at), own["y"], self._raw[at, target], scored, later))
            self._heads["open"][at] &= np.uint8(~(1 << target) & 0xFF)
        self._labels = self._labels[np.unique(pairs["label"][pairs["usable_at"] > now])]
        self.waiting_labels = len(self._labels)
        self._keep((self._heads["open"] != 0) & (self._heads["at"] + self._patience >= now))
        return out

    def _settle(self) -> None:
        if self._new:
            self._heads = np.concatenate([self._heads, *(block.heads for block in self._new)])
            self._rows = joined([self._rows, *(block.rows for block in self._new)])
            self._raw = np.concatenate([self._raw, *(block.raw for block in self._new)])
            self._trained = np.concatenate([self._trained, *(block.trained for block in self._new)])
            self._new = []
        if self._new_labels:
            self._labels = np.concatenate([self._labels, *self._new_labels])
            self._new_labels = []

    def _keep(self, mask: NDArray[np.bool_]) -> None:
        self._heads, self._rows = self._heads[mask], self._rows.take(np.flatnonzero(mask))
        self._raw, self._trained = self._raw[mask], self._trained[mask]

    def _pairs(self) -> NDArray[np.void]:
        """Every label beside each decision of its subject that was open for its target then."""
        high, low = _key(self._heads["subject"])
        label_high, label_low = _key(self._labels["subject"])
        order = np.argsort(high, kind="stable")
        first = np.searchsorted(high[order], label_high, side="left")
        count = np.searchsorted(high[order], label_high, side="right") - first
        label = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(label)) - np.repeat(np.cumsum(count) - count, count)
        decision = order[first[label] + within]
        known = self._labels[label]
        target = known["target"].astype(np.int64)
        fits = (low[decision] == label_low[label]) & ((self._heads["open"][decision] >> target) & 1).astype(bool)
        fits &= target < len(self._hold)
        decision, label, known, target = decision[fits], label[fits], known[fits], target[fits]
        pairs = np.empty(len(decision), dtype=_PAIR)
        pairs["decision"], pairs["label"], pairs["target"], pairs["y"] = decision, label, target, known["y"]
        pairs["known_at"], pairs["number"] = known["known_at"], self._heads["number"][decision]
        pairs["high"], pairs["low"] = high[decision], low[decision]
        pairs["usable_at"] = np.maximum(known["known_at"], self._heads["at"][decision] + self._hold[target])
        return pairs


@dataclass(frozen=True, slots=True)
class _Block:
    """The decisions of one call, not yet joined to the rest."""

    heads: NDArray[np.void]
    rows: Rows
    raw: NDArray[np.int64]
    trained: NDArray[np.bool_]


def no_rows(schema: Schema) -> Rows:
    """No rows, of the right widths."""
    return Rows(np.empty((0, len(schema.codes)), dtype=np.uint32), np.empty((0, len(schema.values)), dtype=np.float32))


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts in order, as a copy."""
    return Rows(np.concatenate([part.codes for part in parts]), np.concatenate([part.values for part in parts]))


_PAIR = np.dtype(
    [
        ("decision", "<i8"),
        ("label", "<i8"),
        ("target", "<i8"),
        ("y", "u1"),
        ("number", "<u2"),
        ("known_at", "<i8"),
        ("usable_at", "<i8"),
        ("high", "<u8"),
        ("low", "<u8"),
    ]
)


def _key(subject: NDArray[np.void]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A 128-bit subject as two unsigned halves in the order of its bytes."""
    halves = np.ascontiguousarray(subject).view(">u8").reshape(-1, 2).astype(np.uint64)
    return halves[:, 0], halves[:, 1]
