"""The register of a cluster: names, matters, texts, dead letters, requests, counts. An embedded site has its log.db."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Identity, Integer, LargeBinary, PrimaryKeyConstraint, Text, text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what only a cluster needs."""
    if op.get_bind().dialect.name == "postgresql":
        _places()
        _matters()
        _beside_frames()
        _edge()


def _places() -> None:
    op.create_table("register_meta", Column("key", Text, primary_key=True), _needed("value", Text))
    op.create_table(
        "seats", Column("place", BigInteger, primary_key=True, autoincrement=False), _needed("partition", Integer)
    )
    op.create_table(
        "log_bases",
        Column("log", Text),
        Column("partition", Integer),
        _needed("base", BigInteger),
        PrimaryKeyConstraint("log", "partition"),
    )


def _matters() -> None:
    op.create_table(
        "names",
        Column("code", BigInteger, primary_key=True, autoincrement=False),
        _needed("kind", Text),
        _needed("name", Text(collation="C")),
    )
    op.create_index("names_kind", "names", ["kind", "name"])
    is_point = text("kind = 'place' AND strpos(name, '/') > 0")
    op.create_index("names_point", "names", ["code"], postgresql_where=is_point)
    op.create_table(
        "matters",
        Column("key", LargeBinary(16), primary_key=True),
        _needed("partition", Integer),
        _needed("name", Text),
        _needed("number", Text(collation="C")),
    )
    op.create_index("matters_number", "matters", ["number"])
    op.create_index("matters_number_end", "matters", [text("reverse(number)")])


def _beside_frames() -> None:
    op.create_table(
        "texts",
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("idx", Integer),
        _needed("text", Text),
        _needed("until", BigInteger),
        PrimaryKeyConstraint("partition", "offset", "idx"),
    )
    op.create_index("texts_until", "texts", ["until"])
    op.create_table(
        "deadletters",
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("source", Text),
        Column("position", Text),
        _needed("reason", Text),
        Column("field", Text),
        Column("detail", Text),
        Column("remedy", Text),
        Column("size", BigInteger),
        Column("sha256", Text),
        Column("body", LargeBinary),
        Column("at", BigInteger),
    )
    op.create_index("deadletters_reason", "deadletters", ["reason", "id"])
    op.create_index("deadletters_source", "deadletters", ["source", "id"])
    op.create_index("deadletters_at", "deadletters", ["at"])


def _edge() -> None:
    op.create_table("cursors", Column("source", Text, primary_key=True), _needed("position", BigInteger))
    op.create_table(
        "batches",
        Column("key", LargeBinary(16), primary_key=True),
        _needed("content", LargeBinary),
        _needed("at", BigInteger),
        _needed("answer", LargeBinary),
    )
    op.create_index("batches_at", "batches", ["at"])
    op.create_table("edge_tallies", Column("name", Text, primary_key=True), _needed("count", BigInteger))


def _needed(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def downgrade() -> None:
    """What is here cannot be made again: restore it from a back-up."""
