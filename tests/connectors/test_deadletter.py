"""Dead letters: what is kept of a refused record."""

from hashlib import sha256

import pytest

from connectors.deadletter import MAX_BODY_BYTES, DeadLetter, tally
from connectors.redact import Redactor
from pipeline.errors import Reason, Refused

R = Redactor()


def letter(original: bytes, reason: Reason = Reason.BROKEN_JSON, detail: str = "") -> DeadLetter:
    return DeadLetter.of("hotline", 7, Refused(reason, "at", detail, "mend it"), original, R)


def test_it_says_where_what_and_how_to_mend() -> None:
    found = letter(b"{x", detail="at column 2")
    assert (found.source, found.position, found.reason) == ("hotline", 7, Reason.BROKEN_JSON)
    assert (found.field, found.detail, found.remedy) == ("at", "at column 2", "mend it")


def test_size_and_hash_are_of_the_original_bytes() -> None:
    original = "电话13800138000".encode()
    found = letter(original)
    assert found.size == len(original)
    assert found.sha256 == sha256(original).digest()
    assert found.body.decode() == "电话[电话]"


def test_the_detail_is_redacted_too() -> None:
    assert letter(b"", detail="'13800138000' is no time").detail == "'[电话]' is no time"


def test_a_record_refused_by_its_purpose_leaves_no_body() -> None:
    found = letter(b'{"faces": [1, 2]}', Reason.REFUSED_PURPOSE)
    assert found.body == b""
    assert found.size == 17


@pytest.mark.parametrize("filler", ["x", "漏", "ab "])
def test_the_body_ends_at_64_kib(filler: str) -> None:
    found = letter((filler * 100_000).encode())
    assert len(found.body) <= MAX_BODY_BYTES
    assert found.size == 100_000 * len(filler.encode())
    found.body.decode()


def test_an_identifier_across_the_cut_does_not_stay_in_half() -> None:
    original = b"x" * (MAX_BODY_BYTES - 12) + b" 13800138000 13900139000"
    assert b"138001" not in letter(original).body


def test_bytes_that_are_no_text_are_kept_readable() -> None:
    assert "\ufffd" in letter(b"\xff\xfe\x00broken").body.decode()


def test_reasons_are_tallied() -> None:
    letters = [letter(b"a"), letter(b"b"), letter(b"c", Reason.TOO_DEEP)]
    assert tally(letters) == {Reason.BROKEN_JSON: 2, Reason.TOO_DEEP: 1}
