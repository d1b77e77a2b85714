"""The edge: signals by name become rows of hashes; texts are redacted, read for cues and hashed; the rest is refused.

The columns of a batch are built side by side and put into the array once: nothing here loops over fields per signal
in Python but the two hashes and the content.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.contract import TIME_UNIT_US, DataContract
from connectors.cues import cues
from connectors.deadletter import DeadLetter
from connectors.ngrams import Grams
from connectors.redact import Redactor
from connectors.screen import Screen, encoding_refusal, original
from pipeline.ids import code32, code64
from pipeline.signal import MAX_CODES, MAX_TARGETS, MAX_VALUES, SIGNAL, Signal, Step

NAMED = ("source", "category", "place", "office", "channel", "asset")
"""Fields of a signal whose names go to the directory under their 64-bit codes."""

_CACHE_NAMES = 1 << 17
_STEP_NAMES = {step: str(int(step)) for step in Step}
_columns = attrgetter(
    "id", "matter", "at", "step", "category", "place", "office", "channel", "asset", "due", "text",
    "codes", "values", "outcomes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came of a batch; all aligned lists follow `rows`, refused signals are in `rejected` alone.

    `rows`: SIGNAL, `now` left 0. `grams`, `gram_ends`: row i has grams[gram_ends[i-1]:gram_ends[i]]. `texts`: redacted,
    '' where there is none. `names`: code -> (kind, name) of names not seen before (a name may come again).
    `dropped`: undeclared attributes and outcomes, counted by field.
    """

    rows: NDArray[Any]
    grams: NDArray[np.uint32]
    gram_ends: NDArray[np.int64]
    texts: list[str]
    names: dict[int, tuple[str, str]]
    matters: list[str]
    ids: list[str]
    rejected: list[DeadLetter] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


