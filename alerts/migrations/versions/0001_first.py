"""The first schema of the store."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Id = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Create every table as it was then, whatever later ones are like."""
    op.create_table(
        "offsets",
        Column("log", String(16)),
        Column("partition", Integer),
        Column("offset", BigInteger, nullable=False),
        Column("now", BigInteger, nullable=False),
        Column("digests", Text, nullable=False),
        PrimaryKeyConstraint("log", "partition"),
    )
    _warnings()
    _learning()
    op.create_table(
        "rejected",
        _id(),
        *_partition(),
        Column("offset", BigInteger, nullable=False),
        Column("idx", Integer, nullable=False),
        Column("reason", String(32), nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "outbox",
        Column("log", String(16)),
        Column("partition", Integer),
        Column("seq", BigInteger),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("log", "partition", "seq"),
    )
    op.create_table(
        "series",
        _id(),
        Column("log", String(16), nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    op.create_table(
        "tallies",
        Column("log", String(16)),
        Column("name", String(32)),
        Column("count", BigInteger, nullable=False),
        PrimaryKeyConstraint("log", "name"),
    )


def _warnings() -> None:
    op.create_table(
        "transitions",
        _id(),
        *_partition(),
        Column("warning", _plain(32), nullable=False),
        Column("number", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("subject", _plain(32), nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_index("transitions_warning", "transitions", ["warning", "number"], unique=True)
    op.create_table(
        "warnings",
        Column("id", _plain(32), primary_key=True),
        *_partition(),
        Column("subject", _plain(32), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("level", SmallInteger, nullable=False),
        Column("proposed", SmallInteger, nullable=False),
        Column("confirmed", SmallInteger, nullable=False),
        Column("state", String(24), nullable=False),
        Column("office", BigInteger, nullable=False),
        Column("place", BigInteger, nullable=False),
        Column("category", BigInteger, nullable=False),
        Column("number", Integer, nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    op.create_index("warnings_queue", "warnings", ["state", "level", "at"])
    op.create_table(
        "intents",
        _id(),
        *_partition(),
        Column("warning", _plain(32), nullable=False),
        Column("number", Integer, nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "verdicts",
        _id(),
        Column("key", _plain(200), nullable=False),
        *_partition(),
        Column("body", Text, nullable=False),
    )
    op.create_index("ix_verdicts_key", "verdicts", ["key"])


def _learning() -> None:
    op.create_table(
        "decisions",
        _id(),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("rows", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    op.create_table(
        "labels",
        _id(),
        Column("partition", Integer, nullable=False),
        Column("subject", LargeBinary(16), nullable=False),
        Column("target", SmallInteger, nullable=False),
        Column("y", SmallInteger, nullable=False),
        Column("known_at", BigInteger, nullable=False),
    )
    op.create_table(
        "lessons",
        _id(),
        Column("until", BigInteger, nullable=False),
        Column("decisions", BigInteger, nullable=False),
        Column("labels", BigInteger, nullable=False),
        Column("result", String(64)),
    )


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


def _partition() -> tuple[Column[str], Column[int]]:
    return Column("log", String(16), nullable=False), Column("partition", Integer, nullable=False)


def _plain(length: int) -> String:
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def downgrade() -> None:
    """A store can be made again from the logs: drop it."""
