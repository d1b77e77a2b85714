"""Tables of delivery: what is on its way to whom, and up to which intent it was planned."""

from alembic import op

from alerts.schema import deliveries, delivery_marks

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what is not there; a store that has just been created has it all."""
    for table in (deliveries, delivery_marks):
        table.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
