"""Passwords: argon2id, and what may be one."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

LEAST, MOST = 12, 256
"""Characters of a password. No rule of composition: length is what helps."""

_COMMON = frozenset(
    {"123456789012", "111111111111", "passwordpassword", "password1234", "qwertyuiopas", "forewarnforewarn"}
)
# OWASP's second choice for argon2id: 19 MiB, two passes; about 25 ms, and sixteen at once stay below 0.3 GiB.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _HASHER.hash("an account that is not there")


def hashed(password: str) -> str:
    """The password as it is stored."""
    return _HASHER.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes the same time where there is none to compare with."""
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether it was stored with weaker settings than today's."""
    return _HASHER.check_needs_rehash(stored)


def password_problem(name: str, password: str) -> str | None:
    """What is wrong with a new password, in one sentence; None for a good one."""
    if not LEAST <= len(password) <= MOST:
        return f"a password has {LEAST} to {MOST} characters; take a few words you can remember"
    plain = password.casefold()
    if name.casefold() in plain or plain in _COMMON or len(set(plain)) < 4:
        return "this password is easily guessed; take a few words that have nothing to do with the account"
    return None
