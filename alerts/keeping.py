"""The writing half of the store: one statement a table, compiled once, fed with rows of plain values.

A frame of a quiet day holds a handful of rows; building statements anew for each cost more than writing them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Dialect, Table

from alerts.queue_order import order_of
from alerts.schema import (
    decisions,
    intents,
    labels,
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
_CONFLICT_WARNING = " ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
_CONFLICT_TALLY = ' ON CONFLICT (log, partition, name) DO UPDATE SET "count" = tallies."count" + excluded."count"'
_TYPES = {
    "small_integer": "smallint", "integer": "integer", "big_integer": "bigint", "string": "text", "text": "text",
    "large_binary": "bytea",
}  # fmt: skip
_INSERT_OFFSET = 'INSERT INTO offsets (log, partition, "offset", now, digests, transitions) VALUES (?, ?, ?, ?, ?, ?)'
_CONFLICT_NOTHING = " ON CONFLICT (log, partition) DO NOTHING RETURNING transitions"
_CONFLICT_LOWER = (
    ' ON CONFLICT (log, partition) DO UPDATE SET "offset" = excluded."offset", now = excluded.now,'
    " digests = excluded.digests, transitions = offsets.transitions + excluded.transitions"
    ' WHERE offsets."offset" < excluded."offset" RETURNING transitions'
)
# Who waits here for the row of another looks at it anew when that one is done: two never both find `after`.
_NEXT_OFFSET = (
    'UPDATE offsets SET "offset" = ?, now = ?, digests = ?, transitions = transitions + ?'
    ' WHERE log = ? AND partition = ? AND "offset" = ? RETURNING transitions'
)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a partition of a log is after some frames; `digests` as JSON."""

    log: str
    partition: int
    offset: int
    now: int
    digests: str


class Keeper:
    """The statements that write effects into the tables of one database, and the rows that go into them."""

    def __init__(self, *, is_sqlite: bool) -> None:
        mark = "?" if is_sqlite else "%s"
        self._onward = (_INSERT_OFFSET + _CONFLICT_LOWER).replace("?", mark)
        self._first = (_INSERT_OFFSET + _CONFLICT_NOTHING).replace("?", mark)
        self._next = _NEXT_OFFSET.replace("?", mark)
        conflicts = {"warnings": _CONFLICT_WARNING, "tallies": _CONFLICT_TALLY}
        written = (transitions, warnings, intents, verdicts, decisions, labels, rejected, outbox, series, tallies)
        insert = _insert_rows if is_sqlite else _insert_columns
        self._into = {table.name: insert(table) + conflicts.get(table.name, "") for table in written}

    def move(self, moved: Moved, after: int | None, more: int) -> tuple[str, Row]:
        """The one statement that moves a partition's offset on and adds `more` to its count of transitions.

        It answers with that count, and with nothing where the offset must not move. after : the offset that must be
        there, -1 for none at all; None: any that is lower.
        """
        if after is None or after < 0:
            row = (moved.log, moved.partition, moved.offset, moved.now, moved.digests, more)
            return self._onward if after is None else self._first, row
        return self._next, (moved.offset, moved.now, moved.digests, more, moved.log, moved.partition, after)

    def rows(self, moved: Moved, ordinal: int, all_effects: Sequence[Effects]) -> Iterator[tuple[str, list[Row]]]:
        """What frames yielded: statements with their rows. `ordinal`: of the last transition before these.

        Tables and counts are always in the same order: else two writers could wait for each other for ever.
        """
        log, partition, at = moved.log, moved.partition, moved.now
        changes = [change for effects in all_effects for change in effects.transitions]
        if changes:
            yield (
                self._into["transitions"],
                [
                    (log, partition, ordinal + place, t["warning"], t["number"], t["at"], t["subject"], encoded(t))
                    for place, t in enumerate(changes, 1)
                ],
            )
            yield self._into["warnings"], _warning_rows(log, partition, changes)
        if wishes := [each for effects in all_effects for each in effects.intents]:
            yield (
                self._into["intents"],
                [(log, partition, at, wish["warning"], wish["number"], encoded(wish)) for wish in wishes],
            )
        if answers := [each for effects in all_effects for each in effects.verdicts]:
            yield (
                self._into["verdicts"],
                [(str(answer["id"])[:200], log, partition, at, encoded(answer)) for answer in answers],
            )
        yield from self._lessons(moved, all_effects)
        if bad := [each for effects in all_effects for each in effects.rejected]:
            yield (
                self._into["rejected"],
                [(log, partition, at, each["offset"], each["index"], each["reason"], encoded(each)) for each in bad],
            )
        if handed := [each for effects in all_effects for each in (*effects.to_site, *effects.to_signals)]:
            yield self._into["outbox"], [(log, partition, each["seq"], at, encoded(each)) for each in handed]
        if kept := [each for effects in all_effects for each in effects.series]:
            yield self._into["series"], [(log, encoded(each).encode()) for each in kept]
        if tally := _summed(all_effects):
            yield self._into["tallies"], [(log, partition, str(name), tally[name]) for name in sorted(tally)]

    def _lessons(self, moved: Moved, all_effects: Sequence[Effects]) -> Iterator[tuple[str, list[Row]]]:
        if blocks := [block for effects in all_effects for block in effects.decisions]:
            yield (
                self._into["decisions"],
                [(moved.partition, moved.now, moved.offset, len(block.heads), packed(block)) for block in blocks],
            )
        if known := [(moved.partition, *label) for effects in all_effects for label in effects.labels]:
            yield self._into["labels"], known


def _summed(all_effects: Sequence[Effects]) -> Counter[str]:
    if len(all_effects) == 1:
        return all_effects[0].counts
    tally: Counter[str] = Counter()
    for effects in all_effects:
        tally.update(effects.counts)
    return tally


def _insert_rows(table: Table) -> str:
    """A row at a time, with places for the columns in their order, but for a number that the database gives."""
    names = _names(table)
    return f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({', '.join('?' * len(names))})"


def _insert_columns(table: Table) -> str:
    """All rows in one statement, column by column: on its way to a server a row of its own costs ten times that."""
    columns = (f"%b::{_TYPES[table.c[name].type.__visit_name__]}[]" for name in _names(table))
    return f"INSERT INTO {table.name} ({_quoted(_names(table))}) SELECT * FROM unnest({', '.join(columns)})"


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.autoincrement is not True]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def insert_of(dialect: Dialect) -> Any:
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
