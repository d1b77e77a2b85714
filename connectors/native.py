"""The native format: one signal a line as JSON, decoded by a compiled decoder, line by line exact where that fails.

Keys: id, matter, at, step, category, place, office, channel, asset, due, codes, values, outcomes, text. Times are
RFC 3339 with a zone. The decoder's type is made from the contract: what is not allowed is passed over and counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from connectors.contract import DataContract
from connectors.deadletter import DeadLetter, Redacts
from connectors.decode import MAX_BYTES, MAX_DEPTH, decoded
from connectors.purpose import purpose_refusal
from pipeline.errors import Reason, Refused
from pipeline.signal import Signal, Step

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_EMPTY: Mapping[str, Any] = {}
_ABSENT = msgspec.Raw(b"")

TYPES: dict[str, Any] = {
    "id": str,
    "matter": str,
    "at": _Moment,
    "step": str,
    "source": str,
    "category": str,
    "place": str,
    "office": str,
    "channel": str,
    "asset": str,
    "due": _Moment | None,
    "codes": dict[str, str],
    "values": dict[str, float],
    "outcomes": dict[str, bool],
    "text": str,
}
"""The keys of the native format and their types."""

STEPS = {step.name.lower(): step for step in Step} | {step.name: step for step in Step}
"""Steps by their names in the file."""

_DEFAULTS: dict[str, Any] = {"at": None, "due": None, "codes": _EMPTY, "values": _EMPTY, "outcomes": _EMPTY}
_MAX_PASSED_OVER = 64


@dataclass(frozen=True, slots=True)
class Decoded:
    """Signals and the lines they stood on, dead letters of the rest, and how often a field was dropped."""

    signals: list[Signal]
    positions: list[int]
    rejected: list[DeadLetter]
    dropped: Counter[str]


class SignalDecoder:
    """Decodes the native lines of one source under its contract. About 4 µs a line."""

    def __init__(
        self,
        contract: DataContract,
        redactor: Redacts,
        *,
        source: str = "",
        max_bytes: int = MAX_BYTES,
        max_depth: int = MAX_DEPTH,
    ) -> None:
        self._contract = contract
        self._redactor = redactor
        self._source = source
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._passed_over = [name for name in TYPES if name not in contract.allowed]
        self._decode = self._compiled()

    def decode(self, lines: Sequence[bytes], first: int = 1) -> Decoded:
        """All signals of `lines`, the first of which is line number `first` of its source. Never raises for a line."""
        signals: list[Signal] = []
        positions: list[int] = []
        rejected: list[DeadLetter] = []
        dropped: Counter[str] = Counter()
        last = len(lines) - 1
        for index, line in enumerate(lines):
            try:
                signal = self._fast(line, dropped)
            except (msgspec.MsgspecError, RecursionError, KeyError, UnicodeDecodeError):
                if not line.strip():
                    continue
                try:
                    signal = self._exact(line, dropped, is_last=index == last and not line.endswith(b"\n"))
                except Refused as refused:
                    rejected.append(DeadLetter.of(self._source, first + index, refused, line, self._redactor))
                    continue
            signals.append(signal)
            positions.append(first + index)
        return Decoded(signals, positions, rejected, dropped)

    def _fast(self, line: bytes, dropped: Counter[str]) -> Signal:
        if len(line) > self._max_bytes:
            raise msgspec.DecodeError
        found = self._decode(line)
        at, due = found.at, found.due
        if at is None:
            raise msgspec.DecodeError
        for name, member in self._members:
            if getattr(found, member):
                dropped[name] += 1
        span = at - _EPOCH
        return Signal(
            found.id,
            found.matter,
            (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds,
            STEPS[found.step],
            self._source,
            found.category,
            found.place,
            found.office,
            found.channel,
            found.asset,
            0 if due is None else _microseconds(due),
            found.codes,
            found.values,
            found.outcomes,
            found.text,
        )

    def _exact(self, line: bytes, dropped: Counter[str], *, is_last: bool) -> Signal:
        """The same by way of a dict, with a refusal that names the field; learns fields that are to be passed over."""
        fields = decoded(line, max_bytes=self._max_bytes, max_depth=self._max_depth, is_last=is_last)
        refused = purpose_refusal(fields, self._contract.intake)
        if refused is not None:
            raise refused
        kept, names = self._contract.allow(fields)
        names += [name for name in kept if name not in TYPES]
        signal = signal_of(kept, self._source)
        dropped.update(names)
        self._pass_over(names)
        return signal

    def _pass_over(self, names: list[str]) -> None:
        fresh = [name for name in names if name not in self._passed_over]
        # cameras stay on the exact path: there a field's name decides whether the record may come in at all
        if fresh and self._contract.intake != "hazards" and len(self._passed_over) + len(fresh) <= _MAX_PASSED_OVER:
            self._passed_over += fresh
            self._decode = self._compiled()

    def _compiled(self) -> Callable[[bytes], Any]:
        self._members = [(name, f"passed_over_{index}") for index, name in enumerate(self._passed_over)]
        fields: list[Any] = [(member, msgspec.Raw, _ABSENT) for _, member in self._members]
        absent: dict[str, Any] = {}
        for name, kind in TYPES.items():
            default = _DEFAULTS.get(name, "")
            if name not in self._contract.allowed:
                # outside the contract: a constant of the class, which no key of a line can set
                absent[name] = default
            elif default is _EMPTY:
                fields.append((name, kind, msgspec.field(default_factory=dict)))
            else:
                fields.append((name, kind, default))
        rename = {member: name for name, member in self._members}
        line_type = msgspec.defstruct(
            "Line", fields, namespace=absent, rename=rename, forbid_unknown_fields=True, gc=False
        )
        return msgspec.json.Decoder(line_type).decode


def signal_of(fields: Mapping[str, object], source: str = "") -> Signal:
    """A signal from the fields of a native record. Raises Refused that names the field."""
    names = ("id", "matter", "category", "place", "office", "channel", "asset", "text")
    texts = {name: _string(fields, name) for name in names}
    if not texts["id"] or not texts["matter"]:
        name = "id" if not texts["id"] else "matter"
        raise Refused(Reason.MISSING_FIELD, name, "is missing", f"every signal needs its {name}")
    step = _string(fields, "step")
    if step not in STEPS:
        reason = Reason.UNKNOWN_STEP if step else Reason.MISSING_FIELD
        raise Refused(
            reason,
            "step",
            f"{step!r} is no step" if step else "is missing",
            f"one of {', '.join(step.name.lower() for step in Step)}",
        )
    return Signal(
        at=_moment(fields, "at"),
        step=STEPS[step],
        source=source,
        due=_moment(fields, "due") if fields.get("due") is not None else 0,
        codes=_mapping(fields, "codes", str, "text"),
        values=_mapping(fields, "values", float, "a number"),
        outcomes=_mapping(fields, "outcomes", bool, "true or false"),
        **texts,
    )


def _string(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(Reason.WRONG_TYPE, name, f"a {type(value).__name__} where text was expected", "put it in quotes")
    return value


def _moment(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    if value is None or value == "":
        raise Refused(Reason.MISSING_FIELD, name, "is missing", "RFC 3339 with a zone, 2024-05-01T08:00:00+08:00")
    try:
        moment = msgspec.convert(value, _Moment)
    except msgspec.ValidationError as error:
        raise Refused(
            Reason.BAD_TIME,
            name,
            f"{value!r} is no time with a zone",
            "RFC 3339 with a zone, 2024-05-01T08:00:00+08:00",
        ) from error
    return _microseconds(moment)


def _mapping(fields: Mapping[str, object], name: str, kind: type, words: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(
            Reason.WRONG_TYPE, name, f"a {type(value).__name__} where an object was expected", "name: value pairs"
        )
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if inner is None:
            continue
        if kind is float and isinstance(inner, int) and not isinstance(inner, bool):
            inner = float(inner)
        if type(inner) is not kind:
            raise Refused(Reason.WRONG_TYPE, f"{name}.{key}", f"a {type(inner).__name__}", f"{words} was expected")
        found[key] = inner
    return found


def _microseconds(moment: datetime) -> int:
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
