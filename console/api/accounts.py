"""Accounts of people: passwords, sessions, one-time sign-in tokens; `accounts.db`, written with `synchronous=FULL`.

Only hashes of secrets are stored. Every method is one short transaction and may be called from any thread.
"""

import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from console.api.passwords import hashed, is_right, needs_rehash, password_problem
from console.api.shapes import Role
from pipeline.errors import ForewarnError, NewerData

SCHEMA = 1
MINUTE_US = 60_000_000
IDLE_US = 30 * MINUTE_US
"""A session that nobody uses ends; an open page's stream is use."""
LIFE_US = 14 * 60 * MINUTE_US
"""A session ends however much it is used: a twelve-hour shift and its hand-over."""
TOKEN_US = 30 * MINUTE_US
_SEEN_US = MINUTE_US
"""How exactly the last use is remembered; every use would be a write."""
_NAME = re.compile(r"[\w][\w.@\- ]{0,62}[\w]|[\w]")

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT,
  role TEXT NOT NULL, office TEXT NOT NULL, post TEXT NOT NULL, area TEXT NOT NULL, created INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sessions (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id),
  created INTEGER NOT NULL, seen INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user);
CREATE TABLE IF NOT EXISTS tokens (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id),
  until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, hash BLOB NOT NULL, source TEXT NOT NULL, scopes TEXT NOT NULL,
  area TEXT NOT NULL, created INTEGER NOT NULL, until INTEGER, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
