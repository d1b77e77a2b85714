"""Partition and readable id of every matter of a cluster, written by several processes: the first to write stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, LargeBinary, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import TypeEngine

from alerts.database import Database
from alerts.matter_number import number_of, plain_number
from alerts.register_schema import matters, seats

_REMEMBERED = 200_000
"""Seats that a process need not ask for again; they never change. 25 MB."""
_PAGE = 10_000


def unnested(**columns: TypeEngine[Any]) -> Any:
    """One row for each position of some arrays, which are bound under the names of their columns."""
    arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*columns).render_derived()


_given = unnested(key=LargeBinary(), partition=Integer(), name=Text(), number=Text())
_ADD = (
    insert(matters)
    .from_select(["key", "partition", "name", "number"], select(_given))
    .on_conflict_do_nothing()
    .returning(matters.c.key, matters.c.partition)
)
_OF = select(matters.c.key, matters.c.partition).where(
    matters.c.key == any_(bindparam("key", type_=ARRAY(LargeBinary())))
)
_places = unnested(place=BigInteger(), partition=Integer())
_SEAT = insert(seats).from_select(["place", "partition"], select(_places)).on_conflict_do_nothing()


class MatterTable:
    """The directory of matters and places of one cluster."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._seats: dict[bytes, int] = {}

    def direct(self, matters: Iterable[tuple[bytes, int, str]]) -> None:
        """Remember key, partition and readable id of matters; the first one stands."""
        rows = {key: (partition, storable(name)) for key, partition, name in reversed(list(matters))}
        if rows:
            self.database.rows(_ADD, _columns(rows))

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition and readable id of a matter."""
        row = self.database.one(select(matters.c.partition, matters.c.name).where(matters.c.key == key))
        return None if row is None else (row[0], row[1])

    def matter_key(self, name: str) -> bytes | None:
        """Key of a matter by its readable id or its number."""
        numbers = {number_of(name), plain_number(name)}
        query = select(matters.c.key, matters.c.name).where(matters.c.number.in_(numbers)).order_by(matters.c.key)
        alike = ((bytes(key), found) for key, found in self.database.rows(query))
        return next((key for key, found in alike if name in (found, found.partition("/")[2])), None)

    def matters(self) -> Iterator[tuple[bytes, str]]:
        """Every key with its readable id, in order of keys."""
        page = select(matters.c.key, matters.c.name).order_by(matters.c.key).limit(_PAGE)
        rows = self.database.rows(page)
        while rows:
            yield from ((bytes(key), name) for key, name in rows)
            rows = self.database.rows(page.where(matters.c.key > rows[-1][0]))

    # seats ------------------------------------------------------------------------------------------------------------

    def seats(self) -> dict[int, int]:
        """Partition of each place (by code) that was given one."""
        return {place: partition for place, partition in self.database.rows(select(seats))}

    def seat_places(self, seats: Mapping[int, int]) -> dict[int, int]:
        """Give places their partitions where they have none; all that stand then."""
        if seats:
            places = sorted(seats)
            values = {"place": places, "partition": [seats[place] for place in places]}
            with self.database.transaction(apart=True) as connection:
                connection.execute(_SEAT, values)
        return self.seats()

    def seats_of(self, keys: Sequence[bytes]) -> list[int | None]:
        """Partition of each of these matters, None for one that nobody has seen."""
        known = self._seats
        missing = list({key for key in keys if key not in known})
        if not missing:
            return [known[key] for key in keys]
        found = self._learned(self.database.rows(_OF, {"key": missing}, apart=True))
        return [found.get(key, known.get(key)) for key in keys]

    def seat_matters(self, keys: Sequence[bytes], partitions: Sequence[int], names: Sequence[str]) -> list[int]:
        """Give matters their partitions where they have none; the partition of each that stands, in this order.

        Durable when it returns, whatever becomes of a transaction around it; in which nothing may have been written
        about these matters.
        """
        known: dict[bytes, int | None] = dict(zip(keys, self.seats_of(keys), strict=True))
        asked = zip(reversed(keys), reversed(partitions), reversed(names), strict=True)
        fresh = {key: (partition, storable(name)) for key, partition, name in asked if known[key] is None}
        if fresh:
            known |= self._learned(self.database.rows(_ADD, _columns(fresh), apart=True))
            others = [key for key in fresh if known[key] is None]
            if others:  # another process was quicker
                known |= self._learned(self.database.rows(_OF, {"key": others}, apart=True))
        stand = [known[key] for key in keys]
        return [partition for partition in stand if partition is not None]

    def _learned(self, rows: Iterable[Sequence[Any]]) -> dict[bytes, int]:
        found = {bytes(key): int(partition) for key, partition in rows}
        if len(self._seats) + len(found) > _REMEMBERED:
            self._seats = {}
        self._seats |= found
        return found


def storable(text: str) -> str:
    """Text as PostgreSQL takes it, which has no place for the character zero."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _columns(rows: Mapping[bytes, tuple[int, str]]) -> dict[str, list[Any]]:
    # In order of keys: two processes that write the same ones wait for each other, and never in a circle.
    keys = sorted(rows)
    return {
        "key": keys,
        "partition": [rows[key][0] for key in keys],
        "name": [rows[key][1] for key in keys],
        "number": [number_of(rows[key][1]) for key in keys],
    }
