"""Columns and indexes by which the queue of warnings is put in order."""

import json

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, SmallInteger, text

from alerts.queue_order import order_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = {
    "warnings_worst": ["shut", "calm", "late", "id", "place", "category", "kind"],
    "warnings_newest": ["shut", "at", "id"],
    "warnings_due": ["shut", "late", "id"],
    "warnings_group": ["shut", "place", "category", "kind"],
    "warnings_subject": ["subject"],
}


def upgrade() -> None:
    """Add the columns, fill them from the newest transitions, and index them."""
    connection = op.get_bind()
    for name, kind in (("shut", SmallInteger()), ("calm", SmallInteger()), ("late", BigInteger())):
        op.add_column("warnings", Column(name, kind, nullable=False, server_default="0"))
    _fill(connection)
    op.create_index("transitions_partition", "transitions", ["log", "partition"])
    for name, columns in INDEXES.items():
        op.create_index(name, "warnings", columns)
    op.drop_index("warnings_queue", "warnings")


def _fill(connection: Connection) -> None:
    newest = text(
        "SELECT warnings.id, transitions.body FROM warnings JOIN transitions"
        " ON transitions.warning = warnings.id AND transitions.number = warnings.number"
    )
    fill = text("UPDATE warnings SET shut = :shut, calm = :calm, late = :late WHERE id = :id")
    rows = [{"id": id, **order_of(json.loads(body))} for id, body in connection.execute(newest).fetchall()]
    if rows:
        connection.execute(fill, rows)


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
