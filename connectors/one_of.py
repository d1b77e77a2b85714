"""A regular expression for many words that the engine can skip through quickly."""

import re
from collections.abc import Iterable


def one_of(words: Iterable[str], *, bounded: bool = False) -> str:
    """Alternation of `words` with one branch per first character, longest words first.

    When every branch begins with a literal character, the engine looks for those characters alone and passes over the
    rest of the text. `bounded`: words that begin or end with an ASCII letter match at word boundaries only.
    """
    branches: dict[str, list[str]] = {}
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        end = r"\b" if bounded and word[-1].isascii() else ""
        branches.setdefault(word[0], []).append(re.escape(word[1:]) + end)
    parts = []
    for first, rests in sorted(branches.items()):
        begin = "(?<![A-Za-z0-9].)" if bounded and first.isascii() else ""
        parts.append(f"{re.escape(first)}{begin}(?:{'|'.join(rests)})")
    return "|".join(parts)
