"""Cells of one row become names, numbers and times. Built once per file, so that a row costs only a few calls."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from connectors.csv_file import Refusal, Row
from connectors.mapping_model import Expression, MappingModel, TimeColumn, TimeIndex
from connectors.times import DAY, time_parser
from pipeline.errors import Reason, Refused

Cells = list[str]
Value = Callable[[Cells], str]
Moment = Callable[[Cells], int | None]
"""Reads a time in µs UTC, or None where the cell is empty."""
Clean = Callable[[str], str]

TIME_UNIT = {"microsecond": 1, "second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6, "day": DAY}


class RowReader:
    """Picks the cells that a mapping reads from the rows of one file, and refuses in that file's name.

    `clean` is applied to the text before anything is spilled to disk, so that what is sorted is redacted already.
    """

    def __init__(
        self, model: MappingModel, columns: Sequence[str], header: Sequence[str], file: str, clean: Clean | None = None
    ) -> None:
        self.file = file
        self._columns = tuple(columns)
        self._index = {column: number for number, column in enumerate(columns)}
        self._places = [header.index(column) for column in columns]
        self._blank = frozenset(model.input.blank)
        self._clean = clean
        self._texts = [self._index[column] for column in model.text.columns] if model.text and clean else []
        self._model = model
        self._unit = TIME_UNIT[model.contract.precision.time]

    def pick(self, row: Row) -> Cells:
        """The cells that are read, stripped, in the order of `columns`; blank words are empty."""
        cells = [row.cells[place].strip() for place in self._places]
        if self._blank:
            cells = ["" if cell in self._blank else cell for cell in cells]
        if self._clean is not None:
            for place in self._texts:
                cells[place] = self._clean(cells[place])
        return cells

    def value(self, expression: Expression | str | None) -> Value:
        """A function from picked cells to the expression's value; empty for no expression."""
        if expression is None:
            return lambda cells: ""
        if isinstance(expression, str):
            expression = Expression(column=expression)
        places = [self._index[column] for column in expression.columns]
        if expression.file:
            name = _file_part(self.file, expression.file)
            return lambda cells: name
        if expression.joined:
            by = expression.by

            def joined(cells: Sequence[str]) -> str:
                parts = [cells[place] for place in places]
                # Trailing parts that are missing leave no mark: "grid/point" without a point is the grid itself.
                while parts and not parts[-1]:
                    parts.pop()
                return by.join(parts)

            return joined
        if expression.first_of:
            return lambda cells: next((cells[place] for place in places if cells[place]), "")
        if expression.translated:
            return _translated(places[0], expression.table, expression.otherwise)
        if expression.column:
            place = places[0]
            return lambda cells: cells[place]
        constant = expression.constant or ""
        return lambda cells: constant

    def number(self, column: str) -> Callable[[Cells], float | None]:
        """A function from picked cells to a finite number, None where empty; it raises `Refused`."""
        place = self._index[column]

        def read(cells: Cells) -> float | None:
            return number_of(cells[place], column) if cells[place] else None

        return read

    def moment(self, part: TimeColumn | TimeIndex, *, is_cut: bool = True) -> Moment:
        """A function from picked cells to µs UTC, cut down to the contract's unit of time unless told otherwise."""
        unit = self._unit if is_cut else 1
        read = self._indexed(part) if isinstance(part, TimeIndex) else self._written(part)

        def cut(cells: Cells) -> int | None:
            at = read(cells)
            return at if at is None else at - at % unit

        return cut if unit > 1 else read

    def refusal(self, refused: Refused, line: int, cells: Cells, *, row_taken: bool = False) -> Refusal:
        """The refusal of the row at `line`, or of one field of it, with the cells that may be kept."""
        content = orjson.dumps(dict(zip(self._columns, cells, strict=True))).decode()
        return Refusal(refused.reason, self.file, line, refused.field, refused.detail, content, row_taken)

    def _written(self, part: TimeColumn) -> Moment:
        times = self._model.times
        parse = time_parser(part.formats or times.formats, part.zone or times.zone)
        place, column = self._index[part.column], part.column

        def read(cells: Cells) -> int | None:
            if not cells[place]:
                return None
            try:
                return parse(cells[place])
            except Refused as refused:
                raise Refused(refused.reason, column, refused.detail) from None

        return read

    def _indexed(self, part: TimeIndex) -> Moment:
        place, first, column = self._index[part.index], part.first, part.index
        start, days = self.value(part.start), self.value(part.step_days)
        parse = time_parser(("iso",), self._model.times.zone)

        def read(cells: Cells) -> int | None:
            if not cells[place]:
                return None
            periods = number_of(cells[place], column) - first
            return parse(start(cells)) + round(periods * number_of(days(cells), column) * DAY)

        return read


def number_of(text: str, column: str) -> float:
    """A finite number; raises `Refused` with WRONG_TYPE or NOT_FINITE."""
    try:
        number = float(text)
    except ValueError:
        raise Refused(Reason.WRONG_TYPE, column, f"{text[:40]!r} is not a number") from None
    if not math.isfinite(number):
        raise Refused(Reason.NOT_FINITE, column, f"{text[:40]!r} is not a finite number")
    return number


def _translated(place: int, table: dict[str, str], otherwise: str | None) -> Value:
    def read(cells: Cells) -> str:
        cell = cells[place]
        found = table.get(cell)
        if found is not None:
            return found
        return cell if otherwise is None or not cell else otherwise

    return read


def _file_part(file: str, part: str) -> str:
    path = Path(file)
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return {"stem": stem, "folder": path.parent.name}.get(part, f"{path.parent.name}/{stem}")
