"""Signatures of what a source posts, by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import ConfigError, Reason, Refused

PREFIX = "whsec_"
_REMEDY = "write `whsec_` and at least 24 bytes in base64"
WINDOW_S = 300
"""How far a signed time may lie from now, either way; an old request cannot be replayed later."""


def secret_of(path: Path) -> bytes:
    """The secret in a file, written as `whsec_` and base64. Raises ConfigError."""
    if not path.is_file():
        raise ConfigError([f"{path}: secret_file: there is no such file; {_REMEDY}"])
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(PREFIX) or len(secret) < 24:
        raise ConfigError([f"{path}:1: secret_file: is no secret; {_REMEDY}"])
    return secret


def signature(secret: bytes, id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature` of a request."""
    signed = hmac.digest(secret, f"{id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def check_signature(secret: bytes, headers: Mapping[str, str], body: bytes, now_s: float) -> str:
    """The id of a request whose signature is right and recent. Raises Refused."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    for name, value in (("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", given)):
        if not value:
            raise Refused(Reason.MISSING_FIELD, name, "is missing", "this source signs what it posts")
    if not timestamp.isascii() or not timestamp.isdigit():
        raise Refused(Reason.BAD_TIME, "webhook-timestamp", timestamp[:40], "seconds since 1970")
    if abs(int(timestamp[:18]) - now_s) > WINDOW_S:
        raise Refused(Reason.BAD_TIME, "webhook-timestamp", f"more than {WINDOW_S} s from now", "check the clock")
    right = signature(secret, id, timestamp, body).encode()
    # every version and every key of a rotation is one of several, parted by blanks
    if not any(hmac.compare_digest(right, one.encode("utf-8", "replace")) for one in given.split()):
        raise Refused(Reason.WRONG_TYPE, "webhook-signature", "does not fit", "check the secret")
    return id
