"""The one place that makes clients of Kafka: from the brokers' settings, with errors in the product's own words."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.codec import has_lz4, has_snappy, has_zstd

from config.cluster import Brokers
from pipeline.errors import ConfigError, CorruptData, LogUnavailable

MAX_RECORD_BYTES = 4 << 20
"""Largest record on any of our topics; a frame closes at 1 MiB."""
_CODECS = {"snappy": (has_snappy, "python-snappy"), "lz4": (has_lz4, "lz4"), "zstd": (has_zstd, "zstandard")}


class Clients:
    """Makes producers, consumers and administrators for the same brokers.

    Parameters
    ----------
    brokers : where and how. folder : the configuration's, for relative paths.
    timeout_s : after so long without an answer a call raises LogUnavailable.

    Raises ConfigError for files that cannot be read.
    """

    def __init__(self, brokers: Brokers, folder: Path = Path(), *, timeout_s: float = 10.0) -> None:
        self.brokers, self.timeout_s = brokers, timeout_s
        wait_ms = int(timeout_s * 1000)
        self._settings: dict[str, Any] = {
            "bootstrap_servers": list(brokers.bootstrap), "bootstrap_timeout_ms": wait_ms,
            "request_timeout_ms": wait_ms, "reconnect_backoff_max_ms": 1000, "client_id": "forewarn",
            **_security(brokers, folder),
        }  # fmt: skip
        # What goes wrong reaches the caller; the library would say it again with every attempt to connect.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)

    def producer(self, compression: str = "none", **more: Any) -> KafkaProducer:
        """Idempotent, every in-sync replica acknowledges. Raises ConfigError, LogUnavailable."""
        check_codec(compression)
        wait_ms = int(self.timeout_s * 1000)
        settings = {
            "acks": "all", "enable_idempotence": True, "linger_ms": 0, "batch_size": 1 << 20,
            "max_request_size": MAX_RECORD_BYTES, "max_block_ms": wait_ms, "delivery_timeout_ms": wait_ms,
            "compression_type": None if compression == "none" else compression, "metrics_enabled": False,
        }  # fmt: skip
        with self._reached() as basic:
            # A request must be able to time out, and be repeated, before its delivery does.
            return KafkaProducer(**{**basic, "request_timeout_ms": wait_ms // 2, **settings, **more})

    def consumer(self, **more: Any) -> KafkaConsumer:
        """Of no group: whoever uses it keeps the offsets. Raises LogUnavailable."""
        settings = {
            "group_id": None, "enable_auto_commit": False, "auto_offset_reset": "none", "fetch_max_wait_ms": 100,
            "max_partition_fetch_bytes": MAX_RECORD_BYTES, "metrics_enabled": False,
        }  # fmt: skip
        with self._reached() as basic:
            return KafkaConsumer(**{**basic, **settings, **more})

    def administrator(self) -> KafkaAdminClient:
        """For topics. Raises LogUnavailable."""
        with self._reached() as basic:
            return KafkaAdminClient(**basic)

    @property
    def where(self) -> str:
        """The brokers' addresses, for messages."""
        return ", ".join(self.brokers.bootstrap)

    @contextmanager
    def _reached(self) -> Iterator[dict[str, Any]]:
        """Settings with which a client is made. Raises LogUnavailable when it finds no broker."""
        made: list[Any] = []

        def connections(**settings: Any) -> Any:
            made.append(KafkaConsumer.DEFAULT_CONFIG["kafka_client"](**settings))
            return made[-1]

        try:
            yield {**self._settings, "kafka_client": connections}
        except kafka_errors.KafkaError as error:
            # A client whose constructor raises leaves a thread and its sockets behind: through an outage, thousands.
            for one in made:
                one.close()
            raise LogUnavailable(
                f"no Kafka broker answers at {self.where}; does one run there, and is kafka.bootstrap right? ({error})"
            ) from error


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Errors of the client library as ours. Raises LogUnavailable, ConfigError, CorruptData."""
    try:
        yield
    except (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError) as error:
        raise ConfigError(
            [f"{where}: the topic takes no record of this size; `forewarn kafka init` sets it"]
        ) from error
    except kafka_errors.CorruptRecordError as error:
        raise CorruptData(f"{where}: a record's checksum does not match: {error}") from error
    except (kafka_errors.NotEnoughReplicasError, kafka_errors.NotEnoughReplicasAfterAppendError) as error:
        raise LogUnavailable(
            f"{where}: fewer replicas are in sync than kafka.min_insync asks for; nothing is accepted"
        ) from error
    except kafka_errors.KafkaError as error:
        raise LogUnavailable(f"Kafka at {where}: {type(error).__name__}: {error}") from error


def check_codec(name: str) -> None:
    """Whether this installation can compress so. Raises ConfigError."""
    known = _CODECS.get(name)
    if known is not None and not known[0]():
        raise ConfigError([f"kafka.compression: {name} needs the package {known[1]}; install it, or use gzip or none"])


def _security(brokers: Brokers, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"security_protocol": brokers.security}
    try:
        if brokers.security in ("SSL", "SASL_SSL"):
            authority = None if brokers.ca_file is None else str(folder / brokers.ca_file)
            found["ssl_context"] = ssl.create_default_context(cafile=authority)
        if brokers.security.startswith("SASL"):
            secret = "" if brokers.password_file is None else (folder / brokers.password_file).read_text().strip()
            found |= {
                "sasl_mechanism": brokers.sasl_mechanism or "PLAIN",
                "sasl_plain_username": brokers.username,
                "sasl_plain_password": secret,
            }
    except OSError as error:
        raise ConfigError([f"kafka: {error.filename or 'ca_file'}: {error.strerror or error}"]) from error
    return found
