"""Every error of the product, and the one enum of reasons.

::

    ForewarnError                 what a person can mend; the message names the place and a remedy
    ├── ConfigError               a configuration or mapping that cannot be used (carries all problems at once)
    ├── Refused                   one record or field that is not taken in (reason, field, remedy)
    ├── CorruptData               stored bytes that fail their checksum or cannot be decoded
    ├── NewerData                 data written by a later version than this one
    ├── LogGap                    a frame is missing between two that are there
    ├── LogBusy                   another process holds the lease
    ├── Fenced                    somebody else has folded this partition meanwhile; nothing was kept
    └── StoreUnavailable          the database does not answer, or cannot write now; nothing of it was kept
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a record, field or entry was not taken as it came. Log, metric label, console and test share these."""

    # the bytes
    BROKEN_JSON = "broken_json"
    BAD_ENCODING = "bad_encoding"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TRUNCATED = "truncated"
    EMPTY_INPUT = "empty_input"
    # the fields
    MISSING_FIELD = "missing_field"
    MISSING_COLUMN = "missing_column"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    BAD_TIME = "bad_time"
    TIME_IN_FUTURE = "time_in_future"
    UNKNOWN_STEP = "unknown_step"
    UNKNOWN_PLACE = "unknown_place"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_SOURCE = "unknown_source"
    # the purpose (domain.md section 1)
    NO_CONTRACT = "no_contract"
    REFUSED_PURPOSE = "refused_purpose"
    FIELD_NOT_ALLOWED = "field_not_allowed"
    # the fold
    DUPLICATE = "duplicate"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    BEFORE_REGISTRATION = "before_registration"
    OUT_OF_ORDER = "out_of_order"
    LATE = "late"
    INTERNAL = "internal"
    # the log
    UNREADABLE = "unreadable"
    LOST = "lost"


class ForewarnError(Exception):
    """Root of the tree; catch it at the command line only."""

    retryable = False


class ConfigError(ForewarnError):
    """A configuration that cannot be used; `problems` holds one line each: file, line, key, what, suggestion."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Refused(ForewarnError):
    """One record or field that is not taken in; goes to the dead letters with these words."""

    reason: Reason
    field: str = ""
    detail: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        """Reason, field, detail and remedy on one line."""
        parts = [self.reason.value, self.field and f"field {self.field!r}", self.detail, self.remedy]
        return "; ".join(part for part in parts if part)


class CorruptData(ForewarnError):
    """Stored bytes that fail their checksum or cannot be decoded."""


class NewerData(ForewarnError):
    """Data written by a later version of forewarn."""


class LogGap(ForewarnError):
    """A frame is missing between two that are there; `next` is the offset at which the log goes on, where known."""

    def __init__(self, message: str, next: int | None = None) -> None:
        super().__init__(message)
        self.next = next


class LogBusy(ForewarnError):
    """Another process holds the lease on this data directory."""

    retryable = True


class Fenced(ForewarnError):
    """The store does not hold the offset that this owner of a partition left there: somebody else has been there."""


class StoreUnavailable(ForewarnError):
    """The database does not answer, or cannot write now; nothing was kept, and the same call may succeed later."""

    retryable = True


class LogUnavailable(ForewarnError):
    """Brokers cannot be reached, or not enough of them have what was sent; the same may succeed later."""

    retryable = True
