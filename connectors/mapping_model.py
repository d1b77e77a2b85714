"""What a mapping file may say. Loading and checking: mapping.py; what it means for rows: mapping_rows.py."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from connectors.contract import DataContract
from pipeline.rules import CODES
from pipeline.signal import MAX_CODES, MAX_TARGETS, MAX_VALUES

StepName = Literal[
    "updated", "registered", "routed", "accepted", "handling", "replied", "reported_done", "verified", "closed",
    "returned", "upheld", "not_upheld", "sent_back", "extended", "reopened", "listed", "delisted", "handed_over",
    "paused", "resumed", "solved", "unsolved", "called_out", "hazard", "hazard_ended", "not_accepted", "merged",
    "withdrawn", "terminated", "reported_again",
]  # fmt: skip
"""The names of `pipeline.signal.Step`, in lower case."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Column = Annotated[str, Field(min_length=1, max_length=128)]
Columns = Annotated[tuple[Column, ...], Strict(False)]
Words = Annotated[tuple[str, ...], Strict(False)]
"""Behind a short form pydantic sees Python lists, which a strict tuple does not take; the items stay strict."""
Pair = Annotated[tuple[Name, ...], Strict(False), Field(min_length=2, max_length=4)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Expression(_Part):
    """Where a value comes from: exactly one of `column`, `constant`, `first_of`, `joined`, `translated`, `file`."""

    column: Column | None = None
    constant: str | None = None
    first_of: Columns = Field(default=(), description="the first of these columns that is not empty")
    joined: Columns = Field(default=(), description="these columns put together")
    by: str = Field(default="-", description="what stands between joined columns")
    translated: Column | None = Field(default=None, description="a column whose values `table` translates")
    table: dict[str, str] = {}
    otherwise: str | None = Field(
        default=None, description="for what the table does not have; without it, the value itself"
    )
    file: Literal["stem", "folder", "folder_and_stem"] | None = Field(
        default=None, description="part of the file's name"
    )

    @model_validator(mode="after")
    def _is_one(self) -> "Expression":
        given = [
            name for name in ("column", "constant", "first_of", "joined", "translated", "file") if getattr(self, name)
        ]
        if len(given) != 1 and not (not given and self.constant is not None):
            raise ValueError(
                f"needs exactly one of column, constant, first_of, joined, translated, file; has {given or 'none'}"
            )
        if bool(self.table) != (self.translated is not None):
            raise ValueError("translated and table belong together")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        single = self.column or self.translated
        return (single,) if single else self.first_of or self.joined


def _short(word: str) -> BeforeValidator:
    """A plain word stands for the object that has it under the key `word`."""
    return BeforeValidator(lambda value: value if isinstance(value, dict) else {word: value})


def _constant(value: Any) -> Any:
    return value if isinstance(value, dict) else {"constant": str(value)}


Field_ = Annotated[Expression, _short("column")]
Constant = Annotated[Expression, BeforeValidator(_constant)]


class TimeColumn(_Part):
    """A time in a column; formats and zone of the mapping's `times` unless given here."""

    column: Column
    formats: Words = ()
    zone: str | None = None


class TimeIndex(_Part):
    """A time counted in periods: `start` (a date) + (column - `first`) x `step_days`."""

    index: Column
    start: Constant
    step_days: Constant
    first: int = 1


class Times(_Part):
    """How times are written: formats tried in order, and the zone of those without an offset."""

    formats: Words = ("iso",)
    zone: str = "UTC"


class Input(_Part):
    """How the file is written."""

    form: Literal["csv", "jsonl"] | None = Field(default=None, description="from the file's name unless given")
    encoding: Literal["utf-8", "gb18030", "latin-1"] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    blank: Words = Field(default=(), description="words that stand for no value, such as ? or NULL")


class StepColumn(_Part):
    """The step of a row. `repeated` replaces a step that the matter's row before had already."""

    translated: Column
    table: dict[str, StepName] = Field(min_length=1)
    otherwise: StepName | Literal["refuse"] = "refuse"
    repeated: StepName | None = None


class StepAt(_Part):
    """One signal of a row that holds a whole matter: the step and the column of its time; empty means not yet."""

    step: StepName
    at: Annotated[TimeColumn, _short("column")]


class Derived(_Part):
    """A step that no row names: it happened where a number rose from one row of the matter to the next."""

    when_increases: Column


class Outcome(_Part):
    """One target to learn: by rule, or from a column that tells it at a step.

    `window_days` is how long one must look before the absence of the outcome is known; `hold_days` how old a decision
    must be before its label is learned from (window_days unless given); `consequence` weighs a probability; `prior` is
    the share that fails, as far as one knows before anything is learned (by the rule unless given).
    """

    name: Name
    rule: Literal["breach", "handed_over", "bounced", "reopened", "repeated", "unsatisfied", "called_out", "column"]
    column: Column | None = None
    failed: Words = Field(default=("true", "1", "yes", "是"), description="values of the column that mean it failed")
    known_at_step: StepName | None = None
    count: int = Field(default=1, ge=1, description="handed_over, bounced: how many make it fail")
    window_days: float | None = Field(default=None, gt=0)
    hold_days: float | None = Field(default=None, ge=0)
    consequence: float = Field(default=1.0, gt=0)
    prior: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _is_whole(self) -> "Outcome":
        if (self.rule == "column") != (self.column is not None) or (self.rule == "column") != (
            self.known_at_step is not None
        ):
            raise ValueError("column and known_at_step are needed by the rule column, and by no other")
        if self.rule in ("reopened", "repeated", "called_out") and self.window_days is None:
            raise ValueError(f"the rule {self.rule} needs window_days")
        return self


class MappingModel(_Part):
    """How the rows of a file become signals, readings or counts, and under which data contract.

    A source of the shape `native` sends signals as connectors.native has them, and names no column.
    """

    source: Name
    shape: Literal["steps", "matters", "readings", "counts", "native"]
    contract: DataContract
    input: Input = Input()
    times: Times = Times()
    time: Annotated[TimeColumn | TimeIndex, _short("column")] | None = None

    id: Field_ | None = None
    matter: Field_ | None = None
    sequence: Column | None = Field(default=None, description="order of the rows inside a matter; else the time")
    registered: Annotated[TimeColumn, _short("column")] | None = Field(
        default=None, description="on each row of a matter"
    )
    step: StepColumn | None = None
    steps: tuple[StepAt, ...] = ()
    derived: dict[Literal["handed_over", "reopened", "returned", "sent_back", "extended"], Derived] = {}
    known_from: dict[Column, StepName] = Field(
        default={}, description="columns that hold the end of the story on every row"
    )

    category: Field_ | None = None
    channel: Field_ | None = None
    place: Field_ | None = None
    office: Field_ | None = None
    asset: Field_ | None = None
    due: Annotated[TimeColumn, _short("column")] | None = None
    text: Field_ | None = None
    codes: dict[Name, Field_] = Field(default={}, max_length=MAX_CODES)
    values: dict[Name, Column] = Field(default={}, max_length=MAX_VALUES)
    pairs: tuple[Pair, ...] = Field(
        default=(), description="codes whose combination tells more than each alone, general first"
    )
    outcomes: tuple[Outcome, ...] = Field(default=(), max_length=MAX_TARGETS)

    sensor: Field_ | None = None
    value: Column | None = None
    count: Column | None = None
    outbreak: Column | None = Field(default=None, description="truth of a period, for scoring only")

    shared_columns: Columns = Field(default=(), description="columns that may have more than one role")

    @model_validator(mode="after")
    def _pairs_name_codes(self) -> "MappingModel":
        known = (*CODES, *self.codes)
        if unknown := [name for pair in self.pairs for name in pair if name not in known]:
            raise ValueError(f"pairs name {unknown[0]!r}, which is none of {', '.join(known)}")
        return self


def mapping_schema() -> dict[str, Any]:
    """JSON Schema of a mapping file, for editors."""
    schema = MappingModel.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "forewarn mapping", **schema}
