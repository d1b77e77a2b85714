"""Lines for a terminal: wrapped by columns, in which a Chinese character takes two, and free of control characters."""

import unicodedata
from collections.abc import Iterator

_NEVER_FIRST = frozenset("，。；：、）”！？,.;:)")
_NEVER_LAST = frozenset("（“(")


def wrapped(text: str, width: int, first: str = "", following: str = "") -> Iterator[str]:
    """Lines of at most `width` columns where words allow it; `first` and `following` begin them.

    >>> list(wrapped("请于今日更新进展，谢谢", 8))
    ['请于今日', '更新进', '展，谢谢']
    """
    line, used, is_empty = first, columns(first), True
    for piece in _pieces(text):
        if used + columns(piece.rstrip()) > width and not is_empty:
            yield line.rstrip()
            line, used, is_empty = following, columns(following), True
        line += piece
        used += columns(piece)
        is_empty = False
    yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """What must stay on one line: a word with its blanks, or a Chinese character with the marks that follow it."""
    piece = ""
    for here in text:
        before = piece[-1:]
        is_new = (before == " " and here != " ") or (_is_wide(before) and here != " ") or _is_wide(here)
        if piece and is_new and here not in _NEVER_FIRST and before not in _NEVER_LAST:
            yield piece
            piece = ""
        piece += here
    if piece:
        yield piece


def columns(text: str) -> int:
    """Columns that a text takes."""
    return sum(2 if _is_wide(each) else 1 for each in text)


def padded(text: str, width: int) -> str:
    """A text filled up with blanks to `width` columns."""
    return text + " " * (width - columns(text))


def plain(text: str) -> str:
    """Without control and direction characters: what came from outside must not steer a terminal.

    >>> plain("a\\x1b[31mred")
    'a [31mred'
    """
    return "".join(" " if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") else each for each in text)


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"
