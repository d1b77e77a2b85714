"""Dead letters: what could not be taken in, why, and how to mend it. Redacted, at most 64 KiB, with a sha256."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from pipeline.errors import Reason, Refused

MAX_BODY_BYTES = 65_536
"""Bytes of a body that are kept at most."""


class Redacts(Protocol):
    """Anything that takes personal identifiers out of a text."""

    def redact(self, text: str) -> str:
        """The text without them."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused record. `position`: line or row in the source; `size`, `sha256`: of the original bytes.

    `body` is redacted and empty when the record was refused by its purpose. Two refusals of one record are equal.
    """

    source: str
    position: int
    reason: Reason
    field: str
    detail: str
    remedy: str
    size: int
    sha256: bytes
    body: bytes

    @classmethod
    def of(cls, source: str, position: int, refused: Refused, original: bytes, redactor: Redacts) -> "DeadLetter":
        """The dead letter of `original`; only its first 64 KiB are looked at for the body."""
        kept = b""
        if refused.reason is not Reason.REFUSED_PURPOSE:
            # cut before redacting: an identifier that straddles the cut goes with the trailing partial token
            head = original[:MAX_BODY_BYTES]
            text = head.decode("utf-8", "replace")
            if len(original) > MAX_BODY_BYTES:
                text = text[: -len(_tail(text)) or None]
            kept = redactor.redact(text).encode()[:MAX_BODY_BYTES]
        return cls(
            source,
            position,
            refused.reason,
            refused.field,
            redactor.redact(refused.detail),
            refused.remedy,
            len(original),
            sha256(original).digest(),
            kept,
        )


def tally(letters: Iterable[DeadLetter]) -> Counter[Reason]:
    """How many dead letters each reason has."""
    return Counter(letter.reason for letter in letters)


def _tail(text: str) -> str:
    """The last 64 characters: longer than any identifier that a cut could leave unrecognisable."""
    return text[-64:]
