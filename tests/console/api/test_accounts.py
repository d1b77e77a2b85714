"""Accounts in their file or database: only hashes of secrets, names that are unique, passwords that are long."""

import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import update

from console.api.account_tables import meta
from console.api.accounts import AccountError, Accounts
from console.api.keys import Keys
from pipeline.errors import NewerData
from tests.console.api.conftest import PASSWORD, Clock

EARLIER = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT,
  role TEXT NOT NULL, office TEXT NOT NULL, post TEXT NOT NULL, area TEXT NOT NULL, created INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE sessions (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id),
  created INTEGER NOT NULL, seen INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user);
CREATE TABLE tokens (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id),
  until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (id TEXT PRIMARY KEY, hash BLOB NOT NULL, source TEXT NOT NULL, scopes TEXT NOT NULL,
  area TEXT NOT NULL, created INTEGER NOT NULL, until INTEGER, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO meta VALUES ('schema', '1');
INSERT INTO users VALUES (1, 'li', NULL, 'approver', '', '', 'east', 5, 0);
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where accounts are kept."""
    if request.param == "file":
        return tmp_path / "accounts.db"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def accounts(address: Path | str, clock: Clock) -> Iterator[Accounts]:
    accounts = Accounts(address, clock=clock)
    yield accounts
    accounts.close()


@pytest.fixture
def other(accounts: Accounts, address: Path | str, clock: Clock) -> Iterator[Accounts]:
    """The same accounts in another process."""
    other = Accounts(address, clock=clock)
    yield other
    other.close()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    accounts = Accounts(tmp_path / "accounts.db", clock=clock)
    yield accounts
    accounts.close()


def test_no_secret_lies_in_the_file(file: Accounts, tmp_path: Path) -> None:
    accounts = file
    accounts.add("li", "approver", password=PASSWORD)
    begun = accounts.sign_in("li", PASSWORD)
    assert begun is not None
    secrets = [PASSWORD, begun[0], accounts.token("li"), Keys(accounts).create("hotline").rpartition("_")[2]]
    accounts.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"$argon2id$" in stored
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_the_file_is_for_its_owner_alone(file: Accounts, tmp_path: Path) -> None:
    file.add("li", "approver")
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []


def test_the_file_is_on_the_disk_before_anything_is_answered(file: Accounts) -> None:
    with file.database.engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_accounts_of_an_earlier_version_are_read(tmp_path: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(tmp_path / "accounts.db")) as db, db:
        db.executescript(EARLIER)
    accounts = Accounts(tmp_path / "accounts.db", clock=clock)
    assert accounts.user("LI").area == "east"
    assert accounts.redeem(accounts.token("li")) is not None
    with pytest.raises(AccountError, match="already"):
        accounts.add("Li", "approver")
    accounts.close()


def test_accounts_of_a_later_version_are_refused(accounts: Accounts, address: Path | str) -> None:
    accounts.database.change(update(meta).values(value="99"))
    with pytest.raises(NewerData, match="upgrade forewarn"):
        Accounts(address)


def test_a_name_is_taken_whatever_its_case(accounts: Accounts) -> None:
    accounts.add("li", "approver")
    with pytest.raises(AccountError, match="already"):
        accounts.add("LI", "duty_officer")


@pytest.mark.parametrize("password", ["short", "li likes long words", "aaaaaaaaaaaaaaaa", "123456789012", "x" * 300])
def test_a_password_that_is_easily_guessed_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountError, match="password"):
        accounts.add("li", "approver", password=password)


@pytest.mark.parametrize("name", ["", " li", "li\n", "a" * 65, "<li>"])
def test_a_name_is_plain(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="account name"):
        accounts.add(name, "approver")


def test_a_new_password_ends_every_session(accounts: Accounts) -> None:
    accounts.add("li", "approver", password=PASSWORD)
    begun = accounts.sign_in("li", PASSWORD)
    assert begun is not None
    accounts.set_password("li", "another long pass phrase")
    assert accounts.session(begun[0]) is None
    assert accounts.sign_in("li", PASSWORD) is None
    assert accounts.sign_in("li", "another long pass phrase") is not None


def test_a_token_is_worth_nothing_after_its_time(accounts: Accounts, clock: Clock) -> None:
    accounts.add("li", "approver")
    token = accounts.token("li")
    clock.move(minutes=31)
    assert accounts.redeem(token) is None


def test_another_process_sees_what_was_revoked(accounts: Accounts, other: Accounts) -> None:
    accounts.add("li", "approver")
    begun = accounts.redeem(accounts.token("li"))
    assert begun is not None
    assert other.revoke("li") == 1
    assert accounts.session(begun[0]) is None


def test_a_session_of_one_server_is_one_of_all(accounts: Accounts, other: Accounts, clock: Clock) -> None:
    accounts.add("li", "approver", area="east")
    begun = accounts.redeem(accounts.token("li"))
    assert begun is not None
    clock.move(minutes=29)
    assert accounts.session(begun[0]) == begun[1]
    clock.move(minutes=29)
    assert other.session(begun[0]) == begun[1]


def test_a_token_is_used_once_though_two_servers_are_shown_it_at_once(accounts: Accounts, other: Accounts) -> None:
    accounts.add("li", "approver")
    for _ in range(20):
        token, start = accounts.token("li"), Barrier(2)
        begun: list[object] = []

        def redeem(server: Accounts, token: str = token, start: Barrier = start, begun: list[object] = begun) -> None:
            start.wait()
            begun.append(server.redeem(token))

        threads = [Thread(target=redeem, args=(server,)) for server in (accounts, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([session for session in begun if session is not None]) == 1


def test_of_two_servers_one_takes_a_name(accounts: Accounts, other: Accounts) -> None:
    accounts.add("li", "approver")
    with pytest.raises(AccountError, match="already"):
        other.add("LI", "approver")


def test_a_locked_account_is_out_everywhere(accounts: Accounts, other: Accounts) -> None:
    accounts.add("li", "approver", password=PASSWORD)
    begun, token = accounts.sign_in("li", PASSWORD), accounts.token("li")
    assert begun is not None
    other.disable("li")
    assert accounts.session(begun[0]) is None
    assert (accounts.sign_in("li", PASSWORD), accounts.redeem(token)) == (None, None)
    other.disable("li", disabled=False)
    assert accounts.sign_in("li", PASSWORD) is not None


def test_accounts_are_listed_by_name(accounts: Accounts) -> None:
    for name in ("wang", "Li", "chen"):
        accounts.add(name, "approver")
    assert [user.name for user in accounts.users()] == ["chen", "Li", "wang"]


def test_a_key_is_for_its_source_and_scope_until_its_end(accounts: Accounts, clock: Clock) -> None:
    keys = Keys(accounts)
    secret = keys.create("hotline", expires=clock() + 60_000_000)
    key = keys.check(secret)
    assert key is not None
    assert key.allows("intake", "hotline")
    assert not key.allows("intake", "grid")
    clock.move(minutes=1)
    assert keys.check(secret) is None


@pytest.mark.anyio
async def test_a_key_is_checked_without_holding_up_an_event_loop(accounts: Accounts, other: Accounts) -> None:
    keys = Keys(accounts)
    secret = Keys(other).create("hotline")
    first = keys.soon(secret)
    assert isinstance(first, Awaitable)
    found = await first
    assert found is not None
    assert keys.soon(secret) == found


def test_a_revoked_key_stops(accounts: Accounts, other: Accounts, clock: Clock) -> None:
    keys = Keys(accounts)
    secret = keys.create("hotline")
    key = keys.check(secret)
    assert key is not None
    assert Keys(other).revoke(key.id)
    assert not Keys(accounts).revoke(key.id)
    clock.move(seconds=5)
    assert keys.check(secret) is None


@pytest.mark.parametrize("secret", ["", "fw_", "fw_abc", "fw_000000000000_x", "nothing"])
def test_what_is_no_key_passes_nowhere(accounts: Accounts, secret: str) -> None:
    Keys(accounts).create("hotline")
    assert Keys(accounts).check(secret) is None
