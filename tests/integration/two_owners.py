"""A partition that two workers may both think is theirs, on the real parts, as a machine of states."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
import psycopg
from hypothesis.stateful import RuleBasedStateMachine, rule
from kafka import TopicPartition

from alerts.database import Database
from alerts.store import Store
from config.load import canonical, load_settings
from config.settings import Settings
from pipeline.county import FOLD_VERSION
from pipeline.effects import Effects
from pipeline.errors import Fenced, Reason, StoreUnavailable
from pipeline.frame import Kind, frame_of_others
from pipeline.signal import Step
from pipeline.testing import Happening, entry, frames_of, hours
from runners.cluster.kafka_client import Clients
from runners.cluster.kafka_topics import init
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import ClusterLogs
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import fold_logs
from runners.trial.kafka import TrialKafka
from runners.wiring import fold_rules
from runners.worker.owned import Owned
from runners.worker.site import ClusterSite, Place
from tests.integration.agreement import Held, counts_must_be, entries_in, rows_must_be
from tests.integration.working import TARGET

PARTITIONS = 256
"""Each run of the machine has one of its own."""
Turn = tuple[str, int, int, int]
"""Who works, how many records come, how many of them again, how many are left out before them."""
WHO = st.sampled_from(["one", "other"])
TURN = st.tuples(WHO, st.integers(1, 8), st.integers(0, 3), st.sampled_from([0, 0, 1, 2]))
HAPPENS = st.lists(
    st.sampled_from(["comes", "moves", "closes", "comes", "moves", "closes", "", "no frame"]), max_size=8
)


class BreakingStore(Store):
    """A store whose connection breaks when told to: before a transaction, or after it, while its answer comes."""

    breaks = ""

    def apply(
        self, log: str, partition: int, offset: int, now: int, digests: Mapping[str, str],
        all_effects: Sequence[Effects], *, after: int | None = None,
    ) -> bool:  # fmt: skip
        """Keep effects and offset, or break."""
        breaks, self.breaks = self.breaks, ""
        if breaks == "before":
            raise StoreUnavailable("the connection is lost")
        kept = super().apply(log, partition, offset, now, digests, all_effects, after=after)
        if breaks == "after":
            raise StoreUnavailable("the connection is lost")
        return kept


class OnePlace:
    """The frames of one partition alone: a run of the machine knows no other."""

    def __init__(self, log: KafkaLog, place: Place) -> None:
        self.append, self.frame, self.next_offset = log.append, log.frame, log.next_offset
        self._log, self._place = log, place

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames of the log."""
        return self._log.read(log, partition, after, until)

    def partitions(self) -> list[Place]:
        """The one."""
        return [self._place]

    def close(self) -> None:
        """The log goes on for the next run."""