"""


class AccountError(ForewarnError):
    """An account that cannot be made or changed as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """An account. `area`: id of the place whose subtree it sees. `office`: id, '' for none."""

    id: int
    name: str
    role: Role
    office: str
    post: str
    area: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that stands. `csrf` proves that a request comes from its page. `until`: its end, µs UTC."""

    user: User
    csrf: str
    until: int


class Accounts:
    """The accounts of one site.

    Parameters
    ----------
    path : of the file; made when it is not there. clock : wall time in µs UTC.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(_TABLES)
        self._db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (str(SCHEMA),))
        found = int(self._db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0])
        if found > SCHEMA:
            raise NewerData(f"{path} has schema {found}; this version knows up to {SCHEMA}: upgrade forewarn")
        path.chmod(0o600)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time; kept whole or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def one(self, query: str, *values: Any) -> Any:
        """The first row of a question, or None."""
        with self._lock:
            return self._db.execute(query, values).fetchone()

    def every(self, query: str, *values: Any) -> list[Any]:
        """All rows of a question."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # users ---------------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None = None,
        office: str = "",
        post: str = "",
        area: str = "root",
    ) -> User:
        """Make an account; without a password it can sign in by token only. Raises AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError(f"{name!r} is no account name; use 1 to 64 letters, digits, and . @ - _ inside")
        secret = None if password is None else self._hashed(name, password)
        with self.transaction() as db:
            if db.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
                raise AccountError(f"there is an account {name!r} already; choose another name or change that one")
            db.execute(
                "INSERT INTO users (name, password, role, office, post, area, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, secret, role, office, post, area, self.clock()),
            )
        return self.user(name)

    def user(self, name: str) -> User:
        """An account by its name. Raises AccountError."""
        row = self.one(f"SELECT {_USER} FROM users AS u WHERE name = ?", name)
        if row is None:
            raise AccountError(f"there is no account {name!r}; `users` lists them")
        return _user(row)

    def is_known(self, name: str) -> bool:
        """Whether there is an account of this name."""
        return self.one("SELECT 1 FROM users WHERE name = ?", name) is not None

    def users(self) -> list[User]:
        """All accounts by name."""
        return [_user(row) for row in self.every(f"SELECT {_USER} FROM users AS u ORDER BY name")]

    def set_password(self, name: str, password: str) -> None:
        """Set a new password and end all sessions of the account. Raises AccountError."""
        user = self.user(name)
        secret = self._hashed(name, password)
        with self.transaction() as db:
            db.execute("UPDATE users SET password = ? WHERE id = ?", (secret, user.id))
            db.execute("DELETE FROM sessions WHERE user = ?", (user.id,))

    def change(self, name: str, *, role: Role, office: str, post: str, area: str) -> User:
        """Give an account another role, office, post or area; what it holds changes at its next request."""
        user = self.user(name)
        with self.transaction() as db:
            values = (role, office, post, area, user.id)
            db.execute("UPDATE users SET role = ?, office = ?, post = ?, area = ? WHERE id = ?", values)
        return self.user(name)

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Take an account out of use, with all its sessions and tokens; or put it back."""
        user = self.user(name)
        with self.transaction() as db:
            db.execute("UPDATE users SET disabled = ? WHERE id = ?", (int(disabled), user.id))
            if disabled:
                db.execute("DELETE FROM sessions WHERE user = ?", (user.id,))
                db.execute("DELETE FROM tokens WHERE user = ?", (user.id,))

    # signing in ----------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> tuple[str, Signed] | None:
        """A new session by password: its secret for the cookie, and what it is; None where anything is wrong."""
        row = self.one("SELECT id, password, disabled FROM users WHERE name = ?", name)
        stored = row[1] if row else None
        # An account that is not there takes as long as a wrong password.
        if not is_right(stored, password) or row is None or row[2]:
            return None
        if stored is not None and needs_rehash(stored):
            with self.transaction() as db:
                db.execute("UPDATE users SET password = ? WHERE id = ?", (hashed(password), row[0]))
        return self._begin(row[0])

    def token(self, name: str, *, life_us: int = TOKEN_US) -> str:
        """A secret that signs this account in once. Raises AccountError."""
        user = self.user(name)
        secret = secrets.token_urlsafe(32)
        with self.transaction() as db:
            db.execute("DELETE FROM tokens WHERE until < ?", (self.clock(),))
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_digest(secret), user.id, self.clock() + life_us))
        return secret

    def redeem(self, token: str) -> tuple[str, Signed] | None:
        """A new session by one-time token; None where it is unknown, used or over."""
        with self.transaction() as db:
            row = db.execute(
                "DELETE FROM tokens WHERE hash = ? AND until >= ? RETURNING user", (_digest(token), self.clock())
            ).fetchone()
        return None if row is None else self._begin(row[0])

    def session(self, secret: str) -> Signed | None:
        """The session of a cookie, while it stands and its account is in use; being asked counts as use."""
        digest, now = _digest(secret), self.clock()
        row = self.one(
            f"SELECT {_USER}, s.seen, s.until FROM sessions AS s JOIN users AS u ON u.id = s.user"
            " WHERE s.hash = ? AND s.until > ? AND s.seen > ? AND NOT u.disabled",
            digest, now, now - IDLE_US,
        )  # fmt: skip
        if row is None:
            return None
        *user, seen, until = row
        if now - seen >= _SEEN_US:
            with self.transaction() as db:
                db.execute("UPDATE sessions SET seen = ? WHERE hash = ?", (now, digest))
        return Signed(_user(user), _csrf(secret), until)

    def sign_out(self, secret: str) -> None:
        """End one session."""
        with self.transaction() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (_digest(secret),))

    def revoke(self, name: str) -> int:
        """End every session of an account; how many."""
        user = self.user(name)
        with self.transaction() as db:
            return db.execute("DELETE FROM sessions WHERE user = ?", (user.id,)).rowcount

    def _begin(self, user: int) -> tuple[str, Signed] | None:
        secret, now = secrets.token_urlsafe(32), self.clock()
        with self.transaction() as db:
            db.execute("DELETE FROM sessions WHERE until < ? OR seen < ?", (now, now - IDLE_US))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (_digest(secret), user, now, now, now + LIFE_US))
        signed = self.session(secret)
        return None if signed is None else (secret, signed)

    def _hashed(self, name: str, password: str) -> str:
        problem = password_problem(name, password)
        if problem:
            raise AccountError(problem)
        return hashed(password)


_USER = "u.id, u.name, u.role, u.office, u.post, u.area, u.disabled"


def _user(row: Any) -> User:
    id, name, role, office, post, area, disabled = row
    return User(id, name, role, office, post, area, bool(disabled))


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode(), b"csrf", sha256).hexdigest()
