"""Accounts of people: passwords, sessions, one-time sign-in tokens; the same for all servers of a site.

`accounts.db` of an embedded site is written with `synchronous=FULL`; a cluster keeps them in PostgreSQL. Only hashes of
secrets are stored. Every method is a few short transactions and may be called from any thread.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError

from console.api.account_tables import account_database, sessions, tokens, users
from console.api.passwords import hashed, is_right, needs_rehash, password_problem
from console.api.shapes import Role
from pipeline.errors import ForewarnError

MINUTE_US = 60_000_000
IDLE_US = 30 * MINUTE_US
"""A session that nobody uses ends; an open page's stream is use."""
LIFE_US = 14 * 60 * MINUTE_US
"""A session ends however much it is used: a twelve-hour shift and its hand-over."""
TOKEN_US = 30 * MINUTE_US
_SEEN_US = MINUTE_US
"""How exactly the last use is remembered; every use would be a write."""
_NAME = re.compile(r"[\w][\w.@\- ]{0,62}[\w]|[\w]")


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
    """The accounts of one site. Every method raises StoreUnavailable where the database does not answer.

    Parameters
    ----------
    address : path of a file, made when it is not there, or URL of a database. clock : wall time in µs UTC.
    """

    def __init__(self, address: URL | str | Path, *, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.clock = clock
        self.database = account_database(address)

    def close(self) -> None:
        """Let go of the file or of the connections."""
        self.database.close()

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
        taken = AccountError(f"there is an account {name!r} already; choose another name or change that one")
        if self.is_known(name):
            raise taken
        row = {"name": name, "password": secret, "role": role, "office": office, "post": post, "area": area}
        try:
            self.database.change(insert(users).values(**row, created=self.clock()))
        except IntegrityError as error:  # another process was quicker
            raise taken from error
        return self.user(name)

    def user(self, name: str) -> User:
        """An account by its name. Raises AccountError."""
        row = self.database.one(select(*_USER).where(_is_called(name)))
        if row is None:
            raise AccountError(f"there is no account {name!r}; `users` lists them")
        return _user(row)

    def is_known(self, name: str) -> bool:
        """Whether there is an account of this name."""
        return bool(self.database.one(select(exists().where(_is_called(name))))[0])

    def users(self) -> list[User]:
        """All accounts by name."""
        return [_user(row) for row in self.database.rows(select(*_USER).order_by(func.lower(users.c.name)))]

    def set_password(self, name: str, password: str) -> None:
        """Set a new password and end all sessions of the account. Raises AccountError."""
        user = self.user(name)
        secret = self._hashed(name, password)
        self._together(_changed(user.id, password=secret), _ended(user.id))

    def change(self, name: str, *, role: Role, office: str, post: str, area: str) -> User:
        """Give an account another role, office, post or area; what it holds changes at its next request."""
        user = self.user(name)
        self.database.change(_changed(user.id, role=role, office=office, post=post, area=area))
        return self.user(name)

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Take an account out of use, with all its sessions and tokens; or put it back."""
        user = self.user(name)
        changed = _changed(user.id, disabled=int(disabled))
        if disabled:
            self._together(changed, _ended(user.id), delete(tokens).where(tokens.c.user == user.id))
        else:
            self.database.change(changed)

    # signing in ----------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> tuple[str, Signed] | None:
        """A new session by password: its secret for the cookie, and what it is; None where anything is wrong."""
        row = self.database.one(select(users.c.id, users.c.password, users.c.disabled).where(_is_called(name)))
        stored = row[1] if row else None
        # An account that is not there takes as long as a wrong password.
        if not is_right(stored, password) or row is None or row[2]:
            return None
        if stored is not None and needs_rehash(stored):
            self.database.change(_changed(row[0], password=hashed(password)))
        return self._begin(row[0])

    def token(self, name: str, *, life_us: int = TOKEN_US) -> str:
        """A secret that signs this account in once. Raises AccountError."""
        user = self.user(name)
        secret, now = secrets.token_urlsafe(32), self.clock()
        self.database.change(delete(tokens).where(tokens.c.hash.in_(_free(tokens, tokens.c.until < now))))
        self.database.change(insert(tokens).values(hash=_digest(secret), user=user.id, until=now + life_us))
        return secret

    def redeem(self, token: str) -> tuple[str, Signed] | None:
        """A new session by one-time token; None where it is unknown, used or over."""
        # One statement: of two servers that are shown the same one, the row lets one delete it.
        used = delete(tokens).where(tokens.c.hash == _digest(token), tokens.c.until >= self.clock())
        row = self.database.one(used.returning(tokens.c.user))
        return None if row is None else self._begin(row[0])

    def session(self, secret: str) -> Signed | None:
        """The session of a cookie, while it stands and its account is in use; being asked counts as use."""
        digest, now = _digest(secret), self.clock()
        row = self.database.one(_SESSION, {"digest": digest, "now": now, "idle": now - IDLE_US})
        if row is None:
            return None
        *user, seen, until = row
        if now - seen >= _SEEN_US:
            self.database.change(update(sessions).where(sessions.c.hash == digest).values(seen=now))
        return Signed(_user(user), _csrf(secret), until)

    def sign_out(self, secret: str) -> None:
        """End one session."""
        self.database.change(delete(sessions).where(sessions.c.hash == _digest(secret)))

    def revoke(self, name: str) -> int:
        """End every session of an account; how many."""
        return self.database.change(_ended(self.user(name).id))

    def _begin(self, user: int) -> tuple[str, Signed] | None:
        secret, now = secrets.token_urlsafe(32), self.clock()
        is_over = or_(sessions.c.until < now, sessions.c.seen < now - IDLE_US)
        self.database.change(delete(sessions).where(sessions.c.hash.in_(_free(sessions, is_over))))
        row = {"hash": _digest(secret), "user": user, "created": now, "seen": now, "until": now + LIFE_US}
        self.database.change(insert(sessions).values(row))
        signed = self.session(secret)
        return None if signed is None else (secret, signed)

    def _together(self, *changes: Executable) -> None:
        with self.database.transaction():
            for change in changes:
                self.database.change(change)

    def _hashed(self, name: str, password: str) -> str:
        problem = password_problem(name, password)
        if problem:
            raise AccountError(problem)
        return hashed(password)


_USER = (users.c.id, users.c.name, users.c.role, users.c.office, users.c.post, users.c.area, users.c.disabled)
_SESSION = (
    select(*_USER, sessions.c.seen, sessions.c.until)
    .join_from(sessions, users, users.c.id == sessions.c.user)
    .where(
        sessions.c.hash == bindparam("digest"),
        sessions.c.until > bindparam("now"),
        sessions.c.seen > bindparam("idle"),
        users.c.disabled == 0,
    )
)


def _is_called(name: str) -> ColumnElement[bool]:
    # No account has a name with the character zero, which PostgreSQL does not even take to compare.
    return func.lower(users.c.name) == func.lower(name.replace("\0", "\ufffd"))


def _changed(user: int, **values: Any) -> Executable:
    return update(users).where(users.c.id == user).values(**values)


def _ended(user: int) -> Executable:
    return delete(sessions).where(sessions.c.user == user)


def _free(table: Table, is_over: ColumnElement[bool]) -> Select[Any]:
    """Rows that are over and that no other server is just deleting: they would wait for each other."""
    return select(table.c.hash).where(is_over).with_for_update(skip_locked=True)


def _user(row: Any) -> User:
    id, name, role, office, post, area, disabled = row
    return User(id, name, role, office, post, area, bool(disabled))


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode(), b"csrf", sha256).hexdigest()
