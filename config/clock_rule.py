"""A legal clock as a configuration writes it; `rule()` is what the fold uses."""

from typing import Annotated, Literal

from pydantic import Field

from config.value import Name, StepName, Value
from pipeline.clocks import ClockRule, Unit
from pipeline.signal import Step


class Clock(Value):
    """One deadline: from `start` to the first of `stops`, `length` in `unit`, extendable by at most `extension_limit`.

    `source` names the article. `channels`: only matters that came by one of them (empty: all). `pauses`: steps that
    stop the clock until `resumed`; the petition rules know none but hearings in re-review.
    """

    id: Name
    name_zh: str = ""
    name_en: str = ""
    source: Name
    start: StepName = Step.REGISTERED
    stops: Annotated[tuple[StepName, ...], Field(min_length=1)] = (Step.REPORTED_DONE, Step.CLOSED)
    unit: Literal["hours", "calendar_days", "working_days"] = "working_days"
    length: Annotated[int, Field(ge=1, le=8_760)]
    pauses: tuple[StepName, ...] = ()
    extension_limit: Annotated[int, Field(ge=0, le=8_760)] = 0
    channels: tuple[Name, ...] = ()
    last_day_rolls_over: bool | None = None

    def rule(self) -> ClockRule:
        """The pure value."""
        return ClockRule(
            id=self.id,
            source=self.source,
            start=self.start,
            stops=self.stops,
            unit=Unit[self.unit.upper()],
            length=self.length,
            pauses=self.pauses,
            extension_limit=self.extension_limit,
            rolls_over=self.last_day_rolls_over,
        )
