"""Questions to the store that a duty room asks: the ordered queue, its groups, counts, and what changed since a cursor.

Every question takes the scope: the places that may be seen. Pages go on by key, so a page costs the same however deep.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Text,
    TypeDecorator,
    and_,
    case,
    event,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from alerts.database import translated
from alerts.schema import offsets, transitions, warnings
from alerts.store import Store

Order = Literal["worst", "newest", "due"]
Scope = frozenset[int] | None
"""Codes of the places that may be seen; None: all of them, and what has no place."""

_ORDERS = {
    "worst": (warnings.c.shut, warnings.c.calm, warnings.c.late, warnings.c.id),
    "due": (warnings.c.shut, warnings.c.late, warnings.c.id),
    "newest": (warnings.c.at, warnings.c.id),
}
_LEVELS = ("blue", "yellow", "orange", "red")
_FEW = 50
"""Codes that are bound one by one."""
_MANY = 900
"""Ids in one question at most."""
COUNTED = 100_000
"""So many are counted; a total of this means that many or more."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; an empty one asks for everything. Codes and levels, not names.

    places : those of a subtree; ids : those a search found; None where nothing is asked of them.
    """

    levels: frozenset[int] = frozenset()
    kinds: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    offices: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    places: frozenset[int] | None = None
    ids: frozenset[str] | None = None
    with_shut: bool = False
    is_awaiting: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `warnings` with those of the newest transitions, in order; `after`: the key to go on from."""

    rows: list[dict[str, Any]]
    after: list[Any] | None


