"""The duties of one cluster's servers: each is done by whichever holds its lease; the others stand by.

config    has every log get the configuration in force         time      ticks, minutes, pledges left behind, waste
delivery  plans, tells, settles                                 trainer   lessons and models (runners.cluster.trainer)
pull      folders and topics of others, one lease a source
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from alerts.leases import Leases
from alerts.retention import prune
from alerts.store import Store
from config.settings import Settings
from pipeline.calendar import DAY_US, HOUR_US
from pipeline.errors import StoreUnavailable
from pipeline.frame import Kind
from pipeline.rules import FoldRules
from runners.clock import Clock
from runners.cluster.logs import ClusterLogs
from runners.cluster.trainer import ClusterTrainer
from runners.live.delivery import LOOK_S, LiveDelivery
from runners.live.files import FileDrops
from runners.live.gate import LiveGate
from runners.live.housekeeping import REQUESTS_US, before
from runners.live.pull import GateDoor
from runners.live.topics import Topics, topics_of
from runners.serve.duty import LEASE_S, Duty
from runners.serve.health import Health
from runners.serve.parts import Parts
from runners.serve.settle import settle
from runners.serve.thread import Failed
from runners.serve.time import Timekeeper
from runners.serve.versions import Append, Versions
from runners.serve.write import wall_us
from runners.sinks import sinks_of

HELD_S = 60.0
"""After so long a notification that was claimed and not settled is told by another, under its key."""
SETTLE_S = 5.0
InForce = Callable[[], tuple[Settings, FoldRules]]


class Duties:
    """All of them, for one server; `start` and `stop` them together."""

    def __init__(
        self, parts: Parts, clock: Clock, versions: Versions, append: Append, in_force: InForce, gate: LiveGate,
        health: Health, failed: Failed, *, folder: Path, data: Path,
    ) -> None:  # fmt: skip
        self._parts, self._clock, self._versions, self._append = parts, clock, versions, append
        self._in_force, self._gate, self._health, self._failed = in_force, gate, health, failed
        self._store = Store(parts.address)
        self._settled = 0.0
        self._hour = self._day = 0
        self._is_erasing = False
        host = _Host(self._store, parts.logs, clock, append)
        told = LiveDelivery(
            host, sinks_of(in_force()[0], data, folder), in_force, held_us=round(HELD_S * 1e6 * clock.speed)
        )
        self._timekeeper = Timekeeper(parts.logs, parts.partitions, clock, append, self._watched)
        self.config = self._duty("config", 1.0, lambda token: self._roll_out())
        self.time = self._duty("time", min(1.0, 5.0 / clock.speed), lambda token: self._tell_time())
        self.delivery = Delivery(told, self._duty("delivery", LOOK_S, lambda token: told.turn()))
        self.time.begin = self._timekeeper.begin
        self._lessons = Store(parts.address)
        self.trainer = ClusterTrainer(
            self._lessons, parts.leases, parts.logs, in_force,
            url=parts.address, partitions=parts.partitions, holder=parts.holder, clock=clock.now,
        )  # fmt: skip
        self._turns = Turns(parts.leases, parts.holder)
        door = GateDoor(gate)
        self._files = FileDrops(door, is_mine=self._turns)
        self._topics = Topics(door, topics_of(lambda: in_force()[0], folder), self._turns)

    def start(self) -> None:
        """Stand by for all of them."""
        for part in (self.config, self.time, self.delivery.duty, self.trainer, self._files, self._topics):
            part.start()

    def stop(self) -> None:
        """End, and let go of the leases, so that the next server need not wait."""
        for part in (self._files, self._topics, self.trainer, self.delivery.duty, self.time, self.config):
            part.stop()
        self._turns.release()
        self._lessons.close()
        self._store.close()

    def names(self) -> list[str]:
        """All duties but the reading of sources."""
        return [duty.name for duty in (self.config, self.time, self.delivery.duty)] + ["trainer"]

    def held(self) -> list[str]:
        """What this server does for all now."""
        duties = (self.config, self.time, self.delivery.duty)
        is_teaching = self.trainer.state != "standby"
        return [duty.name for duty in duties if duty.token is not None] + ["trainer"] * is_teaching

    def _duty(self, name: str, every_s: float, work: Callable[[int], None]) -> Duty:
        return Duty(name, self._parts.leases, self._parts.holder, every_s, work, self._failed)

    def _roll_out(self) -> None:
        newest = self._versions.newest()
        if newest is not None:
            self._versions.roll_out(newest, self._parts.every_log(), self._append)

    def _tell_time(self) -> None:
        if self._health.seen.trouble:
            return
        self._timekeeper.look(self._health.seen.ends)
        if time.monotonic() - self._settled > SETTLE_S:
            settle(self._parts, wall_us())
            self._settled = time.monotonic()
        self._throw_away(self._clock.now())

    def _throw_away(self, now: int) -> None:
        """What nobody needs any longer: requests, dead letters, texts and warnings whose retention has ended."""
        hour, day = now // HOUR_US, now // DAY_US
        if self._is_erasing:
            self._is_erasing = bool(prune(self._store, before(self._in_force()[0], now)))
        if hour == self._hour:
            return
        logs, kept = self._parts.logs, self._in_force()[0].retention
        logs.forget_batches(now - REQUESTS_US)
        logs.forget_letters(now - kept.dead_letters_days * DAY_US)
        if day != self._day:
            logs.erase_texts(now)
        self._hour, self._day, self._is_erasing = hour, day, True

    def _watched(self) -> list[str]:
        return [name for name, source in self._gate.sources.items() if source.interval]


class Delivery:
    """Delivery as the metrics see it: only who does it knows how far it is."""

    def __init__(self, told: LiveDelivery, duty: Duty) -> None:
        self.told, self.duty = told, duty

    def depth(self) -> dict[str, int]:
        """Notifications by state, as of the last look; nothing where another server tells."""
        return {} if self.duty.token is None else self.told.depth()

    def pass_over(self) -> None:
        """Nobody is told of what was wished so far."""
        self.told.pass_over()


class Turns:
    """Which pulled sources are this server's to read now: a lease each."""

    def __init__(self, leases: Leases, holder: str) -> None:
        self._leases, self._holder = leases, holder
        self._held: dict[str, tuple[int | None, float]] = {}

    def __call__(self, source: str) -> bool:
        """Whether this server reads a source; asked of the database every few seconds."""
        token, asked = self._held.get(source, (None, float("-inf")))
        now = time.monotonic()
        if now - asked > LEASE_S / 4:
            token = self._asked(f"pull {source}", token)
            self._held[source] = (token, now)
        return token is not None

    def release(self) -> None:
        """Let other servers read."""
        for source, (token, _) in self._held.items():
            if token is not None:
                try:
                    self._leases.release(f"pull {source}", token)
                except StoreUnavailable:
                    return  # they end by themselves
        self._held.clear()

    def _asked(self, name: str, token: int | None) -> int | None:
        try:
            if token is not None and self._leases.renew(name, token, LEASE_S):
                return token
            return self._leases.take(name, self._holder, LEASE_S)
        except StoreUnavailable:
            return None


class _Host:
    """What delivery is beside, in a server (runners.live.delivery.Host): the site and where it is kept, in one."""

    is_running = True

    def __init__(self, store: Store, logs: ClusterLogs, clock: Clock, append: Append) -> None:
        self.store, self.logs, self.clock, self._append = store, logs, clock, append

    @property
    def site(self) -> "_Host":
        """Where everything is kept."""
        return self

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call here and now."""
        done: Future[Any] = Future()
        try:
            done.set_result(call())
        except Exception as error:  # noqa: BLE001  whoever asked is told
            done.set_exception(error)
        return done

    def stamp(self) -> int:
        """Log time."""
        return self.clock.now()

    def to_site(self, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> None:
        """Append entries to the site log."""
        self._append(("site", 0), entries)
