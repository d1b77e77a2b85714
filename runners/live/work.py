"""What is handed to the engine: groups of posts that were prepared, commands, and errands for its thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from connectors.deadletter import DeadLetter
from connectors.intake_http import Accepted, Rejection
from pipeline.errors import Refused
from pipeline.frame import Kind
from runners.live.sources import Part

Outcome = Accepted | Exception
Done = Callable[[Outcome], None]
"""Told once what came of a post."""


@dataclass(slots=True)
class Post:
    """The records of one request.

    `done` is called on `loop`, or on the engine's thread where there is none. `key`, `content`: the sender's name for
    the request and the hash of what it held, or empty.
    """

    source: str
    records: list[bytes]
    done: Done
    indexes: list[int]
    loop: asyncio.AbstractEventLoop | None = None
    key: bytes = b""
    content: bytes = b""
    refused: list[tuple[int, Refused, bytes]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    size: int = 0
    parts: list[Part] = field(default_factory=list)
    cursor: tuple[str, int] | None = None
    """Where a pulled source has been read to once this is durable."""
    reached: int = 0
    """Records of a large request that are prepared already."""

    def reject(self, letter: DeadLetter, index: int) -> None:
        """Note why a record was not taken."""
        self.rejections.append(Rejection(index, letter.reason.value, letter.field, letter.detail, letter.remedy))

    def accepted(self, *, duplicate: bool = False) -> Accepted:
        """The answer once all is durable."""
        rejected = {rejection.index for rejection in self.rejections}
        told = tuple(sorted(self.rejections, key=lambda rejection: rejection.index))
        return Accepted(len(self.records) - len(rejected & set(self.indexes)), duplicate, told)


@dataclass(slots=True)
class Group:
    """Posts of one source that were prepared together; a post with a key has a group of its own."""

    parts: list[Part]
    posts: list[Post]

    @property
    def is_readings(self) -> bool:
        """Whether it goes to the readings log."""
        return self.parts[0].source.shape == "readings"


@dataclass(slots=True)
class Entry:
    """One entry that is neither signal nor reading, for the signals log or the site log.

    `fail` is called on the engine's thread when it could not be appended. `partition`: of the signals log, None for
    every one.
    """

    kind: Kind
    payload: dict[str, Any]
    to_site: bool = False
    partition: int | None = None
    fail: Callable[[Exception], None] = lambda why: None


@dataclass(slots=True)
class Errand:
    """A call for the engine's thread, which alone writes to log and store."""

    call: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)

    def run(self) -> None:
        """Make the call; its outcome goes to the future."""
        try:
            self.future.set_result(self.call())
        except Exception as error:  # noqa: BLE001  whoever asked is told; what one asks must not end the engine for all
            self.future.set_exception(error)


def answer(outcomes: Sequence[tuple[Post, Outcome]]) -> None:
    """Tell each post what came of it: one call into each event loop, whatever their number."""
    by_loop: dict[Any, list[tuple[Post, Outcome]]] = {}
    for post, outcome in outcomes:
        by_loop.setdefault(post.loop, []).append((post, outcome))
    for loop, own in by_loop.items():
        if loop is None:
            _done(own)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_done, own)


def _done(outcomes: Sequence[tuple[Post, Outcome]]) -> None:
    for post, outcome in outcomes:
        post.done(outcome)
