"""Tables of delivery: what is on its way to whom, and up to which intent it was planned."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "deliveries",
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("key", String(64), nullable=False),
        Column("sink", String(32), nullable=False),
        Column("body", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("state", String(16), nullable=False),
    )
    op.create_index("deliveries_due", "deliveries", ["state", "due"])
    op.create_table(
        "delivery_marks",
        Column("sink", String(32), primary_key=True),
        Column("intent", BigInteger, nullable=False),
    )


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
