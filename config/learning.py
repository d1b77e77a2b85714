"""What is learned and from what: targets, attributes, the trainer's pace, sources, retention."""

from typing import Annotated, Literal

from pydantic import Field

from config.topics import SourceTopic
from config.value import Name, Share, Value
from pipeline.signal import MAX_CODES, MAX_VALUES

WindowDays = Annotated[float, Field(ge=0.0, le=366.0)]


class Target(Value):
    """An outcome a matter can fail by. Known only when `window_days` have passed; used for learning `hold_days` later.

    `rule`: which steps decide it, or `column` when the record says so itself. `at_least`: how many hand-offs or returns
    make it fail. `hold_days` None: the window's own length. `prior`: probability before anything is learned.
    `consequence` multiplies the probability before it meets a cut-off.
    """

    name: Name
    name_zh: str = ""
    name_en: str = ""
    rule: Literal["breach", "bounced", "handed_over", "reopened", "repeated", "unsatisfied", "called_out", "column"] = (
        "column"
    )
    at_least: Annotated[int, Field(ge=1, le=64)] = 1
    window_days: WindowDays = 30.0
    hold_days: WindowDays | None = None
    consequence: Annotated[float, Field(ge=0.0, le=4.0)] = 1.0
    prior: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1

    def held_days(self) -> float:
        """Age in days a decision must have before its label is used."""
        return self.window_days if self.hold_days is None else self.hold_days


class AttributeName(Value):
    """What an attribute is called in sentences."""

    id: Name
    name_zh: str = ""
    name_en: str = ""


class Attributes(Value):
    """Declared attributes of a matter: categorical codes and plain numbers; `pairs` name code columns, general first,
    whose combinations deserve a rate table of their own; `names` say what they are called."""

    codes: Annotated[tuple[Name, ...], Field(max_length=MAX_CODES)] = ()
    values: Annotated[tuple[Name, ...], Field(max_length=MAX_VALUES)] = ()
    pairs: tuple[tuple[Name, ...], ...] = ()
    names: tuple[AttributeName, ...] = ()


class Learning(Value):
    """The trainer's pace. Under a recorded clock it runs in lockstep at local midnight instead of by hours."""

    enabled: bool = True
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 20_240_501
    min_labels: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    publish_every_hours: Annotated[int, Field(ge=1, le=720)] = 6
    refit_growth_share: Share = 0.25
    refit_after_days: Annotated[int, Field(ge=1, le=366)] = 30


class Source(Value):
    """Where signals come from: a mapping (which holds the data contract), and the files it reads once, the `folder`
    into which files are dropped, or the `kafka` topic that is read; with none of them it is pushed to over HTTP. Paths
    as seen from the configuration's folder.
    `interval_seconds`: how often something is expected; None: silence is not judged. `secret_file`: holds the secret
    (`whsec_...`) with which the source signs what it posts; without one its API key alone speaks for it."""

    name: Name
    mapping: Name
    files: tuple[Name, ...] = ()
    folder: Name | None = None
    kafka: SourceTopic | None = None
    secret_file: Name | None = None
    default_place: Name | None = None
    lateness_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 0
    interval_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


class Retention(Value):
    """How long each kind of data is kept, in days; warnings from their end on."""

    texts_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    dead_letters_days: Annotated[int, Field(ge=1, le=36_500)] = 14
    readings_days: Annotated[int, Field(ge=1, le=36_500)] = 30
    signals_days: Annotated[int, Field(ge=1, le=36_500)] = 3_650
    duplicates_days: Annotated[int, Field(ge=1, le=366)] = 30
    reopening_days: Annotated[int, Field(ge=1, le=366)] = 30
    warnings_days: Annotated[int, Field(ge=30, le=36_500)] = 3_650
