"""A topic as a source: where it goes on, what becomes of each record, and that nothing is lost without a word."""

from collections.abc import Sequence

import orjson
import pytest

from connectors.kafka_source import Begin, Piece, Record, TopicReader, items_of
from pipeline.errors import Reason, Refused
from pipeline.frame import MAX_ENTRIES


class Partitions:
    """A topic in memory: values by partition; `first` is what its retention has left."""

    name = "city.water"

    def __init__(self, *values: Sequence[bytes | None]) -> None:
        self.values = [list(each) for each in values]
        self.first = [0] * len(values)
        self.holes: set[tuple[int, int]] = set()
        self._at: dict[int, int] = {}

    def partitions(self) -> list[int]:
        """All of them."""
        return list(range(len(self.values)))

    def span(self, partition: int) -> tuple[int, int]:
        """What is there."""
        return self.first[partition], len(self.values[partition])

    def seek(self, partition: int, offset: int) -> None:
        """Go on from here."""
        self._at[partition] = offset

    def poll(self, wait_s: float) -> list[Record]:
        """All that is new, at once."""
        found = []
        for partition, at in self._at.items():
            own = self.values[partition]
            for offset in range(max(at, self.first[partition]), len(own)):
                if (partition, offset) not in self.holes:
                    found.append(Record(partition, offset, own[offset], {}))
            self._at[partition] = len(own)
        return found

    def close(self) -> None:
        """Nothing is open."""


class Site:
    """Takes pieces, and keeps their cursors."""

    def __init__(self) -> None:
        self.cursors: dict[str, int] = {}

    def reader(self, topic: Partitions, begin: Begin = "earliest") -> TopicReader:
        """A reader as after a start."""
        return TopicReader("water", topic, lambda name: self.cursors.get(name, 0), "json", begin)

    def takes(self, reader: TopicReader) -> list[Piece]:
        """Take all that is there."""
        pieces = list(reader.pieces(0.0))
        self.cursors.update(piece.cursor for piece in pieces)
        return pieces


def records_of(pieces: Sequence[Piece]) -> list[bytes]:
    return [item for piece in pieces for item in piece.items if isinstance(item, bytes)]


def why(pieces: Sequence[Piece]) -> list[tuple[Reason, str]]:
    return [(item[0].reason, item[0].detail) for piece in pieces for item in piece.items if isinstance(item, tuple)]


def test_records_of_every_partition_are_read_from_the_beginning() -> None:
    site, topic = Site(), Partitions([b"1", b"2"], [b"3"])
    assert records_of(site.takes(site.reader(topic))) == [b"1", b"2", b"3"]


def test_a_reader_goes_on_after_what_was_kept() -> None:
    site, topic = Site(), Partitions([b"1", b"2"])
    site.takes(site.reader(topic))
    topic.values[0].append(b"3")
    assert records_of(site.takes(site.reader(topic))) == [b"3"]


def test_what_was_read_and_not_kept_is_read_again() -> None:
    site, topic = Site(), Partitions([b"1", b"2"])
    list(site.reader(topic).pieces(0.0))
    assert records_of(site.takes(site.reader(topic))) == [b"1", b"2"]


def test_a_piece_that_could_not_be_taken_comes_first() -> None:
    site, topic = Site(), Partitions([b"1"] * (MAX_ENTRIES + 1))
    reader = site.reader(topic)
    waiting = reader.pieces(0.0)
    reader.again(next(waiting))
    assert [len(piece.items) for piece in reader.pieces(0.0)] == [MAX_ENTRIES, 1]


def test_latest_begins_with_what_comes_next_and_remembers_it_at_once() -> None:
    site, topic = Site(), Partitions([b"1", b"2"])
    assert records_of(site.takes(site.reader(topic, "latest"))) == []
    topic.values[0].append(b"3")
    assert records_of(site.takes(site.reader(topic, "latest"))) == [b"3"]


