"""Files of history become signals, readings or counts in the order of time, with bounded memory.

Sort key of signals: (at, matter, order inside the matter, file, line); of readings: (at, sensor, file, line); of
counts: (at, category, place, file, line). Rows of one matter are brought together first where steps are derived, so
that a registration may stand before the row it was derived from.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from connectors.csv_file import Refusal, Row, Table, open_table
from connectors.external_sort import MEMORY_ROWS, ExternalSort
from connectors.mapping import Mapping
from connectors.row_reader import Clean, RowReader
from connectors.shape_matters import MatterRows
from connectors.shape_series import CountRows, ReadingRows, count_of, reading_of
from connectors.shape_steps import StepRows, derives
from connectors.signal_fields import signal_of
from pipeline.errors import ConfigError, Reason
from pipeline.signal import Count, Reading, Signal

Entry = Signal | Reading | Count | Refusal
Progress = Callable[[int], None]
"""Called with the number of rows read since the last call."""

_EVERY = 2_000
_MAKE: dict[str, Callable[[list[Any], str], Entry]] = {"readings": reading_of, "counts": count_of}


def history(
    mapping: Mapping,
    files: Sequence[Path],
    *,
    memory_rows: int = MEMORY_ROWS,
    progress: Progress | None = None,
    clean: Clean | None = None,
) -> Iterator[Entry]:
    """Everything in `files`, refusals as they are met, the rest in the order of time.

    Raises `ConfigError` before any row is read when a file is missing or lacks a column that the mapping names.
    `clean` redacts the text before it is spilled to disk. Rows that only lose a field come with a refusal beside them.
    """
    if mapping.model.shape == "native":
        raise ConfigError([f"{mapping.path}: shape: native is how a live source sends; name the columns of files"])
    tables = [_opened(mapping, path) for path in files]
    return history_of(mapping, tables, memory_rows=memory_rows, progress=progress, clean=clean)


def history_of(
    mapping: Mapping,
    tables: Sequence[Table],
    *,
    memory_rows: int = MEMORY_ROWS,
    progress: Progress | None = None,
    clean: Clean | None = None,
) -> Iterator[Entry]:
    """As `history`, of tables that are open already."""
    problems = [p for table in tables if table.header for p in mapping.header_problems(table.header, table.name)]
    if problems:
        raise ConfigError(problems)
    return _History(mapping, tables, memory_rows, progress, clean).entries()


def _opened(mapping: Mapping, path: Path) -> Table:
    how = mapping.model.input
    return open_table(path, encoding=how.encoding, delimiter=how.delimiter, form=how.form or "")


class _History:
    def __init__(
        self,
        mapping: Mapping,
        tables: Sequence[Table],
        memory_rows: int,
        progress: Progress | None,
        clean: Clean | None,
    ) -> None:
        self._model = mapping.model
        self._columns = mapping.columns()
        self._tables = tables
        self._memory_rows = memory_rows
        self._progress = progress
        self._clean = clean

    def entries(self) -> Iterator[Entry]:
        sort = ExternalSort(self._memory_rows)
        for item in self._items():
            if isinstance(item, Refusal):
                yield item
            else:
                sort.add(item)
        make = _MAKE.get(self._model.shape, signal_of)
        source = self._model.source
        for found in sort.drain():
            yield make(found, source)

    def _items(self) -> Iterator[list[Any] | Refusal]:
        if self._model.shape == "steps":
            yield from self._step_items()
            return
        for number, table in enumerate(self._tables):
            reader = self._reader(table)
            if self._model.shape == "matters" and table.header:
                matters = MatterRows(self._model, reader, self._columns, number)
                for row in self._rows(table):
                    yield from (row,) if isinstance(row, Refusal) else matters.items(row)
            elif table.header:
                kind = ReadingRows if self._model.shape == "readings" else CountRows
                series = kind(self._model, reader, number)
                for row in self._rows(table):
                    yield row if isinstance(row, Refusal) else series.item(row)
            else:
                yield from (row for row in table.rows if isinstance(row, Refusal))

    def _step_items(self) -> Iterator[list[Any] | Refusal]:
        sort = ExternalSort(self._memory_rows)
        shapes: dict[int, StepRows] = {}
        needs_matter = derives(self._model)
        for number, table in enumerate(self._tables):
            if table.header:
                shapes[number] = StepRows(self._model, self._reader(table), self._columns, number)
            for row in self._rows(table):
                item = row if isinstance(row, Refusal) else shapes[number].row_item(row)
                if isinstance(item, Refusal):
                    yield item
                elif needs_matter:
                    sort.add(item)
                else:
                    yield from shapes[number].items([item])
        for _, matter in groupby(sort.drain(), key=itemgetter(0)):
            rows = list(matter)
            yield from shapes[rows[0][2]].items(rows)

    def _reader(self, table: Table) -> RowReader:
        header = table.header or self._columns
        return RowReader(self._model, self._columns, header, table.name, self._clean)

    def _rows(self, table: Table) -> Iterator[Row | Refusal]:
        """The rows of a table; at its end, how many cells of each column the contract kept out."""
        count = reported = 0
        for row in table.rows:
            yield row
            count += isinstance(row, Row)
            if self._progress and count - reported == _EVERY:
                self._progress(count - reported)
                reported = count
        if self._progress:
            self._progress(count - reported)
        allowed = self._model.contract.allowed
        for column in table.header:
            if column not in allowed and count:
                yield Refusal(
                    Reason.FIELD_NOT_ALLOWED, table.name, 1, column, f"{count} cells", row_taken=True, count=count
                )
