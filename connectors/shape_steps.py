"""Shape `steps`: one row per step of a matter. What no row says outright is derived from the row before.

Rows are first brought together by matter (external sort), then each matter is walked through once; nothing is kept
between matters.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from connectors.csv_file import Refusal, Row
from connectors.mapping_model import MappingModel, TimeColumn, TimeIndex
from connectors.row_reader import Cells, RowReader
from connectors.signal_fields import STEP_OF, Item, SignalFields
from pipeline.errors import Reason, Refused
from pipeline.signal import Step

RowItem = list[Any]
"""matter, order, file, line, at, step, id, cells: a row as it is sorted."""

_MOST_AT_ONCE = 10
"""Derived steps of one row at most: a counter that jumps by a thousand is a slip, not a thousand hand-overs."""


class StepRows:
    """Signals of the rows of one file, matter by matter."""

    def __init__(self, model: MappingModel, reader: RowReader, columns: tuple[str, ...], file: int) -> None:
        if model.step is None or not isinstance(model.time, TimeColumn | TimeIndex):
            raise TypeError("a checked mapping of the shape steps has a step and a time")
        self._reader = reader
        self._file = file
        self._fields = SignalFields(model, reader, columns)
        self._id, self._matter = reader.value(model.id), reader.value(model.matter)
        self._at = reader.moment(model.time)
        self._order = reader.number(model.sequence) if model.sequence else None
        self._registered = reader.moment(model.registered) if model.registered else None
        self._word = reader.value(model.step.translated)
        self._table = {word: STEP_OF[step] for word, step in model.step.table.items()}
        self._otherwise = STEP_OF.get(model.step.otherwise)
        self._repeated = STEP_OF[model.step.repeated] if model.step.repeated else None
        self._derived = [
            (name, STEP_OF[name], reader.number(derived.when_increases)) for name, derived in model.derived.items()
        ]
        self._required = {"id": self._id, "matter": self._matter}

    def row_item(self, row: Row) -> RowItem | Refusal:
        """The row as it is sorted by matter, or why it is not taken in."""
        cells = self._reader.pick(row)
        try:
            at = self._at(cells)
            name, matter = self._id(cells), self._matter(cells)
            if at is None or not name or not matter:
                field = "time" if at is None else "id" if not name else "matter"
                raise Refused(Reason.MISSING_FIELD, field, "is empty")
            order = self._order(cells) if self._order else at
            if order is None:
                raise Refused(Reason.MISSING_FIELD, "sequence", "is empty")
            return [matter, order, self._file, row.line, at, self._step(cells), name, cells]
        except Refused as refused:
            return self._reader.refusal(refused, row.line, cells)

    def items(self, matter: Iterable[RowItem]) -> Iterator[Item | Refusal]:
        """The signals of one matter's rows, in the order of its rows, and the fields that could not be read."""
        walk = _Walk()
        for row in matter:
            yield from self._row(walk, row)

    def _step(self, cells: Cells) -> int:
        word = self._word(cells)
        step = self._table.get(word, self._otherwise)
        if step is None:
            raise Refused(Reason.UNKNOWN_STEP, "step", f"{word[:40]!r} is not in the table")
        return step

    def _row(self, walk: "_Walk", row: RowItem) -> Iterator[Item | Refusal]:
        _, _, _, line, at, step, name, cells = row
        refusals: list[Refusal] = []
        own = walk.own(step, self._repeated)
        walk.seen.add(step)
        fields = self._fields.read(self._fields.known(cells, walk.seen), line, refusals)
        outcomes = self._fields.outcomes(cells, step) if own == step else {}
        head, part = row[:4], 0
        registered_at = self._registered_at(walk, line, at, cells, refusals)
        if registered_at is not None and step != Step.REGISTERED:
            yield _item(registered_at, head, part, f"{name}/registered", Step.REGISTERED, fields, {})
        elif registered_at is not None:
            at = registered_at
        derived = list(self._steps_derived(walk, cells, line, refusals))
        for part, (word, number) in enumerate(derived, 1):
            yield _item(at, head, part, f"{name}/{word}", number, fields, {})
        # A row that only repeats its step and stands for a derived one has nothing of its own to say.
        if not derived or own != self._repeated:
            yield _item(at, head, part + 1, name, own, fields, outcomes)
        yield from refusals

    def _registered_at(self, walk: "_Walk", line: int, at: int, cells: Cells, refusals: list[Refusal]) -> int | None:
        """When the matter of a first row began: never after its first row. None for later rows."""
        if self._registered is None or not walk.is_first:
            walk.is_first = False
            return None
        walk.is_first = False
        try:
            began = self._registered(cells)
        except Refused as refused:
            refusals.append(self._reader.refusal(refused, line, cells, row_taken=True))
            began = None
        return at if began is None else min(began, at)

    def _steps_derived(
        self, walk: "_Walk", cells: Cells, line: int, refusals: list[Refusal]
    ) -> Iterator[tuple[str, int]]:
        for name, step, number in self._derived:
            try:
                found = number(cells)
            except Refused as refused:
                refusals.append(self._reader.refusal(refused, line, cells, row_taken=True))
                continue
            if found is None:
                continue
            before = walk.counters.get(name, found)
            walk.counters[name] = found
            for again in range(min(int(found - before), _MOST_AT_ONCE)):
                walk.seen.add(step)
                yield (name if again == 0 else f"{name}.{again + 1}"), step


def derives(model: MappingModel) -> bool:
    """Whether a row of this mapping means something else after the rows before it; else each stands for itself."""
    repeated = model.step is not None and model.step.repeated is not None
    return bool(model.registered or model.derived or model.known_from or repeated)


class _Walk:
    """What is remembered of one matter from row to row."""

    __slots__ = ("counters", "is_first", "last", "seen")

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.last = -1
        self.counters: dict[str, float] = {}
        self.is_first = True

    def own(self, step: int, repeated: int | None) -> int:
        """The step a row stands for: itself, or `repeated` where the row before had it, or a second registration."""
        is_again = step == self.last or (step == Step.REGISTERED and not self.is_first)
        self.last = step
        return repeated if is_again and repeated is not None else step


def _item(at: int, head: RowItem, part: int, name: str, step: int, fields: Item, outcomes: dict[str, bool]) -> Item:
    matter, order, file, line = head
    return [at, matter, order, file, line, part, name, int(step), *fields, outcomes]
