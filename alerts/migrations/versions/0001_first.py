"""The first schema of the store."""

from alembic import op

from alerts.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table as of 0.1.0."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
    metadata.drop_all(op.get_bind())
