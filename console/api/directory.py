"""What the console reads of log.db beside its one writer: names, matters, redacted dead letters. Read-only."""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alerts.directory import FOUND, MATTERS, Codes
from pipeline.ids import key128

_LETTER = "id, source, position, reason, field, detail, remedy, size, sha256"


class LogDirectory:
    """The directory of a running log. May be asked from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5.0
        )
        self._codes = Codes(self._name, self._every_code)
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

    def code(self, kind: str, name: str) -> int | None:
        """Code of a name that was met, None for another."""
        row = self.one("SELECT code FROM names WHERE kind = ? AND name = ?", kind, name)
        return None if row is None else int(row[0])

    def ids(self, kind: str, limit: int) -> list[str]:
        """Names of one kind that were met, in order."""
        query = "SELECT name FROM names WHERE kind = ? ORDER BY name LIMIT ?"
        return [name for (name,) in self.every(query, kind, limit)]

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition of a matter and its "source/id"."""
        found = self._matters.get(key)
        if found is None:
            row = self.one("SELECT partition, name FROM matters WHERE key = ?", key)
            if row is None:
                return None
            found = (row[0], row[1])
            if len(self._matters) >= MATTERS:
                self._matters.clear()
            self._matters[key] = found
        return found

    def points(self) -> list[tuple[int, str]]:
        """Codes and ids of points within places ("grid/point")."""
        return self.every("SELECT code, name FROM names WHERE kind = 'place' AND instr(name, '/')")

    def points_mark(self) -> int:
        """Another number once there are more points."""
        return int(self.one("SELECT count(*) FROM names")[0])

    def search(self, text: str, sources: Iterable[str]) -> set[bytes]:
        """Keys of matters whose number is `text`, else of those whose number has it within, 200 at most."""
        exact = {key for source in sources if self.matter(key := key128(source, text))}
        if exact:
            return exact
        # LIKE reads up to the character zero, and so would find everything.
        plain = text.replace("\0", "\ufffd").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = (
            "SELECT key FROM matters WHERE substr(name, instr(name, '/') + 1) LIKE ? ESCAPE '\\'"
            " ORDER BY name DESC LIMIT ?"
        )
        return {key for (key,) in self.every(query, f"%{plain}%", FOUND)}

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

    def _name(self, code: int) -> str | None:
        row = self.one("SELECT name FROM names WHERE code = ?", code)
        return None if row is None else str(row[0])

    def _every_code(self) -> list[int]:
        return [code for (code,) in self.every("SELECT code FROM names")]
