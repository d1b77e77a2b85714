"""The town with its store, directory and accounts in PostgreSQL, as a cluster has them; its logs stay a file."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, delete
from sqlalchemy.engine import make_url

from alerts import copying
from alerts.database import Database, database_url
from alerts.directory import TableDirectory
from alerts.register import PgRegister
from alerts.store import Store
from console.api.account_tables import keys, sessions, tokens, users
from console.api.accounts import Accounts
from console.api.ports import Directory
from runners.log_sqlite import Logs
from tests.console.api.town import TownSite


def move(data: Path, url: str) -> None:
    """Copy what a data directory keeps beside its frames into an empty database."""
    Store(url).close()
    with (
        closing(Database(url)) as database,
        closing(Store(data / "store.db", readonly=True)) as store,
        Logs(data / "log.db", readonly=True) as logs,
        database.transaction() as connection,
    ):
        copying.copy_register(logs.db, connection, lambda table, count: None)
        copying.copy_tables(store.engine, connection, copying.store_tables(), lambda table, count: None)


def copied(template: str, name: str) -> str:
    """URL of a new database that begins as another one is."""
    url = make_url(template)
    engine = create_engine(database_url(url.set(database="postgres")), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def forget(accounts: Accounts) -> None:
    """Nobody has an account."""
    with accounts.database.transaction() as connection:
        for table in (sessions, tokens, keys, users):
            connection.execute(delete(table))


class ClusterTown(TownSite):
    """A running site over a log in a file and a store in PostgreSQL."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.site.store.close()
        self.site.store = Store(url)
        self.register = PgRegister(url)

    def close(self) -> None:
        super().close()
        self.register.close()

    @property
    def store_url(self) -> Path | str:
        return self.register.database.url.render_as_string(hide_password=False)

    def directory(self) -> Directory:
        return TableDirectory(self.register.database)
