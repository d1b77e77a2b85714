"""The logs of a cluster: one topic each, frames as values. Reads and appends as `runners.log_sqlite.Logs` does.

An offset here is logical: `base + transport offset`, so that a log that moved in from elsewhere keeps its numbers.
Several processes append at once. No call waits for ever: brokers that are away raise LogUnavailable.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from config.cluster import Kafka
from pipeline.errors import LogGap, LogUnavailable
from runners.cluster.kafka_client import Clients, translated
from runners.cluster.kafka_sender import Outgoing, Sender
from runners.log_sqlite import LOGS

Base = Callable[[str, int], int]
"""Logical offset of the first record of (log, partition) that the topic ever had."""


def _from_zero(log: str, partition: int) -> int:
    return 0


class KafkaLog:
    """Append to and read the topics of a site; may be used by several threads.

    Parameters
    ----------
    settings : brokers and names of the topics. folder : the configuration's. base : 0 everywhere unless moved in.
    timeout_s : after so long without an answer a call raises LogUnavailable.
    """

    def __init__(
        self, settings: Kafka, folder: Path = Path(), *, base: Base = _from_zero, timeout_s: float = 10.0
    ) -> None:
        self._settings, self._base, self._timeout_s = settings, base, timeout_s
        self._clients = Clients(settings, folder, timeout_s=timeout_s)
        self._sender = Sender(self._clients, settings.compression)
        self._lock = threading.Lock()
        self._readers: list[KafkaConsumer] = []
        self._counts: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the connections; what was acknowledged stays."""
        self._sender.close()
        with self._lock:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    # appending ----------------------------------------------------------------------------------------------------

    def append(self, log: str, partition: int, frames: Sequence[bytes]) -> int:
        """Offset of the first of these frames, once every in-sync replica has all of them.

        Others may append at the same time: their frames may stand between these (`append_many` tells each offset).
        Raises LogUnavailable: then it is not known which of them were kept, and appending them again may repeat them.
        """
        if not frames:
            return self.next_offset(log, partition)
        return self.append_many([(log, partition, frame) for frame in frames])[0]

    def append_many(self, frames: Sequence[tuple[str, int, bytes]]) -> list[int]:
        """Offset of each (log, partition, frame), sent together; of one partition in order. Errors as for `append`."""
        for log, partition in {(log, partition) for log, partition, _ in frames}:
            if self._place(log, partition) is None:
                raise ValueError(f"no such log: {log}-{partition}")
        offsets = self._sender.send(
            [Outgoing(self._settings.topic(log), frame, partition) for log, partition, frame in frames]
        )
        return [
            self._base(log, partition) + offset for (log, partition, _), offset in zip(frames, offsets, strict=True)
        ]

    # reading ------------------------------------------------------------------------------------------------------

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` (and up to `until`), in order, to the log's end as of now.

        Raises LogGap with `next`, where the log now begins; CorruptData, LogUnavailable.
        """
        place = self._place(log, partition)
        if place is None:
            return
        base = self._base(log, partition)
        want = after + 1 - base
        with self._reader() as reader:
            first, end = self._span(reader, place)
            stop = end if until is None else min(end, until - base + 1)
            if want < first and (until is None or want <= until - base):
                raise _gap(log, partition, after + 1, base + first)
            for offset, body in self._records(reader, place, want, stop):
                if offset != want:
                    raise _gap(log, partition, base + want, base + offset)
                yield base + offset, body
                want += 1

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame by its offset, or None when it was pruned or is not there yet. Raises LogUnavailable."""
        place = self._place(log, partition)
        if place is None:
            return None
        want = offset - self._base(log, partition)
        with self._reader() as reader:
            first, end = self._span(reader, place)
            if not first <= want < end:
                return None
            return next((body for found, body in self._records(reader, place, want, want + 1) if found == want), None)

    def next_offset(self, log: str, partition: int) -> int:
        """The offset that the next frame will have if nobody else appends; asks the broker."""
        return self._asked(log, partition)[1]

    def first_offset(self, log: str, partition: int) -> int:
        """The offset of the first frame that is still there (the next one's, in an empty log); asks the broker."""
        return self._asked(log, partition)[0]

    def partitions(self) -> list[tuple[str, int]]:
        """Every (log, partition) that frames were appended to, sorted."""
        places = [(log, number) for log in LOGS for number in range(self._count(log))]
        with self._reader() as reader:
            return sorted(place for place in places if self._base(*place) + self._end(reader, *place) > 0)

    def next_offsets(self) -> dict[tuple[str, int], int]:
        """The offset that the next frame of every (log, partition) will have; asks the brokers once."""
        places = {
            TopicPartition(self._settings.topic(log), number): (log, number)
            for log in LOGS
            for number in range(self._count(log))
        }
        with self._reader() as reader:
            try:
                with translated(self._clients.where):
                    ends = dict(reader.end_offsets(list(places)))
            except KeyError:  # what kafka-python makes of a partition whose leader it does not know yet
                ends = {place: self._end(reader, *own) for place, own in places.items()}
        return {own: self._base(*own) + ends[place] for place, own in places.items()}

    # below ----------------------------------------------------------------------------------------------------------

    def _asked(self, log: str, partition: int) -> tuple[int, int]:
        place, base = self._place(log, partition), self._base(log, partition)
        if place is None:
            raise ValueError(f"no such log: {log}-{partition}")
        with self._reader() as reader:
            first, end = self._span(reader, place)
        return base + first, base + end

    def _end(self, reader: KafkaConsumer, log: str, partition: int) -> int:
        # One at a time: asked for several, kafka-python leaves out those whose leader it does not know yet.
        place = TopicPartition(self._settings.topic(log), partition)
        with translated(self._clients.where):
            return int(reader.end_offsets([place])[place])

    def _span(self, reader: KafkaConsumer, place: TopicPartition) -> tuple[int, int]:
        with translated(self._clients.where):
            return reader.beginning_offsets([place])[place], reader.end_offsets([place])[place]

    def _records(
        self, reader: KafkaConsumer, place: TopicPartition, start: int, stop: int
    ) -> Iterator[tuple[int, bytes]]:
        """Transport offset and value of the records from `start` to before `stop`."""
        if start >= stop:
            return
        reader.assign([place])
        reader.seek(place, start)
        limit = time.monotonic() + self._timeout_s
        while start < stop:
            with translated(self._clients.where):
                found = reader.poll(timeout_ms=int(min(1.0, self._timeout_s) * 1000)).get(place, ())
            for record in found:
                if record.offset >= stop:
                    return
                yield record.offset, record.value
                start = record.offset + 1
            if found:
                limit = time.monotonic() + self._timeout_s
            elif time.monotonic() > limit:
                raise LogUnavailable(
                    f"Kafka at {self._clients.where}: {place.topic} did not answer in {self._timeout_s:.0f} s"
                )

    @contextmanager
    def _reader(self) -> Iterator[KafkaConsumer]:
        """A consumer of one's own: reading may be nested, and threads do not share one."""
        with self._lock:
            idle = self._readers[-1:]
            del self._readers[-1:]
        reader = idle[0] if idle else self._clients.consumer()
        try:
            yield reader
        except GeneratorExit:
            self._give_back(reader)
            raise
        except BaseException:
            reader.close()
            raise
        self._give_back(reader)

    def _give_back(self, reader: KafkaConsumer) -> None:
        with self._lock:
            self._readers.append(reader)

    def _place(self, log: str, partition: int) -> TopicPartition | None:
        if log not in LOGS:
            raise ValueError(f"no such log: {log}-{partition}")
        return TopicPartition(self._settings.topic(log), partition) if 0 <= partition < self._count(log) else None

    def _count(self, log: str) -> int:
        """How many partitions a log has; that never changes."""
        if log not in self._counts:
            topic = self._settings.topic(log)
            try:
                self._counts[log] = self._sender.partition_count(topic)
            except LogUnavailable as error:
                raise LogUnavailable(
                    f"topic {topic} is not there or {error}; `forewarn kafka init` makes topics"
                ) from error
        return self._counts[log]


def _gap(log: str, partition: int, expected: int, found: int) -> LogGap:
    return LogGap(f"{log}-{partition} has no frame {expected}; the next one is {found}", next=found)
