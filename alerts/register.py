"""The register of a cluster in PostgreSQL: names, matters, texts, dead letters, requests, counts.

Several processes write at once: what was written first stands, counts add up, a source's position only grows. Nothing
here can be made again from the logs, so it belongs into every back-up. Satisfies runners.register.ClusterRegister.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL

from alerts.database import Database
from alerts.matter_table import MatterTable, storable, unnested
from alerts.register_schema import (
    batches,
    cursors,
    deadletters,
    log_bases,
    meta,
    names,
    tallies,
    texts,
)
from alerts.revision import bring_up

_LETTER = ("source", "position", "reason", "field", "detail", "remedy", "size", "sha256", "body")

_named = unnested(code=BigInteger(), kind=Text(), name=Text())
_NAME = insert(names).from_select(["code", "kind", "name"], select(_named)).on_conflict_do_nothing()
_tallied = unnested(name=Text(), count=BigInteger())
_TALLY = insert(tallies).from_select(["name", "count"], select(_tallied))
_TALLY = _TALLY.on_conflict_do_update(
    index_elements=["name"], set_={"count": tallies.c.count + _TALLY.excluded["count"]}
)
_BATCH = insert(batches).on_conflict_do_nothing()
_ADVANCE = insert(cursors)
_ADVANCE = _ADVANCE.on_conflict_do_update(
    index_elements=["source"], set_={"position": func.greatest(cursors.c.position, _ADVANCE.excluded["position"])}
)
_REMEMBER = insert(meta)
_REMEMBER_FIRST = _REMEMBER.on_conflict_do_nothing()
_REMEMBER = _REMEMBER.on_conflict_do_update(index_elements=["key"], set_={"value": _REMEMBER.excluded["value"]})
_texted = unnested(partition=Integer(), offset=BigInteger(), idx=Integer(), text=Text(), until=BigInteger())
_TEXT = insert(texts).from_select(["partition", "offset", "idx", "text", "until"], select(_texted))
_TEXT = _TEXT.on_conflict_do_update(
    index_elements=["partition", "offset", "idx"], set_={name: _TEXT.excluded[name] for name in ("text", "until")}
)
_BASE = insert(log_bases).on_conflict_do_nothing()
_LETTERS = select(deadletters.c["id"], *(deadletters.c[name] for name in _LETTER)).order_by(deadletters.c["id"])


class PgRegister(MatterTable):
    """The register of one cluster; brings the tables up to this version. Raises NewerData.

    Parameters
    ----------
    address : of the database, or connections to it, which then are the caller's to close.

    May be used by any number of threads. Every method raises StoreUnavailable.
    """

    def __init__(self, address: URL | str | Path | Database) -> None:
        self._is_own = not isinstance(address, Database)
        super().__init__(address if isinstance(address, Database) else Database(address))
        with self.database.transaction() as connection:
            bring_up(connection)

    def close(self) -> None:
        """Let go of the connections."""
        if self._is_own:
            self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is kept whole or not at all; durable when it leaves. Nothing is awaited inside."""
        with self.database.transaction():
            yield

    # names ------------------------------------------------------------------------------------------------------------

    def name(self, names: Mapping[int, tuple[str, str]]) -> None:
        """Remember code -> (kind, name); a code keeps its first name."""
        if names:
            codes = sorted(names)
            kinds, told = zip(*(names[code] for code in codes), strict=True)
            self.database.change(_NAME, {"code": codes, "kind": list(kinds), "name": list(map(storable, told))})

    def names(self) -> dict[int, str]:
        """Every remembered code with its name."""
        return {code: name for code, name in self.database.rows(select(names.c.code, names.c.name))}

    def names_of(self, kind: str) -> dict[int, str]:
        """Codes with their names of one kind."""
        query = select(names.c.code, names.c.name).where(names.c.kind == kind)
        return {code: name for code, name in self.database.rows(query)}

    def named(self, code: int) -> str:
        """The name of one code, '' for none that is remembered."""
        row = self.database.one(select(names.c.name).where(names.c.code == code))
        return row[0] if row else ""

    # texts ------------------------------------------------------------------------------------------------------------

    def keep_texts(self, partition: int, offset: int, texts: Iterable[tuple[int, str]], until: int) -> None:
        """Keep redacted texts of a frame's entries until a day (µs UTC)."""
        self.keep_all_texts([(partition, offset, texts, until)])

    def keep_all_texts(self, frames: Iterable[tuple[int, int, Iterable[tuple[int, str]], int]]) -> None:
        """The same of several frames: partition, offset, texts by index, until."""
        # A place that came twice could not be written in one statement.
        rows = {
            (partition, offset, index): (text, until)
            for partition, offset, texts, until in frames
            for index, text in texts
        }
        if rows:
            places = sorted(rows)
            values = {
                "partition": [partition for partition, _, _ in places],
                "offset": [offset for _, offset, _ in places],
                "idx": [index for _, _, index in places],
                "text": [storable(rows[place][0]) for place in places],
                "until": [rows[place][1] for place in places],
            }
            self.database.change(_TEXT, values)

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        place = (texts.c.partition == partition, texts.c.offset == offset, texts.c.idx == index)
        row = self.database.one(select(texts.c.text).where(*place))
        return row[0] if row else None

    def erase_texts(self, before: int | None = None) -> int:
        """Erase texts whose retention ended before a moment (all of them by default); how many."""
        query = delete(texts)
        return self.database.change(query if before is None else query.where(texts.c.until < before))

    # dead letters -----------------------------------------------------------------------------------------------------

    def bury(
        self, letters: Iterable[tuple[str, str, str, str, str, str, int, str, bytes]], at: int | None = None
    ) -> None:
        """Keep dead letters: source, position, reason, field, detail, remedy, size, sha256, redacted body.

        `at` is when they arrived (µs UTC).
        """
        rows = [{**dict(zip(_LETTER, map(_storable, letter), strict=True)), "at": at} for letter in letters]
        if rows:
            self.database.change(deadletters.insert(), rows)

    def drop_letter(self, id: int) -> bool:
        """Erase one dead letter; False when there is none under this id."""
        return self.database.change(delete(deadletters).where(deadletters.c["id"] == id)) > 0

    def forget_letters(self, before: int) -> None:
        """Erase dead letters that arrived before a moment (µs UTC)."""
        self.database.change(delete(deadletters).where(deadletters.c.at < before))

    def deadletters(self, reason: str | None = None) -> list[dict[str, Any]]:
        """Dead letters, oldest first, of one reason or all."""
        query = _LETTERS if reason is None else _LETTERS.where(deadletters.c.reason == reason)
        return [dict(row._mapping) for row in self.database.rows(query)]

    # requests, progress -----------------------------------------------------------------------------------------------

    def batch(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Hash of the content that came under a sender's key, and what was answered."""
        row = self.database.one(select(batches.c.content, batches.c.answer).where(batches.c.key == key))
        return None if row is None else (bytes(row[0]), bytes(row[1]))

    def batches(self, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
        """The same for several keys; those that are not known are left out."""
        if not keys:
            return {}
        query = select(batches.c.key, batches.c.content, batches.c.answer).where(batches.c.key.in_(keys))
        return {bytes(key): (bytes(content), bytes(answer)) for key, content, answer in self.database.rows(query)}

    def keep_batches(self, requests: Sequence[tuple[bytes, bytes, bytes]], at: int) -> None:
        """Remember requests by their sender's keys: key, content, answer; the first of a key stands."""
        # In order of keys, so that two processes never wait for each other in a circle.
        rows = [
            {"key": key, "content": content, "at": at, "answer": answer} for key, content, answer in sorted(requests)
        ]
        if rows:
            self.database.change(_BATCH, rows)

    def keep_batch(self, key: bytes, content: bytes, at: int, answer: bytes) -> None:
        """Remember a request by its sender's key; the first one stands."""
        self.database.change(_BATCH, {"key": key, "content": content, "at": at, "answer": answer})

    def forget_batches(self, before: int) -> None:
        """Forget requests that came before a moment (µs UTC)."""
        self.database.change(delete(batches).where(batches.c.at < before))

    def advance(self, source: str, position: int) -> None:
        """Remember how far a source was read; a position behind the one that is known changes nothing."""
        self.database.change(_ADVANCE, {"source": source, "position": position})

    def forget_cursor(self, source: str) -> None:
        """A source that has been read to its end, and is gone."""
        self.database.change(delete(cursors).where(cursors.c.source == source))

    def position(self, source: str) -> int:
        """How far a source was read; 0 at first."""
        row = self.database.one(select(cursors.c.position).where(cursors.c.source == source))
        return row[0] if row else 0

    def tally(self, counts: Mapping[str, int]) -> None:
        """Add to the edge's running counts (dead letters, dropped fields, masked identifiers)."""
        if counts:
            # In order of names, so that two processes never wait for each other in a circle.
            told = sorted((storable(name), count) for name, count in counts.items())
            self.database.change(_TALLY, {"name": [name for name, _ in told], "count": [count for _, count in told]})

    def tallies(self) -> dict[str, int]:
        """The edge's running counts."""
        return {name: count for name, count in self.database.rows(select(tallies).order_by(tallies.c.name))}

    # memory -----------------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A remembered value of the site."""
        row = self.database.one(select(meta.c.value).where(meta.c.key == key))
        return row[0] if row else None

    def remember(self, key: str, value: str) -> None:
        """Set a value of the site."""
        self.database.change(_REMEMBER, {"key": key, "value": value})

    def remember_first(self, key: str, value: str) -> str:
        """Set a value where there is none; the one that stands, for every process."""
        self.database.change(_REMEMBER_FIRST, {"key": key, "value": value})
        found = self.meta(key)
        return value if found is None else found

    def base(self, log: str, partition: int) -> int:
        """Logical offset of the first record of a log's topic: 0, unless the site was moved here."""
        row = self.database.one(
            select(log_bases.c.base).where(log_bases.c.log == log, log_bases.c.partition == partition)
        )
        return row[0] if row else 0

    def set_base(self, log: str, partition: int, base: int) -> None:
        """Fix the logical offset of a topic's first record; what stands already is not changed."""
        self.database.change(_BASE, {"log": log, "partition": partition, "base": base})


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value
