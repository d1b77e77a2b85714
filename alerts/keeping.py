"""The writing half of the store: one statement a table, compiled once, fed with rows of plain values.

A frame of a quiet day holds a handful of rows; building statements anew for each cost more than writing them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, Table

from alerts.queue_order import order_of
from alerts.schema import (
    decisions,
    intents,
    labels,
    offsets,
    outbox,
    rejected,
    series,
    tallies,
    transitions,
    verdicts,
    warnings,
)
from models.rows import DECISION, Rows
from pipeline.columns import pack, unpack
from pipeline.effects import DecisionBlock, Effects

Row = tuple[Any, ...]
_CHANGING = (
    "level", "proposed", "confirmed", "state", "office", "place", "category", "number", "at", "shut", "calm", "late",
)  # fmt: skip
"""Columns of a warning that a transition may change."""


class Keeper:
    """Writes effects into the tables of one database; the caller opens and ends the transaction."""

    def __init__(self, dialect: Dialect) -> None:
        insert = _insert_of(dialect)
        offset, warning, tally = insert(offsets), insert(warnings), insert(tallies)
        self._offset = Statement(
            dialect,
            offsets,
            offset.on_conflict_do_update(
                index_elements=["log", "partition"],
                set_={name: offset.excluded[name] for name in ("offset", "now", "digests")},
                where=offsets.c.offset < offset.excluded.offset,
            ),
        )
        self._warning = Statement(
            dialect,
            warnings,
            warning.on_conflict_do_update(
                index_elements=["id"], set_={name: warning.excluded[name] for name in _CHANGING}
            ),
        )
        self._tally = Statement(
            dialect,
            tallies,
            tally.on_conflict_do_update(
                index_elements=["log", "name"], set_={"count": tallies.c.count + tally.excluded["count"]}
            ),
        )
        plain = (transitions, intents, verdicts, decisions, labels, rejected, outbox, series)
        self._plain = {table.name: Statement(dialect, table, table.insert()) for table in plain}

    def move(
        self, connection: Connection, log: str, partition: int, offset: int, now: int, digests: Mapping[str, str]
    ) -> bool:
        """Move a partition's offset on; False where it was at or past this one, so that nothing may be written."""
        row = (log, partition, offset, now, encoded(digests))
        return bool(self._offset.run(connection, [row]))

    def keep(self, connection: Connection, log: str, partition: int, offset: int, effects: Effects) -> None:
        """Write what a frame yielded."""
        changes = effects.transitions
        if changes:
            self._write(
                connection,
                transitions,
                [(log, partition, t["warning"], t["number"], t["at"], t["subject"], encoded(t)) for t in changes],
            )
            self._warning.run(connection, _warning_rows(log, partition, changes))
        self._write(
            connection,
            intents,
            [(log, partition, each["warning"], each["number"], encoded(each)) for each in effects.intents],
        )
        self._write(
            connection,
            verdicts,
            [(str(each["id"])[:200], log, partition, encoded(each)) for each in effects.verdicts],
        )
        self._write(
            connection,
            decisions,
            [(partition, offset, len(block.heads), packed(block)) for block in effects.decisions],
        )
        self._write(connection, labels, [(partition, *label) for label in effects.labels])
        self._write(
            connection,
            rejected,
            [(log, partition, r["offset"], r["index"], r["reason"], encoded(r)) for r in effects.rejected],
        )
        handed_on = (*effects.to_site, *effects.to_signals)
        self._write(connection, outbox, [(log, partition, each["seq"], encoded(each)) for each in handed_on])
        self._write(connection, series, [(log, encoded(each).encode()) for each in effects.series])
        if effects.counts:
            self._tally.run(connection, [(log, str(name), count) for name, count in effects.counts.items()])

    def _write(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            self._plain[table.name].run(connection, rows)


class Statement:
    """An insert with values in the order of the table's columns, without a number the database gives."""

    def __init__(self, dialect: Dialect, table: Table, statement: Any) -> None:
        self._names = [column.name for column in table.columns if column.autoincrement is not True]
        compiled = statement.compile(dialect=dialect, column_keys=self._names)
        self._sql, self._positional = str(compiled), bool(compiled.positional)

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Write the rows; how many were written."""
        values: Any = rows
        if not self._positional:
            values = [dict(zip(self._names, row, strict=True)) for row in rows]
        if len(rows) == 1:
            return connection.exec_driver_sql(self._sql, values[0]).rowcount
        return connection.exec_driver_sql(self._sql, list(values)).rowcount


def _insert_of(dialect: Dialect) -> Any:
    """The insert that may update instead; only the dialect in use is imported, since a restart waits for imports."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert


def encoded(value: Any) -> str:
    """Compact JSON."""
    return orjson.dumps(value).decode()


def packed(block: DecisionBlock) -> bytes:
    """A block of decisions as the store keeps it."""
    arrays = {
        "heads": block.heads,
        "codes": block.rows.codes,
        "values": block.rows.values,
        "raw": block.raw,
        "probability": block.probability,
        "office": block.office,
        "category": block.category,
        "share": block.share,
        "learn": block.learn,
    }
    return pack({}, arrays)


def unpacked(body: bytes) -> DecisionBlock:
    """The block that `packed` wrote."""
    _, arrays = unpack(body)
    assert arrays["heads"].dtype == DECISION
    rows = Rows(arrays.pop("codes"), arrays.pop("values"))
    return DecisionBlock(rows=rows, **arrays)


def _warning_rows(log: str, partition: int, changes: Sequence[Mapping[str, Any]]) -> list[Row]:
    newest = {change["warning"]: change for change in changes}
    since = {change["warning"]: change["at"] for change in reversed(changes)}
    rows = []
    for id, t in newest.items():
        values = {
            **t,
            **order_of(t),
            "id": id,
            "log": log,
            "partition": partition,
            "level": t["to"],
            "since": since[id],
        }
        rows.append(tuple(values[name] for name in _WARNING_COLUMNS))
    return rows


_WARNING_COLUMNS = [column.name for column in warnings.columns]
