"""API keys: for programs that send or read, each with a source, scopes, an area and an end. Kept hashed."""

import re
import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from anyio import to_thread
from sqlalchemy import insert, select, update

from console.api.account_tables import keys
from console.api.accounts import AccountError, Accounts

PREFIX = "fw_"
SCOPES = frozenset({"intake"})
"""What a key can be for."""
_ID = re.compile("[0-9a-f]{12}")
_CACHE_US = 5_000_000
"""How long a key that was revoked by another process may still pass."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key allows. `source`: the only one it may send as. `area`: id of a place. `until`: µs UTC, None: never."""

    id: str
    source: str
    scopes: frozenset[str]
    area: str
    until: int | None

    def allows(self, scope: str, source: str) -> bool:
        """Whether it is for this scope and source."""
        return scope in self.scopes and source == self.source


class Keys:
    """The API keys of one site."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts, self._database = accounts, accounts.database
        self._cache: dict[bytes, tuple[int, Key]] = {}

    def create(
        self, source: str, scopes: Sequence[str] = ("intake",), area: str = "root", expires: int | None = None
    ) -> str:
        """A new key's secret, told this once. Raises AccountError."""
        unknown = set(scopes) - SCOPES
        if unknown or not scopes:
            raise AccountError(f"a key is for one or more of {', '.join(sorted(SCOPES))}; not {sorted(unknown)}")
        id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {"id": id, "hash": _digest(secret), "source": source, "scopes": " ".join(sorted(scopes)), "area": area}
        self._database.change(insert(keys).values(**row, created=self._accounts.clock(), until=expires))
        return f"{PREFIX}{id}_{secret}"

    def check(self, secret: str) -> Key | None:
        """The key of a secret, while it stands."""
        key = self._remembered(secret)
        if key is None:
            digest, key = _digest(secret), self._find(secret)
            self._cache.pop(digest, None)
            if key is None:
                return None
            if len(self._cache) > 1000:
                self._cache.clear()
            self._cache[digest] = (self._accounts.clock(), key)
        return self._standing(key)

    def soon(self, secret: str) -> Key | Awaitable[Key | None] | None:
        """The same for an event loop: at once where it is remembered, else to be awaited."""
        key = self._remembered(secret)
        return to_thread.run_sync(self.check, secret) if key is None else self._standing(key)

    def revoke(self, id: str) -> bool:
        """End a key; whether there was one."""
        count = self._database.change(update(keys).where(keys.c.id == id, keys.c.revoked == 0).values(revoked=1))
        self._cache.clear()
        return bool(count)

    def every(self) -> list[Key]:
        """All keys that are not revoked; their secrets are not known."""
        rows = self._database.rows(select(keys.c.id, *_ALLOWED).where(keys.c.revoked == 0).order_by(keys.c.created))
        return [Key(id, source, frozenset(scopes.split()), area, until) for id, source, scopes, area, until in rows]

    def _standing(self, key: Key) -> Key | None:
        return None if key.until is not None and key.until <= self._accounts.clock() else key

    def _remembered(self, secret: str) -> Key | None:
        cached = self._cache.get(_digest(secret))
        return cached[1] if cached is not None and self._accounts.clock() - cached[0] < _CACHE_US else None

    def _find(self, secret: str) -> Key | None:
        if not secret.startswith(PREFIX):
            return None
        id, _, rest = secret.removeprefix(PREFIX).partition("_")
        if not _ID.fullmatch(id):
            return None
        row = self._database.one(select(keys.c.hash, *_ALLOWED).where(keys.c.id == id, keys.c.revoked == 0))
        if row is None or not compare_digest(bytes(row[0]), _digest(rest)):
            return None
        return Key(id, row[1], frozenset(row[2].split()), row[3], row[4])


_ALLOWED = (keys.c.source, keys.c.scopes, keys.c.area, keys.c.until)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