class Queue:
    """Reads one store beside its writers, on any thread. Every question raises StoreUnavailable."""

    def __init__(self, url: Path | str) -> None:
        self._store = Store(url, readonly=True)
        # Questions of one statement each: on a server a transaction around them would be two round trips more.
        auto = {} if self._store.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._engine = self._store.engine.execution_options(**auto)
        if not self._store.is_sqlite:
            event.listen(self._store.engine, "checkout", _unprepared)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def page(self, scope: Scope, filters: Filters, order: Order, limit: int, after: Sequence[Any] | None) -> Page:
        """The next `limit` warnings behind the key `after`."""
        keys = _ORDERS[order]
        # By time, open and ended ones lie in two halves of an index; in every other order one half follows the other.
        halves = _halves(filters) if order == "newest" else (None,)
        rows = []
        for half in halves:
            query = select(warnings).where(*_conditions(scope, filters, half))
            if order == "newest":
                query = query.order_by(*(key.desc() for key in keys))
            else:
                query = query.order_by(*keys)
            if after is not None:
                behind = tuple_(*keys)
                edge = tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True)))
                query = query.where(behind < edge if order == "newest" else behind > edge)
            rows += self._rows(query.limit(limit + 1))
        if len(halves) > 1:
            rows.sort(key=lambda row: (row["at"], row["id"]), reverse=True)
        more = len(rows) > limit
        rows = rows[:limit]
        return Page(rows, [rows[-1][key.name] for key in keys] if more and rows else None)

    def total(self, scope: Scope, filters: Filters) -> int:
        """How many match, `COUNTED` at most."""
        total = 0
        with self._asking() as connection:
            for half in _halves(filters):
                some = select(warnings.c.shut).where(*_conditions(scope, filters, half)).limit(COUNTED).subquery()
                total += int(connection.execute(select(func.count()).select_from(some)).scalar_one())
        return min(total, COUNTED)

    def counts(self, scope: Scope) -> dict[str, int]:
        """Open warnings by the level they are proposed at, and how many wait for a confirmation."""
        out = dict.fromkeys((*_LEVELS, "awaiting"), 0)
        open_ones = _conditions(scope, Filters())
        # Two questions: the first is answered from an index alone, the second looks at orange and red only.
        by_level = select(warnings.c.calm, func.count()).where(*open_ones).group_by(warnings.c.calm)
        waiting = select(func.count()).where(
            *open_ones, warnings.c.calm < 2, warnings.c.proposed > warnings.c.confirmed
        )
        with self._asking() as connection:
            for calm, count in connection.execute(by_level):
                if calm < 4:
                    out[_LEVELS[3 - calm]] = count
            out["awaiting"] = int(connection.execute(waiting).scalar_one())
        return out

    def groups(self, scope: Scope, filters: Filters, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Place x category x kind: `counts`, `total` and the row of the worst; worst first, and how many there are."""
        by = (warnings.c.place, warnings.c.category, warnings.c.kind)
        where = _conditions(scope, filters)
        # One pass in order, out of an index alone: the first of a group is its worst.
        query = select(*by, warnings.c.id, warnings.c.calm).where(*where).order_by(*_ORDERS["worst"])
        waiting = select(*by, func.count()).where(*where, warnings.c.calm < 2, _awaiting() == 1).group_by(*by)
        tallies: dict[tuple[Any, ...], list[int]] = {}
        worst: list[tuple[tuple[Any, ...], str]] = []
        with self._asking() as connection:
            for place, category, kind, id, calm in connection.execute(query).all():
                key = (place, category, kind)
                tally = tallies.get(key)
                if tally is None:
                    tally = tallies[key] = [0, 0, 0, 0, 0, 0]
                    if len(worst) < limit:
                        worst.append((key, id))
                tally[calm] += 1
            for place, category, kind, count in connection.execute(waiting):
                if (place, category, kind) in tallies:
                    tallies[place, category, kind][5] = count
        rows = {row["id"]: row for row in self.rows(scope, [id for _, id in worst])}
        names = (*reversed(_LEVELS), "none", "awaiting")
        return [
            {
                "total": sum(tallies[key][:5]),
                "counts": _without_none(dict(zip(names, tallies[key], strict=True))),
                "worst": rows[id],
            }
            for key, id in worst
            if id in rows
        ], len(tallies)

    def row(self, scope: Scope, warning: str) -> dict[str, Any] | None:
        """One warning by its id; None when it is not there or outside the scope."""
        rows = self._rows(select(warnings).where(warnings.c.id == warning, *_within(scope)))
        return rows[0] if rows else None

    def rows(self, scope: Scope, ids: Collection[str]) -> list[dict[str, Any]]:
        """Warnings by their ids, as far as they are there and within the scope."""
        return self._rows(select(warnings).where(warnings.c.id.in_(ids), *_within(scope)))

    def found(self, scope: Scope, subjects: Collection[str], prefix: str, most: int) -> frozenset[str]:
        """Ids of warnings about some subjects, and of those whose id begins with `prefix` ('' for none)."""
        asked = [select(warnings.c.id).where(warnings.c.subject.in_(subjects), *_within(scope)).limit(most)]
        if prefix:
            begins = and_(warnings.c.id >= prefix, warnings.c.id < prefix + "\x7f")
            asked.append(select(warnings.c.id).where(begins, *_within(scope)).limit(most))
        with self._asking() as connection:
            return frozenset(id for query in asked for (id,) in connection.execute(query))

    def taker(self, scope: Scope, warning: str) -> str | None:
        """Who acknowledged a warning last; None where nobody did."""
        for transition in reversed(self.history(scope, warning)):
            if transition["cause"] == "acknowledged":
                return str(transition["principal"])
        return None

    def newest(self, scope: Scope, keys: Sequence[tuple[str, int]]) -> dict[str, dict[str, Any]]:
        """Transitions by (warning, number)."""
        out: dict[str, dict[str, Any]] = {}
        with self._asking() as connection:
            for first in range(0, len(keys), _MANY):
                wanted = dict(keys[first : first + _MANY])
                # Two lists and not one of pairs: SQLite finds pairs by reading every transition there is.
                t, seen = transitions.c, and_(warnings.c.id == transitions.c.warning, *_within(scope))
                query = select(t.warning, t.number, t.body).where(
                    t.warning.in_(wanted), t.number.in_(set(wanted.values())), exists().where(seen)
                )
                for warning, number, body in connection.execute(query):
                    if wanted[warning] == number:
                        out[warning] = json.loads(body)
        return out

    def history(self, scope: Scope, warning: str) -> list[dict[str, Any]]:
        """All transitions of one warning, in order; none outside the scope."""
        query = (
            select(transitions.c.body)
            .join(warnings, warnings.c.id == transitions.c.warning)
            .where(transitions.c.warning == warning, *_within(scope))
            .order_by(transitions.c.number)
        )
        with self._asking() as connection:
            return [json.loads(body) for (body,) in connection.execute(query)]

    def alike(self, scope: Scope, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """How many open warnings there are of each (place, category)."""
        places = {place for place, _ in pairs}
        query = (
            select(warnings.c.place, warnings.c.category, func.count())
            .where(warnings.c.shut == 0, warnings.c.place.in_(places), *_within(scope))
            .group_by(warnings.c.place, warnings.c.category)
        )
        with self._asking() as connection:
            return {(place, category): count for place, category, count in connection.execute(query)}

    def since(self, scope: Scope, log: str, partition: int, number: int, most: int) -> list[dict[str, Any]] | None:
        """Rows of the warnings that changed after a partition's `number`-th transition; None where that is too much."""
        of_it = and_(transitions.c.log == log, transitions.c.partition == partition)
        ever = select(offsets.c.transitions).where(offsets.c.log == log, offsets.c.partition == partition)
        with self._asking() as connection:
            missed = int(connection.execute(ever).scalar() or 0) - number
            if missed > most or missed < 0:
                return None
            last = select(transitions.c.warning).where(of_it, transitions.c.ordinal > number)
            query = select(warnings).where(warnings.c.id.in_(last), *_within(scope))
            return [dict(row._mapping) for row in connection.execute(query)]

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        with translated(), self._engine.connect() as connection:
            yield connection

    def _rows(self, query: Any) -> list[dict[str, Any]]:
        with self._asking() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]