class Edge:
    """Turns the signals of one source into rows.

    `targets`, `codes`, `values` name the bit or column of each outcome and attribute, in order. `key` is the secret of
    the edge; it must stay the same for a source as long as its log lives, or equal content would look different.
    """

    def __init__(
        self,
        *,
        source: str,
        contract: DataContract,
        redactor: Redactor,
        grams: Grams,
        targets: Sequence[str] = (),
        codes: Sequence[str] = (),
        values: Sequence[str] = (),
        known_categories: Collection[str] | None = None,
        known_places: Collection[str] | None = None,
        key: bytes,
        future_tolerance_s: float = 300,
    ) -> None:
        if len(targets) > MAX_TARGETS or len(codes) > MAX_CODES or len(values) > MAX_VALUES:
            raise ValueError(f"at most {MAX_TARGETS} targets, {MAX_CODES} codes and {MAX_VALUES} values")
        self.source = source
        self._redactor = redactor
        self._grams = grams
        self._bits = {name: 1 << position for position, name in enumerate(targets)}
        self._code_columns = {name: position for position, name in enumerate(codes)}
        self._value_columns = {name: position for position, name in enumerate(values)}
        self._screen = Screen(source, known_categories, known_places, round(future_tolerance_s * 1e6))
        self._unit_us = TIME_UNIT_US[contract.precision.time]
        self._prefix = source + "\x1f"
        self._content = blake2b(digest_size=8, key=blake2b(key, digest_size=32, person=b"content").digest())
        self._fresh: dict[int, tuple[str, str]] = {}
        self._names = {kind: _Codes(kind, self._fresh) for kind in NAMED}
        self._attributes: dict[tuple[str, str], int] = {}

    def admit(
        self, signals: Iterable[Signal], now_us: int | None = None, *, positions: Sequence[int] | None = None
    ) -> Admitted:
        """Rows of all signals that can be taken, dead letters of the rest.

        `now_us`: the moment of looking, against which times in the future are refused; None under a recorded clock.
        `positions`: line or row of each signal in its source, for the dead letters; else its place in the batch.
        """
        taken = list(signals)
        places = range(len(taken)) if positions is None else positions
        refusals = self._screen.refusals(taken, now_us)
        if not refusals:
            try:
                return self._rows(taken, [])
            except UnicodeEncodeError:  # rare enough to be looked for only when it happened
                refusals = {i: refused for i, signal in enumerate(taken) if (refused := encoding_refusal(signal))}
        else:
            for index, signal in enumerate(taken):
                if index not in refusals and (refused := encoding_refusal(signal)):
                    refusals[index] = refused
        rejected = [
            DeadLetter.of(self.source, places[index], refusals[index], original(taken[index]), self._redactor)
            for index in sorted(refusals)
        ]
        return self._rows([signal for index, signal in enumerate(taken) if index not in refusals], rejected)

    def _rows(self, signals: list[Signal], rejected: list[DeadLetter]) -> Admitted:
        count = len(signals)
        rows = np.zeros(count, SIGNAL)
        # A value that a signal does not bring is missing, not nought: it must not overwrite what an earlier one said.
        rows["values"] = np.nan
        if not count:
            empty = np.empty(0, np.uint32), np.empty(0, np.int64)
            return Admitted(rows, *empty, [], {}, [], [], rejected)
        columns = list(zip(*map(_columns, signals), strict=True))
        ids, matters, at, step, category, place, office, channel, asset, due, raw, codes, values, outcomes = columns
        self._put_keys(rows, ids, matters)
        cut = np.array(at, np.int64)
        rows["at"] = cut - cut % self._unit_us
        rows["due"] = due
        rows["step"] = step
        rows["source"] = self._names["source"][self.source]
        for kind, names in zip(NAMED[1:], (category, place, office, channel, asset), strict=True):
            rows[kind] = list(map(self._names[kind].__getitem__, names))
        rows["content"] = self._contents(columns)
        dropped: Counter[str] = Counter()
        self._put_maps(rows, codes, values, outcomes, dropped)
        texts, grams, ends = self._put_texts(rows, raw)
        fresh = dict(self._fresh)
        self._fresh.clear()
        return Admitted(rows, grams, ends, texts, fresh, list(matters), list(ids), rejected, dropped)

    def _put_keys(self, rows: NDArray[Any], ids: Sequence[str], matters: Sequence[str]) -> None:
        # the same bytes as pipeline.ids.key128(source, name), without its general joining
        prefix = self._prefix
        rows["id"] = np.frombuffer(
            b"".join([blake2b((prefix + name).encode(), digest_size=16).digest() for name in ids]), "V16"
        )
        rows["matter"] = np.frombuffer(
            b"".join([blake2b((prefix + name).encode(), digest_size=16).digest() for name in matters]), "V16"
        )

    def _contents(self, columns: list[tuple[Any, ...]]) -> NDArray[np.uint64]:
        _, matters, at, step, *names, due, texts, codes, values, outcomes = columns
        steps = map(_STEP_NAMES.__getitem__, step)
        fields = zip(matters, map(str, at), steps, *names, map(str, due), texts, strict=True)
        bodies = list(map("\x1f".join, fields))
        for index in [i for i, three in enumerate(zip(codes, values, outcomes, strict=True)) if any(three)]:
            maps = (sorted(found[index].items()) for found in (codes, values, outcomes))
            bodies[index] += "\x1e" + "\x1e".join(map(repr, maps))
        digests = []
        for body in bodies:
            digest = self._content.copy()
            digest.update(body.encode())
            digests.append(digest.digest())
        return np.frombuffer(b"".join(digests), "<u8")

    def _put_maps(
        self,
        rows: NDArray[Any],
        codes: Sequence[Any],
        values: Sequence[Any],
        outcomes: Sequence[Any],
        dropped: Counter[str],
    ) -> None:
        for index in [i for i, found in enumerate(codes) if found]:
            row = rows["codes"][index]
            for name, value in codes[index].items():
                column = self._code_columns.get(name)
                if column is None:
                    dropped[f"codes.{name}"] += 1
                elif value:
                    row[column] = self._attribute(name, value)
        for index in [i for i, found in enumerate(values) if found]:
            row = rows["values"][index]
            for name, value in values[index].items():
                column = self._value_columns.get(name)
                if column is None:
                    dropped[f"values.{name}"] += 1
                else:
                    row[column] = value
        for index in [i for i, found in enumerate(outcomes) if found]:
            for name, failed in outcomes[index].items():
                bit = self._bits.get(name)
                if bit is None:
                    dropped[f"outcomes.{name}"] += 1
                else:
                    rows["known"][index] |= bit
                    rows["value"][index] |= bit if failed else 0

    def _attribute(self, name: str, value: str) -> int:
        code = self._attributes.get((name, value))
        if code is None:
            if len(self._attributes) >= _CACHE_NAMES:
                self._attributes.clear()
            code = self._attributes[name, value] = code32(name, value)
            self._fresh[code] = (f"codes.{name}", value)
        return code

    def _put_texts(
        self, rows: NDArray[Any], raw: Sequence[str]
    ) -> tuple[list[str], NDArray[np.uint32], NDArray[np.int64]]:
        texts = [""] * len(raw)
        spoken = [index for index, text in enumerate(raw) if text]
        sizes = np.zeros(len(raw), np.int64)
        grams: NDArray[np.uint32] = np.empty(0, np.uint32)
        if spoken:
            redact = self._redactor.redact
            clean = [redact(raw[index]) for index in spoken]
            for index, text in zip(spoken, clean, strict=True):
                texts[index] = text
            rows["cues"][spoken] = list(map(cues, clean))
            grams, ends = self._grams.indices_many(clean)
            sizes[spoken] = np.diff(ends, prepend=0)
        return texts, grams, np.cumsum(sizes)


class _Codes(dict[str, int]):
    """Codes by name; a name that is not there yet is hashed and told as fresh. Forgets all when it grows too large."""

    def __init__(self, kind: str, fresh: dict[int, tuple[str, str]]) -> None:
        super().__init__({"": 0})
        self._kind = kind
        self._fresh = fresh

    def __missing__(self, name: str) -> int:
        if len(self) >= _CACHE_NAMES:
            self.clear()
            self[""] = 0
        code = self[name] = code64(name)
        self._fresh[code] = (self._kind, name)
        return code


def reporter_token(key: bytes, matter: str, contact: str) -> int:
    """Token (uint64) that tells distinct reporters of one matter apart: HMAC of matter id and contact.

    The same contact in two matters gives two unrelated tokens, so nobody can be followed across matters. Spaces,
    hyphens and case of the contact do not count.
    """
    plain = "".join(contact.casefold().split()).replace("-", "")
    body = len(matter.encode()).to_bytes(4, "little") + matter.encode() + plain.encode()
    secret = blake2b(key, digest_size=32, person=b"reporter").digest()
    return int.from_bytes(blake2b(body, digest_size=8, key=secret).digest(), "little")
