"""What the console needs of a running site; a runner implements it, the console never imports one."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypedDict

from alerts.names import Directory as Named
from config.settings import Settings
from pipeline.rules import FoldRules


class Change(NamedTuple):
    """What one store commit changed: raw transitions as in alerts.transition, and the cursor after them."""

    cursor: Mapping[str, int]
    transitions: Sequence[dict[str, Any]]
    at: int


class Readiness(NamedTuple):
    """Whether the site takes work; `reason` says in words why not. `now` is log time, `lag_us` how far behind it is."""

    ready: bool
    reason: str
    now: int
    lag_us: int


class SourceStatus(TypedDict):
    """How a source is doing; counts since the log began, times in µs UTC."""

    name: str
    state: Literal["receiving", "delayed", "interrupted", "never"]
    last_at: int | None
    interval_s: float | None
    accepted: int
    applied: int
    duplicate: int
    late: int
    dead_lettered: int
    dropped_fields: int
    pending: int


class Overflow(Exception):
    """A reader of changes was too slow for its queue; it has to take a snapshot."""


class Subscription(Protocol):
    """Changes as they are committed; ends by raising Overflow when its reader falls behind."""

    def __aiter__(self) -> AsyncIterator[Change]:
        """Changes in order of commit."""
        ...

    def close(self) -> None:
        """End the iteration and let go of the queue."""
        ...


class Directory(Named, Protocol):
    """What is known beside the frames of the logs; may be asked from any thread."""

    def close(self) -> None:
        """Let go of file or connections."""
        ...

    def code(self, kind: str, name: str) -> int | None:
        """Code of a name that was met, None for another."""
        ...

    def ids(self, kind: str, limit: int) -> list[str]:
        """Names of one kind that were met, in order."""
        ...

    def points(self) -> list[tuple[int, str]]:
        """Codes and ids of points within places ("grid/point")."""
        ...

    def points_mark(self) -> int:
        """Another number once there are more points."""
        ...

    def search(self, text: str, sources: Iterable[str]) -> set[bytes]:
        """Keys of matters whose number is `text`, else of some whose number has it at its beginning or end."""
        ...

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        ...

    def letters(self, source: str, reason: str, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Dead letters without their bodies, newest first; '' for any source or reason."""
        ...

    def letter(self, id: int) -> dict[str, Any] | None:
        """One dead letter with its redacted body."""
        ...

    def letter_reasons(self, source: str) -> dict[str, int]:
        """How many dead letters each reason has."""
        ...


class LiveSite(Protocol):
    """A running site.

    Attributes
    ----------
    data : its files live here, outlines.geojson among them.
    settings, rules : of the configuration now in force.
    simulated : whether everything is an exercise. speed : log seconds per wall second, 1.0 live.
    """

    data: Path
    settings: Settings
    rules: FoldRules
    simulated: bool
    speed: float

    @property
    def store_url(self) -> Path | str:
        """Where the warnings are."""
        ...

    def directory(self) -> Directory:
        """The site's directory, opened for the caller to close."""
        ...

    def now(self) -> int:
        """Log time in µs UTC."""
        ...

    def readiness(self) -> Readiness:
        """Whether work is taken."""
        ...

    async def command(self, payload: dict[str, Any], wait_s: float = 2.0) -> dict[str, Any] | None:
        """Append a command and wait for its verdict (alerts.command); None when it was not folded in time."""
        ...

    def verdict(self, key: str) -> dict[str, Any] | None:
        """The verdict kept under an idempotency key."""
        ...

    def subscribe(self) -> Subscription:
        """Changes from now on."""
        ...

    def cursor(self) -> dict[str, int]:
        """Number of transitions per partition of a log, as in the store: `{"signals-0": n, "site-0": m}`."""
        ...

    def sources(self) -> list[SourceStatus]:
        """All sources, those that never sent included."""
        ...

    async def resubmit(self, letter: int, source: str, record: dict[str, Any]) -> dict[str, Any]:
        """Put a repaired dead letter through its source's gate: `{"ok", "reason", "detail", "remedy"}`.

        When it was taken (or known already) the dead letter is gone.
        """
        ...

    async def discard(self, letter: int) -> bool:
        """Give a dead letter up; False when there is none under this id."""
        ...

    async def reload(self) -> dict[str, Any]:
        """Read the configuration anew: `{"ok", "version", "problems": [...]}`; a bad one changes nothing."""
        ...

    def explain(self, warning: str) -> dict[str, Any]:
        """The whole story of a warning, JSON-able."""
        ...

    def scoreboard(self) -> dict[str, Any] | None:
        """Figures against the ground truth; only a simulated site has them."""
        ...

    def reached(self, seconds: float) -> None:
        """A browser's connection took a change so long after the console had heard of it."""
        ...

    async def fact(self, name: str, payload: dict[str, Any]) -> None:
        """Append a fact (sign-in, view of a protected field, export) to the site log."""
        ...
