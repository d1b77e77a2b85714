"""What a console asks of a cluster's register: names, matters by number, redacted texts and dead letters."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, func, select, text
from sqlalchemy.engine import URL

from alerts.database import Database
from alerts.matter_number import plain_number
from alerts.matter_table import storable
from alerts.register_schema import deadletters, matters, names, texts
from pipeline.ids import key128

MATTERS = 100_000
"""Names of subjects that are remembered."""
FOUND = 200
"""Matters that a search finds at most."""
_LOOK_S = 2.0
"""How long the number of points may be behind: it is asked for with every request."""
_LAST = "\U0010ffff"
"""No number has anything behind it."""

_IS_POINT = text("kind = 'place' AND strpos(name, '/') > 0")
_END = func.reverse(matters.c.number)
_KNOWN = select(matters.c.key).where(matters.c.key == any_(bindparam("keys", type_=ARRAY(LargeBinary()))))
_LETTER = [deadletters.c[name] for name in ("id", "source", "position", "reason", "field", "detail", "remedy", "size")]
_LETTER.append(deadletters.c.sha256)


class Codes(Mapping[int, str]):
    """Code -> id, looked up when it is asked for first; a code keeps its name for ever."""

    def __init__(self, look: Callable[[int], str | None], every: Callable[[], list[int]]) -> None:
        self._look, self._every = look, every
        self._known: dict[int, str] = {}

    def __getitem__(self, code: int) -> str:
        """Id of a code. Raises KeyError."""
        name = self._known.get(code)
        if name is None:
            name = self._look(code)
            if name is None:
                raise KeyError(code)
            self._known[code] = name
        return name

    def __iter__(self) -> Iterator[int]:
        """All codes."""
        return iter(self._every())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._every())


class TableDirectory:
    """The directory of a running cluster. May be asked from any thread; every method raises StoreUnavailable.

    Parameters
    ----------
    address : of the database, or connections to it, which then are the caller's to close. seconds : a clock that only
    ever goes forward.
    """

    def __init__(self, address: URL | str | Path | Database, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._is_own = not isinstance(address, Database)
        self._database = address if isinstance(address, Database) else Database(address)
        self._seconds = seconds
        self._codes = Codes(self._name, self._every_code)
        self._matters: dict[bytes, tuple[int, str]] = {}
        self._points = (float("-inf"), 0)

    def close(self) -> None:
        """Let go of the connections."""
        if self._is_own:
            self._database.close()

    # names ------------------------------------------------------------------------------------------------------------

    def names(self) -> Mapping[int, str]:
        """Code -> id."""
        return self._codes

    def code(self, kind: str, name: str) -> int | None:
        """Code of a name that was met, None for another."""
        row = self._database.one(select(names.c.code).where(names.c.kind == kind, names.c.name == storable(name)))
        return None if row is None else int(row[0])

    def ids(self, kind: str, limit: int) -> list[str]:
        """Names of one kind that were met, in order."""
        query = select(names.c.name).where(names.c.kind == kind).order_by(names.c.name).limit(limit)
        return [name for (name,) in self._database.rows(query)]

    def points(self) -> list[tuple[int, str]]:
        """Codes and ids of points within places ("grid/point")."""
        return [(code, name) for code, name in self._database.rows(select(names.c.code, names.c.name).where(_IS_POINT))]

    def points_mark(self) -> int:
        """Another number once there are more points; it may be two seconds behind."""
        looked, count = self._points
        if self._seconds() - looked >= _LOOK_S:
            row = self._database.one(select(func.count()).select_from(names).where(_IS_POINT))
            looked, count = self._points = (self._seconds(), int(row[0]))
        return count

    # matters ----------------------------------------------------------------------------------------------------------

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition of a matter and its "source/id"."""
        found = self._matters.get(key)
        if found is None:
            row = self._database.one(select(matters.c.partition, matters.c.name).where(matters.c.key == key))
            if row is None:
                return None
            found = (row[0], row[1])
            if len(self._matters) >= MATTERS:
                self._matters.clear()
            self._matters[key] = found
        return found

    def search(self, text: str, sources: Iterable[str]) -> set[bytes]:
        """Keys of matters whose number is `text`, else of those whose number begins or ends so, 200 at most.

        Case and separators do not count, but for the whole number.
        """
        keys = [key128(source, text) for source in sources]
        exact = {bytes(key) for (key,) in self._database.rows(_KNOWN, {"keys": keys})}
        if exact:
            return exact
        plain = plain_number(text)
        if not plain:
            return set()
        found: list[Any] = []
        for column, begin in ((matters.c.number, plain), (_END, plain[::-1])):
            # A range in the order of an index; LIKE would read every matter.
            query = select(matters.c.key).where(column >= begin, column < begin + _LAST)
            found += self._database.rows(query.order_by(column.desc()).limit(FOUND))
        return {bytes(key) for (key,) in found[:FOUND]}

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        place = (texts.c.partition == partition, texts.c.offset == offset, texts.c.idx == index)
        row = self._database.one(select(texts.c.text).where(*place))
        return None if row is None else str(row[0])

    # dead letters -----------------------------------------------------------------------------------------------------

    def letters(self, source: str, reason: str, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Dead letters without their bodies, newest first; '' for any source or reason."""
        query = select(*_LETTER).order_by(deadletters.c["id"].desc()).limit(limit)
        if source:
            query = query.where(deadletters.c.source == storable(source))
        if reason:
            query = query.where(deadletters.c.reason == storable(reason))
        if before is not None:
            query = query.where(deadletters.c["id"] < before)
        return [dict(row._mapping) for row in self._database.rows(query)]

    def letter(self, id: int) -> dict[str, Any] | None:
        """One dead letter with its redacted body."""
        row = self._database.one(select(*_LETTER, deadletters.c.body).where(deadletters.c["id"] == id))
        return None if row is None else dict(row._mapping)

    def letter_reasons(self, source: str) -> dict[str, int]:
        """How many dead letters each reason has."""
        query = select(deadletters.c.reason, func.count()).group_by(deadletters.c.reason)
        if source:
            query = query.where(deadletters.c.source == storable(source))
        return {reason: count for reason, count in self._database.rows(query.order_by(deadletters.c.reason))}

    def _name(self, code: int) -> str | None:
        row = self._database.one(select(names.c.name).where(names.c.code == code))
        return None if row is None else str(row[0])

    def _every_code(self) -> list[int]:
        return [code for (code,) in self._database.rows(select(names.c.code))]
