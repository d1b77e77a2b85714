"""Accounts in their file: only hashes of secrets, names that are unique, passwords that are long."""

from pathlib import Path

import pytest

from console.api.accounts import AccountError, Accounts
from console.api.keys import Keys
from tests.console.api.conftest import PASSWORD, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    return Accounts(tmp_path / "accounts.db", clock=clock)


def test_no_secret_lies_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("li", "approver", password=PASSWORD)
    begun = accounts.sign_in("li", PASSWORD)
    assert begun is not None
    secrets = [PASSWORD, begun[0], accounts.token("li"), Keys(accounts).create("hotline").rpartition("_")[2]]
    accounts.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"$argon2id$" in stored
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_the_file_is_for_its_owner_alone(accounts: Accounts, tmp_path: Path) -> None:
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0


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


def test_another_process_sees_what_was_revoked(accounts: Accounts, tmp_path: Path, clock: Clock) -> None:
    accounts.add("li", "approver")
    begun = accounts.redeem(accounts.token("li"))
    assert begun is not None
    other = Accounts(tmp_path / "accounts.db", clock=clock)
    assert other.revoke("li") == 1
    other.close()
    assert accounts.session(begun[0]) is None


def test_a_key_is_for_its_source_and_scope_until_its_end(accounts: Accounts, clock: Clock) -> None:
    keys = Keys(accounts)
    secret = keys.create("hotline", expires=clock() + 60_000_000)
    key = keys.check(secret)
    assert key is not None
    assert key.allows("intake", "hotline")
    assert not key.allows("intake", "grid")
    clock.move(minutes=1)
    assert keys.check(secret) is None


def test_a_revoked_key_stops(accounts: Accounts, clock: Clock, tmp_path: Path) -> None:
    keys = Keys(accounts)
    secret = keys.create("hotline")
    key = keys.check(secret)
    assert key is not None
    assert Keys(Accounts(tmp_path / "accounts.db", clock=clock)).revoke(key.id)
    clock.move(seconds=5)
    assert keys.check(secret) is None


@pytest.mark.parametrize("secret", ["", "fw_", "fw_abc", "fw_000000000000_x", "nothing"])
def test_what_is_no_key_passes_nowhere(accounts: Accounts, secret: str) -> None:
    Keys(accounts).create("hotline")
    assert Keys(accounts).check(secret) is None
