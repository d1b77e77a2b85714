"""The register's tables as migrations make them."""

import pytest
from sqlalchemy import inspect, update
from sqlalchemy.schema import MetaData, Table

from alerts.register import PgRegister
from alerts.store import Store
from pipeline.errors import NewerData

pytestmark = pytest.mark.real


def test_store_and_register_share_one_history(database: str) -> None:
    store = Store(database)
    register = PgRegister(database)
    assert inspect(store.engine).has_table("matters")
    register.close()
    store.close()


def test_a_register_of_a_later_version_is_refused(database: str) -> None:
    register = PgRegister(database)
    versions = Table("alembic_version", MetaData(), autoload_with=register.database.engine)
    register.database.change(update(versions).values(version_num="9999"))
    register.close()
    with pytest.raises(NewerData, match="upgrade forewarn"):
        PgRegister(database)
