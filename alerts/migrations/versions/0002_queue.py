"""Columns and indexes by which the queue of warnings is put in order."""

import json

from alembic import op
from sqlalchemy import Column, inspect, select, update

from alerts.queue_order import order_of
from alerts.schema import transitions, warnings

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a store of 0001 lacks; one that has just been created has it all."""
    connection = op.get_bind()
    found = inspect(connection)
    columns = {column["name"] for column in found.get_columns("warnings")}
    for name in ("shut", "calm", "late"):
        if name not in columns:
            column = warnings.c[name]
            op.add_column("warnings", Column(name, column.type, nullable=False, server_default=column.server_default))
    if "shut" not in columns:
        _fill(connection)
    for table in (transitions, warnings):
        there = {index["name"] for index in found.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in there:
                index.create(connection)
    if "warnings_queue" in {index["name"] for index in found.get_indexes("warnings")}:
        op.drop_index("warnings_queue", "warnings")


def _fill(connection) -> None:  # type: ignore[no-untyped-def]
    newest = (transitions.c.warning == warnings.c.id) & (transitions.c.number == warnings.c.number)
    for id, body in connection.execute(select(warnings.c.id, transitions.c.body).join(transitions, newest)).fetchall():
        connection.execute(update(warnings).where(warnings.c.id == id).values(order_of(json.loads(body))))


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
