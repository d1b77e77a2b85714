"""Keyed character n-grams: text becomes bucket numbers, and only these travel in frames.

Each document is padded by one sentinel on either side; its bigrams and trigrams are hashed with a table drawn from the
key (SHAKE-256), and the buckets come sorted and without repeats: their order, which would give the text away to
who holds the key, is not kept. Full-width forms and capitals count as their plain ones; characters past U+FFFF share
one symbol. Integer arithmetic on little-endian words alone, so every machine gives the same buckets.
"""

from collections.abc import Sequence
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray

BITS = 18
BUCKETS = 1 << BITS
"""Number of buckets; indices are below it."""
MAX_CHARS = 4_096
"""Characters of a text that are hashed; what follows adds nothing to the features."""

_SYMBOLS = 1 << 16
_BATCH_CHARS = 1 << 18


class Grams:
    """Hashes texts to sorted, distinct bucket numbers below 2**18. `key`: secret of the edge, any length."""

    def __init__(self, key: bytes) -> None:
        stream = shake_256(b"forewarn n-grams 1\0" + key).digest(4 * _SYMBOLS + 12)
        table = np.frombuffer(stream, "<u4", _SYMBOLS).copy()
        odd = np.frombuffer(stream, "<u4", 3, 4 * _SYMBOLS) | np.uint32(1)
        self._table = _plain_forms(table)
        self._step, self._mix_two, self._mix_three = (np.uint32(word) for word in odd)

    def indices(self, text: str) -> NDArray[np.uint32]:
        """Buckets of one text, sorted, without repeats."""
        return self.indices_many([text])[0]

    def indices_many(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Buckets of all texts in one flat array, and where each text's end: text i has flat[ends[i-1]:ends[i]]."""
        texts = [text if len(text) <= MAX_CHARS else text[:MAX_CHARS] for text in texts]
        flats: list[NDArray[np.uint32]] = []
        counts: list[NDArray[np.int64]] = []
        for batch in _batches(texts):
            flat, count = self._hash(batch)
            flats.append(flat)
            counts.append(count)
        if not flats:
            return np.empty(0, np.uint32), np.empty(0, np.int64)
        return np.concatenate(flats), np.cumsum(np.concatenate(counts), dtype=np.int64)

    def _hash(self, texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        joined = "\0" + "\0".join(texts) + "\0"
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        symbols = self._table[np.minimum(points, _SYMBOLS - 1)]
        pairs = symbols[:-1] * self._step + symbols[1:]
        triples = pairs[:-1] * self._step + symbols[2:]
        spans = np.where(sizes > 0, sizes + 1, 1)
        owner = np.repeat(np.arange(len(texts), dtype=np.uint64) << np.uint64(BITS), spans)
        within = _inside(sizes, spans)
        two = owner | _bucket(pairs, self._mix_two)
        three = owner[:-1] | _bucket(triples, self._mix_three)
        # position p starts a bigram of its owner always, a trigram only where the middle is not the next sentinel;
        # an empty text owns a bigram of two sentinels, which says nothing
        words = np.concatenate([two[within >= 0], three[within[:-1] > 0]])
        words.sort()
        fresh = np.ones(len(words), np.bool_)
        np.not_equal(words[1:], words[:-1], out=fresh[1:])
        words = words[fresh]
        ends = np.searchsorted(words, np.arange(1, len(texts) + 1, dtype=np.uint64) << np.uint64(BITS))
        return (words & np.uint64(BUCKETS - 1)).astype(np.uint32), np.diff(ends, prepend=0).astype(np.int64)


def _inside(sizes: NDArray[np.int64], spans: NDArray[np.int64]) -> NDArray[np.int8]:
    """Per position: 1 begins a trigram, 0 only a bigram (last character), -1 nothing (the empty text)."""
    within = np.ones(int(spans.sum()), np.int8)
    within[np.cumsum(spans) - 1] = np.where(sizes > 0, 0, -1)
    return within


def _bucket(words: NDArray[np.uint32], odd: np.uint32) -> NDArray[np.uint32]:
    return ((words ^ (words >> np.uint32(15))) * odd) >> np.uint32(32 - BITS)


def _plain_forms(table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Full-width forms and capitals get the words of their plain lower-case forms."""
    table[0xFF01:0xFF5F] = table[0x21:0x7F]
    table[0x3000] = table[0x20]
    table[0x41:0x5B] = table[0x61:0x7B]
    table[0xFF21:0xFF3B] = table[0x61:0x7B]
    return table


def _batches(texts: list[str]) -> list[list[str]]:
    """Runs of texts whose characters together stay in cache."""
    batches: list[list[str]] = []
    room = 0
    for text in texts:
        if room <= 0:
            batches.append([])
            room = _BATCH_CHARS
        batches[-1].append(text)
        room -= len(text) + 1
    return batches
