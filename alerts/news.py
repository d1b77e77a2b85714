"""What a server of a cluster asks the store again and again: what is new, how far the folds are, what they counted.

Any number of threads may ask; every question is one statement. Each raises StoreUnavailable.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select

from alerts.database import Database
from alerts.schema import models, offsets, tallies, transitions, verdicts, warnings

MOST = 2000
"""Transitions in one answer."""
_OVER = ("ended", "closed", "withdrawn")


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a partition of a log was folded: frame, log time (µs UTC), number of its transitions so far."""

    offset: int
    now: int
    transitions: int


class News:
    """Questions to one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """What is asked inside, on this thread, is told as of one moment."""
        with self._database.transaction(apart=True) as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def reached(self) -> dict[tuple[str, int], Reached]:
        """How far each (log, partition) is that was begun."""
        o = offsets.c
        rows = self._database.rows(select(o.log, o.partition, o["offset"], o.now, o.transitions))
        return {(log, partition): Reached(offset, now, count) for log, partition, offset, now, count in rows}

    def cursor(self) -> dict[str, int]:
        """Number of transitions by `<log>-<partition>`."""
        return {f"{log}-{partition}": found.transitions for (log, partition), found in self.reached().items()}

    def after(self, log: str, partition: int, ordinal: int) -> list[tuple[int, dict[str, Any]]]:
        """The transitions of a partition behind the `ordinal`-th with their ordinals, `MOST` of them."""
        t = transitions.c
        query = (
            select(t.ordinal, t.body)
            .where(t.log == log, t.partition == partition, t.ordinal > ordinal)
            .order_by(t.ordinal)
            .limit(MOST)
        )
        return [(number, orjson.loads(body)) for number, body in self._database.rows(query)]

    def verdicts(self, keys: Iterable[str]) -> list[tuple[int, dict[str, Any]]]:
        """Answers to the commands of these keys, in order, with their ids."""
        v = verdicts.c
        query = select(v.id, v.body).where(v.key.in_([key[:200] for key in keys])).order_by(v.id)
        return [(id, orjson.loads(body)) for id, body in self._database.rows(query)]

    def verdict(self, key: str) -> tuple[int, dict[str, Any]] | None:
        """The newest answer under a key, with its id."""
        found = self.verdicts([key])
        return found[-1] if found else None

    def log_of(self, warning: str) -> tuple[str, int] | None:
        """Log and partition that a warning belongs to."""
        w = warnings.c
        row = self._database.one(select(w.log, w.partition).where(w.id == warning))
        return None if row is None else (row[0], row[1])

    def tallies(self) -> Mapping[str, int]:
        """Counts of all folds by name."""
        query = select(tallies.c.name, func.sum(tallies.c["count"])).group_by(tallies.c.name)
        return {name: int(count) for name, count in self._database.rows(query)}

    def has_model(self, sha256: str) -> bool:
        """Whether a model's bytes are kept."""
        return self._database.one(select(models.c.sha256).where(models.c.sha256 == sha256)) is not None

    def open_by_level(self) -> list[tuple[int, str, int]]:
        """(proposed level, kind, count) of the warnings that are not over."""
        w = warnings.c
        query = (
            select(w.proposed, w.kind, func.count()).where(w.state.not_in(_OVER)).group_by(w.proposed, w.kind)
        )  # fmt: skip
        return [(level, kind, count) for level, kind, count in self._database.rows(query)]
