"""Accounts and keys from the command line, while a site runs or not."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.api.accounts import Accounts
from console.api.keys import Keys
from runners.cli import main
from tests.runners.live.town import running

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Call `forewarn` with these words: its exit code, what it printed, what it complained of."""

    def asked(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["forewarn", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out.strip(), said.err

    return asked


def test_a_key_is_printed_once_and_works(ask: Ask, tmp_path: Path) -> None:
    code, secret, _ = ask("key", "create", "hotline", "--data", tmp_path)
    accounts = Accounts(tmp_path / "accounts.db")
    key = Keys(accounts).check(secret)
    accounts.close()
    assert code == 0
    assert key is not None
    assert key.allows("intake", "hotline")
    listed = ask("key", "list", "--data", tmp_path)[1]
    assert secret not in listed
    assert ask("key", "revoke", listed.split("\t")[0], "--data", tmp_path)[0] == 0
    assert ask("key", "list", "--data", tmp_path)[1] == ""


def test_an_account_is_added_with_a_link_that_signs_in_once(ask: Ask, tmp_path: Path) -> None:
    _, link, _ = ask("account", "add", "li", "--role", "approver", "--data", tmp_path)
    accounts = Accounts(tmp_path / "accounts.db")
    token = link.partition("#token=")[2]
    assert accounts.redeem(token) is not None
    assert accounts.redeem(token) is None
    accounts.close()
    assert ask("account", "list", "--data", tmp_path)[1].startswith("li\tapprover")
    assert ask("account", "disable", "li", "--data", tmp_path)[0] == 0


def test_a_role_that_does_not_exist_is_wrong_use(ask: Ask, tmp_path: Path) -> None:
    assert ask("account", "add", "li", "--role", "king", "--data", tmp_path)[0] == 2


def test_a_key_made_while_a_site_runs_works_at_once_and_ends_soon_after_it_was_revoked(
    ask: Ask, town: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with running(town, data):
        serving = Accounts(data / "accounts.db")
        keys = Keys(serving)
        code, secret, _ = ask("key", "create", "hotline", "--data", data)
        key = keys.check(secret)
        assert code == 0
        assert key is not None
        assert ask("key", "revoke", key.id, "--data", data)[0] == 0
        assert Keys(serving).check(secret) is None
        serving.close()
