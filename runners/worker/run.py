"""`forewarn worker`: one process that folds the partitions which Kafka deals out to it, until it is stopped.

    Kafka --take--> queue --folds thread--> one transaction in PostgreSQL --> acknowledged, forwarded, counted

It ends by itself, with 1, when a partition with work and no server to wait for makes no progress for a while: whoever
started it starts it again.
"""

import asyncio
import gc
import os
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from alerts.database import Database, postgres_url
from alerts.news import News
from alerts.store import Store
from config.load import load_settings
from config.settings import Settings
from pipeline.effects import Effects
from pipeline.errors import LogUnavailable, Reason, StoreUnavailable
from pipeline.rules import FoldRules
from runners.clock import WallClock
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.logs import ClusterLogs
from runners.embedded import COLLECT_AFTER
from runners.event_log import write_events_plainly
from runners.faust_app import Consuming
from runners.wiring import fold_rules
from runners.worker.folds import Folds
from runners.worker.forward import FIRST_PAUSE_S, LONGEST_PAUSE_S, Forwarder
from runners.worker.letters import DeadLetterTopic
from runners.worker.metrics import Doorplate, WorkerMetrics
from runners.worker.owned import Kept, Owned
from runners.worker.site import ClusterSite, Place
from runners.worker.state import Arrived, Look

log = structlog.get_logger("forewarn")
WATCH_S = 5.0
"""How often the brokers are asked how long the logs are."""
SUSPEND_S, LAST_S = 10.0, 15.0
"""How long a running transaction may take at a rebalance, and all that is left to do at the end."""


class TimedStore(Store):
    """A store that tells how long its transactions take."""

    observe: Callable[[float], None] = staticmethod(lambda seconds: None)

    def apply(self, *args: Any, **named: Any) -> bool:
        """Keep effects and offset; see Store."""
        begun = time.perf_counter()
        kept = super().apply(*args, **named)
        self.observe(time.perf_counter() - begun)
        return kept


