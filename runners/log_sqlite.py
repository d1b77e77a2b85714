"""The logs of an embedded site: one SQLite file that holds frames, directory, redacted texts and dead letters.

One table per (log, partition) keeps frames as blobs under their offset, with a CRC-32 each. Whatever belongs to a
frame (names, matters, texts, dead letters, the source's position) is written in the frame's own transaction.
`synchronous=FULL` unless the input is the truth (a back-test). One writer, which alone checkpoints the WAL; no mmap.
"""

import errno
import fcntl
import os
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pipeline.errors import CorruptData, LogBusy, LogGap, NewerData

SCHEMA = 1
LOGS = ("signals", "readings", "site")

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (place INTEGER PRIMARY KEY, partition INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS names (code INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS matters (key BLOB PRIMARY KEY, partition INTEGER NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (partition INTEGER, offset INTEGER, idx INTEGER, text TEXT NOT NULL, until INTEGER,
  PRIMARY KEY (partition, offset, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deadletters (id INTEGER PRIMARY KEY, source TEXT, position TEXT, reason TEXT NOT NULL,
  field TEXT, detail TEXT, remedy TEXT, size INTEGER, sha256 TEXT, body BLOB, at INTEGER);
CREATE INDEX IF NOT EXISTS deadletters_reason ON deadletters (reason);
CREATE TABLE IF NOT EXISTS cursors (source TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (key BLOB PRIMARY KEY, content BLOB NOT NULL, at INTEGER NOT NULL,
  answer BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


class Lease:
    """An exclusive lock on a data directory, held while the process lives. Raises LogBusy."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "lease").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise LogBusy(
                f"{folder} is in use by process {holder}; stop it first, or use another --data folder"
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let go; the next process may take it."""
        self._file.close()


class Logs:
    """Append to and read the logs in one SQLite file.

    Parameters
    ----------
    path : of the file. durable : `synchronous=FULL` (else OFF). readonly : for command-line readers.
    clock : kind of a new log, `wall` or `recorded`; fixed at creation.
    """

    def __init__(self, path: Path, *, durable: bool = True, readonly: bool = False, clock: str = "recorded") -> None:
        self.path = path
        if readonly and not path.is_file():
            raise FileNotFoundError(f"no log at {path}; give the --data folder of a run or back-test")
        target = f"{path.absolute().as_uri()}?mode=ro" if readonly else str(path)
        self.db = sqlite3.connect(target, isolation_level=None, uri=readonly, check_same_thread=False)
        self._next: dict[tuple[str, int], int] = {}
        if not readonly:
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            self.db.execute("PRAGMA wal_autocheckpoint=8000")
            # What is erased is overwritten, whatever this SQLite was built with.
            self.db.execute("PRAGMA secure_delete=ON")
            self.db.executescript(_TABLES)
            if "at" not in [row[1] for row in self.db.execute("PRAGMA table_info(deadletters)")]:
                self.db.execute("ALTER TABLE deadletters ADD COLUMN at INTEGER")
            self.db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (str(SCHEMA),))
            self.db.execute("INSERT OR IGNORE INTO meta VALUES ('clock', ?)", (clock,))
        self.db.execute("PRAGMA cache_size=-6000")
        found = int(self.meta("schema") or 0)
        if found > SCHEMA:
            raise NewerData(f"{path} has schema {found}; this version reads up to {SCHEMA}: upgrade forewarn")
        self.clock = self.meta("clock") or clock
        self.is_wall = self.clock == "wall"

    def __enter__(self) -> "Logs":
        """The logs themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything appended inside is kept whole or not at all; durable when it leaves."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield
            self.db.execute("COMMIT")
        except BaseException as error:
            if self.db.in_transaction:  # SQLite itself goes back when the disk is full
                self.db.execute("ROLLBACK")
            self._next.clear()
            if isinstance(error, sqlite3.OperationalError) and is_full(error):
                raise OSError(errno.ENOSPC, f"{self.path}: {error}") from error
            raise

    def meta(self, key: str) -> str | None:
        """A remembered value of the file."""
        try:
            row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        except sqlite3.OperationalError:
            return None
        return row[0] if row else None

    def remember(self, key: str, value: str) -> None:
        """Set a value of the file."""
        self.db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def remember_first(self, key: str, value: str) -> str:
        """Set a value of the file where there is none; the one that stands."""
        self.db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        return self.meta(key) or value

    # frames -----------------------------------------------------------------------------------------------------

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Offset of the first of these frames, appended in order."""
        first = self.next_offset(log, partition)
        table = _table(log, partition)
        self.db.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?)",
            [(first + index, zlib.crc32(frame), frame) for index, frame in enumerate(frames)],
        )
        self._next[log, partition] = first + len(frames)
        return first

    def next_offset(self, log: str, partition: int) -> int:
        """The offset that the next frame will have."""
        known = self._next.get((log, partition))
        if known is None:
            table = _table(log, partition)
            self.db.execute(
                f"CREATE TABLE IF NOT EXISTS {table}"
                " (offset INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL)"
            )
            row = self.db.execute(f"SELECT max(offset) FROM {table}").fetchone()
            known = 0 if row[0] is None else row[0] + 1
            self._next[log, partition] = known
        return known

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` (and up to `until`), in order. Raises CorruptData, LogGap."""
        if (log, partition) not in self.partitions():
            return
        expected = after + 1
        table = _table(log, partition)
        cursor = self.db.execute(
            f"SELECT offset, crc, body FROM {table} WHERE offset > ? AND offset <= ? ORDER BY offset",
            (after, until if until is not None else 1 << 62),
        )
        for offset, crc, body in cursor:
            if offset != expected:
                raise LogGap(
                    f"{self.path}: {log}-{partition} has no frame {expected}; the next one is {offset}", next=offset
                )
            yield offset, _checked(body, crc, f"{self.path}: {log}-{partition} frame {offset}")
            expected += 1

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame by its offset, or None when it was pruned."""
        if (log, partition) not in self.partitions():
            return None
        row = self.db.execute(
            f"SELECT crc, body FROM {_table(log, partition)} WHERE offset = ?",
            (offset,),
        ).fetchone()
        return None if row is None else _checked(row[1], row[0], f"{self.path}: {log}-{partition} frame {offset}")

    def partitions(self) -> list[tuple[str, int]]:
        """Every (log, partition) that holds frames, sorted."""
        rows = self.db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*_[0-9]*'"
        ).fetchall()
        found = []
        for (name,) in rows:
            log, _, number = name.rpartition("_")
            if log in LOGS and number.isdigit():
                found.append((log, int(number)))
        return sorted(found)

    # what belongs to a frame -------------------------------------------------------------------------------------

    def name(self, names: Mapping[int, tuple[str, str]]) -> None:
        """Remember code -> (kind, name)."""
        self.db.executemany(
            "INSERT OR IGNORE INTO names VALUES (?, ?, ?)", [(code, kind, name) for code, (kind, name) in names.items()]
        )

    def names(self) -> dict[int, str]:
        """Every remembered code with its name."""
        return dict(self.db.execute("SELECT code, name FROM names"))

    def names_of(self, kind: str) -> dict[int, str]:
        """Codes with their names of one kind."""
        return dict(self.db.execute("SELECT code, name FROM names WHERE kind = ?", (kind,)))

    def named(self, code: int) -> str:
        """The name of one code, '' for none that is remembered."""
        row = self.db.execute("SELECT name FROM names WHERE code = ?", (code,)).fetchone()
        return row[0] if row else ""

    def direct(self, matters: Iterable[tuple[bytes, int, str]]) -> None:
        """Remember key, partition and readable id of matters; the first one stands."""
        self.db.executemany("INSERT OR IGNORE INTO matters VALUES (?, ?, ?)", matters)

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition and readable id of a matter."""
        row = self.db.execute("SELECT partition, name FROM matters WHERE key = ?", (key,)).fetchone()
        return (row[0], row[1]) if row else None

    def matter_key(self, name: str) -> bytes | None:
        """Key of a matter by its readable id (a scan; for people's questions only)."""
        row = self.db.execute(
            "SELECT key FROM matters WHERE name = ? OR substr(name, instr(name, '/') + 1) = ? LIMIT 1", (name, name)
        ).fetchone()
        return row[0] if row else None

    def matters(self) -> Iterator[tuple[bytes, str]]:
        """Every key with its readable id."""
        yield from self.db.execute("SELECT key, name FROM matters")

    def seats(self) -> dict[int, int]:
        """Partition of each place (by code) that was given one."""
        return dict(self.db.execute("SELECT place, partition FROM partitions"))

    def seat_places(self, seats: Mapping[int, int]) -> dict[int, int]:
        """Give places their partitions where they have none; all that stand then."""
        self.db.executemany("INSERT OR IGNORE INTO partitions VALUES (?, ?)", list(seats.items()))
        return self.seats()

    def seats_of(self, keys: Sequence[bytes]) -> list[int | None]:
        """Partition of each of these matters, None for one that nobody has seen."""
        query = "SELECT partition FROM matters WHERE key = ?"
        rows = (self.db.execute(query, (key,)).fetchone() for key in keys)
        return [row[0] if row else None for row in rows]

    def seat_matters(self, keys: Sequence[bytes], partitions: Sequence[int], names: Sequence[str]) -> list[int]:
        """Give matters their partitions where they have none; the partition of each that stands, in this order."""
        self.direct(zip(keys, partitions, names, strict=True))
        return [partition for partition in self.seats_of(keys) if partition is not None]

    def keep_texts(self, partition: int, offset: int, texts: Iterable[tuple[int, str]], until: int) -> None:
        """Keep redacted texts of a frame's entries until a day (µs UTC)."""
        self.db.executemany(
            "INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?)",
            [(partition, offset, index, text, until) for index, text in texts],
        )

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        row = self.db.execute(
            "SELECT text FROM texts WHERE partition = ? AND offset = ? AND idx = ?", (partition, offset, index)
        ).fetchone()
        return row[0] if row else None

    def erase_texts(self, before: int | None = None) -> int:
        """Erase texts whose retention ended before a moment (all of them by default); how many."""
        return self.db.execute("DELETE FROM texts WHERE until < ?", (1 << 62 if before is None else before,)).rowcount

    def bury(
        self, letters: Iterable[tuple[str, str, str, str, str, str, int, str, bytes]], at: int | None = None
    ) -> None:
        """Keep dead letters: source, position, reason, field, detail, remedy, size, sha256, redacted body.

        `at` is when they arrived (µs UTC), None in a log with a recorded clock.
        """
        self.db.executemany(
            "INSERT INTO deadletters (source, position, reason, field, detail, remedy, size, sha256, body, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*letter, at) for letter in letters],
        )

    def drop_letter(self, id: int) -> bool:
        """Erase one dead letter; False when there is none under this id."""
        return self.db.execute("DELETE FROM deadletters WHERE id = ?", (id,)).rowcount > 0

    def forget_letters(self, before: int) -> None:
        """Erase dead letters that arrived before a moment (µs UTC)."""
        self.db.execute("DELETE FROM deadletters WHERE at < ?", (before,))

    def deadletters(self, reason: str | None = None) -> list[dict[str, Any]]:
        """Dead letters, oldest first, of one reason or all."""
        cursor = self.db.execute(
            "SELECT id, source, position, reason, field, detail, remedy, size, sha256, body FROM deadletters"
            " WHERE ? IS NULL OR reason = ? ORDER BY id",
            (reason, reason),
        )
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def batch(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Hash of the content that came under a sender's key, and what was answered."""
        row = self.db.execute("SELECT content, answer FROM batches WHERE key = ?", (key,)).fetchone()
        return (row[0], row[1]) if row else None

    def keep_batch(self, key: bytes, content: bytes, at: int, answer: bytes) -> None:
        """Remember a request by its sender's key; part of the frame's transaction."""
        self.db.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?)", (key, content, at, answer))

    def forget_batches(self, before: int) -> None:
        """Forget requests that came before a moment (µs UTC)."""
        self.db.execute("DELETE FROM batches WHERE at < ?", (before,))

    def advance(self, source: str, position: int) -> None:
        """Remember how far a source was read; part of the frame's transaction."""
        self.db.execute(
            "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET position = excluded.position",
            (source, position),
        )

    def forget_cursor(self, source: str) -> None:
        """A source that has been read to its end, and is gone."""
        self.db.execute("DELETE FROM cursors WHERE source = ?", (source,))

    def position(self, source: str) -> int:
        """How far a source was read; 0 at first."""
        row = self.db.execute("SELECT position FROM cursors WHERE source = ?", (source,)).fetchone()
        return row[0] if row else 0

    def tally(self, counts: Mapping[str, int]) -> None:
        """Add to the edge's running counts (dead letters, dropped fields, masked identifiers)."""
        self.db.executemany(
            "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            list(counts.items()),
        )

    def tallies(self) -> dict[str, int]:
        """The edge's running counts."""
        return dict(self.db.execute("SELECT name, count FROM tallies ORDER BY name"))


def is_full(error: sqlite3.OperationalError) -> bool:
    """Whether nothing more could be written; once there is room again the same call succeeds."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _table(log: str, partition: int) -> str:
    if log not in LOGS or not re.fullmatch(r"\d+", str(partition)):
        raise ValueError(f"no such log: {log}-{partition}")
    return f"{log}_{partition}"


def _checked(body: bytes, crc: int, where: str) -> bytes:
    if zlib.crc32(body) != crc:
        raise CorruptData(
            f"{where}: checksum does not match; restore this file from a backup, or replay from a snapshot"
        )
    return body