def test_a_partition_that_is_added_is_read_from_its_beginning() -> None:
    site, topic = Site(), Partitions([b"1"])
    reader = site.reader(topic)
    site.takes(reader)
    topic.values.append([b"2"])
    topic.first.append(0)
    assert records_of(site.takes(reader)) == [b"2"]


def test_what_the_topic_deleted_while_nobody_read_is_counted() -> None:
    site, topic = Site(), Partitions([b"%d" % number for number in range(5)])
    site.takes(site.reader(topic))
    topic.values[0] += [b"5", b"6", b"7"]
    topic.first[0] = 7
    pieces = site.takes(site.reader(topic))
    assert why(pieces) == [(Reason.TRUNCATED, "2 records of city.water-0 were deleted before they were read")]
    assert records_of(pieces) == [b"7"]


def test_what_the_topic_deleted_between_two_looks_is_counted() -> None:
    site, topic = Site(), Partitions([b"0"])
    reader = site.reader(topic)
    site.takes(reader)
    topic.values[0] += [b"1", b"2"]
    topic.first[0] = 2
    assert [reason for reason, _ in why(site.takes(reader))] == [Reason.TRUNCATED]


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    site = Site()
    site.takes(site.reader(Partitions([b"1", b"2", b"3"])))
    assert records_of(site.takes(site.reader(Partitions([b"4"])))) == [b"4"]


def test_a_hole_of_a_compacted_topic_is_no_loss() -> None:
    site, topic = Site(), Partitions([b"0", b"1", b"2"])
    topic.holes = {(0, 1)}
    pieces = site.takes(site.reader(topic))
    assert (records_of(pieces), why(pieces)) == ([b"0", b"2"], [])


EVENT = {"specversion": "1.0", "id": "1", "source": "/water", "type": "reading", "data": {"sensor": "a"}}


def record(value: object, **headers: str) -> Record:
    body = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    named = {
        name if name.startswith("ce_") else name.replace("_", "-"): text.encode() for name, text in headers.items()
    }
    return Record(0, 0, body, named)


@pytest.mark.parametrize("headers", [{}, {"content_type": "application/cloudevents+json; charset=utf-8"}])
def test_a_structured_cloud_event_is_its_data(headers: dict[str, str]) -> None:
    assert items_of(record(EVENT, **headers), "cloudevents") == [b'{"sensor":"a"}']


def test_a_binary_cloud_event_is_its_value() -> None:
    found = record({"sensor": "a"}, ce_specversion="1.0", ce_id="1", ce_source="/water", ce_type="reading")
    assert items_of(found, "cloudevents") == [b'{"sensor":"a"}']


def test_a_batch_of_cloud_events_keeps_its_order_with_what_is_none() -> None:
    batch = record([EVENT, {"id": "2"}, EVENT], content_type="application/cloudevents-batch+json")
    first, refused, last = items_of(batch, "cloudevents")
    assert (first, last) == (b'{"sensor":"a"}', b'{"sensor":"a"}')
    assert isinstance(refused, tuple)
    assert refused[0].reason is Reason.MISSING_FIELD


@pytest.mark.parametrize(
    ("value", "form", "reason"),
    [
        (None, "json", Reason.EMPTY_INPUT),
        (b"", "cloudevents", Reason.EMPTY_INPUT),
        (b"x" * 1_048_577, "json", Reason.TOO_LARGE),
        (b"\xff", "cloudevents", Reason.BAD_ENCODING),
        (b"{", "cloudevents", Reason.BROKEN_JSON),
        ({"sensor": "a"}, "cloudevents", Reason.MISSING_FIELD),
    ],
)
def test_a_record_that_is_none_is_refused_with_its_reason(value: object, form: str, reason: Reason) -> None:
    (item,) = items_of(record(value), form)  # type: ignore[arg-type]
    assert isinstance(item, tuple)
    assert isinstance(item[0], Refused)
    assert item[0].reason is reason
