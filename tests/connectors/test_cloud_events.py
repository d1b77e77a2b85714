"""CloudEvents in their three forms; what is none is told by its place in the request."""

import pytest

from connectors.cloud_events import BATCH, STRUCTURED, events, source_names
from pipeline.errors import Reason, Refused

ONE = b'{"specversion":"1.0","id":"a","source":"/hotline","type":"signal","data":{"id":"1"}}'


def test_a_structured_event_gives_its_data() -> None:
    found = events(STRUCTURED, {}, ONE)
    assert (found.data, found.ids, found.sources, found.refused) == ([b'{"id":"1"}'], ["a"], ["/hotline"], [])
    assert not found.is_batch


def test_a_batch_gives_the_data_of_each_event() -> None:
    found = events(BATCH + "; charset=utf-8", {}, b"[" + ONE + b", " + ONE + b"]")
    assert found.data == [b'{"id":"1"}', b'{"id":"1"}']
    assert found.is_batch


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "a", "ce-source": "/hotline", "ce-type": "signal"}
    assert events("application/json", headers, b'{"id":"1"}').data == [b'{"id":"1"}']


def test_a_binary_event_without_an_attribute_is_refused() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "a", "ce-type": "signal"}
    ((_, why, _),) = events("application/json", headers, b"{}").refused
    assert (why.reason, why.field) == (Reason.MISSING_FIELD, "ce-source")


def test_extensions_are_passed_over() -> None:
    assert events(STRUCTURED, {}, ONE[:-1] + b',"traceparent":"00-1","partitionkey":"x"}').data == [b'{"id":"1"}']


def test_data_in_base64_is_unpacked() -> None:
    body = ONE.replace(b'"data":{"id":"1"}', b'"data_base64":"eyJpZCI6IjEifQ=="')
    assert events(STRUCTURED, {}, body).data == [b'{"id":"1"}']


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (ONE.replace(b"1.0", b"0.3"), Reason.WRONG_TYPE, "specversion"),
        (ONE.replace(b'"id":"a",', b""), Reason.MISSING_FIELD, "id"),
        (ONE.replace(b'"id":"a"', b'"id":7'), Reason.WRONG_TYPE, "id"),
        (ONE.replace(b'"id":"a"', b'"id":""'), Reason.MISSING_FIELD, "id"),
        (ONE.replace(b',"data":{"id":"1"}', b""), Reason.MISSING_FIELD, "data"),
        (ONE.replace(b'"data":{"id":"1"}', b'"data":null'), Reason.MISSING_FIELD, "data"),
        (ONE.replace(b'"data":{', b'"data_base64":"###","x":{'), Reason.BAD_ENCODING, "data_base64"),
        (ONE.replace(b'"type"', b'"datacontenttype":"text/xml","type"'), Reason.WRONG_TYPE, "datacontenttype"),
        (ONE[:-1], Reason.BROKEN_JSON, ""),
        (ONE.replace(b"hotline", b"\xff"), Reason.BAD_ENCODING, ""),
        (b"[]", Reason.WRONG_TYPE, ""),
        (b"", Reason.EMPTY_INPUT, ""),
    ],
)
def test_a_structured_event_that_is_none_is_refused_with_reason_and_field(
    body: bytes, reason: Reason, field: str
) -> None:
    ((index, why, whole),) = events(STRUCTURED, {}, body).refused
    assert (index, why.reason, why.field, whole) == (0, reason, field, body)


def test_one_broken_event_of_a_batch_stops_no_other() -> None:
    broken = ONE.replace(b"1.0", b"0.3")
    found = events(BATCH, {}, b"[" + b",".join([ONE, broken, b'{"specversion":"1.0"}', ONE]) + b"]")
    assert found.indexes == [0, 3]
    assert [(index, whole) for index, _, whole in found.refused] == [(1, broken), (2, b'{"specversion":"1.0"}')]


@pytest.mark.parametrize("body", [b"[" + ONE, b"", b"\xff\xfe", ONE, b"[" * 100_000])
def test_a_batch_that_is_no_array_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Refused):
        events(BATCH, {}, body)


def test_another_content_type_is_refused_by_name() -> None:
    with pytest.raises(Refused) as refused:
        events("text/csv", {}, b"id,matter")
    assert refused.value.field == "content-type"


def test_a_source_is_named_by_the_last_part_of_its_path() -> None:
    assert source_names(["/hotline", "https://city.example/hotline/", "hotline"]) == ["hotline"] * 3
