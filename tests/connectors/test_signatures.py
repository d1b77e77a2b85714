"""Standard Webhooks: a request is who it says, and recent."""

import base64
from pathlib import Path

import pytest

from connectors.signatures import WINDOW_S, check_signature, secret_of, signature
from pipeline.errors import ConfigError, Reason, Refused

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
NOW = 1_614_265_330


def headers(body: bytes = b'{"test": 2432232314}', at: int = NOW, secret: bytes = SECRET) -> dict[str, str]:
    id, stamp = "msg_p5jXN8AQM9LWM0D4loKWxJek", str(at)
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(secret, id, stamp, body),
    }


def test_the_example_of_the_specification_is_signed_alike() -> None:
    assert headers()["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_right_signature_gives_the_id() -> None:
    assert check_signature(SECRET, headers(), b'{"test": 2432232314}', NOW) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_one_right_signature_of_several_is_enough() -> None:
    rotated = headers() | {"webhook-signature": "v1,AAAA v1a,BBBB " + headers()["webhook-signature"]}
    assert check_signature(SECRET, rotated, b'{"test": 2432232314}', NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(Refused) as refused:
        check_signature(SECRET, headers() | {name: ""}, b"", NOW)
    assert (refused.value.reason, refused.value.field) == (Reason.MISSING_FIELD, name)


@pytest.mark.parametrize("changed", [{"webhook-id": "other"}, {"webhook-timestamp": str(NOW + 1)}])
def test_what_was_signed_cannot_be_changed(changed: dict[str, str]) -> None:
    with pytest.raises(Refused, match="does not fit"):
        check_signature(SECRET, headers() | changed, b'{"test": 2432232314}', NOW)


def test_another_body_or_secret_does_not_fit() -> None:
    with pytest.raises(Refused, match="does not fit"):
        check_signature(SECRET, headers(), b"other", NOW)
    with pytest.raises(Refused, match="does not fit"):
        check_signature(b"x" * 24, headers(), b'{"test": 2432232314}', NOW)


@pytest.mark.parametrize("late", [WINDOW_S + 1, -WINDOW_S - 1])
def test_an_old_request_cannot_be_replayed(late: int) -> None:
    with pytest.raises(Refused) as refused:
        check_signature(SECRET, headers(), b'{"test": 2432232314}', NOW + late)
    assert refused.value.reason is Reason.BAD_TIME


@pytest.mark.parametrize("stamp", ["soon", "-5", "²", "1" * 400])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(Refused):
        check_signature(SECRET, headers() | {"webhook-timestamp": stamp}, b"", NOW)


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    assert secret_of(tmp_path / "secret") == SECRET


@pytest.mark.parametrize("text", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_###"])
def test_what_is_no_secret_is_refused_with_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(ConfigError, match="secret:1: secret_file"):
        secret_of(tmp_path / "secret")
