"""Bring a store's schema up to this version with Alembic, inside the caller's connection."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

LOCK = 0x666F7265
"""Number of the advisory lock that is held meanwhile."""


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations that the store lacks; of several processes that begin at once, one runs them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
