"""CloudEvents 1.0 over HTTP: structured, batched, and binary (`ce-` headers). What is inside `data` is the source's.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from pipeline.errors import Reason, Refused

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_NOTHING = msgspec.Raw(b"")


class _Event(msgspec.Struct, gc=False):
    specversion: str
    id: str
    source: str
    type: str
    datacontenttype: str | None = None
    data: msgspec.Raw = _NOTHING
    data_base64: str | None = None


_BATCH = msgspec.json.Decoder(list[_Event])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class Events:
    """The events of one request in order: data, id and source of the good ones, and why others are refused.

    `indexes` says where in the request each good one stood; `refused` holds (index, why, bytes).
    """

    data: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    refused: list[tuple[int, Refused, bytes]] = field(default_factory=list)
    is_batch: bool = False

    def add(self, index: int, event: _Event, whole: bytes) -> None:
        """Take one event, or say why not."""
        try:
            data = _data(event)
        except Refused as refused:
            self.refused.append((index, refused, whole))
            return
        self.data.append(data)
        self.ids.append(event.id)
        self.sources.append(event.source)
        self.indexes.append(index)


def events(content_type: str, headers: Mapping[str, str], body: bytes) -> Events:
    """The events of a request. Raises Refused when it is none at all: another content type, or no JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BATCH:
        return _batch(body)
    if kind == STRUCTURED:
        found = Events()
        try:
            found.add(0, _ONE.decode(body), body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            found.refused.append((0, _why(body, error), body))
        return found
    if "ce-specversion" in headers:
        return _binary(kind, headers, body)
    raise Refused(
        Reason.WRONG_TYPE,
        "content-type",
        f"{kind or 'none'} is no CloudEvent",
        f"send {STRUCTURED}, {BATCH}, or application/json with ce- headers",
    )


def _batch(body: bytes) -> Events:
    found = Events(is_batch=True)
    try:
        for index, event in enumerate(_BATCH.decode(body)):
            found.add(index, event, b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _one_by_one(body)
    if any(not whole for _, _, whole in found.refused):
        return _one_by_one(body)
    return found


def _one_by_one(body: bytes) -> Events:
    """The same with a refusal for each event that is none; the bytes of those are kept."""
    try:
        items = _ITEMS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _why(body, error) from error
    found = Events(is_batch=True)
    for index, item in enumerate(items):
        whole = bytes(item)
        try:
            event = _ONE.decode(whole)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            found.refused.append((index, _why(whole, error), whole))
        else:
            found.add(index, event, whole)
    return found


def _binary(kind: str, headers: Mapping[str, str], body: bytes) -> Events:
    found = Events()
    missing = next((name for name in ("id", "source", "type") if not headers.get(f"ce-{name}")), "")
    if missing:
        refused = Refused(Reason.MISSING_FIELD, f"ce-{missing}", "is missing", "every CloudEvent needs it")
        found.refused.append((0, refused, body))
        return found
    event = _Event(
        specversion=headers["ce-specversion"],
        id=headers["ce-id"],
        source=headers["ce-source"],
        type=headers["ce-type"],
        datacontenttype=kind,
        data=msgspec.Raw(body),
    )
    found.add(0, event, body)
    return found


def _data(event: _Event) -> bytes:
    if event.specversion != "1.0":
        raise Refused(Reason.WRONG_TYPE, "specversion", f"{event.specversion[:20]!r}", "CloudEvents 1.0 are taken")
    if not event.id or not event.source or not event.type:
        name = "id" if not event.id else "source" if not event.source else "type"
        raise Refused(Reason.MISSING_FIELD, name, "is empty", "every CloudEvent needs it")
    kind = (event.datacontenttype or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Refused(Reason.WRONG_TYPE, "datacontenttype", kind[:80], "send data as JSON")
    if event.data_base64 is not None:
        try:
            return base64.b64decode(event.data_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(Reason.BAD_ENCODING, "data_base64", "is no base64", "send data as JSON") from error
    data = bytes(event.data)
    if not data or data == b"null":
        raise Refused(Reason.MISSING_FIELD, "data", "is missing", "put the record into data")
    return data


def _why(body: bytes, error: Exception) -> Refused:
    if not body.strip():
        return Refused(Reason.EMPTY_INPUT, "", "the body is empty", "send an event")
    if isinstance(error, RecursionError):
        return Refused(Reason.TOO_DEEP, "", "nested too deeply", "send flat objects")
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return Refused(Reason.BAD_ENCODING, "", f"byte {wrong.start} is no UTF-8", "send UTF-8")
    if isinstance(error, msgspec.ValidationError):
        said = str(error)
        is_missing = "missing required field" in said
        name = said.split("`")[1] if is_missing else said.partition("at `$")[2].strip("`.[]")
        reason = Reason.MISSING_FIELD if is_missing else Reason.WRONG_TYPE
        return Refused(reason, name, said, "a CloudEvent 1.0 in JSON")
    return Refused(Reason.BROKEN_JSON, "", str(error), "one whole JSON document")


def source_names(sources: Sequence[str]) -> list[str]:
    """Names of configured sources from the `source` attributes of events: the last part of the path."""
    return [source.rstrip("/").rpartition("/")[2] for source in sources]
