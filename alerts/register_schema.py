"""Tables of a cluster's register (SQLAlchemy Core): what an embedded site keeps in log.db beside its frames.

They are in PostgreSQL only. Columns that are compared, put in order or searched carry the collation "C": byte by byte,
on every machine alike.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)

register_metadata = MetaData()
_Plain = Text(collation="C")

meta = Table(
    "register_meta",
    register_metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
seats = Table(
    "seats",
    register_metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", Integer, nullable=False),
)
log_bases = Table(
    "log_bases",
    register_metadata,
    Column("log", Text),
    Column("partition", Integer),
    Column("base", BigInteger, nullable=False),
    PrimaryKeyConstraint("log", "partition"),
)
names = Table(
    "names",
    register_metadata,
    Column("code", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", _Plain, nullable=False),
    Index("names_kind", "kind", "name"),
    # Points within places ("grid/point"), which no configuration lists.
    Index("names_point", "code", postgresql_where=text("kind = 'place' AND strpos(name, '/') > 0")),
)
matters = Table(
    "matters",
    register_metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("name", Text, nullable=False),
    # What people search by, without case and separators; see alerts.matter_number.
    Column("number", _Plain, nullable=False),
)
Index("matters_number", matters.c.number)
Index("matters_number_end", func.reverse(matters.c.number))
texts = Table(
    "texts",
    register_metadata,
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("idx", Integer),
    Column("text", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("partition", "offset", "idx"),
    Index("texts_until", "until"),
)
deadletters = Table(
    "deadletters",
    register_metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text),
    Column("position", Text),
    Column("reason", Text, nullable=False),
    Column("field", Text),
    Column("detail", Text),
    Column("remedy", Text),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("body", LargeBinary),
    Column("at", BigInteger),
    Index("deadletters_reason", "reason", "id"),
    Index("deadletters_source", "source", "id"),
    Index("deadletters_at", "at"),
)
cursors = Table(
    "cursors",
    register_metadata,
    Column("source", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
batches = Table(
    "batches",
    register_metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("batches_at", "at"),
)
tallies = Table(
    "edge_tallies",
    register_metadata,
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
