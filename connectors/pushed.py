"""Records that arrive one by one, each a JSON object, become signals or readings as the source's mapping says.

What needs the row before it (derived steps, `known_from`) has no meaning here: such a mapping is refused.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.csv_file import Refusal, Row
from connectors.deadletter import DeadLetter, Redacts
from connectors.decode import decoded
from connectors.mapping import Mapping
from connectors.native import Decoded
from connectors.purpose import purpose_refusal
from connectors.row_reader import RowReader
from connectors.shape_matters import MatterRows
from connectors.shape_series import ReadingRows, reading_of
from connectors.shape_steps import StepRows, derives
from connectors.signal_fields import signal_of
from pipeline.errors import ConfigError, Refused
from pipeline.signal import Reading, Signal


@dataclass(frozen=True, slots=True)
class DecodedReadings:
    """Readings, dead letters of the rest, and how often a field was dropped."""

    readings: list[Reading]
    rejected: list[DeadLetter]
    dropped: Counter[str]


class _Cells:
    """What every shape shares: a record becomes the row of cells that the mapping reads, or is refused."""

    def __init__(self, mapping: Mapping, redactor: Redacts) -> None:
        model = mapping.model
        if derives(model):
            raise ConfigError(
                [
                    f"{mapping.path}: derived, registered, known_from and repeated look at the row before;"
                    " a live source says each step outright"
                ]
            )
        self.model, self.redactor, self.source = model, redactor, model.source
        self.columns = mapping.columns()
        self.reader = RowReader(model, self.columns, self.columns, model.source)

    def row(self, record: bytes, position: int, dropped: Counter[str]) -> Row:
        """The cells of a record. Raises Refused."""
        fields = decoded(record)
        contract = self.model.contract
        refused = purpose_refusal(fields, contract.intake)
        if refused is not None:
            raise refused
        if not fields.keys() <= contract.allowed:
            dropped.update(name for name in fields if name not in contract.allowed)
        return Row(position, [_cell(fields.get(name)) for name in self.columns])

    def letter(self, position: int, refused: Refused, record: bytes) -> DeadLetter:
        return DeadLetter.of(self.source, position, refused, record, self.redactor)


class RecordDecoder(_Cells):
    """Signals of the records of one source, of shape `steps` or `matters`."""

    def __init__(self, mapping: Mapping, redactor: Redacts) -> None:
        super().__init__(mapping, redactor)
        shape = StepRows if self.model.shape == "steps" else MatterRows
        self._rows: Any = shape(self.model, self.reader, self.columns, 0)

    def decode(self, lines: Sequence[bytes], first: int = 1) -> Decoded:
        """All signals of `lines`; `first` is the number of the first one. Never raises for a record."""
        signals: list[Signal] = []
        positions: list[int] = []
        rejected: list[DeadLetter] = []
        dropped: Counter[str] = Counter()
        for position, line in enumerate(lines, first):
            try:
                for found in self._items(self.row(line, position, dropped)):
                    if not isinstance(found, Refusal):
                        signals.append(signal_of(found, self.source))
                        positions.append(position)
                    elif found.row_taken:
                        dropped[found.field] += 1
                    else:
                        rejected.append(self.letter(position, _refused(found), line))
            except Refused as refused:
                rejected.append(self.letter(position, refused, line))
        return Decoded(signals, positions, rejected, dropped)

    def _items(self, row: Row) -> list[Any]:
        if isinstance(self._rows, MatterRows):
            return list(self._rows.items(row))
        item = self._rows.row_item(row)
        return [item] if isinstance(item, Refusal) else list(self._rows.items([item]))


class ReadingDecoder(_Cells):
    """Readings of the records of one source of shape `readings`."""

    def __init__(self, mapping: Mapping, redactor: Redacts) -> None:
        super().__init__(mapping, redactor)
        self._rows = ReadingRows(self.model, self.reader, 0)

    def decode(self, lines: Sequence[bytes], first: int = 1) -> DecodedReadings:
        """All readings of `lines`; `first` is the number of the first one. Never raises for a record."""
        readings: list[Reading] = []
        rejected: list[DeadLetter] = []
        dropped: Counter[str] = Counter()
        for position, line in enumerate(lines, first):
            try:
                item = self._rows.item(self.row(line, position, dropped))
            except Refused as refused:
                rejected.append(self.letter(position, refused, line))
                continue
            if isinstance(item, Refusal):
                rejected.append(self.letter(position, _refused(item), line))
            else:
                readings.append(reading_of(item, self.source))
        return DecodedReadings(readings, rejected, dropped)


def _refused(refusal: Refusal) -> Refused:
    return Refused(refusal.reason, refusal.field, refusal.detail)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
