"""A live site: one data directory on the wall clock (or a clock that is handed in), ready for the API and the door.

open -> restore logs, folds, store -> configuration in force -> engine and gate run -> stop, in the reverse order
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from alerts.store import Store
from config.load import canonical
from config.settings import Settings
from connectors.intake_http import Accepted, NotNow
from console.api.directory import LogDirectory
from console.api.ports import Readiness, SourceStatus
from pipeline.errors import ConfigError, Reason, Refused
from pipeline.frame import Kind
from runners.clock import WAIT_US, Clock, WallClock
from runners.embedded import Site
from runners.fold_logs import sensor_rules
from runners.live.config import CONFIG_MARK, CONFIG_PATH, first_rules, incompatible, mark
from runners.live.delivery import LiveDelivery
from runners.live.engine import Engine, Regular
from runners.live.files import FileDrops
from runners.live.gate import LiveGate
from runners.live.housekeeping import Housekeeping
from runners.live.hub import Hub, LiveSubscription
from runners.live.ledger import Ledger
from runners.live.pull import GateDoor
from runners.live.sources import Plan, plan
from runners.live.status import STALE_US, status
from runners.live.topics import Topics, topics_of
from runners.live.trainer import LiveTrainer
from runners.live.work import Entry
from runners.reading_limits import reading_rules
from runners.readings_runner import ReadingsRunner
from runners.recorded import edge_key
from runners.routing import Routing
from runners.sinks import sinks_of
from runners.site_runner import SiteRunner


class Live:
    """Implements console.api.ports.LiveSite and connectors.intake_http.Gate.

    Raises LogBusy when another process holds the directory, ConfigError when the configuration cannot follow the one
    that the log was begun with.
    """

    def __init__(
        self, made: Plan, data: Path, clock: Clock | None = None, *, simulated: bool = False,
        scores: Callable[[], dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.data, self.simulated = data, simulated
        self.clock = clock or WallClock()
        self.speed = self.clock.speed
        self.settings, self.rules = made.settings, made.rules
        self.path = made.path
        self._scores = scores
        self._is_stopped = False
        self._key = edge_key(data, fixed=False)
        self._site = Site(data, first_rules(data, made.rules), clock="wall")
        try:
            self._open(made)
        except BaseException:
            self._site.close()
            raise

    def _open(self, made: Plan) -> None:
        site = self._site
        if not site.logs.is_wall:
            why = "was begun by a run on files, whose clock is recorded; a live site needs a folder of its own"
            raise ConfigError([f"{self.data}: {why}"])
        self._surges = SiteRunner(site, site.partitions[0].rules)
        self._surges.restore()
        self._readings = self._sensing()
        self.hub = Hub(site.store.cursor())
        stored: dict[str, int] = {}
        for tallies in site.store.tallies().values():
            for name, count in tallies.items():
                stored[name] = stored.get(name, 0) + count
        self._words: list[dict[str, Any]] = []
        for runner in self._readings:
            runner.restore()
        heard = {name: site.logs.position(f"heard@{name}") for name in made.mappings}
        self.ledger = Ledger(site.logs.tallies(), stored, heard)
        routing = Routing(made.settings, site.logs, len(site.partitions))
        self.engine = Engine(site, self._surges, self._readings, routing, self.clock, self.hub, self.ledger)
        self.engine.assess(self._words)
        self.gate = LiveGate(self.engine, made.sources(self._key))
        self.files = FileDrops(GateDoor(self.gate))
        self.topics = Topics(GateDoor(self.gate), topics_of(lambda: self.settings, made.path.parent))
        self._reader = Store(self.data / "store.db", readonly=True)
        self._reading = threading.Lock()
        self._take_over(made)
        self.trainer = LiveTrainer(self.engine, lambda: (self.settings, self.rules))
        self.add(self.trainer)
        self.add(Housekeeping(self.engine, lambda: self.settings))
        self.delivery = LiveDelivery(
            self.engine, sinks_of(self.settings, self.data, made.path.parent), lambda: (self.settings, self.rules)
        )

    def _sensing(self) -> list[ReadingsRunner]:
        """A fold of readings beside every partition of matters; what is known of sensors is one table for all."""
        rules, names = reading_rules(Settings(), {}), self._site.logs.names_of("sensor")
        places: dict[int, int] = {}
        runners = []
        for partition in self._site.partitions:
            runner = ReadingsRunner(self._site, rules, number=partition.number, rules_of=sensor_rules, hear=self._hear)
            runner.names, runner.places = names, places
            runners.append(runner)
        return runners

    def _hear(self, words: list[dict[str, Any]]) -> None:
        if hasattr(self, "engine"):
            self.engine.assess(words)
        else:
            self._words += words

    # life ----------------------------------------------------------------------------------------------------------

    def add(self, regular: Regular) -> None:
        """Let something look now and then, on the engine's thread; before `start`."""
        self.engine.regulars.append(regular)

    def start(self) -> None:
        """Begin to take in, fold and tell the time."""
        self.engine.start()
        self.gate.start()
        self.files.start()
        self.topics.start()
        self.delivery.start()

    def stop(self) -> None:
        """Take nothing more in, finish what was accepted, write checkpoints, close; again does nothing."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.files.stop()
        self.topics.stop()
        self.gate.stop()
        self.delivery.stop()
        self.engine.stop()
        if self.engine.failed is not None:
            # A fold that broke off is no state to go on from; the log is.
            self._site.checkpointing = False
        self.trainer.close()
        for runner in self._readings:
            runner.close()
        self._surges.close()
        self._reader.close()
        self._site.close()

    # the way in ----------------------------------------------------------------------------------------------------

    async def accept(
        self, source: str, records: Sequence[bytes], *, key: str = "", indexes: Sequence[int] | None = None,
        refused: Sequence[tuple[int, Refused, bytes]] = (), is_batch: bool = False,
    ) -> Accepted:  # fmt: skip
        """Take records, durably. Raises NotNow, Full, OtherContent; KeyError for no such source."""
        if source not in self.gate.sources:
            raise KeyError(source)
        return await self.gate.accept(source, records, key=key, indexes=indexes, refused=refused, is_batch=is_batch)

    # console.api.ports.LiveSite ------------------------------------------------------------------------------------

    @property
    def store_url(self) -> Path:
        """Where the warnings are."""
        return self.data / "store.db"

    def directory(self) -> LogDirectory:
        """The directory beside the one writer, opened for the caller to close."""
        return LogDirectory(self.data / "log.db")

    def now(self) -> int:
        """Log time in µs UTC."""
        return self.clock.now()

    def readiness(self) -> Readiness:
        """Whether intake accepts and the fold moves."""
        now, lag = self.clock.now(), self.engine.lag_us()
        reason = ""
        if not self.engine.is_running:
            reason = f"the engine stopped: {self.engine.failed}" if self.engine.failed else "the engine does not run"
        else:
            reason = self.engine.trouble or self._clock_trouble()
        if not reason and lag / self.speed > STALE_US:
            reason = f"the fold is {lag // 1_000_000} s behind"
        return Readiness(not reason, reason, now, lag)

    def _clock_trouble(self) -> str:
        ahead = self.engine.stamp() - self.clock.now()
        if ahead > WAIT_US:
            return f"the log is {ahead // 1_000_000} s ahead of the clock; set the clock right"
        trouble = self.clock.trouble()
        return trouble if "reload" in trouble else ""

    async def command(self, payload: dict[str, Any], wait_s: float = 2.0) -> dict[str, Any] | None:
        """Append a command and wait for its verdict; None when it was not folded in time. Raises NotNow."""
        key = str(payload["id"])
        belongs = self._asked(lambda store: store.log_of(str(payload.get("warning", ""))))
        failed: asyncio.Future[dict[str, Any]] = self.engine.verdicts.wait(key)
        loop = asyncio.get_running_loop()

        def fail(why: Exception) -> None:
            loop.call_soon_threadsafe(_fail, failed, why)

        try:
            log, number = belongs or ("signals", 0)
            self.engine.enter(Entry(Kind.COMMAND, payload, to_site=log == "site", partition=number, fail=fail))
            return await asyncio.wait_for(failed, wait_s)
        except TimeoutError:
            return None
        finally:
            self.engine.verdicts.forget(key, failed)

    def verdict(self, key: str) -> dict[str, Any] | None:
        """The verdict kept under an idempotency key."""
        latest = self.engine.verdicts.latest(key)
        return latest if latest is not None else self._asked(lambda store: store.verdict(key))

    def subscribe(self) -> LiveSubscription:
        """Changes from now on."""
        return self.hub.subscribe()

    def cursor(self) -> dict[str, int]:
        """Number of transitions per partition of a log."""
        signals = {f"signals-{partition.number}": 0 for partition in self._site.partitions}
        return signals | {"site-0": 0} | self.hub.cursor()

    def sources(self) -> list[SourceStatus]:
        """All sources, those that never sent included."""
        now = self.clock.now()
        return [status(name, source.interval, self.ledger, now) for name, source in self.gate.sources.items()]

    async def resubmit(self, letter: int, source: str, record: dict[str, Any]) -> dict[str, Any]:
        """Put a repaired dead letter through its source's gate; taken, the dead letter is gone. Raises NotNow."""
        if source not in self.gate.sources:
            return {"ok": False, "reason": Reason.UNKNOWN_SOURCE.value, "detail": f"{source} is not configured"}
        body = orjson.dumps(record)
        why = await asyncio.to_thread(self.gate.sources[source].rehearse, body, self.now(), self._key)
        if why is not None:
            return {"ok": False, "reason": why.reason.value, "detail": why.detail, "remedy": why.remedy}
        await self.gate.accept(source, [body])
        await self.discard(letter)
        return {"ok": True, "reason": "", "detail": "", "remedy": ""}

    async def discard(self, letter: int) -> bool:
        """Give a dead letter up; False when there is none under this id. Raises NotNow."""
        self.engine.check()

        def drop() -> bool:
            with self._site.logs.transaction():
                return self._site.logs.drop_letter(letter)

        return bool(await asyncio.wrap_future(self.call(drop)))

    async def reload(self) -> dict[str, Any]:
        """The configuration anew from its files; a bad one changes nothing. An operator agrees to the clock by it."""
        self.clock.accept()
        try:
            made = await asyncio.to_thread(plan, self.path, version=self.rules.version + 1)
            if mark(made) == self._marked:
                return {"ok": True, "version": self.rules.version, "problems": []}
            problems = incompatible(self.rules, made.rules)
            if problems:
                raise ConfigError(problems)
            await asyncio.wrap_future(self.call(lambda: self._configure(made)))
        except ConfigError as error:
            return {"ok": False, "version": self.rules.version, "problems": error.problems}
        except NotNow as busy:
            return {"ok": False, "version": self.rules.version, "problems": [str(busy)]}
        return {"ok": True, "version": self.rules.version, "problems": []}

    def explain(self, warning: str) -> dict[str, Any]:
        """The whole story of a warning, JSON-able."""
        from runners.explain.explain import as_json, explain

        return as_json(explain(self.data, warning, language="both"))

    def scoreboard(self) -> dict[str, Any] | None:
        """Figures against the ground truth; only a simulated site has them."""
        return None if self._scores is None else self._scores()

    def reached(self, seconds: float) -> None:
        """A browser's connection took a change so long after the console had heard of it."""
        self.hub.observe_told(seconds)

    async def fact(self, name: str, payload: dict[str, Any]) -> None:
        """Append a fact to the site log; durable when this returns. Raises NotNow."""
        self.engine.check()
        entry = (Kind.FACT, {"fact": name, "of": payload})
        await asyncio.wrap_future(self.call(lambda: self.engine.to_site([entry])))

    # for the parts beside it ---------------------------------------------------------------------------------------

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call on the engine's thread, which alone writes."""
        return self.engine.call(call)

    @property
    def site(self) -> Site:
        """The data directory; its files are for the engine's thread."""
        return self._site

    def _asked(self, question: Callable[[Store], Any]) -> Any:
        with self._reading:
            return question(self._reader)

    # configuration -------------------------------------------------------------------------------------------------

    def _take_over(self, made: Plan) -> None:
        """Begin a new log with this configuration, or follow a changed one; the engine does not run yet."""
        site = self._site
        self._marked: str | None = None
        if site.is_new:
            self._configure(made)
            self.engine.settle()
            return
        current = site.partitions[0].fold.county.rules
        self._marked = site.logs.meta(CONFIG_MARK)
        if self._marked == mark(made):
            self.rules = self._surges.rules = current
            return
        problems = incompatible(current, made.rules)
        if problems:
            raise ConfigError(problems)
        self._configure(replace(made, rules=replace(made.rules, version=current.version + 1)))
        self.engine.settle()

    def _configure(self, made: Plan) -> None:
        """Append a configuration to every log and follow it; on the engine's thread."""
        settings = canonical(made.settings)
        payload = {"version": made.rules.version, "rules": made.rules.to_json(), "settings": settings}
        self._surges.rules = made.rules
        self.engine.append_config(payload, {name: settings[name] for name in ("sensors", "duty")})
        self._marked = mark(made)
        self._site.logs.remember(CONFIG_MARK, self._marked)
        self._site.logs.remember(CONFIG_PATH, str(made.path.absolute()))
        self.settings, self.rules = made.settings, made.rules
        self.engine.routing.follow(made.settings)
        self.gate.sources = made.sources(self._key)


def _fail(future: "asyncio.Future[dict[str, Any]]", why: Exception) -> None:
    if not future.done():
        future.set_exception(why)
