"""Refused because of the purpose: media anywhere, and from cameras all but hazard events."""

from base64 import b64encode

import pytest

from connectors.purpose import HAZARD_KINDS, purpose_refusal
from pipeline.errors import Reason

FIRE = {"kind": "fire", "at": "2024-05-01T08:00:00+08:00", "device": "C-7"}
PICTURE = b64encode(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4).decode()


def test_a_hazard_event_is_welcome() -> None:
    for kind in HAZARD_KINDS:
        assert purpose_refusal(FIRE | {"kind": kind}, "hazards") is None


@pytest.mark.parametrize("kind", ["loitering", "gathering", "face_match", "intrusion", "fall_of_person", "", None, 3])
def test_any_other_event_is_refused(kind: object) -> None:
    refused = purpose_refusal(FIRE | {"kind": kind}, "hazards")
    assert refused is not None
    assert refused.reason is Reason.REFUSED_PURPOSE


@pytest.mark.parametrize(
    "name",
    [
        "image",
        "faceId",
        "face_feature",
        "plateNo",
        "trackId",
        "personCount",
        "snapshot_url",
        "child_flag",
        "health",
        "suspect",
        "人脸特征",
        "车牌号",
        "抓拍图片",
        "轨迹",
        "license-plate",
        "PERSON_ID",
        "audio",
    ],
)
def test_fields_about_persons_or_media_refuse_the_whole_event(name: str) -> None:
    refused = purpose_refusal(FIRE | {name: "x"}, "hazards")
    assert refused is not None
    assert refused.field == name


def test_they_are_found_however_deep() -> None:
    nested = FIRE | {"ext": {"items": [{"a": 1}, {"faces": []}]}}
    refused = purpose_refusal(nested, "hazards")
    assert refused is not None
    assert refused.field == "ext.items.faces"


@pytest.mark.parametrize(
    "name", ["surface", "template", "attachment_count", "imagination", "level", "device_fault_code"]
)
def test_words_that_only_contain_one_of_them_pass(name: str) -> None:
    assert purpose_refusal(FIRE | {name: 1}, "hazards") is None


@pytest.mark.parametrize(
    "value", [PICTURE, f"data:image/jpeg;base64,{PICTURE}", "image/jpeg", "video/mp4", b"\xff\xd8"]
)
@pytest.mark.parametrize("intake", ["matters", "hazards", "readings"])
def test_media_are_refused_by_content_from_every_source(value: object, intake: str) -> None:
    refused = purpose_refusal({"kind": "fire", "note": value}, intake)  # type: ignore[arg-type]
    assert refused is not None
    assert refused.reason is Reason.REFUSED_PURPOSE


def test_the_refusal_repeats_nothing_of_the_content() -> None:
    refused = purpose_refusal({"note": PICTURE}, "matters")
    assert refused is not None
    assert PICTURE[:20] not in str(refused)


def test_matters_may_carry_text_and_columns_of_any_name() -> None:
    long_text = "楼道的灯坏了三天没有人修。" * 60
    assert (
        purpose_refusal({"text": long_text, "photo": "https://example.org/1.jpg", "health_bureau": "x"}, "matters")
        is None
    )
