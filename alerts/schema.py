"""The store's tables (SQLAlchemy Core): everything the folds can make again, and nothing else."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

REVISION = "0003"
"""Newest migration this version knows."""

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")

offsets = Table(
    "offsets",
    metadata,
    Column("log", String(16)),
    Column("partition", Integer),
    Column("offset", BigInteger, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("digests", Text, nullable=False),
    PrimaryKeyConstraint("log", "partition"),
)
transitions = Table(
    "transitions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("warning", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("subject", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Index("transitions_warning", "warning", "number", unique=True),
    Index("transitions_partition", "log", "partition"),
)
warnings = Table(
    "warnings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("subject", String(32), nullable=False),
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
    # By what the queue is put in order; see alerts.queue_order.
    Column("shut", SmallInteger, nullable=False, server_default="0"),
    Column("calm", SmallInteger, nullable=False, server_default="0"),
    Column("late", BigInteger, nullable=False, server_default="0"),
    Index("warnings_worst", "shut", "calm", "late", "id", "place", "category", "kind"),
    Index("warnings_newest", "shut", "at", "id"),
    Index("warnings_due", "shut", "late", "id"),
    Index("warnings_group", "shut", "place", "category", "kind"),
    Index("warnings_subject", "subject"),
)
intents = Table(
    "intents",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("warning", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, index=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
decisions = Table(
    "decisions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
labels = Table(
    "labels",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("partition", Integer, nullable=False),
    Column("subject", LargeBinary(16), nullable=False),
    Column("target", SmallInteger, nullable=False),
    Column("y", SmallInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
)
rejected = Table(
    "rejected",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("body", Text, nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("log", String(16)),
    Column("partition", Integer),
    Column("seq", BigInteger),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("log", "partition", "seq"),
)
series = Table(
    "series",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("log", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
lessons = Table(
    "lessons",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("until", BigInteger, nullable=False),
    Column("decisions", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("result", String(64)),
)
tallies = Table(
    "tallies",
    metadata,
    Column("log", String(16)),
    Column("name", String(32)),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("log", "name"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False),
    Column("sink", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Index("deliveries_due", "state", "due"),
)
delivery_marks = Table(
    "delivery_marks",
    metadata,
    Column("sink", String(32), primary_key=True),
    Column("intent", BigInteger, nullable=False),
)
