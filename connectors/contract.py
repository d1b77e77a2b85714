"""The data contract of a source: what may come in, for which purpose, how exact, for how long.

A source cannot be enabled without one. What it does not allow is dropped before anything is written, and counted.
"""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.purpose import Intake
from pipeline.errors import Reason, Refused

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=128)]

TIME_UNIT_US = {
    "microsecond": 1,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
}
"""Length of each permitted unit of time in microseconds."""


class Precision(BaseModel):
    """How exact a source may be: `time` is cut down to the unit (UTC); `place` is the finest the mapping may name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    time: Literal["microsecond", "second", "minute", "hour", "day"] = "second"
    place: Literal["point", "building", "street", "grid", "village", "township", "county"] = "street"


class DataContract(BaseModel):
    """Purpose, legal basis, allowed fields, precision and retention of one source.

    `intake` says what the source sends; `hazards` (cameras, gateways) is held to hazard events alone. `reviewed` is
    the day on which a person approved it; None means that nobody has yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    purpose: Sentence
    legal_basis: Sentence
    allowed_fields: list[FieldName] = Field(min_length=1, max_length=500)
    precision: Precision = Precision()
    retention_days: int = Field(ge=1, le=3650)
    intake: Intake = "matters"
    reviewed: date | None = None

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The allowed field names, for membership."""
        return frozenset(self.allowed_fields)

    def allow(self, row: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
        """What may be kept of `row`, and the names of the fields that were dropped, in order."""
        allowed = self.allowed
        kept = {name: value for name, value in row.items() if name in allowed}
        if len(kept) == len(row):
            return kept, []
        return kept, [name for name in row if name not in allowed]


def required(contract: DataContract | None, source: str) -> DataContract:
    """The contract itself; raises Refused(no_contract) where there is none."""
    if contract is None:
        raise Refused(
            Reason.NO_CONTRACT,
            detail=f"source {source!r} has no data contract",
            remedy="write its purpose, legal_basis, allowed_fields, precision and retention_days",
        )
    return contract
