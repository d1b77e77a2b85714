"""`forewarn migrate`: an embedded site that is stopped moves to Kafka and PostgreSQL with its logical offsets.

    frames (each log's base first)  ->  rows, models, snapshots: one transaction  ->  a replay there, compared

A run that breaks off goes on where it was: frames are compared with those that arrived, and of the rows there are
either all or none. The source is only read, and stays.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from alerts import copying
from alerts.database import Database, postgres_url
from alerts.register import PgRegister
from alerts.store import Store
from config.load import load_settings
from config.settings import Settings
from console.api.account_tables import account_database
from console.api.account_tables import metadata as account_metadata
from pipeline.county import FOLD_VERSION
from pipeline.errors import ConfigError, CorruptData
from pipeline.rules import FoldRules
from runners import kafka_topics
from runners.checkpoints import Checkpoints
from runners.cluster_logs import EDGE_KEY, ClusterLogs
from runners.fold_logs import Folded, fold_logs, genesis
from runners.log_kafka import KafkaLog
from runners.log_sqlite import Lease, Logs
from runners.pg_checkpoints import PgCheckpoints
from runners.pg_models import ModelTable
from runners.serve_versions import inherit

MARK = "moved_in"
"""Under this name the register remembers which house moves in, and whether it is done."""
FRAMES_AT_ONCE = 256
BYTES_AT_ONCE = 4 << 20

Tell = Callable[[str, int, int], None]
"""Called with what is being moved, how much of it was, and how much there is (0: not known)."""
Place = tuple[str, int]


@dataclass(slots=True)
class MovedLog:
    """One log: its first and last offset, and whether a replay there gives the digests of the embedded site."""

    log: str
    first: int
    last: int
    frames: int
    digests: str = "not compared"


@dataclass(slots=True)
class Moved:
    """What was moved, and whether it is the same."""

    logs: list[MovedLog]
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_equal(self) -> bool:
        """Whether nothing that could be compared differs."""
        return all(log.digests != "differ" for log in self.logs)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        logs = [
            {"log": each.log, "first": each.first, "last": each.last, "frames": each.frames, "digests": each.digests}
            for each in self.logs
        ]
        return {"equal": self.is_equal, "seconds": round(self.seconds, 1), "logs": logs, "rows": self.rows}


def move(source: Path, config: Path, tell: Tell = lambda what, done, total: None) -> Moved:
    """Move the site of a data directory to where a configuration says.

    Raises LogBusy while a process holds the directory, ConfigError with everything that stands against it,
    LogUnavailable, StoreUnavailable: run it again then, it goes on.
    """
    begun = time.monotonic()
    settings = load_settings(config)
    if not (source / "log.db").is_file():
        raise FileNotFoundError(f"no log at {source / 'log.db'}; give the data directory of an embedded site")
    lease = Lease(source)
    database = Database(postgres_url(settings.postgres.url))
    try:
        with Logs(source / "log.db", readonly=True) as logs:
            house = _House(source, config, settings, logs, database, tell)
            try:
                moved = house.move()
            finally:
                house.close()
    finally:
        database.close()
        lease.release()
    moved.seconds = time.monotonic() - begun
    return moved


def lines(moved: Moved) -> list[str]:
    """What was moved, as a table for reading."""
    told = [f"{'log':<14}{'offsets':>23}{'frames':>12}  digests"]
    for log in moved.logs:
        offsets = f"{log.first} to {log.last}" if log.frames else "none"
        told.append(f"{log.log:<14}{offsets:>23}{log.frames:>12,}  {log.digests}")
    told += ["", f"{'table':<25}{'rows':>12}"]
    told += [f"{name:<25}{count:>12,}" for name, count in sorted(moved.rows.items()) if count]
    verdict = "a replay there gives the digests of this site" if moved.is_equal else "THE DIGESTS DIFFER"
    return [*told, "", f"{verdict}; {moved.seconds:,.1f} s"]


class _House:
    """The embedded site, and the place it moves to."""

    def __init__(
        self, source: Path, config: Path, settings: Settings, logs: Logs, database: Database, tell: Tell
    ) -> None:
        self._source, self._config, self._settings = source, config, settings
        self._logs, self._database, self._tell = logs, database, tell
        self._own = Store(source / "store.db")
        Store(database.url).close()  # makes the tables
        self._register = PgRegister(database)
        self._places = logs.partitions()
        self._frames = KafkaLog(settings.kafka, config.parent, base=self._register.base)
        self._name = _identity(logs, self._places)

    def close(self) -> None:
        """Let go of both."""
        self._frames.close()
        self._own.close()

    def move(self) -> Moved:
        """Everything, in order."""
        spans = {place: self._span(place) for place in self._places}
        state = self._state()
        if state != "rows":
            self._check(spans, is_new=state is None)
            self._register.remember(MARK, _marked(self._name, "frames"))
            for place, span in spans.items():
                self._move_frames(place, span)
        moved = Moved([MovedLog(_name(place), first, end - 1, end - first) for place, (first, end) in spans.items()])
        if state != "rows":
            moved.rows = self._move_rows()
        self._compare(moved)
        if moved.is_equal:
            self._register.remember(MARK, _marked(self._name, "done"))
        return moved

    # before ---------------------------------------------------------------------------------------------------------

    def _state(self) -> str | None:
        """How far a move of this site came; None for a place where none began. Raises ConfigError."""
        mark = self._register.meta(MARK)
        if mark is None:
            return None
        found: dict[str, str] = orjson.loads(mark)
        if found["house"] != self._name:
            raise ConfigError([f"{self._where()}: another site moved in here; use an empty database"])
        if found["state"] == "done":
            raise ConfigError([f"{self._where()}: {self._source} moved in here before, and all of it"])
        return found["state"]

    def _check(self, spans: dict[Place, tuple[int, int]], *, is_new: bool) -> None:
        """Raises ConfigError with everything that stands against it."""
        problems = [*self._unlike(), *self._behind(spans)]
        if not problems:
            # Makes the topics that are not there; says what is wrong with those that are.
            kafka_topics.init(self._settings.kafka, self._settings.partition_count, self._config.parent)
            problems += self._occupied(is_new=is_new)
        if problems:
            raise ConfigError(problems)

    def _unlike(self) -> Iterator[str]:
        if not self._logs.is_wall:
            yield f"{self._source}: was begun on files, whose clock is recorded; a cluster runs by the wall"
        there, here = self._settings.partition_count, self._partitions()
        if here != there:
            yield (
                f"{self._config}: partition_count: is {there}, the site has {here}; it is fixed when the logs are"
                f" begun: write {here}"
            )

    def _partitions(self) -> int:
        try:
            return FoldRules.from_json(genesis(self._logs)["rules"]).partitions
        except FileNotFoundError:  # pruned, its first entry too
            return 1 + max((number for log, number in self._places if log == "signals"), default=0)

    def _behind(self, spans: dict[Place, tuple[int, int]]) -> Iterator[str]:
        for place, (_, end) in spans.items():
            applied = self._own.applied(*place)
            if (applied.offset if applied else -1) != end - 1:
                yield (
                    f"{self._source}: the store is behind {_name(place)}, as after a kill; start the site once more"
                    " with `forewarn run`, stop it, and migrate then"
                )

    def _occupied(self, *, is_new: bool) -> Iterator[str]:
        if is_new:
            for log, number in self._all_places():
                if self._arrived((log, number)):
                    topic = self._settings.kafka.topic(log)
                    yield f"{topic}-{number}: is not empty; use topics of another prefix (kafka.prefix), or empty ones"
        with self._database.transaction() as connection:
            tables = [*copying.store_tables(), *copying.register_tables()]
            if not is_new:
                tables = [table for table in tables if table.name not in ("register_meta", "log_bases")]
            table = copying.occupied(connection, tables)
        if table:
            yield f"{self._where()}: the table {table} is not empty; use an empty database"

    def _all_places(self) -> Iterator[Place]:
        for number in range(self._settings.partition_count):
            yield "signals", number
            yield "readings", number
        yield "site", 0

    def _where(self) -> str:
        return self._database.url.render_as_string(hide_password=True)

    # frames ---------------------------------------------------------------------------------------------------------

    def _span(self, place: Place) -> tuple[int, int]:
        """First offset that is still there, and the next one."""
        first, last = self._logs.db.execute(f"SELECT min(offset), max(offset) FROM {place[0]}_{place[1]}").fetchone()
        return (0, 0) if first is None else (first, last + 1)

    def _arrived(self, place: Place) -> int:
        """Frames that the topic has had."""
        return self._frames.next_offset(*place) - self._register.base(*place)

    def _move_frames(self, place: Place, span: tuple[int, int]) -> None:
        first, end = span
        self._register.set_base(*place, first)
        done = self._arrived(place)
        at = first + done
        if self._register.base(*place) != first or at > end or (done and not self._is_same(place, at - 1)):
            raise CorruptData(f"{_name(place)}: the topic holds what this site never logged; use another kafka.prefix")
        batch: list[bytes] = []
        size = 0
        for offset, body in self._logs.read(*place, at - 1):
            batch.append(body)
            size += len(body)
            if len(batch) == FRAMES_AT_ONCE or size > BYTES_AT_ONCE or offset == end - 1:
                if self._frames.append(*place, batch) != offset + 1 - len(batch):
                    raise CorruptData(f"{_name(place)}: somebody else appends to the topic; stop it")
                batch, size = [], 0
                self._tell(_name(place), offset + 1 - first, end - first)

    def _is_same(self, place: Place, offset: int) -> bool:
        return self._frames.frame(*place, offset) == self._logs.frame(*place, offset)

    # rows -----------------------------------------------------------------------------------------------------------

    def _move_rows(self) -> dict[str, int]:
        """All rows, models and snapshots, or none."""

        def tell(table: str, count: int) -> None:
            self._tell(table, count, 0)

        with self._database.transaction() as connection:
            mark = self._register.meta(MARK)
            counts = copying.copy_register(self._logs.db, connection, tell)
            counts |= copying.copy_tables(self._own.engine, connection, copying.store_tables(), tell)
            counts |= self._move_accounts(connection, tell)
            counts["models"] = self._move_models(connection)
            counts["checkpoints"] = self._move_checkpoints()
            key = self._source / "edge.key"
            if key.is_file():
                self._register.remember(EDGE_KEY, key.read_bytes().hex())
            inherit(self._register, self._logs, self._config)
            assert mark is not None
            self._register.remember(MARK, _marked(self._name, "rows"))
        return counts

    def _move_accounts(self, connection: Any, tell: copying.Tell) -> dict[str, int]:
        """Sign-ins, sessions and keys of sources."""
        path = self._source / "accounts.db"
        if not path.is_file():
            return {}
        account_database(self._database.url).close()  # makes the tables
        source = account_database(path)
        try:
            tables = [table for table in account_metadata.sorted_tables if table.name != "meta"]
            return copying.copy_tables(source.engine, connection, tables, tell)
        finally:
            source.close()

    def _move_models(self, connection: Any) -> int:
        """Every published model."""
        count = 0
        for path in sorted((self._source / "models").glob("*.fwc")):
            body = path.read_bytes()
            if sha256(body).hexdigest() != path.stem:
                raise CorruptData(f"{path} does not have the sha256 in its name; restore it from a backup")
            copying.keep_model(connection, path.stem, body)
            count += 1
            self._tell("models", count, 0)
        return count

    def _move_checkpoints(self) -> int:
        """The newest usable snapshot of each fold; without one a worker folds from the log's beginning."""
        count = 0
        for log, number in self._places:
            chain = Checkpoints(self._source / "checkpoints", log, number, FOLD_VERSION).newest()
            PgCheckpoints(self._database, log, number, FOLD_VERSION).adopt(chain)
            count += len(chain)
        return count

    # after ----------------------------------------------------------------------------------------------------------

    def _compare(self, moved: Moved) -> None:
        """Fold the logs where they are now; the digests must be those of the embedded site."""
        total = sum(log.frames for log in moved.logs)
        logs = ClusterLogs(self._frames, self._database)
        try:
            folded = fold_logs(
                logs, ModelTable(self._database), progress=lambda frames: self._tell("comparing", frames, total)
            )
        except FileNotFoundError:  # pruned, its first entry too
            folded = Folded(pruned=[log.log for log in moved.logs])
        for place, log in zip(self._places, moved.logs, strict=True):
            applied = self._own.applied(*place)
            if log.log in folded.pruned:
                log.digests = "pruned: begins later, cannot be folded from there"
            elif log.frames:
                same = applied is not None and folded.digests.get(log.log) == applied.digests
                log.digests = "equal" if same else "differ"


def _name(place: Place) -> str:
    return f"{place[0]}-{place[1]}"


def _identity(logs: Logs, places: list[Place]) -> str:
    """A name for exactly these logs: their first frames and ends."""
    found = sha256()
    for place in places:
        first, last = logs.db.execute(f"SELECT min(offset), max(offset) FROM {place[0]}_{place[1]}").fetchone()
        if first is not None:
            found.update(f"{_name(place)}:{first}:{last}:".encode() + (logs.frame(*place, first) or b""))
            found.update(logs.frame(*place, last) or b"")
    return found.hexdigest()


def _marked(name: str, state: str) -> str:
    return orjson.dumps({"house": name, "state": state}).decode()
