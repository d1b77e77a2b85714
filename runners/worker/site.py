"""What a worker hands to the folds in the place of an embedded site: logs in Kafka, everything else in PostgreSQL."""

import time
from typing import cast

from alerts.database import Database
from alerts.store import Store
from pipeline.county import FOLD_VERSION
from pipeline.errors import CorruptData
from pipeline.rules import FoldRules
from pipeline.stages.reading_word import SENSOR
from runners.cluster.logs import ClusterLogs
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.cluster.pg_models import ModelTable
from runners.embedded import Partition, Site
from runners.fold_logs import genesis

Place = tuple[str, int]
"""Log and partition."""


class _Dated(PgCheckpoints):
    def __init__(self, database: Database, log: str, number: int, dates: dict[Place, float]) -> None:
        super().__init__(database, log, number, FOLD_VERSION)
        self._place, self._dates = (log, number), dates

    def _store(self, base: int, offset: int, body: bytes) -> None:
        super()._store(base, offset, body)
        self._dates[self._place] = time.monotonic()


class ClusterSite:
    """Looks to a fold's runner like `runners.embedded.Site`; for one thread at a time.

    Parameters
    ----------
    logs : of the cluster. store : written by this worker alone. database : for checkpoints and models.
    rules : of the configuration, until the logs hold some.
    """

    checkpointing = True
    may_lose = True
    """What the brokers no longer keep is passed over, counted and told; waiting for it would help nobody."""

    def __init__(self, logs: ClusterLogs, store: Store, database: Database, rules: FoldRules) -> None:
        self.logs, self.store = logs, store
        self.models = ModelTable(database)
        self.partitions: list[Partition] = []
        self.sensors: dict[int, str] = {}
        """Names of sensors by code, for all partitions of readings; told anew whenever one is restored."""
        self.dates: dict[Place, float] = {}
        """When the last checkpoint of each partition was written here (monotonic seconds)."""
        self._database, self._rules = database, rules

    def as_site(self) -> Site:
        """This, for whoever is written for a data directory."""
        return cast(Site, self)

    def checkpoints(self, log: str, number: int) -> PgCheckpoints:
        """Checkpoints of one fold; what is written next is a base."""
        return _Dated(self._database, log, number, self.dates)

    def rules(self) -> FoldRules:
        """Rules that the logs were begun with, those of the configuration where none can be read."""
        try:
            return FoldRules.from_json(genesis(self.logs)["rules"])
        except (FileNotFoundError, LookupError, CorruptData):
            return self._rules

    def name_sensors(self) -> dict[int, str]:
        """The names of all sensors that anybody has heard of."""
        self.sensors.update(self.logs.names_of(SENSOR))
        return self.sensors
