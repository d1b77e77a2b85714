"""Delivery beside the fold: one thread plans, tells and settles; of an embedded site the engine's thread writes."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import structlog

from alerts.deliver import Sink, attempt, fact_of, grouped
from alerts.deliveries import Deliveries, Delivery
from alerts.names import Directory, Names, zone_offset
from alerts.sentences import sentence
from alerts.store import Store
from config.load import canonical
from config.settings import Settings
from connectors.intake_http import NotNow
from pipeline.frame import Kind
from runners.clock import Clock
from runners.live.trainer import InForce

log = structlog.get_logger("forewarn")
LOOK_S = 0.25
"""How often it is looked for something to tell."""
NAMES_S = 30.0


class Kept(Protocol):
    """Where intents, deliveries and names are kept."""

    @property
    def store(self) -> Store:
        """Intents and deliveries."""
        ...

    @property
    def logs(self) -> Directory:
        """Names by code."""
        ...


class Host(Protocol):
    """What it is beside: an engine, or a server of a cluster."""

    @property
    def site(self) -> Kept:
        """Where everything is kept."""
        ...

    @property
    def clock(self) -> Clock:
        """Log time."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it goes on after a full disk."""
        ...

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call where the store may be written."""
        ...

    def stamp(self) -> int:
        """Log time, never before the log's own."""
        ...

    def to_site(self, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> None:
        """Append entries to the site log; durable when it returns."""
        ...


class LiveDelivery:
    """Tells the sinks of one site. `held_us`: for so long nobody else tells what was claimed here.

    Call `turn` again and again, or `start` for a thread that does.
    """

    def __init__(
        self, engine: Host, sinks: Sequence[Sink], in_force: InForce, look_s: float = LOOK_S, *, held_us: int = 0
    ) -> None:  # fmt: skip
        self._engine, self._in_force, self._look_s, self._held_us = engine, in_force, look_s, held_us
        self._sinks = {sink.name: sink for sink in sinks}
        self._deliveries = Deliveries(engine.site.store)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery")
        self._depth: dict[str, int] = {}
        self._names: tuple[int, float, Names] | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """End after the attempt at hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def depth(self) -> dict[str, int]:
        """Notifications by state, as of the last look."""
        return dict(self._depth)

    def pass_over(self) -> None:
        """Nobody is told of what was wished so far; before `start`, for a past that was only simulated."""
        for sink in self._sinks:
            while wishes := self._deliveries.wishes(sink, 10_000):
                self._deliveries.plan(sink, wishes, ())

    def _run(self) -> None:
        while not self._stop.wait(self._look_s):
            try:
                self.turn()
            except (NotNow, OSError):
                # A full disk: what was told and not settled is told again under its key.
                if not self._engine.is_running:
                    return

    def turn(self) -> None:
        """Plan what is wished, tell what is due, settle what came of it."""
        told = []
        begun = self._engine.clock.now()
        for delivery in self._on_engine(self._plan):
            if self._held_us and self._engine.clock.now() - begun > self._held_us // 2:
                break  # too slow, or frozen meanwhile: somebody else may be telling it now
            state, receipt = attempt(delivery, self._sinks[delivery.sink], self._engine.clock.now())
            if not receipt.ok:
                log.warning("delivery failed", sink=delivery.sink, attempt=state["attempts"], detail=receipt.detail)
            told.append((state, fact_of(delivery, receipt)))
            if self._stop.is_set():
                break
        if told:
            self._on_engine(lambda: self._settle(told))

    def _on_engine(self, call: Any) -> Any:
        return self._engine.call(call).result()

    def _plan(self) -> list[Delivery]:
        now = self._engine.stamp()
        for sink in self._sinks:
            wishes = self._deliveries.wishes(sink)
            if wishes:
                self._deliveries.plan(sink, wishes, grouped(wishes, sink, now, *self._words()))
        self._depth = self._deliveries.depth()
        return self._deliveries.claim(now, self._held_us, sinks=self._sinks)

    def _settle(self, told: Sequence[tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        """Receipts first: what is not settled is told again under its key, and has a second receipt."""
        self._engine.to_site([(Kind.FACT, fact) for _, fact in told])
        self._deliveries.settle([state for state, _ in told])

    def _words(self) -> Any:
        settings, rules = self._in_force()
        names = self._called(rules.version, settings)
        offset, targets = zone_offset(rules), [target.name for target in rules.targets]

        def words(transition: Mapping[str, Any]) -> tuple[str, str]:
            return sentence(transition, names.zh, zone_offset=offset, target_names=targets, english=names.en)

        def called(office: int) -> dict[str, str]:
            return {"id": names.of(office), "zh": names.zh(office), "en": names.en(office)}

        return words, called

    def _called(self, version: int, settings: Settings) -> Names:
        """Names of codes; read anew when the configuration is another, and now and then for what came since."""
        if self._names is None or self._names[0] != version or time.monotonic() - self._names[1] > NAMES_S:
            self._names = version, time.monotonic(), Names(self._engine.site.logs, canonical(settings))
        return self._names[2]
