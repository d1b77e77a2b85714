"""What one trainer of a cluster writes down: only the holder of its lease can, whatever wakes up late.

The lesson's row comes first, its result next, the entries of the log last: after a crash anywhere the next holder goes
on from what stands here.
"""

from sqlalchemy import Connection, func, select, update

from alerts.leases import is_fenced
from alerts.schema import labels, lessons, offsets
from alerts.store import Lesson, Store
from pipeline.errors import ForewarnError


class LeaseLost(ForewarnError):
    """Another has taken the lease since; nothing was written."""


class FencedLessons:
    """Lessons in the store, under the number of a lease. Every method raises StoreUnavailable.

    Parameters
    ----------
    name, token : of the lease. partitions : of the signals log.
    """

    def __init__(self, store: Store, name: str, token: int, partitions: int) -> None:
        self._store, self._name, self._token, self._partitions = store, name, token, partitions

    def last(self) -> Lesson | None:
        """The newest lesson."""
        query = select(lessons).order_by(lessons.c.id.desc()).limit(1)
        with self._store.transaction() as connection:
            row = connection.execute(query).first()
        return None if row is None else Lesson(*row)

    def lowest_now(self) -> int:
        """Log time (µs UTC) that every partition has reached; 0 while one of them has folded nothing."""
        query = select(func.min(offsets.c.now), func.count()).where(
            offsets.c.log == "signals", offsets.c.partition < self._partitions
        )
        with self._store.transaction() as connection:
            now, count = connection.execute(query).one()
        return int(now) if count == self._partitions else 0

    def fresh(self, after: int, until: int) -> int:
        """How many labels have ids above one and up to another; ids may have holes."""
        query = select(func.count()).select_from(labels).where(labels.c.id > after, labels.c.id <= until)
        with self._store.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Write a lesson down before it is given. Raises LeaseLost."""
        made = lessons.insert().values(until=until, decisions=marks[0], labels=marks[1]).returning(lessons.c.id)
        with self._store.transaction() as connection:
            self._check(connection)
            return Lesson(connection.execute(made).scalar_one(), until, *marks, None)

    def answer(self, lesson: Lesson, sha256: str) -> None:
        """Write down what came of a lesson; an answer that stands is not changed. Raises LeaseLost."""
        mine = update(lessons).where(lessons.c.id == lesson.id, lessons.c.result.is_(None)).values(result=sha256)
        with self._store.transaction() as connection:
            self._check(connection)
            connection.execute(mine)

    def _check(self, connection: Connection) -> None:
        if is_fenced(connection, self._name, self._token):
            raise LeaseLost(f"another process holds the lease {self._name}")
