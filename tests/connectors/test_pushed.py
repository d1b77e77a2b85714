"""Records that come one by one: each shape of a mapping, what is dropped, and what is refused with its reason."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from connectors.mapping import Mapping
from connectors.pushed import ReadingDecoder, RecordDecoder
from connectors.redact import Redactor
from pipeline.errors import ConfigError, Reason
from pipeline.signal import Step

CONTRACT: dict[str, Any] = {
    "purpose": "tests",
    "legal_basis": "none needed, invented",
    "allowed_fields": ["nr", "case", "when", "what", "kind", "words", "amount", "closed"],
    "retention_days": 30,
}
STEPS: dict[str, Any] = {
    "source": "desk",
    "shape": "steps",
    "contract": CONTRACT,
    "id": "nr",
    "matter": "case",
    "time": "when",
    "step": {"translated": "what", "table": {"new": "registered", "end": "closed"}},
    "category": "kind",
    "text": "words",
    "values": {"amount": "amount"},
}
AT = "2026-03-02T08:00:00Z"
ROW: dict[str, Any] = {"nr": "1", "case": "a", "when": AT, "what": "new", "kind": "noise", "words": "太吵", "amount": 3}


def mapping(folder: Path, **changed: Any) -> Mapping:
    """The mapping of the steps, changed where a test wants it."""
    (folder / "mapping.yaml").write_text(yaml.safe_dump({**STEPS, **changed}, allow_unicode=True), encoding="utf-8")
    return Mapping.load(folder / "mapping.yaml")


def record(**changed: Any) -> bytes:
    return orjson.dumps({**ROW, **changed})


def test_a_record_of_a_step_becomes_its_signal(tmp_path: Path) -> None:
    (signal,) = RecordDecoder(mapping(tmp_path), Redactor()).decode([record()]).signals
    assert (signal.id, signal.matter, signal.step, signal.source) == ("1", "a", Step.REGISTERED, "desk")
    assert (signal.category, signal.text, signal.values) == ("noise", "太吵", {"amount": 3.0})


def test_each_record_stands_for_itself(tmp_path: Path) -> None:
    found = RecordDecoder(mapping(tmp_path), Redactor()).decode([record(), record(nr="2", what="end")], 10)
    assert [(signal.step, place) for signal, place in zip(found.signals, found.positions, strict=True)] == [
        (Step.REGISTERED, 10), (Step.CLOSED, 11),
    ]  # fmt: skip


def test_a_record_of_a_matter_becomes_a_signal_for_each_time_it_has(tmp_path: Path) -> None:
    changed = {"shape": "matters", "steps": [{"step": "registered", "at": "when"}, {"step": "closed", "at": "closed"}]}
    (tmp_path / "mapping.yaml").write_text(
        yaml.safe_dump({name: value for name, value in {**STEPS, **changed}.items() if name not in ("time", "step")})
    )
    decoder = RecordDecoder(Mapping.load(tmp_path / "mapping.yaml"), Redactor())
    found = decoder.decode([record(closed="2026-03-03T08:00:00Z"), record(nr="2", case="b")])
    assert [signal.id for signal in found.signals] == ["1/registered", "1/closed", "2/registered"]
    assert found.positions == [1, 1, 2]


def test_what_the_contract_does_not_allow_is_dropped_and_counted(tmp_path: Path) -> None:
    found = RecordDecoder(mapping(tmp_path), Redactor()).decode(
        [record(caller="13812345678"), record(nr="2", caller="x")]
    )
    assert found.dropped == {"caller": 2}
    assert len(found.signals) == 2


def test_a_field_that_cannot_be_read_is_lost_alone(tmp_path: Path) -> None:
    found = RecordDecoder(mapping(tmp_path), Redactor()).decode([record(amount="many")])
    assert (len(found.signals), found.dropped) == (1, {"amount": 1})


@pytest.mark.parametrize(
    ("sent", "reason", "field"),
    [
        (record(when="soon"), Reason.BAD_TIME, "when"),
        (record(what="lost"), Reason.UNKNOWN_STEP, "step"),
        (record(case=""), Reason.MISSING_FIELD, "matter"),
        (b'{"nr":', Reason.BROKEN_JSON, ""),
        (b"[1]", Reason.WRONG_TYPE, ""),
        (record(words="data:image/png;base64,iVBORw0KGgo" + "A" * 99), Reason.REFUSED_PURPOSE, "words"),
    ],
)
def test_a_record_that_cannot_be_taken_names_reason_and_field(
    sent: bytes, reason: Reason, field: str, tmp_path: Path
) -> None:
    found = RecordDecoder(mapping(tmp_path), Redactor()).decode([record(), sent], 7)
    assert len(found.signals) == 1
    assert [(letter.reason, letter.field, letter.position) for letter in found.rejected] == [(reason, field, 8)]


def test_a_mapping_that_looks_at_the_row_before_is_refused(tmp_path: Path) -> None:
    derived = mapping(tmp_path, derived={"handed_over": {"when_increases": "amount"}}, values={})
    with pytest.raises(ConfigError, match="look at the row before"):
        RecordDecoder(derived, Redactor())


def test_readings_are_decoded_with_what_is_wrong_told(tmp_path: Path) -> None:
    content = {
        "source": "gauges", "shape": "readings", "contract": {**CONTRACT, "intake": "readings"},
        "sensor": "nr", "time": "when", "value": "amount",
    }  # fmt: skip
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(content))
    found = ReadingDecoder(Mapping.load(tmp_path / "mapping.yaml"), Redactor()).decode([record(), record(amount="wet")])
    assert [(reading.sensor, reading.value) for reading in found.readings] == [("1", 3.0)]
    assert [letter.reason for letter in found.rejected] == [Reason.WRONG_TYPE]


def test_the_native_shape_needs_no_column(tmp_path: Path) -> None:
    content = {"source": "hotline", "shape": "native", "contract": CONTRACT}
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(content))
    assert Mapping.load(tmp_path / "mapping.yaml").columns() == ()
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump({**content, "time": "when"}))
    with pytest.raises(ConfigError, match="has no meaning in the shape 'native'"):
        Mapping.load(tmp_path / "mapping.yaml")
