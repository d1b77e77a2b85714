"""Shape `matters`: one row per matter with several time columns becomes one signal per time that is there."""

from collections.abc import Iterator

from connectors.csv_file import Refusal, Row
from connectors.mapping_model import MappingModel
from connectors.row_reader import RowReader
from connectors.signal_fields import STEP_OF, Item, SignalFields
from pipeline.errors import Reason, Refused
from pipeline.signal import Step


class MatterRows:
    """Signals of the rows of one file; every row stands for itself."""

    def __init__(self, model: MappingModel, reader: RowReader, columns: tuple[str, ...], file: int) -> None:
        self._reader = reader
        self._file = file
        self._fields = SignalFields(model, reader, columns)
        self._id = reader.value(model.id)
        self._matter = reader.value(model.matter or model.id)
        self._steps = [(name.step, STEP_OF[name.step], reader.moment(name.at)) for name in model.steps]
        self._column = model.steps[0].at.column

    def items(self, row: Row) -> Iterator[Item | Refusal]:
        """The signals of one row as items, each with the id `<row id>/<step>`, and what was refused of it."""
        cells = self._reader.pick(row)
        name, matter = self._id(cells), self._matter(cells)
        if not name or not matter:
            yield self._reader.refusal(Refused(Reason.MISSING_FIELD, "id", "is empty"), row.line, cells)
            return
        refusals: list[Refusal] = []
        moments = list(self._moments(row, cells, refusals))
        if moments and moments[0][0] == 0:
            yield from self._signals(row, cells, name, matter, moments, refusals)
        elif not refusals:
            missing = Refused(Reason.MISSING_FIELD, self._column, "the time of the first step is empty")
            refusals.append(self._reader.refusal(missing, row.line, cells))
        yield from refusals

    def _moments(self, row: Row, cells: list[str], refusals: list[Refusal]) -> Iterator[tuple[int, int]]:
        """Number of the step and its time. Without its first time a row is refused whole."""
        for number, (_, _, moment) in enumerate(self._steps):
            try:
                at = moment(cells)
                if at is not None:
                    yield number, at
            except Refused as refused:
                refusals.append(self._reader.refusal(refused, row.line, cells, row_taken=number > 0))

    def _signals(
        self,
        row: Row,
        cells: list[str],
        name: str,
        matter: str,
        moments: list[tuple[int, int]],
        refusals: list[Refusal],
    ) -> Iterator[Item]:
        seen: set[int] = set()
        for number, at in moments:
            word, step, _ = self._steps[number]
            seen.add(step)
            # What is wrong with a field is told once per row, not once per signal.
            fields = self._fields.read(self._fields.known(cells, seen), row.line, refusals if number == 0 else [])
            if step != Step.REGISTERED:
                fields[6] = ""
            outcomes = self._fields.outcomes(cells, step)
            yield [at, matter, number, self._file, row.line, 0, f"{name}/{word}", step, *fields, outcomes]
