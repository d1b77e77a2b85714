"""What several writers need: ordinals, counts and marks by partition, leases, checkpoints and models; ages of rows."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Number what is there; what has no age yet is as old as the newest thing."""
    _ordinals()
    for table in ("intents", "verdicts", "decisions", "rejected", "outbox"):
        op.add_column(table, _number("at"))
        op.execute(f"UPDATE {table} SET at = (SELECT coalesce(max(now), 0) FROM offsets)")
    _by_partition()
    _tables()
    op.drop_index("warnings_newest", "warnings")
    op.create_index("warnings_newest", "warnings", ["shut", "at", "id", "place"])
    over = text("shut = 1")
    for column in ("office", "category", "state"):
        op.create_index(
            f"warnings_{column}", "warnings", [column, "at", "id", "place"], sqlite_where=over, postgresql_where=over
        )


def _ordinals() -> None:
    op.add_column("offsets", _number("transitions"))
    op.add_column("transitions", _number("ordinal"))
    op.execute(
        "UPDATE transitions SET ordinal = numbered.ordinal FROM (SELECT id, row_number() OVER"
        " (PARTITION BY log, partition ORDER BY id) AS ordinal FROM transitions) AS numbered"
        " WHERE numbered.id = transitions.id"
    )
    op.execute(
        "UPDATE offsets SET transitions = (SELECT count(*) FROM transitions"
        " WHERE transitions.log = offsets.log AND transitions.partition = offsets.partition)"
    )
    op.create_index("transitions_ordinal", "transitions", ["log", "partition", "ordinal"], unique=True)
    op.drop_index("transitions_partition", "transitions")


def _by_partition() -> None:
    op.rename_table("tallies", "tallies_before")
    op.create_table(
        "tallies",
        Column("log", String(16)),
        Column("partition", Integer),
        Column("name", String(32)),
        Column("count", BigInteger, nullable=False),
        PrimaryKeyConstraint("log", "partition", "name"),
    )
    op.execute("INSERT INTO tallies (log, partition, name, count) SELECT log, 0, name, count FROM tallies_before")
    op.drop_table("tallies_before")
    op.rename_table("delivery_marks", "marks_before")
    op.create_table(
        "delivery_marks",
        Column("sink", String(32)),
        Column("log", String(16)),
        Column("partition", Integer),
        Column("intent", BigInteger, nullable=False),
        PrimaryKeyConstraint("sink", "log", "partition"),
    )
    op.execute(
        "INSERT INTO delivery_marks (sink, log, partition, intent)"
        " SELECT marks_before.sink, offsets.log, offsets.partition, marks_before.intent FROM marks_before, offsets"
    )
    op.drop_table("marks_before")


def _tables() -> None:
    op.create_table(
        "leases",
        Column("name", String(64), primary_key=True),
        Column("holder", String(200), nullable=False),
        Column("token", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    op.create_table(
        "checkpoints",
        Column("log", String(16)),
        Column("partition", Integer),
        Column("base", BigInteger),
        Column("writer", String(32)),
        Column("offset", BigInteger),
        Column("piece", Integer),
        Column("sha256", LargeBinary(32), nullable=False),
        Column("body", LargeBinary, nullable=False),
        PrimaryKeyConstraint("log", "partition", "base", "writer", "offset", "piece"),
    )
    op.create_table(
        "models", Column("sha256", String(64), primary_key=True), Column("body", LargeBinary, nullable=False)
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("checkpoints", "models", "decisions"):
            # PostgreSQL's own compression took longer than all else that a frame writes.
            op.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
