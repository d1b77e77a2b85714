"""`forewarn account` and `forewarn key`: who may sign in, and which programs may send; while a site runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.api.accounts import Accounts

account_app = typer.Typer(no_args_is_help=True, help="People who sign in.")
key_app = typer.Typer(no_args_is_help=True, help="Keys with which programs send.")

Data = Annotated[Path | None, typer.Option("--data", help="Data directory of a site on this machine.")]
Config = Annotated[Path | None, typer.Option("--config", help="Configuration of a site with `runner: kafka`.")]


@account_app.command("add")
def account_add(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    data: Data = None,
    config: Config = None,
    role: Annotated[str, typer.Option(help="duty_officer, approver or administrator.")] = "duty_officer",
    office: Annotated[str, typer.Option(help="Id of the office, where the account belongs to one.")] = "",
    area: Annotated[str, typer.Option(help="Id of the place that it sees.")] = "root",
) -> None:
    """Adds an account and prints a link that signs it in once; a password is set after that.

    On a cluster give `--config site.yaml` instead of `--data`.

    Example: forewarn account add li --role approver --data /var/lib/forewarn
    """
    with _accounts(data, config) as accounts:
        if role not in ("duty_officer", "approver", "administrator"):
            raise typer.BadParameter("--role is one of duty_officer, approver, administrator")
        accounts.add(name, role, office=office, area=area)  # type: ignore[arg-type]
        typer.echo(f"/signin#token={accounts.token(name)}")


@account_app.command("link")
def account_link(
    name: Annotated[str, typer.Argument(help="Name of the account.")], data: Data = None, config: Config = None
) -> None:
    """Prints a new link that signs an account in once.

    Example: forewarn account link li --data /var/lib/forewarn
    """
    with _accounts(data, config) as accounts:
        typer.echo(f"/signin#token={accounts.token(name)}")


@account_app.command("disable")
def account_disable(
    name: Annotated[str, typer.Argument(help="Name of the account.")], data: Data = None, config: Config = None
) -> None:
    """Locks an account and ends its sessions.

    Example: forewarn account disable li --data /var/lib/forewarn
    """
    with _accounts(data, config) as accounts:
        accounts.disable(name)
        accounts.revoke(name)


@account_app.command("list")
def account_list(data: Data = None, config: Config = None) -> None:
    """Every account with its role and area.

    Example: forewarn account list --data /var/lib/forewarn
    """
    with _accounts(data, config) as accounts:
        for user in accounts.users():
            typer.echo(f"{user.name}\t{user.role}\t{user.area}\t{user.office or '-'}")


@key_app.command("create")
def key_create(
    source: Annotated[str, typer.Argument(help="Name of the source that will send with it.")],
    data: Data = None,
    config: Config = None,
    days: Annotated[int | None, typer.Option(help="Days for which it holds; for ever without.")] = None,
) -> None:
    """Makes a key for a source and prints it, this once: only its hash is kept.

    Example: forewarn key create hotline --data /var/lib/forewarn
    """
    from console.api.keys import Keys

    with _accounts(data, config) as accounts:
        until = None if days is None else accounts.clock() + days * 86_400_000_000
        typer.echo(Keys(accounts).create(source, expires=until))


@key_app.command("list")
def key_list(data: Data = None, config: Config = None) -> None:
    """Every key in force: its id, source and scopes; never its secret.

    Example: forewarn key list --data /var/lib/forewarn
    """
    from console.api.keys import Keys

    with _accounts(data, config) as accounts:
        for key in Keys(accounts).every():
            typer.echo(f"{key.id}\t{key.source}\t{' '.join(sorted(key.scopes))}")


@key_app.command("revoke")
def key_revoke(
    id: Annotated[str, typer.Argument(help="Id of the key.")], data: Data = None, config: Config = None
) -> None:
    """Ends a key.

    Example: forewarn key revoke 3f9a0c11d2e4 --data /var/lib/forewarn
    """
    from console.api.keys import Keys

    with _accounts(data, config) as accounts:
        if not Keys(accounts).revoke(id):
            raise typer.BadParameter(f"there is no key {id} in force")


@contextmanager
def _accounts(data: Path | None, config: Path | None) -> "Iterator[Accounts]":
    """The accounts of a site, whether it runs or not: they are a database of their own."""
    if (data is None) == (config is None):
        raise typer.BadParameter("give --data for a site on this machine, or --config for one with `runner: kafka`")
    from console.api.accounts import Accounts

    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        accounts = Accounts(data / "accounts.db")
    elif config is not None:
        accounts = _of_cluster(config)
    try:
        yield accounts
    finally:
        accounts.close()


def _of_cluster(config: Path) -> "Accounts":
    from alerts.database import postgres_url
    from console.api.accounts import Accounts
    from runners.cluster.settings import settings_of_cluster, with_libraries

    with with_libraries():
        return Accounts(postgres_url(settings_of_cluster(config).postgres.url))
