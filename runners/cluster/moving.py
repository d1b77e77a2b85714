"""`forewarn migrate`: an embedded site that is stopped moves to Kafka and PostgreSQL with its logical offsets.

    frames (each log's base first)  ->  rows, models, snapshots: one transaction  ->  a replay there, compared

A run that breaks off goes on where it was: frames are compared with those that arrived, and of the rows there are
either all or none. The source is only read, and stays.
"""

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import orjson

from alerts import copying
from alerts.database import Database, postgres_url
from alerts.register import PgRegister
from alerts.store import Store
from config.load import load_settings
from config.settings import Settings
from pipeline.errors import ConfigError, CorruptData
from pipeline.rules import FoldRules
from runners.cluster import kafka_topics
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import ClusterLogs
from runners.cluster.moved import Moved, MovedLog, Place, Tell, name_of
from runners.cluster.moving_rows import Rows
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import Folded, fold_logs, genesis
from runners.log_sqlite import Lease, Logs

MARK = "moved_in"
"""Under this name the register remembers which house moves in, and whether it is done."""
FRAMES_AT_ONCE = 256
BYTES_AT_ONCE = 4 << 20


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
        moved = Moved([MovedLog(name_of(place), first, end - 1, end - first) for place, (first, end) in spans.items()])
        if state != "rows":
            rows = Rows(self._source, self._config, self._logs, self._own, self._database, self._tell)
            moved.rows = rows.move(lambda: self._register.remember(MARK, _marked(self._name, "rows")))
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
                    f"{self._source}: the store is behind {name_of(place)}, as after a kill; start the site once more"
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
            raise CorruptData(
                f"{name_of(place)}: the topic holds what this site never logged; use another kafka.prefix"
            )
        batch: list[bytes] = []
        size = 0
        for offset, body in self._logs.read(*place, at - 1):
            batch.append(body)
            size += len(body)
            if len(batch) == FRAMES_AT_ONCE or size > BYTES_AT_ONCE or offset == end - 1:
                if self._frames.append(*place, batch) != offset + 1 - len(batch):
                    raise CorruptData(f"{name_of(place)}: somebody else appends to the topic; stop it")
                batch, size = [], 0
                self._tell(name_of(place), offset + 1 - first, end - first)

    def _is_same(self, place: Place, offset: int) -> bool:
        return self._frames.frame(*place, offset) == self._logs.frame(*place, offset)

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


def _identity(logs: Logs, places: list[Place]) -> str:
    """A name for exactly these logs: their first frames and ends."""
    found = sha256()
    for place in places:
        first, last = logs.db.execute(f"SELECT min(offset), max(offset) FROM {place[0]}_{place[1]}").fetchone()
        if first is not None:
            found.update(f"{name_of(place)}:{first}:{last}:".encode() + (logs.frame(*place, first) or b""))
            found.update(logs.frame(*place, last) or b"")
    return found.hexdigest()


def _marked(name: str, state: str) -> str:
    return orjson.dumps({"house": name, "state": state}).decode()
