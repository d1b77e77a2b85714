"""What a server and its metrics need of a running site, be it embedded (live) or one of a cluster (serve_live)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from console.api.ports import LiveSite
from runners.clock import Clock
from runners.live.gate import LiveGate
from runners.live.hub import Hub
from runners.live.room import Room


class Engine(Protocol):
    """What works behind the door.

    Attributes
    ----------
    failed : what ended it, if anything did. on_end : called when it has ended. watchers : of what is folded here.
    """

    failed: BaseException | None
    on_end: Callable[[], None]
    watchers: list[Any]

    @property
    def trouble(self) -> str:
        """Why nothing can be written now, '' for nothing."""
        ...

    @property
    def room(self) -> Room:
        """What waits."""
        ...


class Counts(Protocol):
    """Where everything is that sources handed over."""

    def by_source(self, sources: Iterable[str]) -> dict[str, dict[str, int]]:
        """Counts of several sources, of one moment, with `pending`."""
        ...

    def heard(self, source: str) -> int | None:
        """When a source last sent something that was taken."""
        ...


class Told(Protocol):
    """How delivery is doing."""

    def depth(self) -> dict[str, int]:
        """Notifications by state."""
        ...


class Learning(Protocol):
    """How the trainer is doing."""

    @property
    def state(self) -> str:
        """What it does now."""
        ...

    def figures(self) -> Mapping[str, int]:
        """`lessons` given, and the log time of the `last` one."""
        ...


class ServedSite(LiveSite, Protocol):
    """A running site as its process has it."""

    @property
    def clock(self) -> Clock:
        """Log time."""
        ...

    @property
    def engine(self) -> Engine:
        """What works behind the door."""
        ...

    @property
    def gate(self) -> LiveGate:
        """The door."""
        ...

    @property
    def hub(self) -> Hub:
        """Changes for readers."""
        ...

    @property
    def ledger(self) -> Counts:
        """Where everything is."""
        ...

    @property
    def delivery(self) -> Told:
        """Notifications."""
        ...

    @property
    def trainer(self) -> Learning:
        """Lessons."""
        ...

    def start(self) -> None:
        """Begin to take in, fold and tell."""
        ...

    def stop(self) -> None:
        """End cleanly; again does nothing."""
        ...
