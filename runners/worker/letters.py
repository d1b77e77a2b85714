"""Records that nobody can read go to the dead-letter topic, with where they stood and why."""

from hashlib import sha256
from pathlib import Path

from config.cluster import Kafka
from pipeline.errors import Reason
from runners.cluster.kafka_client import Clients
from runners.cluster.kafka_sender import Outgoing, Sender
from runners.worker.site import Place

LETTER_BYTES = 64 << 10
"""Of a record are kept; frames hold no text, so nothing is masked."""


class DeadLetterTopic:
    """`<prefix>.deadletter`. The value is what is kept of the record, all else stands in headers.

    Parameters
    ----------
    settings : the brokers. folder : the configuration's. timeout_s : after so long LogUnavailable is raised.
    """

    def __init__(self, settings: Kafka, folder: Path = Path(), *, timeout_s: float = 10.0) -> None:
        self._topic = settings.topic("deadletter")
        self._sender = Sender(Clients(settings, folder, timeout_s=timeout_s))

    def bury(self, place: Place, offset: int, reason: Reason, detail: str, body: bytes) -> None:
        """Keep one, durably; a repeat after a crash is known by log, partition and offset. Raises LogUnavailable."""
        told = {
            "log": place[0], "partition": str(place[1]), "offset": str(offset), "reason": reason.value,
            "detail": detail[:500], "size": str(len(body)), "sha256": sha256(body).hexdigest(),
        }  # fmt: skip
        headers = tuple((name, text.encode()) for name, text in told.items())
        self._sender.send([Outgoing(self._topic, body[:LETTER_BYTES], headers=headers)])

    def close(self) -> None:
        """Let go of the connection."""
        self._sender.close()
