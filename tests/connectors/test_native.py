"""The native format: fast and exact paths give the same signals, and damage is told line by line."""

import json
from typing import Any

import pytest

from connectors.contract import DataContract
from connectors.edge import Edge
from connectors.native import TYPES, Decoded, SignalDecoder
from connectors.ngrams import Grams
from connectors.redact import Redactor
from pipeline.errors import Reason
from pipeline.signal import Signal, Step

R = Redactor()
FULL: dict[str, Any] = {
    "id": "w1",
    "matter": "m1",
    "at": "2024-05-01T08:00:00.25+08:00",
    "step": "registered",
    "category": "M01",
    "place": "T1",
    "office": "D05",
    "channel": "hotline",
    "asset": "lift 7",
    "due": "2024-05-08T09:30:00Z",
    "codes": {"priority": "2"},
    "values": {"age": 3},
    "outcomes": {"breach": False},
    "text": "楼道没人打扫",
}


def contract(*names: str, **changes: Any) -> DataContract:
    fields = {
        "purpose": "handling",
        "legal_basis": "by-law",
        "allowed_fields": list(names or TYPES),
        "retention_days": 30,
    }
    return DataContract.model_validate(fields | changes)


def decode(*lines: dict[str, Any] | bytes, of: DataContract | None = None) -> Decoded:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
    return SignalDecoder(of or contract(), R, source="hotline").decode(encoded)


def test_every_key_arrives() -> None:
    assert decode(FULL).signals == [
        Signal(
            id="w1",
            matter="m1",
            at=1_714_521_600_250_000,
            step=Step.REGISTERED,
            source="hotline",
            category="M01",
            place="T1",
            office="D05",
            channel="hotline",
            asset="lift 7",
            due=1_715_160_600_000_000,
            codes={"priority": "2"},
            values={"age": 3.0},
            outcomes={"breach": False},
            text="楼道没人打扫",
        )
    ]


def test_the_exact_path_gives_the_same_signal() -> None:
    fast, exact = decode(FULL).signals, decode(FULL | {"unknown": 1}).signals
    assert fast == exact


def test_optional_keys_may_be_left_out_or_null() -> None:
    bare = {"id": "w1", "matter": "m1", "at": "2024-05-01T00:00:00Z", "step": "closed"}
    (first,), (second,) = decode(bare).signals, decode(bare | {"due": None, "place": None}).signals
    assert first == second
    assert first.step is Step.CLOSED


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"at": "2024-05-01T08:00:00"}, Reason.BAD_TIME, "at"),
        ({"at": "yesterday"}, Reason.BAD_TIME, "at"),
        ({"at": 5}, Reason.BAD_TIME, "at"),
        ({"at": None}, Reason.MISSING_FIELD, "at"),
        ({"due": "2024-05-01"}, Reason.BAD_TIME, "due"),
        ({"step": "teleported"}, Reason.UNKNOWN_STEP, "step"),
        ({"step": ""}, Reason.MISSING_FIELD, "step"),
        ({"id": 7}, Reason.WRONG_TYPE, "id"),
        ({"id": None}, Reason.MISSING_FIELD, "id"),
        ({"matter": None}, Reason.MISSING_FIELD, "matter"),
        ({"codes": ["a"]}, Reason.WRONG_TYPE, "codes"),
        ({"codes": {"a": 1}}, Reason.WRONG_TYPE, "codes.a"),
        ({"values": {"a": "1"}}, Reason.WRONG_TYPE, "values.a"),
        ({"outcomes": {"a": 1}}, Reason.WRONG_TYPE, "outcomes.a"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], reason: Reason, field: str) -> None:
    found = decode(FULL, FULL | change, FULL)
    assert found.positions == [1, 3]
    (letter,) = found.rejected
    assert (letter.reason, letter.field, letter.position, letter.source) == (reason, field, 2, "hotline")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": \n', Reason.BROKEN_JSON),
        (b'{"id": "\xff"}\n', Reason.BAD_ENCODING),
        (b'{"values": {"a": NaN}}\n', Reason.NOT_FINITE),
        (b'{"values": {"a": 1e999}}\n', Reason.NOT_FINITE),
        (b'{"codes": ' + b'{"a":' * 30 + b"1" + b"}" * 30 + b"}\n", Reason.TOO_DEEP),
        (b'{"extra": ' + b"[" * 50_000 + b"]" * 50_000 + b"}\n", Reason.TOO_DEEP),
        (b'{"text": "' + b"x" * 10_000_000 + b'"}\n', Reason.TOO_LARGE),
        ('{"text": "积水"}\n'.encode("gb18030"), Reason.BAD_ENCODING),
        (b"[]\n", Reason.WRONG_TYPE),
    ],
)
def test_damage_stops_no_other_line(line: bytes, reason: Reason) -> None:
    found = decode(FULL, line, FULL)
    assert len(found.signals) == 2
    assert [letter.reason for letter in found.rejected] == [reason]


def test_the_last_line_of_a_cut_file_is_told_as_cut() -> None:
    assert decode(FULL, b'{"id": "w2", "mat').rejected[0].reason is Reason.TRUNCATED


def test_keys_outside_the_contract_are_dropped_and_counted_each_time() -> None:
    found = decode(*[FULL | {"caller": "x", "mood": {"a": [1]}}] * 3, of=contract("id", "matter", "at", "step"))
    assert found.dropped["caller"] == found.dropped["mood"] == 3
    assert found.dropped["text"] == 3
    assert found.signals[0] == found.signals[2]
    assert (found.signals[0].text, found.signals[0].codes) == ("", {})


def test_what_the_contract_lacks_has_no_effect_even_when_malformed() -> None:
    found = decode(FULL | {"due": "nonsense"}, of=contract("id", "matter", "at", "step"))
    assert len(found.signals) == 1
    assert found.signals[0].due == 0


def test_many_unknown_keys_cannot_grow_the_decoder_for_ever() -> None:
    decoder = SignalDecoder(contract(), R)
    for number in range(300):
        found = decoder.decode([json.dumps(FULL | {f"key {number}": 1}).encode()])
        assert found.dropped == {f"key {number}": 1}


def test_cameras_are_held_to_hazard_events() -> None:
    hazards = contract(*TYPES, "kind", intake="hazards")
    good = FULL | {"kind": "fire", "step": "hazard", "values": {}}
    found = decode(good, good | {"faces": [1]}, good | {"kind": "loitering"}, good | {"faces": [1]}, of=hazards)
    assert found.positions == [1]
    assert {letter.reason for letter in found.rejected} == {Reason.REFUSED_PURPOSE}
    assert all(letter.body == b"" for letter in found.rejected)


def test_what_is_decoded_can_be_admitted() -> None:
    one = Edge(source="hotline", contract=contract(), redactor=R, grams=Grams(b"k"), key=b"k")
    found = decode(FULL, b"{", FULL | {"id": "", "unknown": 1})
    admitted = one.admit(found.signals, positions=found.positions)
    assert admitted.ids == ["w1"]
    assert [letter.position for letter in found.rejected] == [2, 3]
