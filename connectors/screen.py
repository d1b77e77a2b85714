"""What the edge refuses of a signal before it becomes a row: refusals name field, fault and remedy."""

from collections.abc import Collection, Sequence
from math import isfinite

import orjson

from connectors.purpose import SHORT_TEXT, holds_media
from pipeline.errors import Reason, Refused
from pipeline.signal import Signal, Step

MIN_AT_US = 1
"""Earliest time taken: just after 1970-01-01T00:00:00Z, because a zero is a missing time."""
MAX_AT_US = 7_258_118_400_000_000
"""First time not taken: 2200-01-01T00:00:00Z."""
MAX_NUMBER = 3e38
"""Largest number taken: what a 32-bit float still holds."""
MAX_ID_CHARS = 512
"""Longest id of a record or a matter."""

_STEPS = frozenset(Step)
_TEXT_FIELDS = ("id", "matter", "source", "category", "place", "office", "channel", "asset", "text")


class Screen:
    """Checks signals of one source; `known_*` are None where every name is welcome."""

    def __init__(
        self,
        source: str,
        known_categories: Collection[str] | None,
        known_places: Collection[str] | None,
        future_tolerance_us: int,
    ) -> None:
        self._source = source
        self._categories = None if known_categories is None else frozenset(known_categories) | {""}
        self._places = None if known_places is None else frozenset(known_places) | {""}
        self._tolerance_us = future_tolerance_us

    def refusals(self, signals: Sequence[Signal], now_us: int | None) -> dict[int, Refused]:
        """Refusals by position in the batch; empty in the common case."""
        latest = MAX_AT_US if now_us is None else min(MAX_AT_US, now_us + self._tolerance_us + 1)
        found: dict[int, Refused] = {}
        source, categories, places = self._source, self._categories, self._places
        for index, signal in enumerate(signals):
            at = signal.at
            # one condition for what nearly every signal passes; the words are looked for only when it fails
            if (
                signal.id
                and signal.matter
                and type(at) is int
                and MIN_AT_US <= at < latest
                and not signal.due
                and not signal.values
                and (signal.source == source or not signal.source)
                and (categories is None or signal.category in categories)
                and (places is None or signal.place in places)
                and len(signal.id) <= MAX_ID_CHARS
                and len(signal.matter) <= MAX_ID_CHARS
                and (len(signal.text) < SHORT_TEXT or not holds_media(signal.text))
            ):
                continue
            refused = self._refusal(signal, latest)
            if refused is not None:
                found[index] = refused
        return found

    def _refusal(self, signal: Signal, latest: int) -> Refused | None:
        for name, value in (("id", signal.id), ("matter", signal.matter)):
            if not value:
                return Refused(Reason.MISSING_FIELD, name, "is empty", f"every signal needs its {name}")
            if len(value) > MAX_ID_CHARS:
                return Refused(Reason.TOO_LARGE, name, f"{len(value)} characters", f"at most {MAX_ID_CHARS} characters")
        if holds_media(signal.text):
            return Refused(
                Reason.REFUSED_PURPOSE, "text", "a picture, video or sound", "send no media, not even encoded"
            )
        return (
            _time_refusal("at", signal.at, latest)
            or (_time_refusal("due", signal.due, MAX_AT_US) if signal.due else None)
            or self._name_refusal(signal)
            or _number_refusal(signal)
        )

    def _name_refusal(self, signal: Signal) -> Refused | None:
        if signal.source not in ("", self._source):
            return Refused(
                Reason.UNKNOWN_SOURCE,
                "source",
                f"{signal.source!r} where {self._source!r} was expected",
                "give each source its own mapping and contract",
            )
        if signal.step not in _STEPS:
            return Refused(Reason.UNKNOWN_STEP, "step", f"{signal.step!r} is no step", "translate it in the mapping")
        if self._categories is not None and signal.category not in self._categories:
            return Refused(
                Reason.UNKNOWN_CATEGORY, "category", f"{signal.category!r} is not listed", "add it to the categories"
            )
        # "grid/point" is a point within a known place: the tree ends above it.
        if self._places is not None and signal.place.partition("/")[0] not in self._places:
            return Refused(Reason.UNKNOWN_PLACE, "place", f"{signal.place!r} is not listed", "add it to the place tree")
        return None


def original(signal: Signal) -> bytes:
    """The bytes that stand for a signal in its dead letter: its fields as JSON."""
    fields = {name: getattr(signal, name) for name in Signal.__slots__}
    fields["step"] = getattr(signal.step, "name", signal.step)
    for name in ("codes", "values", "outcomes"):
        fields[name] = dict(fields[name])
    try:
        return orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half of a surrogate pair is no UTF-8
        return ascii(fields).encode()


def encoding_refusal(signal: Signal) -> Refused | None:
    """Why a signal cannot be written as UTF-8 (half of a surrogate pair), or None."""
    texts = {name: getattr(signal, name) for name in _TEXT_FIELDS}
    texts |= {f"codes.{name}": f"{name}{value}" for name, value in signal.codes.items()}
    for name, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return Refused(
                Reason.BAD_ENCODING,
                name,
                f"character {error.start} is half of a pair",
                "decode the source as it is encoded",
            )
    return None


def _time_refusal(name: str, value: int, latest: int) -> Refused | None:
    if type(value) is not int:
        return Refused(Reason.BAD_TIME, name, f"{value!r} is no time", "microseconds since 1970, UTC")
    if MIN_AT_US <= value < latest:
        return None
    if latest <= value < MAX_AT_US:
        seconds = (value - latest) // 1_000_000
        return Refused(
            Reason.TIME_IN_FUTURE,
            name,
            f"{seconds} s past what is tolerated",
            "check the clock and the zone of the source",
        )
    return Refused(Reason.BAD_TIME, name, "before 1970 or after 2200", "check format and unit of the time")


def _number_refusal(signal: Signal) -> Refused | None:
    for name, value in signal.values.items():
        if not abs(value) <= MAX_NUMBER:
            detail = f"{value!r}" if not isfinite(value) else "too large"
            return Refused(Reason.NOT_FINITE, f"values.{name}", detail, "leave a missing number out")
    return None
