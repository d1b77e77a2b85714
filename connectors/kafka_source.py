"""An existing Kafka topic as a source: its records are taken as if they had been pushed, by mapping and contract.

How far a partition was read is a cursor that is kept with what was accepted; the topic's own groups are not used. What
is no record becomes a dead letter; what the topic deleted before it was read is one as well, and is counted there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, Protocol

from connectors.cloud_events import STRUCTURED, events
from connectors.decode import MAX_BYTES
from connectors.file_drop import Item
from pipeline.errors import Reason, Refused
from pipeline.frame import MAX_ENTRIES

Form = Literal["json", "cloudevents"]
Begin = Literal["earliest", "latest"]
_REMEDY = "keep the topic for longer than the site may be away"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic; `value` None is a tombstone."""

    partition: int
    offset: int
    value: bytes | None
    headers: Mapping[str, bytes]


class Topic(Protocol):
    """A topic that is read from offsets somebody else keeps; a runner hands it in. Raises LogUnavailable."""

    name: str

    def partitions(self) -> Sequence[int]:
        """Numbers of its partitions as of now."""
        ...

    def span(self, partition: int) -> tuple[int, int]:
        """Offset of the first record that is still there, and the one that the next record will have."""
        ...

    def seek(self, partition: int, offset: int) -> None:
        """Read a partition from this offset on."""
        ...

    def poll(self, wait_s: float) -> Sequence[Record]:
        """Records that came, partition by partition in order; none after a while."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """What comes next of one partition; `cursor`: its name, and what to keep under it once this is durable."""

    items: list[Item]
    cursor: tuple[str, int]


class TopicReader:
    """Reads one topic for one source.

    Parameters
    ----------
    kept : what is kept under a cursor, 0 for nothing. form : of the records. begin : where nothing is kept.
    """

    def __init__(self, source: str, topic: Topic, kept: Callable[[str], int], form: Form, begin: Begin) -> None:
        self._source, self._topic, self._kept = source, topic, kept
        self._form, self._begin = form, begin
        self._next: dict[int, int] = {}
        self._waiting: list[Piece] = []

    def pieces(self, wait_s: float) -> Iterator[Piece]:
        """What is there by now; a piece that was not taken (`again`) comes first."""
        if not self._waiting:
            self._waiting = self._joined() + self._polled(wait_s)
        while self._waiting:
            yield self._waiting.pop(0)

    def again(self, piece: Piece) -> None:
        """A piece that could not be taken now is handed out again."""
        self._waiting.insert(0, piece)

    def close(self) -> None:
        """Let go of the topic."""
        self._topic.close()

    def _joined(self) -> list[Piece]:
        """Begin to read partitions that are new to this reader; what was deleted meanwhile, and where `latest` is."""
        found = []
        for partition in self._topic.partitions():
            if partition in self._next:
                continue
            first, end = self._topic.span(partition)
            # Kept is one more than the next offset, so that 0 says that nothing was ever read.
            kept = self._kept(self._cursor(partition))
            if kept - 1 > end:
                begin = first  # another topic under the old name
            elif kept:
                begin = max(first, kept - 1)
                if begin > kept - 1:
                    found.append(self._lost(partition, kept - 1, begin))
            else:
                begin = end if self._begin == "latest" else first
                if begin > first:
                    # What comes while nobody reads is not older than where reading began.
                    found.append(self._piece(partition, [], begin))
            self._topic.seek(partition, begin)
            self._next[partition] = begin
        return found

    def _polled(self, wait_s: float) -> list[Piece]:
        found = []
        for partition, records in groupby(self._topic.poll(wait_s), key=lambda record: record.partition):
            own = list(records)
            if own[0].offset > self._next[partition]:
                # Compaction and transactions leave holes of their own; only what lies before the first was deleted.
                first = min(self._topic.span(partition)[0], own[0].offset)
                if first > self._next[partition]:
                    found.append(self._lost(partition, self._next[partition], first))
            for begin in range(0, len(own), MAX_ENTRIES):
                part = own[begin : begin + MAX_ENTRIES]
                items = [item for record in part for item in items_of(record, self._form)]
                found.append(self._piece(partition, items, part[-1].offset + 1))
            self._next[partition] = own[-1].offset + 1
        return found

    def _lost(self, partition: int, expected: int, first: int) -> Piece:
        told = f"{first - expected} records of {self._topic.name}-{partition} were deleted before they were read"
        where = f"offsets {expected} to {first - 1}".encode()
        return self._piece(partition, [(Refused(Reason.TRUNCATED, "offset", told, _REMEDY), where)], first)

    def _piece(self, partition: int, items: list[Item], after: int) -> Piece:
        return Piece(items, (self._cursor(partition), after + 1))

    def _cursor(self, partition: int) -> str:
        return f"topic@{self._source}/{self._topic.name}-{partition}"


def items_of(record: Record, form: Form) -> list[Item]:
    """The records in a record: one, or those of a batch of CloudEvents; or why it is none."""
    value = record.value
    if not value:
        return [(Refused(Reason.EMPTY_INPUT, "", "a record without a value", "send a JSON object"), b"")]
    if form == "json":
        if len(value) > MAX_BYTES:
            return [
                (Refused(Reason.TOO_LARGE, "", f"{len(value)} bytes", f"at most {MAX_BYTES} bytes a record"), value)
            ]
        return [value]
    headers = _headers(record)
    kind = headers.get("content-type") or ("application/json" if "ce-specversion" in headers else STRUCTURED)
    try:
        found = events(kind, headers, value)
    except Refused as refused:
        return [(refused, value)]
    placed: list[tuple[int, Item]] = list(zip(found.indexes, found.data, strict=True))
    placed += [(place, (refused, body)) for place, refused, body in found.refused]
    return [item for _, item in sorted(placed, key=lambda each: each[0])]


def _headers(record: Record) -> dict[str, str]:
    """Headers by the names that HTTP has for them: `ce_id` is `ce-id` there."""
    found = {name.lower(): value.decode("utf-8", "replace") for name, value in record.headers.items()}
    return {(f"ce-{name[3:]}" if name.startswith("ce_") else name): value for name, value in found.items()}
