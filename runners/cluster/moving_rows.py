"""Everything of an embedded site but its frames, into the database of a cluster: all of it, or nothing."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from alerts import copying
from alerts.database import Database
from alerts.register import PgRegister
from alerts.store import Store
from console.api.account_tables import account_database
from console.api.account_tables import metadata as account_metadata
from pipeline.county import FOLD_VERSION
from pipeline.errors import ConfigError, CorruptData
from runners.checkpoints import Checkpoints
from runners.cluster.logs import EDGE_KEY
from runners.cluster.moved import Tell
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.log_sqlite import Logs
from runners.serve.versions import inherit


class Rows:
    """Register, store, accounts, models, snapshots and the key of the edge of one data directory.

    Parameters
    ----------
    source : the directory. config : of the cluster. logs, store : of the directory. database : of the cluster.
    """

    def __init__(self, source: Path, config: Path, logs: Logs, store: Store, database: Database, tell: Tell) -> None:
        self._source, self._config, self._logs, self._store = source, config, logs, store
        self._database, self._tell = database, tell

    def move(self, done: Callable[[], None]) -> dict[str, int]:
        """Copy all rows; how many of each table. `done` is called inside the transaction. Raises ConfigError."""
        self._make_account_tables()
        with self._database.transaction() as connection:
            table = copying.occupied(connection, copying.store_tables())
            if table:
                told = f"the table {table} has been written to; stop every worker and server, use an empty one"
                raise ConfigError([f"{self._database.url.render_as_string()}: {told}"])
            counts = copying.copy_register(self._logs.db, connection, self._told)
            counts |= copying.copy_tables(self._store.engine, connection, copying.store_tables(), self._told)
            counts |= self._accounts(connection)
            counts["models"] = self._models(connection)
            counts["checkpoints"] = self._checkpoints()
            register = PgRegister(self._database)
            key = self._source / "edge.key"
            if key.is_file():
                register.remember(EDGE_KEY, key.read_bytes().hex())
            inherit(register, self._logs, self._config)
            done()
        return counts

    def _told(self, table: str, count: int) -> None:
        self._tell(table, count, 0)

    def _make_account_tables(self) -> None:
        account_database(self._database.url).close()

    def _accounts(self, connection: Any) -> dict[str, int]:
        """Sign-ins, sessions and keys of sources."""
        path = self._source / "accounts.db"
        if not path.is_file():
            return {}
        source = account_database(path)
        try:
            tables = [table for table in account_metadata.sorted_tables if table.name != "meta"]
            return copying.copy_tables(source.engine, connection, tables, self._told)
        finally:
            source.close()

    def _models(self, connection: Any) -> int:
        """Every published model."""
        count = 0
        for path in sorted((self._source / "models").glob("*.fwc")):
            body = path.read_bytes()
            if sha256(body).hexdigest() != path.stem:
                raise CorruptData(f"{path} does not have the sha256 in its name; restore it from a backup")
            copying.keep_model(connection, path.stem, body)
            count += 1
            self._told("models", count)
        return count

    def _checkpoints(self) -> int:
        """The newest usable snapshot of each fold; without one a worker folds from the log's beginning."""
        count = 0
        for log, number in self._logs.partitions():
            chain = Checkpoints(self._source / "checkpoints", log, number, FOLD_VERSION).newest()
            PgCheckpoints(self._database, log, number, FOLD_VERSION).adopt(chain)
            count += len(chain)
        return count
