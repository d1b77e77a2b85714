"""The data contract: nothing comes in without one, nothing past it."""

import pytest
from pydantic import ValidationError

from connectors.contract import DataContract, required
from pipeline.errors import Reason, Refused

FIELDS = {
    "purpose": "handling matters",
    "legal_basis": "by-law 7",
    "allowed_fields": ["id", "text"],
    "retention_days": 30,
}


def test_a_source_without_a_contract_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        required(None, "camera gateway")
    assert caught.value.reason is Reason.NO_CONTRACT
    assert "camera gateway" in caught.value.detail


def test_with_one_it_is_enabled() -> None:
    contract = DataContract.model_validate(FIELDS)
    assert required(contract, "hotline") is contract


def test_fields_outside_the_contract_are_dropped_and_named() -> None:
    kept, dropped = DataContract.model_validate(FIELDS).allow({"id": "1", "caller": "x", "text": "t", "age": 40})
    assert kept == {"id": "1", "text": "t"}
    assert dropped == ["caller", "age"]


def test_a_row_inside_the_contract_loses_nothing() -> None:
    assert DataContract.model_validate(FIELDS).allow({"id": "1"}) == ({"id": "1"}, [])


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": ""},
        {"legal_basis": " "},
        {"allowed_fields": []},
        {"retention_days": 0},
        {"retention_days": "30"},
        {"owner": "x"},
        {"precision": {"time": "minute", "place": "household"}},
        {"intake": "persons"},
    ],
)
def test_an_incomplete_or_odd_contract_is_no_contract(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DataContract.model_validate(FIELDS | change)


@pytest.mark.parametrize("missing", FIELDS)
def test_every_part_has_to_be_said(missing: str) -> None:
    with pytest.raises(ValidationError):
        DataContract.model_validate({name: value for name, value in FIELDS.items() if name != missing})


def test_a_contract_cannot_be_changed_in_place() -> None:
    contract = DataContract.model_validate(FIELDS)
    with pytest.raises(ValidationError):
        contract.retention_days = 3650  # type: ignore[misc]
