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
    text,
)

REVISION = "0005"
"""Newest migration this version knows."""

metadata = MetaData()
_OVER = text("shut = 1")
_Id = BigInteger().with_variant(Integer, "sqlite")


def plain(length: int) -> String:
    """Text that is compared, put in order or searched by its beginning: byte by byte, in every database alike."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


offsets = Table(
    "offsets",
    metadata,
    Column("log", String(16)),
    Column("partition", Integer),
    Column("offset", BigInteger, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("digests", Text, nullable=False),
    # Of all transitions that the partition ever made: the ordinal of the newest.
    Column("transitions", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("log", "partition"),
)
transitions = Table(
    "transitions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    # 1, 2, 3 ... within its partition.
    Column("ordinal", BigInteger, nullable=False, server_default="0"),
    Column("warning", plain(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("subject", plain(32), nullable=False),
    Column("body", Text, nullable=False),
    Index("transitions_warning", "warning", "number", unique=True),
    Index("transitions_ordinal", "log", "partition", "ordinal", unique=True),
)
warnings = Table(
    "warnings",
    metadata,
    Column("id", plain(32), primary_key=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("subject", plain(32), nullable=False),
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
    Index("warnings_newest", "shut", "at", "id", "place"),
    *(
        # Years of ended ones, by what few of them have; those that are open still are too few to need it.
        Index(
            f"warnings_{name}",
            name,
            "at",
            "id",
            "place",
            sqlite_where=text("shut = 1"),
            postgresql_where=text("shut = 1"),
        )
        for name in ("office", "category", "state")
    ),
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
    Column("at", BigInteger, nullable=False, server_default="0"),
    Column("warning", plain(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", plain(200), nullable=False, index=True),
    Column("log", String(16), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("at", BigInteger, nullable=False, server_default="0"),
    Column("body", Text, nullable=False),
)
decisions = Table(
    "decisions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("partition", Integer, nullable=False),
    Column("at", BigInteger, nullable=False, server_default="0"),
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
    Column("at", BigInteger, nullable=False, server_default="0"),
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
    Column("at", BigInteger, nullable=False, server_default="0"),
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
    Column("partition", Integer),
    Column("name", String(32)),
    Column("count", BigInteger, nullable=False),
    # By partition, or the workers would wait for each other.
    PrimaryKeyConstraint("log", "partition", "name"),
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
    Column("sink", String(32)),
    # By partition, since only within one are intents committed in the order of their ids.
    Column("log", String(16)),
    Column("partition", Integer),
    Column("intent", BigInteger, nullable=False),
    PrimaryKeyConstraint("sink", "log", "partition"),
)
leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("log", String(16)),
    Column("partition", Integer),
    # A chain is one writer's: a base and what was touched since, by offset, each in pieces.
    Column("base", BigInteger),
    Column("writer", String(32)),
    Column("offset", BigInteger),
    Column("piece", Integer),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log", "partition", "base", "writer", "offset", "piece"),
)
models = Table(
    "models",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
