"""Which warning is meant: an id, a prefix of one, or the id of a matter; and what to say when none or several are."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from alerts.store import Store
from pipeline.errors import ForewarnError
from runners.exports import rfc3339

LEAST_PREFIX = 4
"""Characters of an id that are worth looking up."""
_CLOSE = 5
_LISTED = 20
_EVERY = 1 << 31


class Matters(Protocol):
    """The directory of matters."""

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition and readable id of a matter."""
        ...

    def matter_key(self, name: str) -> bytes | None:
        """Key of a matter by its readable id or its number."""
        ...


class UnknownWarning(ForewarnError):
    """No warning or matter has the id `asked`; `close` are those that look like it."""

    def __init__(self, asked: str, close: Sequence[str], why: str = "no warning or matter has this id") -> None:
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        super().__init__(f"{asked!r}: {why}{hint}")
        self.asked, self.close = asked, tuple(close)


class AmbiguousWarning(ForewarnError):
    """Several warnings answer to `asked`; `matches` are their ids."""

    def __init__(self, asked: str, rows: Sequence[Mapping[str, Any]]) -> None:
        lines = [f"  {row['id']}  {row['state']}, last changed {rfc3339(row['at'])}" for row in rows[:_LISTED]]
        more = [f"  and {len(rows) - _LISTED} more"] if len(rows) > _LISTED else []
        super().__init__("\n".join([f"{asked!r} names {len(rows)} warnings; give one of these ids:", *lines, *more]))
        self.asked, self.matches = asked, tuple(row["id"] for row in rows)


def find_warning(store: Store, logs: Matters, asked: str) -> dict[str, Any]:
    """The row of the one warning that is meant: its id, else its matter's id, else a prefix of its id."""
    prefix = asked.lower()
    exact = store.warning(prefix)
    if exact is not None:
        return exact
    rows = store.queue(limit=_EVERY)
    key = logs.matter_key(asked) if asked else None
    known = logs.matter(key) if key else None
    if key is not None and known is not None and asked in (known[1], known[1].partition("/")[2]):
        found = [row for row in rows if row["subject"] == key.hex()]
        if not found:
            raise UnknownWarning(asked, (), "this matter never reached a level, so there is no warning to explain")
    else:
        found = [row for row in rows if len(prefix) >= LEAST_PREFIX and row["id"].startswith(prefix)]
    if not found:
        raise UnknownWarning(asked, _close(rows, logs, prefix))
    if len(found) > 1:
        raise AmbiguousWarning(asked, sorted(found, key=lambda row: (row["at"], row["id"])))
    return found[0]


def _close(rows: Sequence[Mapping[str, Any]], logs: Matters, asked: str) -> list[str]:
    """Ids of warnings and of their matters that share most characters with what was asked, at the same places."""
    names = [row["id"] for row in rows]
    for row in rows:
        matter = logs.matter(bytes.fromhex(row["subject"])) if row["kind"] == "matter" else None
        if matter:
            names.append(matter[1].partition("/")[2])
    if len(asked) < LEAST_PREFIX - 1:
        return []
    least = max(1, len(asked) - 2) if len(asked) <= LEAST_PREFIX * 2 else len(asked) // 2
    ranked = sorted((-_alike(asked, name.lower()), name) for name in dict.fromkeys(names))
    return [name for alike, name in ranked[:_CLOSE] if -alike >= least]


def _alike(one: str, other: str) -> int:
    """Equal characters, counted from the front or from the back: one wrong, lost or extra character costs little."""
    front = sum(a == b for a, b in zip(one, other, strict=False))
    back = sum(a == b for a, b in zip(reversed(one), reversed(other), strict=False))
    return max(front, back, _shared(one, other) + _shared(one[::-1], other[::-1]))


def _shared(one: str, other: str) -> int:
    for length, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return length
    return min(len(one), len(other))
