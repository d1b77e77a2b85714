"""Rows of an embedded site's databases into PostgreSQL, all inside one transaction of the caller.

Ids stay what they are, since other rows and other systems name them; sequences go on behind the highest.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, exists, func, select, text

from alerts import register_schema as register
from alerts.matter_number import number_of
from alerts.matter_table import storable
from alerts.schema import checkpoints, leases, metadata, models

Counts = dict[str, int]
Tell = Callable[[str, int], None]
"""Called with the name of a table and how many of its rows were copied."""
Row = dict[str, Any]

_AT_ONCE = 5_000
_OF_THE_PLACE = {checkpoints.name, leases.name, models.name, "alembic_version"}
"""What is written otherwise, or belongs to the database itself."""
_MEMORY = {"schema", "clock"}
"""Values of a log file that say what kind of file it is."""


def store_tables() -> list[Table]:
    """Tables of the store that are copied row by row."""
    return [table for table in metadata.sorted_tables if table.name not in _OF_THE_PLACE]


def occupied(connection: Connection, tables: Iterable[Table]) -> str:
    """Name of a table that holds something, '' where none does."""
    for table in tables:
        if connection.execute(select(exists(select(table)))).scalar_one():
            return table.name
    return ""


def register_tables() -> list[Table]:
    """Tables of the register."""
    return list(register.register_metadata.sorted_tables)


def copy_tables(source: Engine, connection: Connection, tables: Iterable[Table], tell: Tell) -> Counts:
    """Copy these tables as they are; how many rows each had."""
    counts: Counts = {}
    for table in tables:
        query = select(table).order_by(*table.primary_key.columns)
        with source.connect() as reading:
            rows = (
                {name: _plain(value) for name, value in row._mapping.items()}
                for row in reading.execution_options(stream_results=True, yield_per=_AT_ONCE).execute(query)
            )
            counts[table.name] = insert_rows(connection, table, rows, tell)
        _go_on(connection, table)
    return counts


def copy_register(log: sqlite3.Connection, connection: Connection, tell: Tell) -> Counts:
    """Copy what a log file knows beside its frames; how many rows each table had."""
    counts: Counts = {}
    for table, query, row_of in _REGISTER:
        rows = (row_of(row) for row in _read(log, query))
        counts[table.name] = insert_rows(connection, table, rows, tell)
    return counts


def keep_model(connection: Connection, sha256: str, body: bytes) -> None:
    """Store a published model under its hash."""
    connection.execute(models.insert(), {"sha256": sha256, "body": body})


def insert_rows(connection: Connection, table: Table, rows: Iterator[Row], tell: Tell) -> int:
    """Insert rows piece by piece; how many there were."""
    count = 0
    while piece := list(islice(rows, _AT_ONCE)):
        connection.execute(table.insert(), piece)
        count += len(piece)
        tell(table.name, count)
    return count


def _read(log: sqlite3.Connection, query: str) -> Iterator[Mapping[str, Any]]:
    cursor = log.execute(query)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, map(_plain, row), strict=True))


def _plain(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _go_on(connection: Connection, table: Table) -> None:
    """The next id that the database gives comes after the highest."""
    id = table.columns.get("id")
    if id is None or id.autoincrement is not True:
        return
    name = f"{table.schema}.{table.name}" if table.schema else table.name
    highest = connection.execute(select(func.max(id))).scalar()
    if highest is not None:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :id)"), {"name": name, "id": highest}
        )


def _same(row: Mapping[str, Any]) -> Row:
    return dict(row)


def _matter(row: Mapping[str, Any]) -> Row:
    return {**row, "number": number_of(row["name"])}


_LETTER = "source, position, reason, field, detail, remedy, size, sha256, body, at"
_REGISTER: Sequence[tuple[Table, str, Callable[[Mapping[str, Any]], Row]]] = (
    (register.meta, f"SELECT key, value FROM meta WHERE key NOT IN {tuple(sorted(_MEMORY))}", _same),
    (register.seats, "SELECT place, partition FROM partitions", _same),
    (register.names, "SELECT code, kind, name FROM names", _same),
    (register.matters, "SELECT key, partition, name FROM matters", _matter),
    (register.texts, "SELECT partition, offset, idx, text, coalesce(until, 0) AS until FROM texts", _same),
    (register.deadletters, f"SELECT {_LETTER} FROM deadletters ORDER BY id", _same),
    (register.cursors, "SELECT source, position FROM cursors", _same),
    (register.batches, "SELECT key, content, at, answer FROM batches", _same),
    (register.tallies, "SELECT name, count FROM tallies", _same),
)
"""Each table of the register, what a log file has for it, and how a row of the one becomes a row of the other."""
