"""What every configured value shares: frozen, strict, no unknown keys; and the small types that several files use."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from pipeline.signal import Step


class Value(BaseModel):
    """A frozen value that refuses unknown keys and silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


STEPS = tuple(step.name.lower() for step in Step)
"""Names of the steps as a configuration writes them."""


def _step(name: Any) -> Any:
    if isinstance(name, Step):
        return name
    if not isinstance(name, str) or name not in STEPS:
        raise ValueError(f"not a step: {name!r}")
    return Step[name.upper()]


StepName = Annotated[
    Step,
    BeforeValidator(_step),
    PlainSerializer(lambda step: step.name.lower(), return_type=str),
    WithJsonSchema({"type": "string", "enum": list(STEPS)}),
]
"""A step of a matter, written by its lower-case name."""

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^\S(.*\S)?$")]
"""An identifier or a word shown to people: not empty, no blanks at its ends."""

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""Local time of day, `HH:MM`; 24:00 is the end of the day."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share or probability, 0 to 1."""

LevelName = Literal["blue", "yellow", "orange", "red"]
"""Attention levels, lowest first."""

LEVELS: tuple[LevelName, ...] = ("blue", "yellow", "orange", "red")


def minutes_of(time: str) -> int:
    """Minutes since local midnight of an `HH:MM`.

    >>> minutes_of("17:30")
    1050
    """
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)
