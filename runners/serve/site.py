"""One server of a cluster, to the console and to the door what an embedded site is; several may run at once.

open -> agree on a configuration -> look at brokers and database -> intake, news and duties run -> stop, in reverse
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from alerts.directory import TableDirectory
from alerts.store import Store
from connectors.intake_http import Accepted, NotNow
from console.api.ports import Readiness, SourceStatus
from pipeline.errors import ConfigError, LogUnavailable, Reason, StoreUnavailable
from pipeline.frame import Kind, frame_of_others
from runners.clock import WAIT_US, Clock, WallClock
from runners.live.gate import LiveGate
from runners.live.hub import Hub, LiveSubscription
from runners.live.sources import Plan, plan
from runners.live.status import STALE_US, status
from runners.live.verdicts import Verdicts
from runners.routing import Routing
from runners.serve.aim import Aim
from runners.serve.duties import Duties
from runners.serve.health import Health
from runners.serve.intake import Intake
from runners.serve.ledger import ClusterLedger
from runners.serve.news import Follower
from runners.serve.parts import Log, Parts
from runners.serve.reload import Configured
from runners.serve.versions import Versions
from runners.serve.write import RETRY_S

NOT_BEGUN = "the logs are being begun with their configuration"


class ClusterLive:
    """Implements console.api.ports.LiveSite and connectors.intake_http.Gate on Kafka and PostgreSQL.

    Parameters
    ----------
    made : the configuration as this server's file has it. parts : open; closed by `stop`.
    data : folder for outlines.geojson and for what sinks write. clock : the wall's, unless the site is simulated.

    Raises ConfigError when the configuration cannot follow the one in force, StoreUnavailable.
    """

    def __init__(
        self, made: Plan, parts: Parts, data: Path, clock: Clock | None = None, *, simulated: bool = False,
        scores: Callable[[], dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.parts, self.data, self.simulated = parts, data, simulated
        self.clock = clock or WallClock()
        self.speed = self.clock.speed
        self.path = made.path
        self._scores = scores
        self._versions = Versions(parts.logs)
        self._configured = Configured(self._versions, made)
        made = self._configured.at_start(made)
        self.settings, self.rules = made.settings, made.rules
        self._has_begun = self._is_stopped = False
        self._config_trouble = ""
        self.having = 0
        """Logs that have the configuration in force."""
        self.ledger = ClusterLedger(parts)
        self.health = Health(parts, self.clock, self._look, self._fail)
        routing = Routing(made.settings, parts.logs, parts.partitions)
        self.engine = Intake(parts, Aim(routing, parts.logs), self.clock, self._trouble)
        self.gate = LiveGate(self.engine, made.sources(parts.key))
        self.hub = Hub(parts.news.cursor())
        self._verdicts = Verdicts()
        self._news = Follower(parts, self.hub, self._verdicts, self.clock, self._fail)
        self.duties = Duties(
            parts, self.clock, self._versions, self.append, lambda: (self.settings, self.rules), self.gate, self.health,
            self._fail, folder=self.path.parent, data=data,
        )  # fmt: skip
        self.delivery, self.trainer = self.duties.delivery, self.duties.trainer

    # life ----------------------------------------------------------------------------------------------------------

    @property
    def is_listening(self) -> bool:
        """Whether the database tells this server what is new; else it is asked every second."""
        return self._news.is_listening

    def start(self) -> None:
        """Begin to take in and to tell; the logs are begun by the first server that comes."""
        self.health.look()
        self.engine.begin_at({log: end - 1 for log, end in self.health.seen.ends.items()})
        self.health.start()
        self._news.start()
        self.duties.start()
        self.engine.start()
        self.gate.start()

    def stop(self) -> None:
        """Take nothing more in, finish what was taken, let go of every duty, close; again does nothing."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.duties.stop()
        self.gate.stop()
        self.engine.stop()
        self._news.stop()
        self.health.stop()
        self.hub.close()
        self.parts.close()

    def _fail(self, error: BaseException) -> None:
        """A thread broke off: end, rather than go on without it."""
        self.engine.fail(error)

    # the way in ----------------------------------------------------------------------------------------------------

    def append(self, log: Log, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> int:
        """Append entries, stamped now, as one frame; its offset. From any thread. Raises LogUnavailable."""
        now = self.engine.stamp()
        frame = frame_of_others([(kind, now, payload) for kind, payload in entries])
        return self.parts.logs.append(*log, [frame.to_bytes()])

    async def _append(self, log: Log, kind: Kind, payload: dict[str, Any]) -> None:
        self.engine.check()
        try:
            await asyncio.to_thread(self.append, log, [(kind, payload)])
        except LogUnavailable as error:
            raise NotNow(str(error), RETRY_S) from error

    async def accept(self, source: str, records: Sequence[bytes], **more: Any) -> Accepted:
        """Take records, durably. Raises NotNow, Full, OtherContent; KeyError for no such source."""
        if source not in self.gate.sources:
            raise KeyError(source)
        return await self.gate.accept(source, records, **more)

    # console.api.ports.LiveSite ------------------------------------------------------------------------------------

    @property
    def store_url(self) -> str:
        """Where the warnings are."""
        return self.parts.address

    def directory(self) -> TableDirectory:
        """The directory, opened for the caller to close."""
        return TableDirectory(self.parts.address)

    def now(self) -> int:
        """Log time in µs UTC."""
        return self.clock.now()

    def readiness(self) -> Readiness:
        """Whether intake accepts and the folds move; of a ready site, what is still under way."""
        seen = self.health.seen
        reason = ""
        if not self.engine.is_running:
            reason = f"the intake stopped: {self.engine.failed}" if self.engine.failed else "the intake does not run"
        reason = reason or self._trouble() or self._clock_trouble()
        if not reason and seen.lag_us / self.speed > STALE_US:
            behind = ", ".join(f"{log}-{number}" for (log, number), count in sorted(seen.lag.items()) if count)
            reason = f"the folds of {behind} are {seen.lag_us // 1_000_000} s behind; is there a worker for them?"
        return Readiness(not reason, reason or self._config_state(), self.now(), seen.lag_us)

    def _config_state(self) -> str:
        every = len(self.parts.every_log())
        if self._config_trouble or self.having >= every:
            return self._config_trouble
        return f"{self.having} of {every} logs have configuration {self.rules.version}"

    def _trouble(self) -> str:
        return self.health.seen.trouble or ("" if self._has_begun else NOT_BEGUN)

    def _clock_trouble(self) -> str:
        ahead = self.engine.stamp() - self.clock.now()
        if ahead > WAIT_US:
            return f"the log is {ahead // 1_000_000} s ahead of the clock; set the clock right"
        trouble = self.clock.trouble()
        return trouble if "reload" in trouble else ""

    async def command(self, payload: dict[str, Any], wait_s: float = 2.0) -> dict[str, Any] | None:
        """Append a command and wait for its verdict; None when it was not folded in time. Raises NotNow."""
        key = str(payload["id"])
        log = await self._asked(self._prepared, key, str(payload.get("warning", "")))
        verdict = self._verdicts.wait(key)
        try:
            await self._append(log, Kind.COMMAND, payload)
            return await asyncio.wait_for(verdict, wait_s)
        except TimeoutError:
            return None
        finally:
            self._verdicts.forget(key, verdict)
            self._news.forget(key)

    def _prepared(self, key: str, warning: str) -> Log:
        self._news.expect(key)
        return self.parts.news.log_of(warning) or ("signals", 0)

    def verdict(self, key: str) -> dict[str, Any] | None:
        """The newest verdict under an idempotency key."""
        found = self.parts.news.verdict(key)
        return None if found is None else found[1]

    def subscribe(self) -> LiveSubscription:
        """Changes from now on."""
        return self.hub.subscribe()

    def cursor(self) -> dict[str, int]:
        """Number of transitions per partition of a log, as far as this server has heard."""
        every = {f"{log}-{number}": 0 for log, number in self.parts.every_log() if log != "readings"}
        return every | self.hub.cursor()

    def sources(self) -> list[SourceStatus]:
        """All sources, those that never sent included."""
        now = self.now()
        return [status(name, source.interval, self.ledger, now) for name, source in self.gate.sources.items()]

    async def resubmit(self, letter: int, source: str, record: dict[str, Any]) -> dict[str, Any]:
        """Put a repaired dead letter through its source's gate; taken, the dead letter is gone. Raises NotNow."""
        if source not in self.gate.sources:
            return {"ok": False, "reason": Reason.UNKNOWN_SOURCE.value, "detail": f"{source} is not configured"}
        body = orjson.dumps(record)
        why = await asyncio.to_thread(self.gate.sources[source].rehearse, body, self.now(), self.parts.key)
        if why is not None:
            return {"ok": False, "reason": why.reason.value, "detail": why.detail, "remedy": why.remedy}
        await self.gate.accept(source, [body])
        await self.discard(letter)
        return {"ok": True, "reason": "", "detail": "", "remedy": ""}

    async def discard(self, letter: int) -> bool:
        """Give a dead letter up; False when there is none under this id. Raises NotNow."""
        return bool(await self._asked(self.parts.logs.drop_letter, letter))

    async def reload(self) -> dict[str, Any]:
        """The configuration anew from this server's files; the other servers follow. A bad one changes nothing."""
        self.clock.accept()
        problems: list[str] = []
        try:
            made = await asyncio.to_thread(plan, self.path)
            made = await self._asked(self._configured.propose, made)
            self._follow(made)
            self.duties.config.wake()
        except ConfigError as error:
            problems = error.problems
        except NotNow as busy:
            problems = [str(busy)]
        return {"ok": not problems, "version": self.rules.version, "problems": problems}

    def explain(self, warning: str) -> dict[str, Any]:
        """The whole story of a warning, JSON-able."""
        from runners.explain.explain import ToldBy, as_json, explain_by

        with closing(Store(self.parts.address, readonly=True)) as store:
            told = ToldBy(self.parts.logs, store, self._versions.offsets, self.parts.news.has_model)
            return as_json(explain_by(told, warning, language="both"))

    def scoreboard(self) -> dict[str, Any] | None:
        """Figures against the ground truth; only a simulated site has them."""
        return None if self._scores is None else self._scores()

    def reached(self, seconds: float) -> None:
        """A browser's connection took a change so long after the console had heard of it."""
        self.hub.observe_told(seconds)

    async def fact(self, name: str, payload: dict[str, Any]) -> None:
        """Append a fact to the site log; durable when this returns. Raises NotNow."""
        await self._append(("site", 0), Kind.FACT, {"fact": name, "of": payload})

    async def _asked(self, question: Callable[..., Any], *values: Any) -> Any:
        """Ask or write on another thread. Raises NotNow."""
        try:
            return await asyncio.to_thread(question, *values)
        except StoreUnavailable as error:
            raise NotNow(str(error), RETRY_S) from error

    # configuration -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """With every look at health: what other servers changed, and what sources sent."""
        try:
            made = self._configured.newer(self.rules.version, self.path)
            if made is not None:
                self._follow(made)
            self._config_trouble = ""
        except ConfigError as error:
            self._config_trouble = f"the configuration in force cannot be read here: {error.problems[0]}"
        self.having = len(self._versions.logs(self.rules.version))
        ends = self.health.seen.ends
        self._has_begun = self._has_begun or (bool(ends) and all(ends.values()))
        self.ledger.look(self.gate.sources)

    def _follow(self, made: Plan) -> None:
        self.gate.sources = made.sources(self.parts.key)
        self.engine.follow(made.settings)
        self.settings, self.rules = made.settings, made.rules
