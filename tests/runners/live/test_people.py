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


@pytest.mark.real
def test_accounts_and_keys_of_a_cluster_are_those_of_its_database(
    ask: Ask, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("runner: kafka\n", encoding="utf-8")
    monkeypatch.setenv("FOREWARN_POSTGRES_URL", database)
    _, link, _ = ask("account", "add", "li", "--role", "approver", "--config", config)
    _, secret, _ = ask("key", "create", "hotline", "--config", config)
    accounts = Accounts(database)
    assert accounts.redeem(link.partition("#token=")[2]) is not None
    assert Keys(accounts).check(secret) is not None
    accounts.close()
    assert ask("account", "list", "--config", config)[1].startswith("li\tapprover")
    assert [path.name for path in tmp_path.iterdir()] == ["site.yaml"]


@pytest.mark.parametrize("which", [(), ("--data", "x", "--config", "y")])
def test_whose_accounts_are_meant_is_said_once(ask: Ask, which: tuple[str, ...]) -> None:
    code, _, told = ask("account", "list", *which)
    assert code == 2
    assert "--data" in told


def test_an_embedded_site_is_named_by_its_directory(ask: Ask, tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("runner: embedded\n", encoding="utf-8")
    code, _, told = ask("key", "list", "--config", config)
    assert code == 1
    assert "runner: kafka" in told


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