class Worker:
    """Everything of one worker but Faust; implements faust_app.Takes, worker_folds.Told, worker_metrics.Telling.

    Parameters
    ----------
    settings : of the cluster. rules : of the configuration. folder : the configuration's.
    fold_only : nothing is handed on to other logs, as for a copy of logs that is being compared.

    Raises StoreUnavailable, LogUnavailable when PostgreSQL or Kafka are away.
    """

    def __init__(self, settings: Settings, rules: FoldRules, folder: Path, *, fold_only: bool = False) -> None:
        self._open = ExitStack()
        self._hands_on = not fold_only
        try:
            self._connect(settings, rules, folder)
        except BaseException:
            self._open.close()
            raise

    def _connect(self, settings: Settings, rules: FoldRules, folder: Path) -> None:
        address = postgres_url(settings.postgres.url)
        self._clock = WallClock()
        self.metrics = WorkerMetrics()
        store = TimedStore(address)
        store.observe = self.metrics.transaction.observe
        self._open.callback(store.close)
        database = Database(address)
        self._open.callback(database.close)
        self.bases: dict[Place, int] = {}
        frames = KafkaLog(settings.kafka, folder, base=lambda log, number: self.bases.get((log, number), 0))
        self._logs = ClusterLogs(frames, database)
        self._open.callback(self._logs.close)
        places = [("site", 0), *((log, n) for log in ("signals", "readings") for n in range(settings.partition_count))]
        self.bases = {place: self._logs.base(*place) for place in places}
        frames.partitions()  # brokers that are away, or topics that are not there, are told now
        self._letters = DeadLetterTopic(settings.kafka, folder)
        self._open.callback(self._letters.close)
        reader = Store(address, readonly=True)
        self._open.callback(reader.close)
        self._site = ClusterSite(self._logs, store, database, rules)
        self._news = News(database)
        self._forwarder = Forwarder(
            self._logs, reader, self._clock.now, with_marks=settings.partition_count > 1,
            forwarded=lambda place, rows: self.metrics.forwarded.labels(place[0]).inc(rows),
        )  # fmt: skip
        self.folds = Folds(self._make, self)
        self._stalled_s = settings.worker.stalled_s
        self._complete: dict[Place, int] = {}
        self._ending = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._was_assigned = False
        self.metrics.watch(self)

    # life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to fold what is offered."""
        self.folds.start()
        self._forwarder.start()
        self._watching.start()

    def stop(self, within_s: float = LAST_S) -> bool:
        """Finish the running transaction, write last checkpoints, forward what is due; False when time ran out."""
        self._ending.set()
        is_done = self.folds.stop(within_s)
        self._forwarder.stop(within_s / 3)
        return is_done and self.folds.failed is None

    def close(self) -> None:
        """Let go of brokers and database."""
        self._open.close()

    # faust_app.Takes -----------------------------------------------------------------------------------------------

    def take(self, place: Place, offset: int, body: bytes | None, acknowledge: Callable[[], object]) -> None:
        """A record, by its offset in the topic."""
        self.folds.offer(place, Arrived(self.bases.get(place, 0) + offset, body, acknowledge))

    def revoke(self) -> None:
        """Nothing is ours until `assign`; what runs has ended when this returns."""
        if not self.folds.suspend(SUSPEND_S):
            log.warning("partitions were given up while a transaction was running; the store will refuse it")

    def assign(self, places: Collection[Place]) -> None:
        """These are ours now."""
        self.metrics.rebalances.inc()
        self._was_assigned = True
        self.folds.assign(places)

    def positions(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Where to read on, as offsets in the topics. Raises StoreUnavailable."""
        reached = self._news.reached()
        found = {}
        for place in places:
            known = reached.get(place)
            found[place] = max(0, (known.offset + 1 if known else 0) - self.bases.get(place, 0))
        return found

    # worker_folds.Told ---------------------------------------------------------------------------------------------

    def kept(self, place: Place, kept: Kept, owned: Owned) -> None:
        """A transaction is done."""
        name = place[0]
        latency = max(0.0, (self._clock.now() - kept.oldest) / 1e6)
        self.metrics.kept(name, kept.entries, kept.frames, kept.seconds, latency)
        rejected = sum(len(effects.rejected) for effects in kept.effects)
        if rejected:
            self.metrics.rejected.labels(name).inc(rejected)
        for passed in kept.passed:
            count = passed.offset - passed.first + 1
            (self.metrics.lost if passed.reason is Reason.LOST else self.metrics.unreadable).inc(count)
            log.error(
                "records passed over", partition=f"{name}-{place[1]}", reason=passed.reason.value,
                first=passed.first, until=passed.offset, detail=passed.detail,
            )  # fmt: skip
        if _has_words(kept.effects) or owned.complete > self._complete.get(place, -1):
            self._complete[place] = owned.complete
            self._hand_on(place, owned.complete)

    def restored(self, place: Place, owned: Owned, seconds: float) -> None:
        """A partition can go on."""
        self.metrics.restored.observe(seconds)
        self._complete[place] = owned.complete
        self._hand_on(place, owned.complete)

    def overtaken(self, place: Place) -> None:
        """Another owner has been there."""
        self.metrics.fenced.inc()
        self.forgotten(place)

    def forgotten(self, place: Place) -> None:
        """A partition is not ours any more."""
        self._complete.pop(place, None)
        self._forwarder.forget(place)

    # worker_metrics.Telling ----------------------------------------------------------------------------------------

    def looks(self) -> dict[Place, Look]:
        """How each owned partition is."""
        return self.folds.looks(self._clock.now(), dict(self._site.dates))

    def trouble(self) -> str:
        """Why this worker is not ready, '' when it is."""
        if not self._was_assigned:
            return "waiting for Kafka to assign partitions"
        stalled = self.folds.stalled(self._stalled_s / 2)
        if stalled is not None:
            return f"{stalled[0]}-{stalled[1]} makes no progress"
        return self.folds.trouble() or self._forwarder.trouble

    # below ---------------------------------------------------------------------------------------------------------

    def _hand_on(self, place: Place, complete: int) -> None:
        if self._hands_on:
            self._forwarder.look(place, complete)

    def _make(self, place: Place) -> Owned:
        return Owned(self._site, place, self._letters)

    def _watch(self) -> None:
        """Ask how long the logs are, so that a partition to which nothing is delivered is noticed as well."""
        while not self._ending.wait(min(WATCH_S, self._stalled_s / 4)):
            if self._forwarder.failed is not None:
                log.error("forwarding has ended; ending", error=repr(self._forwarder.failed))
                os._exit(1)  # a worker that hands nothing on is worse than none
            try:
                self.folds.ends({place: self._logs.next_offset(*place) for place in self.folds.places()})
            except (LogUnavailable, StoreUnavailable):
                continue  # no news is no sign of standing still
            stalled = self.folds.stalled(self._stalled_s)
            if stalled is not None and not self._ending.is_set():
                log.error("no progress; ending", partition=f"{stalled[0]}-{stalled[1]}", seconds=self._stalled_s)
                os._exit(1)  # whatever hangs would hang a clean end as well


def run(
    config: Path, *, name: str = "", metrics_port: int | None = None, fold_only: bool = False,
    tell: Callable[[str], None] = print,
) -> bool:  # fmt: skip
    """Be a worker until SIGTERM or SIGINT; whether it ended well.

    `name` : fixed name among the workers, so that a quick restart finds its partitions unmoved; then nobody takes them
    over before the session has timed out. `metrics_port` : the configuration's unless given, 0 for none.
    Raises ConfigError.
    """
    write_events_plainly()
    gc.set_threshold(COLLECT_AFTER, 20, 100)
    settings = load_settings(config)
    open_ = partial(Worker, settings, fold_rules(settings), config.parent, fold_only=fold_only)
    return asyncio.run(_live(open_, settings, config.parent, name, metrics_port, tell))


async def _live(
    opened: Callable[[], Worker], settings: Settings, folder: Path, name: str, metrics_port: int | None,
    tell: Callable[[str], None],
) -> bool:  # fmt: skip
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    worker = await _opened(opened, stopping)
    if worker is None:
        return True
    with ExitStack() as open_:
        open_.callback(worker.close)
        datadir = open_.enter_context(tempfile.TemporaryDirectory(prefix="forewarn-worker-"))
        port = settings.worker.metrics_port if metrics_port is None else metrics_port
        if port:
            plate = Doorplate(worker.metrics.registry, worker.trouble, settings.worker.metrics_host, port)
            open_.callback(plate.stop)
        consuming = Consuming(settings.kafka, folder, Path(datadir), worker, name=name)
        worker.folds.acknowledge, worker.folds.hold = consuming.acknowledge, consuming.hold
        worker.folds.on_end = partial(_set, loop, stopping)
        worker.start()
        tell(
            f"worker {name or os.getpid()} started" + (f"; /metrics, /healthz, /readyz on port {port}" if port else "")
        )
        is_well = True
        try:
            await consuming.run(stopping)
        except Exception:  # noqa: BLE001  whatever ended the consumer: this process is to be started anew
            log.critical("the consumer has ended", trace=traceback.format_exc())
            is_well = False
        is_well = await _leave(worker, consuming) and is_well
        tell(f"worker {name or os.getpid()} stopped")
    return is_well


async def _leave(worker: Worker, consuming: Consuming) -> bool:
    """Stop consuming, finish the transaction, write checkpoints, acknowledge, leave the group; whether all of it was
    done."""
    consuming.halt()
    is_done = await asyncio.get_running_loop().run_in_executor(None, worker.stop)
    await asyncio.sleep(0)  # acknowledgements are calls on this loop
    try:
        await asyncio.wait_for(consuming.stop(), LAST_S)
    except Exception as error:  # noqa: BLE001  the group notices by itself that nobody is here
        log.warning("did not leave the group in order", reason=str(error) or type(error).__name__)
    return is_done


async def _opened(open_: Callable[[], Worker], stopping: asyncio.Event) -> Worker | None:
    """A worker as soon as PostgreSQL and Kafka answer; None when it was told to stop before."""
    pause, told = FIRST_PAUSE_S, ""
    while not stopping.is_set():
        try:
            return await asyncio.get_running_loop().run_in_executor(None, open_)
        except (StoreUnavailable, LogUnavailable) as error:
            if str(error) != told:
                log.warning("waiting for a server", reason=str(error))
            told = str(error)
        pause = min(LONGEST_PAUSE_S, 2 * pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
    return None


def _has_words(effects: Sequence[Effects]) -> bool:
    return any(each.to_site or each.to_signals for each in effects)


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended before
        loop.call_soon_threadsafe(event.set)
