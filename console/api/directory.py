"""What the console reads of log.db beside its one writer: names, matters, redacted dead letters. Read-only."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.ids import key128

_MATTERS = 100_000
"""Names of subjects that are remembered."""
_FOUND = 200
"""Matters that a search finds at most."""
_LETTER = "id, source, position, reason, field, detail, remedy, size, sha256"


class Codes(Mapping[int, str]):
    """Code -> id, looked up when it is asked for first; a code keeps its name for ever."""

    def __init__(self, log: "LogDirectory") -> None:
        self._log = log
        self._known: dict[int, str] = {}

    def __getitem__(self, code: int) -> str:
        """Id of a code. Raises KeyError."""
        name = self._known.get(code)
        if name is None:
            row = self._log.one("SELECT name FROM names WHERE code = ?", code)
            if row is None:
                raise KeyError(code)
            name = self._known[code] = str(row[0])
        return name

    def __iter__(self) -> Iterator[int]:
        """All codes."""
        return iter([code for (code,) in self._log.every("SELECT code FROM names")])

    def __len__(self) -> int:
        """How many there are."""
        return int(self._log.one("SELECT count(*) FROM names")[0])


class LogDirectory:
    """The directory of a running log. May be asked from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5.0
        )
        self._codes = Codes(self)
        self._matters: dict[bytes, tuple[int, str]] = {}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def one(self, query: str, *values: Any) -> Any:
        """The first row of a question, or None."""
        with self._lock:
            return self._db.execute(query, values).fetchone()

    def every(self, query: str, *values: Any) -> list[Any]:
        """All rows of a question."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def names(self) -> Mapping[int, str]:
        """Code -> id."""
        return self._codes

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition of a matter and its "source/id"."""
        found = self._matters.get(key)
        if found is None:
            row = self.one("SELECT partition, name FROM matters WHERE key = ?", key)
            if row is None:
                return None
            found = (row[0], row[1])
            if len(self._matters) >= _MATTERS:
                self._matters.clear()
            self._matters[key] = found
        return found

    def points(self) -> list[tuple[int, str]]:
        """Codes and ids of points within places ("grid/point")."""
        return self.every("SELECT code, name FROM names WHERE kind = 'place' AND instr(name, '/')")

    def search(self, text: str, sources: Iterator[str] | list[str]) -> set[bytes]:
        """Keys of matters whose number is `text`, else of those whose number has it within, 200 at most."""
        exact = {key for source in sources if self.matter(key := key128(source, text))}
        if exact:
            return exact
        plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = (
            "SELECT key FROM matters WHERE substr(name, instr(name, '/') + 1) LIKE ? ESCAPE '\\'"
            " ORDER BY name DESC LIMIT ?"
        )
        return {key for (key,) in self.every(query, f"%{plain}%", _FOUND)}

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        query = "SELECT text FROM texts WHERE partition = ? AND offset = ? AND idx = ?"
        row = self.one(query, partition, offset, index)
        return None if row is None else str(row[0])

    # dead letters --------------------------------------------------------------------------------------------------

    def letters(self, source: str, reason: str, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Dead letters without their bodies, newest first; '' for any source or reason."""
        rows = self.every(
            f"SELECT {_LETTER} FROM deadletters WHERE (? = '' OR source = ?) AND (? = '' OR reason = ?)"
            " AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
            source, source, reason, reason, before, before, limit,
        )  # fmt: skip
        return [dict(zip(_LETTER.split(", "), row, strict=True)) for row in rows]

    def letter(self, id: int) -> dict[str, Any] | None:
        """One dead letter with its redacted body."""
        row = self.one(f"SELECT {_LETTER}, body FROM deadletters WHERE id = ?", id)
        return None if row is None else dict(zip((*_LETTER.split(", "), "body"), row, strict=True))

    def letter_reasons(self, source: str) -> dict[str, int]:
        """How many dead letters each reason has."""
        query = "SELECT reason, count(*) FROM deadletters WHERE ? = '' OR source = ? GROUP BY reason ORDER BY reason"
        return {str(reason): int(count) for reason, count in self.every(query, source, source)}
