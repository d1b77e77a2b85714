"""The Faust application of a worker: settings, three agents, what a rebalance calls. Nothing is decided here.

The only module that knows Faust. Its agents hand over what they get, as it came; a record is acknowledged once the
store holds what came of it. Where reading goes on after a rebalance the store says, not the group's offsets: those are
kept for whoever watches the group. Kafka's own producer side is not started, its web server neither.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from ssl import create_default_context
from typing import Any, ClassVar, Protocol

import faust
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from aiokafka.structs import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as AioConsumer
from faust.transport.drivers.aiokafka import Transport as AioTransport
from faust.types import TP
from yarl import URL

from config.cluster import Kafka
from pipeline.errors import LogUnavailable, StoreUnavailable
from runners.log_sqlite import LOGS
from runners.worker.site import Place

COMMIT_S = 2.0
"""For so long an acknowledgement is waited for; the next one says the same and more."""
_QUIET = ("faust", "mode", "aiokafka")


class Takes(Protocol):
    """What a worker does with what Kafka says. Only `take` is called on the loop's thread, and may not block."""

    def take(self, place: Place, offset: int, body: bytes | None, acknowledge: Callable[[], object]) -> None:
        """A record, by its offset in the topic."""
        ...

    def revoke(self) -> None:
        """Nothing is ours until `assign`; what runs has ended when this returns."""
        ...

    def assign(self, places: Collection[Place]) -> None:
        """These are ours now."""
        ...

    def positions(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Where to read on, as offsets in the topics. Raises StoreUnavailable, LogUnavailable."""
        ...


class _Thread(AIOKafkaConsumerThread):
    """Does not end the worker for an acknowledgement that failed: the store knows how far a partition is."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        own = self.assignment()
        said = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in own}
        try:
            await asyncio.wait_for(self._ensure_consumer().commit(said), COMMIT_S)
        except (KafkaError, TimeoutError):
            return False
        return True


class _Consumer(AioConsumer):
    """Goes on where the store says."""

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        app: Any = self.app
        own: dict[Place, TP] = app.places_of(self.assignment())
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, app.worker.positions, list(own))
        except (StoreUnavailable, LogUnavailable):
            return dict(await super().seek_to_committed())  # what is skipped by it is read from the log then
        offsets = {own[place]: offset for place, offset in found.items()}
        await self.seek_wait(offsets)
        return offsets


class _Transport(AioTransport):
    Consumer: ClassVar[Any] = _Consumer


class _Tables(TableManager):
    """There are no tables: nothing to wait a second for."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class _Boot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class _App(faust.App):
    BootStrategy = _Boot
    worker: Takes
    topics_of_logs: dict[str, str]

    def places_of(self, assigned: Collection[TP]) -> dict[Place, TP]:
        """Our names of partitions of topics."""
        return {(self.topics_of_logs[tp.topic], tp.partition): tp for tp in assigned if tp.topic in self.topics_of_logs}


class Consuming:
    """A worker's membership in the group. Make and run it on one event loop.

    Parameters
    ----------
    settings : brokers and topics. folder : the configuration's. datadir : an empty folder, for Faust.
    name : fixed name of this worker, so that a quick restart finds its partitions unmoved; '' for none.
    """

    def __init__(self, settings: Kafka, folder: Path, datadir: Path, worker: Takes, *, name: str = "") -> None:
        for quiet in _QUIET:
            # What matters of it is told by the worker, once; the library tells each attempt.
            logging.getLogger(quiet).setLevel(logging.CRITICAL)
        session = settings.session_timeout_s
        self._app = app = _App(
            f"{settings.prefix}.workers", broker=[URL(f"kafka://{each}") for each in settings.bootstrap],
            broker_credentials=_credentials(settings, folder), datadir=datadir, store="memory://",
            processing_guarantee="at_least_once", stream_wait_empty=False, stream_recovery_delay=0.0,
            stream_buffer_maxsize=1024, broker_commit_interval=1.0, broker_commit_every=1000,
            broker_max_poll_records=500, broker_session_timeout=session, broker_heartbeat_interval=session / 3,
            broker_rebalance_timeout=max(10.0, 2 * session), broker_request_timeout=max(20.0, 2 * session),
            consumer_max_fetch_size=4 << 20, consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=name or None, topic_disable_leader=True, topic_allow_declare=False,
            TableManager=_Tables, web_enabled=False, autodiscover=False,
        )  # fmt: skip
        app.worker = worker
        app.topics_of_logs = {settings.topic(log): log for log in LOGS}
        app.transport = _Transport(app.conf.broker_consumer, app)
        for topic, log in app.topics_of_logs.items():
            source = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
                               allow_empty=True)  # fmt: skip
            app.agent(source, name=f"forewarn.{log}", concurrency=1)(_agent(worker, log))
        app.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]
        app.on_partitions_assigned.connect(self._assigned)  # type: ignore[arg-type]
        self._loop = asyncio.get_running_loop()
        self.rebalances = 0

    async def run(self, until: asyncio.Event) -> None:
        """Consume until told to stop; then acknowledge what is kept and leave. Raises what ended it before."""
        starting = asyncio.ensure_future(self._app.start())
        try:
            while not until.is_set():
                if self._app.crashed:
                    raise self._app.crash_reason or RuntimeError("the consumer has ended")
                if starting.done():
                    starting.result()
                with suppress(TimeoutError):
                    await asyncio.wait_for(until.wait(), 0.5)
        finally:
            if not starting.done():
                starting.cancel()

    async def stop(self) -> None:
        """Leave the group."""
        await self._app.stop()

    def halt(self) -> None:
        """Take nothing more; on the loop's thread."""
        consumer = self._app.consumer
        consumer.stop_flow()

    def hold(self, place: Place, must_hold: bool) -> None:
        """Ask for no more of a partition's records, or again; on any thread."""
        self._loop.call_soon_threadsafe(self._hold, place, must_hold)

    def acknowledge(self, calls: list[Callable[[], object]]) -> None:
        """Acknowledge records; on any thread."""
        self._loop.call_soon_threadsafe(_all, calls)

    def _hold(self, place: Place, must_hold: bool) -> None:
        consumer = self._app.consumer
        tp = self._app.places_of(consumer.assignment()).get(place)
        if tp is not None:
            (consumer.on_buffer_full if must_hold else consumer.on_buffer_drop)(tp)

    async def _revoked(self, app: Any, revoked: Collection[TP], **_: Any) -> None:
        await self._loop.run_in_executor(None, self._app.worker.revoke)

    async def _assigned(self, app: Any, assigned: Collection[TP], **_: Any) -> None:
        self.rebalances += 1
        await self._loop.run_in_executor(None, self._app.worker.assign, list(self._app.places_of(assigned)))


def _agent(worker: Takes, log: str) -> Callable[[Any], Any]:
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            worker.take((log, message.partition), message.offset, message.value, event.ack)

    return agent


def _all(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _credentials(settings: Kafka, folder: Path) -> Any:
    context = None
    if settings.security in ("SSL", "SASL_SSL"):
        context = create_default_context(cafile=None if settings.ca_file is None else str(folder / settings.ca_file))
    if settings.security.startswith("SASL"):
        secret = "" if settings.password_file is None else (folder / settings.password_file).read_text().strip()
        return faust.SASLCredentials(
            username=settings.username, password=secret, ssl_context=context,
            mechanism=settings.sasl_mechanism or "PLAIN",
        )  # fmt: skip
    return None if context is None else faust.SSLCredentials(context)
