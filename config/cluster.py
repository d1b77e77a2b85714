"""Where a site runs when one machine is not enough: Kafka, PostgreSQL, workers. Embedded needs none of it."""

from typing import Annotated, Literal

from pydantic import Field

from config.value import Name, Value

Runner = Literal["embedded", "kafka"]
Days = Annotated[float, Field(gt=0.0, le=36_500.0)]
MAX_PARTITIONS = 1024


class TopicDays(Value):
    """For how many days each log is kept by the brokers; the signals log is the truth and outlives the others."""

    signals: Days = 1_100.0
    readings: Days = 7.0
    site: Days = 1_100.0
    deadletter: Days = 14.0


class Brokers(Value):
    """How brokers are reached. `password_file`: for SASL, relative to the configuration; the password never stands in
    the configuration itself."""

    bootstrap: Annotated[tuple[Name, ...], Field(min_length=1)] = ("127.0.0.1:9092",)
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ca_file: str | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password_file: str | None = None


class Kafka(Brokers):
    """The brokers and the topics `<prefix>.signals`, `.readings`, `.site` and `.deadletter`.

    `replication` and `min_insync` are those of the topics that `forewarn kafka init` makes. `session_timeout_s`: after
    so long without a heartbeat a worker's partitions go to others.
    """

    prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$")] = "forewarn"
    replication: Annotated[int, Field(ge=1, le=9)] = 3
    min_insync: Annotated[int, Field(ge=1, le=9)] = 2
    retention: TopicDays = TopicDays()
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"
    session_timeout_s: Annotated[float, Field(ge=1.0, le=300.0)] = 6.0

    def topic(self, log: str) -> str:
        """Name of a log's topic."""
        return f"{self.prefix}.{log}"


class Postgres(Value):
    """The store of a cluster. `url`: libpq style, `postgresql://host/base`; FOREWARN_POSTGRES_URL goes before it.

    A password belongs into a pgpass file or the environment, not here.
    """

    url: str = "postgresql://127.0.0.1/forewarn"


class Worker(Value):
    """What every worker keeps to. `stalled_s`: a partition with lag and no progress for so long ends the worker."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    stalled_s: Annotated[float, Field(ge=5.0, le=3_600.0)] = 60.0