class Stage:
    """Topics and a database for many runs of the machine."""

    def __init__(self, folder: Path, kafka: TrialKafka, url: str, prefix: str) -> None:
        brokers = {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1}
        values = canonical(Settings(targets=(TARGET,))) | {"runner": "kafka", "kafka": brokers}
        path = folder / "site.yaml"
        path.write_text(json.dumps(values | {"partition_count": PARTITIONS, "postgres": {"url": url}}))
        self.settings, self.url = load_settings(path), url
        with psycopg.connect(url, autocommit=True) as connection:
            # No server is killed here, so nobody has to wait for a disk.
            connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET synchronous_commit = off')
        init(self.settings.kafka, PARTITIONS)
        self.log = KafkaLog(self.settings.kafka)
        self.stores = {who: BreakingStore(url) for who in ("one", "other")}
        self.store = Store(url)
        self.database = Database(url)
        self.admin = Clients(self.settings.kafka).administrator()
        self.used = 0

    def close(self) -> None:
        """Let go of everything."""
        self.admin.close()
        self.log.close()
        for store in (*self.stores.values(), self.store):
            store.close()
        self.database.close()

    def cut(self) -> None:
        """The server ends every connection that writes."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'forewarn-writer'"
                " AND datname = current_database()"
            )

    def forget(self, place: Place, before: int) -> None:
        """The brokers keep nothing before an offset."""
        self.admin.delete_records({TopicPartition(self.settings.kafka.topic(place[0]), place[1]): before})


class Letters:
    """Dead letters, by offset."""

    def __init__(self) -> None:
        self.offsets: set[int] = set()

    def bury(self, place: Place, offset: int, reason: Reason, detail: str, body: bytes) -> None:
        """Keep one."""
        self.offsets.add(offset)


class TwoOwners(RuleBasedStateMachine):
    """What may befall a partition, and in the end what must hold."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        stage = self.stage
        self.place: Place = ("signals", stage.used)
        stage.used += 1
        self.logs = ClusterLogs(OnePlace(stage.log, self.place), stage.database)
        self.in_force = fold_rules(stage.settings)
        self.letters = Letters()
        self.owners: dict[str, Owned] = {}
        self.bodies: list[bytes] = []
        self.first = self.told = 0
        self.checkpointed = -1
        genesis = {"version": 1, "rules": self.in_force.to_json(), "settings": canonical(stage.settings)}
        self._append(frame_of_others([(Kind.CONFIG, hours(0), genesis)]).to_bytes())

    @property
    def reached(self) -> int:
        """How far the store is."""
        applied = self.stage.store.applied(*self.place)
        return -1 if applied is None else applied.offset

    # what happens --------------------------------------------------------------------------------------------------

    @rule(told=HAPPENS, turns=st.lists(TURN, min_size=2, max_size=6))
    def live(self, told: list[str], turns: list[Turn]) -> None:
        """Something happens, and workers take turns at what there is to fold."""
        for what in told:
            self._happen(what)
        for turn in turns:
            self._work(*turn)

    @rule(told=HAPPENS, who=WHO, other=WHO)
    def be_overtaken(self, told: list[str], who: str, other: str) -> None:
        """One folds a little, another that knows nothing of it all, and the first one goes on."""
        for turn in ((who, 1, 0, 0), (other, 64, 0, 0)):
            self._work(*turn)
        for what in told:
            self._happen(what)
        self._work(who, 64, 3, 0)

    @rule(who=WHO, is_end=st.booleans())
    def write_checkpoint(self, who: str, is_end: bool) -> None:
        """A worker writes a checkpoint, be it the owner or not; in the end, or just so."""
        owner = self.owners.get(who)
        if owner is not None and owner.is_even and owner.offset >= 0:
            owner.checkpoint()
            chains = PgCheckpoints(self.stage.database, *self.place, FOLD_VERSION).read()
            self.checkpointed = next(offset for offset, _ in chains)
        if is_end:
            self.owners.pop(who, None)

    @rule(who=WHO, how=st.sampled_from(["before", "after", "cut", "killed"]))
    def break_off(self, who: str, how: str) -> None:
        """The next transaction of a worker breaks off, or only its answer does; connections are cut; it is gone."""
        if how == "cut":
            self.stage.cut()
        elif how == "killed":
            self.owners.pop(who, None)
        else:
            self.stage.stores[who].breaks = how

    @rule(part=st.floats(0.0, 1.0))
    def forget(self, part: float) -> None:
        """Brokers forget what is older than a checkpoint."""
        self._forget(round(part * (self.checkpointed + 1)))

    @rule(told=HAPPENS, part=st.floats(0.0, 1.0))
    def be_away(self, told: list[str], part: float) -> None:
        """All workers are away for longer than the brokers keep what happens meanwhile."""
        self.owners.clear()
        self._work("one", 64, 0, 0)
        self.write_checkpoint("one", is_end=True)
        for what in told:
            self._happen(what)
        if self.checkpointed == self.reached:
            self._forget(self.checkpointed + 1 + round(part * (len(self.bodies) - self.checkpointed - 1)))

    # what must hold ------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Fold what is left, and compare."""
        for store in self.stage.stores.values():
            store.breaks = ""
        self._happen("comes")  # what was forgotten is missed when the next record comes
        for _ in range(3):  # connections may have been cut
            self.owners.clear()
            self._work("one", len(self.bodies), 0, 0)
            if self.reached == len(self.bodies) - 1:
                break
        assert self.reached == len(self.bodies) - 1
        lost = self._lost()
        assert lost <= set(range(self.first)), "what brokers still have was not folded"
        bodies = [b"" if offset in lost else body for offset, body in enumerate(self.bodies)]
        folded = fold_logs(Held({self.place: bodies}, {}), ModelTable(self.stage.database), rules=self.in_force)
        applied = self.stage.store.applied(*self.place)
        assert applied is not None
        assert applied.digests == folded.digests[f"signals-{self.place[1]}"]
        rows_must_be(self.stage.store, self.place, folded)
        counts_must_be(self.stage.store, self.place, folded, entries_in(bodies))
        unreadable = {offset for offset, body in enumerate(self.bodies) if len(body) < 10} - lost
        assert self.letters.offsets >= unreadable, "a record that nobody could read is nowhere"

    def _forget(self, before: int) -> None:
        if before > self.first:
            self.stage.forget(self.place, before)
            self.first = before

    def _owner(self, who: str) -> Owned:
        """A worker that has taken what the store holds."""
        site = ClusterSite(self.logs, self.stage.stores[who], self.stage.database, self.in_force)
        owner = Owned(site, self.place, self.letters)
        owner.restore()
        return owner

    def _matter(self, number: int) -> str:
        """No two partitions of a site have the same matter."""
        return f"{self.place[1]}/{number}"

    def _happen(self, what: str) -> None:
        """A matter comes in, another is handed over or closed, and time goes by; or a record nobody can read."""
        if what in ("", "no frame"):
            self._append(what.encode())
            return
        self.told += 1
        hour = 5.0 * self.told
        told = [Happening(self._matter(self.told), hour, Step.REGISTERED, due=hour + 4, category="noise")]
        if what != "comes":
            step = Step.CLOSED if what == "closes" else Step.HANDED_OVER
            told.append(Happening(self._matter(self.told // 2), hour, step, office="works"))
        for frame in frames_of([entry(each) for each in (*told, told[0])]):
            self._append(frame.to_bytes())

    def _work(self, who: str, count: int, again: int, hole: int) -> None:
        """Records come to a worker, some that it had before, or not those that were next. One that did not think itself
        the owner does now, and nobody tells the other."""
        try:
            if who not in self.owners:
                self.owners[who] = self._owner(who)
            owner = self.owners[who]
            if not owner.keep():
                del self.owners[who]
                return
            begin = max(self.first, owner.offset + 1 - again + hole)
            records = [(offset, self.bodies[offset]) for offset in range(begin, min(begin + count, len(self.bodies)))]
            for _ in owner.apply(records):
                pass
        except Fenced:
            self.owners.pop(who)
        except StoreUnavailable:
            pass  # the same records come again

    def _append(self, body: bytes) -> None:
        assert self.logs.append(*self.place, [body]) == len(self.bodies)
        self.bodies.append(body)

    def _lost(self) -> set[int]:
        """Offsets of which the store says that they were gone."""
        with self.stage.database.transaction() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT body::json ->> 'offset', body::json ->> 'until' FROM rejected"
                f" WHERE log = 'signals' AND partition = {self.place[1]} AND reason = 'lost'"
            ).all()
        return {offset for first, last in rows for offset in range(int(first), int(last) + 1)}
