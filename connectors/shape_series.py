"""Shapes `readings` and `counts`: one number per row, of a sensor or of a category at a place."""

from typing import Any

from connectors.csv_file import Refusal, Row
from connectors.mapping_model import MappingModel, TimeColumn, TimeIndex
from connectors.row_reader import Cells, RowReader
from pipeline.errors import Reason, Refused
from pipeline.signal import Count, Reading

Item = list[Any]
"""Readings: at, sensor, file, line, value, place. Counts: at, category, place, file, line, count, outbreak."""

_TRUE, _FALSE = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})


class ReadingRows:
    """Readings of the rows of one file."""

    def __init__(self, model: MappingModel, reader: RowReader, file: int) -> None:
        if not model.value or not isinstance(model.time, TimeColumn | TimeIndex):
            raise TypeError("a checked mapping of the shape readings has a time and a value")
        self._reader, self._file = reader, file
        self._at, self._value = reader.moment(model.time), reader.number(model.value)
        self._sensor, self._place = reader.value(model.sensor), reader.value(model.place)

    def item(self, row: Row) -> Item | Refusal:
        """The row as it is sorted, or why it is not taken in."""
        cells = self._reader.pick(row)
        try:
            at, value, sensor = self._at(cells), self._value(cells), self._sensor(cells)
            if at is None or value is None or not sensor:
                raise Refused(
                    Reason.MISSING_FIELD, "time" if at is None else "value" if value is None else "sensor", "is empty"
                )
            return [at, sensor, self._file, row.line, value, self._place(cells)]
        except Refused as refused:
            return self._reader.refusal(refused, row.line, cells)


class CountRows:
    """Counts of the rows of one file."""

    def __init__(self, model: MappingModel, reader: RowReader, file: int) -> None:
        if not model.count or not isinstance(model.time, TimeColumn | TimeIndex):
            raise TypeError("a checked mapping of the shape counts has a time and a count")
        self._reader, self._file = reader, file
        self._at, self._count = reader.moment(model.time), reader.number(model.count)
        self._category, self._place = reader.value(model.category), reader.value(model.place)
        self._outbreak = reader.value(model.outbreak)

    def item(self, row: Row) -> Item | Refusal:
        """The row as it is sorted, or why it is not taken in."""
        cells = self._reader.pick(row)
        try:
            at, count, category = self._at(cells), self._count(cells), self._category(cells)
            if at is None or count is None or not category:
                raise Refused(
                    Reason.MISSING_FIELD, "time" if at is None else "count" if count is None else "category", "is empty"
                )
            if count < 0:
                raise Refused(Reason.WRONG_TYPE, "count", f"{count:g} is less than nothing")
            return [at, category, self._place(cells), self._file, row.line, count, self._truth(cells)]
        except Refused as refused:
            return self._reader.refusal(refused, row.line, cells)

    def _truth(self, cells: Cells) -> bool | None:
        word = self._outbreak(cells).lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        if word:
            raise Refused(Reason.WRONG_TYPE, "outbreak", f"{word[:40]!r} is neither 1 nor 0")
        return None


def reading_of(item: Item, source: str) -> Reading:
    """The reading of a sorted item."""
    at, sensor, _, _, value, place = item
    return Reading(sensor, at, value, source, place)


def count_of(item: Item, source: str) -> Count:
    """The count of a sorted item."""
    at, category, place, _, _, count, outbreak = item
    return Count(category, place, at, count, source, outbreak)
