"""Tables of accounts (SQLAlchemy Core): a file of their own on SQLite, a schema of their own on PostgreSQL."""

import os
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateSchema

from alerts.database import Database, database_url
from pipeline.errors import NewerData

VERSION = 1
"""Newest version of these tables that this version of the code knows."""
_SCHEMA = "accounts"
_LOCK = 0x6163636F
"""Key of the lock under which the tables are made; several servers start at once."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")
_CONNECTIONS = 2

metadata = MetaData(schema=_SCHEMA)
_Id = BigInteger().with_variant(Integer, "sqlite")
_Name = Text(collation="C").with_variant(Text(collation="NOCASE"), "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
users = Table(
    "users",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("password", Text),
    Column("role", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("post", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("disabled", Integer, nullable=False, server_default="0"),
)
# A name is taken whatever its case, on SQLite by the column's own collation.
Index("users_folded", func.lower(users.c.name), unique=True).ddl_if(dialect="postgresql")
sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user", _Id, ForeignKey(users.c.id), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("sessions_user", "user"),
    sqlite_with_rowid=False,
)
tokens = Table(
    "tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user", _Id, ForeignKey(users.c.id), nullable=False),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("revoked", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)


def account_database(address: URL | str | Path) -> Database:
    """Connections to the accounts' tables, which are made where they are not there. Raises NewerData."""
    if isinstance(address, Path) and not address.exists():
        # For its owner alone from its first byte on.
        os.close(os.open(address, os.O_WRONLY | os.O_CREAT, 0o600))
    url = database_url(address)
    schemas: dict[str, str | None] | None = {_SCHEMA: None} if url.get_backend_name() == "sqlite" else None
    database = Database(url, connections=_CONNECTIONS, pragmas=_PRAGMAS, schemas=schemas)
    try:
        with database.transaction() as connection:
            _prepare(connection)
            found = int(connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar_one())
        if found > VERSION:
            told = f"the accounts have schema {found}; this version knows up to {VERSION}: upgrade forewarn"
            raise NewerData(f"{database.url.render_as_string()}: {told}")
    except BaseException:
        database.close()
        raise
    if isinstance(address, Path):
        address.chmod(0o600)
    return database


def _prepare(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if not inspect(connection).has_schema(_SCHEMA):
            connection.execute(CreateSchema(_SCHEMA))
    metadata.create_all(connection)
    if connection.execute(select(meta.c.value).where(meta.c.key == "schema")).first() is None:
        connection.execute(insert(meta).values(key="schema", value=str(VERSION)))
