"""What a log knows beside its frames: names, matters and their partitions, texts, dead letters, requests, counts.

`runners.log_sqlite.Logs` keeps it in the file of an embedded site, `alerts.register.Register` in the PostgreSQL of a
cluster, where several processes write at once: there what was written first stands, and counts add up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Letter = tuple[str, str, str, str, str, str, int, str, bytes]
"""A dead letter: source, position, reason, field, detail, remedy, size, sha256, redacted body."""


class Names(Protocol):
    """Codes and what they stand for; a code keeps its first name."""

    def name(self, names: Mapping[int, tuple[str, str]]) -> None:
        """Remember code -> (kind, name)."""
        ...

    def names(self) -> dict[int, str]:
        """Every remembered code with its name."""
        ...

    def names_of(self, kind: str) -> dict[int, str]:
        """Codes with their names of one kind."""
        ...

    def named(self, code: int) -> str:
        """The name of one code, '' for none that is remembered."""
        ...


class Matters(Protocol):
    """Partition and readable id ("source/number") of every matter; the first one stands."""

    def direct(self, matters: Iterable[tuple[bytes, int, str]]) -> None:
        """Remember key, partition and readable id of matters."""
        ...

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition and readable id of a matter."""
        ...

    def matter_key(self, name: str) -> bytes | None:
        """Key of a matter by its readable id or its number (for people's questions)."""
        ...

    def matters(self) -> Iterator[tuple[bytes, str]]:
        """Every key with its readable id."""
        ...


class Seating(Protocol):
    """Which partition a place and a matter belong to; what was written first stands, for every process."""

    def seats(self) -> dict[int, int]:
        """Partition of each place (by code) that was given one."""
        ...

    def seat_places(self, seats: Mapping[int, int]) -> dict[int, int]:
        """Give places their partitions where they have none; all that stand then."""
        ...

    def seats_of(self, keys: Sequence[bytes]) -> list[int | None]:
        """Partition of each of these matters, None for one that nobody has seen."""
        ...

    def seat_matters(self, keys: Sequence[bytes], partitions: Sequence[int], names: Sequence[str]) -> list[int]:
        """Give matters their partitions where they have none; the partition of each that stands, in this order.

        In a cluster it is durable when this returns, whatever becomes of a transaction around it.
        """
        ...


class Texts(Protocol):
    """Redacted texts of entries, until their day."""

    def keep_texts(self, partition: int, offset: int, texts: Iterable[tuple[int, str]], until: int) -> None:
        """Keep redacted texts of a frame's entries until a day (µs UTC)."""
        ...

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        ...

    def erase_texts(self, before: int | None = None) -> int:
        """Erase texts whose retention ended before a moment (all of them by default); how many."""
        ...


class DeadLetters(Protocol):
    """What could not be read."""

    def bury(self, letters: Iterable[Letter], at: int | None = None) -> None:
        """Keep dead letters; `at`: when they arrived (µs UTC)."""
        ...

    def drop_letter(self, id: int) -> bool:
        """Erase one dead letter; False when there is none under this id."""
        ...

    def forget_letters(self, before: int) -> None:
        """Erase dead letters that arrived before a moment (µs UTC)."""
        ...

    def deadletters(self, reason: str | None = None) -> list[dict[str, Any]]:
        """Dead letters, oldest first, of one reason or all."""
        ...


class Requests(Protocol):
    """Requests by their sender's key, so that the same one again is known."""

    def batch(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Hash of the content that came under a sender's key, and what was answered."""
        ...

    def keep_batch(self, key: bytes, content: bytes, at: int, answer: bytes) -> None:
        """Remember a request by its sender's key."""
        ...

    def forget_batches(self, before: int) -> None:
        """Forget requests that came before a moment (µs UTC)."""
        ...


class Progress(Protocol):
    """How far each source was read, and the edge's running counts."""

    def advance(self, source: str, position: int) -> None:
        """Remember how far a source was read."""
        ...

    def forget_cursor(self, source: str) -> None:
        """A source that has been read to its end, and is gone."""
        ...

    def position(self, source: str) -> int:
        """How far a source was read; 0 at first."""
        ...

    def tally(self, counts: Mapping[str, int]) -> None:
        """Add to the running counts."""
        ...

    def tallies(self) -> dict[str, int]:
        """The running counts."""
        ...


class Memory(Protocol):
    """Values of the site by key."""

    def meta(self, key: str) -> str | None:
        """A remembered value."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Set a value."""
        ...

    def remember_first(self, key: str, value: str) -> str:
        """Set a value where there is none; the one that stands."""
        ...


class Register(Names, Matters, Seating, Texts, DeadLetters, Requests, Progress, Memory, Protocol):
    """All of it. What belongs together is written inside one `transaction`."""

    def transaction(self) -> AbstractContextManager[Any]:
        """What is written inside is kept whole or not at all; durable when it leaves."""
        ...


class ClusterRegister(Register, Protocol):
    """That of a cluster: it also knows where each log of a house that was moved begins in its topic."""

    def base(self, log: str, partition: int) -> int:
        """Logical offset of the topic's first record."""
        ...

    def set_base(self, log: str, partition: int, base: int) -> None:
        """Fix it, before anything is appended; what stands already is not changed."""
        ...