def _unprepared(connection: Any, *_: object) -> None:
    # A plan made once for all values would not know how many places somebody may see.
    connection.prepare_threshold = None


def _without_none(counts: dict[str, int]) -> dict[str, int]:
    """Counts by level as they are told; shut ones have none."""
    return {name: count for name, count in counts.items() if name != "none"}


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope is None else [_among(warnings.c.place, scope)]


class _Codes(TypeDecorator[frozenset[int]]):
    """Many codes as one bound value: thousands of places would cost more to bind than to look up."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An array, of which PostgreSQL's planner sees how long it is; else JSON."""
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: frozenset[int] | None, dialect: Dialect) -> Any:
        """As the database takes it."""
        codes = value or frozenset()
        return sorted(codes) if dialect.name == "postgresql" else _listed(codes)


class _IsAmong(FunctionElement[bool]):
    """Whether a column's value is one of many codes."""

    inherit_cache = True
    name = "is_among"


@compiles(_IsAmong)
def _sqlite_is_among(element: _IsAmong, compiler: Any, **kw: Any) -> str:
    column, bound = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({bound}))"


@compiles(_IsAmong, "postgresql")
def _postgresql_is_among(element: _IsAmong, compiler: Any, **kw: Any) -> str:
    column, bound = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({bound})"


def _among(column: ColumnElement[int], codes: frozenset[int]) -> ColumnElement[bool]:
    return column.in_(codes) if len(codes) <= _FEW else _IsAmong(column, literal(codes, _Codes()))


@lru_cache(maxsize=64)
def _listed(codes: frozenset[int]) -> str:
    return json.dumps(sorted(codes))


def _halves(filters: Filters) -> tuple[int, ...]:
    return (0, 1) if filters.with_shut else (0,)


def _conditions(scope: Scope, filters: Filters, shut: int | None = None) -> list[ColumnElement[bool]]:
    places = filters.places
    if scope is not None:
        places = scope if places is None else scope & places
    where = _within(places)
    if shut is None and not filters.with_shut:
        shut = 0
    if shut is not None:
        # Not bound: SQLite would not see that an index of the ended ones will do.
        where.append(warnings.c.shut == literal_column(str(shut)))
    if filters.levels:
        where.append(warnings.c.calm.in_({4 - level for level in filters.levels}))
    for column, wanted in (
        (warnings.c.kind, filters.kinds),
        (warnings.c.state, filters.states),
        (warnings.c.office, filters.offices),
        (warnings.c.category, filters.categories),
    ):
        if wanted:
            where.append(column.in_(wanted))
    if filters.is_awaiting:
        where.append(_awaiting() == 1)
    if filters.ids is not None:
        where.append(warnings.c.id.in_(filters.ids))
    return where


def _awaiting() -> ColumnElement[int]:
    """1 where a proposal above yellow is not confirmed: see alerts.lifecycle.Life.awaiting."""
    waits = and_(warnings.c.shut == 0, warnings.c.proposed > 2, warnings.c.proposed > warnings.c.confirmed)
    return case((waits, 1), else_=0)


__all__ = ["Filters", "Order", "Page", "Queue", "Scope"]
