"""The fields that every signal of a mapping may have, read from one row; and the item in which a signal is sorted."""

from typing import Any

from connectors.csv_file import Refusal
from connectors.mapping_model import MappingModel
from connectors.row_reader import Cells, RowReader
from pipeline.errors import Refused
from pipeline.signal import Signal, Step

Item = list[Any]
"""at, matter, order, file, line, part, id, step, category, place, office, channel, asset, due, text, codes, values,
outcomes. The first six are the sort key: by time, then matter, then order inside it, then where it stands."""

STEP_OF = {step.name.lower(): int(step) for step in Step}


class SignalFields:
    """Reads category, place, office, channel, asset, due, text, codes and values from picked cells."""

    def __init__(self, model: MappingModel, reader: RowReader, columns: tuple[str, ...]) -> None:
        self._reader = reader
        self._names = [
            reader.value(part) for part in (model.category, model.place, model.office, model.channel, model.asset)
        ]
        self._text = reader.value(model.text)
        self._due = reader.moment(model.due, is_cut=False) if model.due else None
        self._codes = [(name, reader.value(part)) for name, part in model.codes.items()]
        self._values = [(name, reader.number(column)) for name, column in model.values.items()]
        self._late = [(columns.index(column), STEP_OF[step]) for column, step in model.known_from.items()]
        self._outcomes = [
            (outcome.name, reader.value(outcome.column), frozenset(outcome.failed), STEP_OF[outcome.known_at_step])
            for outcome in model.outcomes
            if outcome.column and outcome.known_at_step
        ]

    def read(self, cells: Cells, line: int, refusals: list[Refusal]) -> Item:
        """The nine fields from category to values; a field that cannot be read is left out and told in `refusals`."""
        due: int | None = None
        values: dict[str, float] = {}
        try:
            due = self._due(cells) if self._due else None
        except Refused as refused:
            refusals.append(self._reader.refusal(refused, line, cells, row_taken=True))
        for name, number in self._values:
            try:
                found = number(cells)
                if found is not None:
                    values[name] = found
            except Refused as refused:
                refusals.append(self._reader.refusal(refused, line, cells, row_taken=True))
        codes = {name: word for name, value in self._codes if (word := value(cells))}
        return [*(value(cells) for value in self._names), due or 0, self._text(cells), codes, values]

    def known(self, cells: Cells, seen: set[int]) -> Cells:
        """The cells without what is known only from a step on that was not `seen` yet."""
        if not self._late:
            return cells
        hidden = {place for place, step in self._late if step not in seen}
        return ["" if place in hidden else cell for place, cell in enumerate(cells)]

    def outcomes(self, cells: Cells, step: int) -> dict[str, bool]:
        """What the row makes known of the targets at this step; an empty cell says nothing."""
        return {
            name: value(cells).lower() in failed
            for name, value, failed, at in self._outcomes
            if at == step and value(cells)
        }


def signal_of(item: Item, source: str) -> Signal:
    """The signal of a sorted item."""
    at, matter, _, _, _, _, name, step, category, place, office, channel, asset, due, text, codes, values, outcomes = (
        item
    )
    return Signal(
        name,
        matter,
        at,
        _STEPS[step],
        source,
        category,
        place,
        office,
        channel,
        asset,
        due,
        codes,
        values,
        outcomes,
        text,
    )


_STEPS = {int(step): step for step in Step}
