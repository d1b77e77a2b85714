"""Which version of the tables a database has, and how it gets this one."""

from sqlalchemy import Connection, inspect, text

from alerts.schema import REVISION
from pipeline.errors import NewerData


def found_revision(connection: Connection) -> str | None:
    """The version of the tables, None where there are none. Raises NewerData."""
    found: str | None = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > REVISION:
        raise NewerData(f"the store has schema {found}; this version knows up to {REVISION}: upgrade forewarn")
    return found


def bring_up(connection: Connection) -> None:
    """Run the migrations that are missing, inside the transaction of the connection. Raises NewerData."""
    if found_revision(connection) != REVISION:
        from alerts.migrate import upgrade

        if connection.dialect.name == "postgresql":
            # Whoever else begins now waits as long as it takes.
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        upgrade(connection)
