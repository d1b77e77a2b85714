"""What is refused because of its purpose: pictures and sound anywhere, and from cameras all but hazard events.

A refused record leaves its reason, size and hash behind, never its content.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from pipeline.errors import Reason, Refused

Intake = Literal["matters", "hazards", "readings", "counts"]

HAZARD_KINDS = frozenset({"fire", "smoke", "water_level", "gas", "blocked_exit", "device_fault"})
"""The events a camera or gateway may report."""
KIND_FIELDS = ("kind", "event", "event_type", "type", "alarm_type")
"""Fields that may name the kind of an event; the first one present counts."""

_WORDS = (
    "image images img photo photos picture pictures snapshot snapshots thumbnail video videos clip clips "
    "stream audio voice face faces faceprint biometric biometrics fingerprint iris gait voiceprint plate "
    "plates licenseplate track tracks trajectory trajectories path person persons people pedestrian "
    "pedestrians identity gender sex age child children minor minors loitering gathering gatherings crowd "
    "crowds health diagnosis disease medical temperature_of_body accusation accused suspect suspects crime "
    "blacklist watchlist whitelist"
)
_REFUSED_WORDS = frozenset(_WORDS.split())
_REFUSED_PARTS = re.compile(
    "图片|图像|照片|抓拍|视频|录像|音频|录音|人脸|面部|指纹|虹膜|步态|声纹|车牌|号牌|轨迹|行踪|人员|行人|徘徊|"
    "聚集|人群|儿童|未成年|健康|病历|疾病|诊断|体温|嫌疑|违法人|黑名单|布控"
)
SHORT_TEXT = 64
"""Characters below which a text cannot carry media, only name its type."""
_TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_MEDIA_TYPE = re.compile(r"(?:image|video|audio)/[a-z0-9.+\-]{2,40}", re.I)
_DATA_LINK = re.compile(r"data:[a-z]+/[a-z0-9.+\-]{2,40};base64,", re.I)
# the first bytes of JPEG, PNG, GIF, RIFF, BMP, MP4 and WebM in base64
_MEDIA_START = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "AAAAGGZ0eX", "AAAAIGZ0eX", "AAAAHGZ0eX", "GkXfo")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]{256,}={0,2}\s*")
_MAX_DEPTH = 32


def purpose_refusal(fields: Mapping[str, object], intake: Intake) -> Refused | None:
    """Why `fields` may not come in at all, or None.

    Every intake refuses pictures, video and sound by their content. `hazards` refuses by field name too (faces,
    plates, tracks, persons, health, accusations), wherever it is nested, and every kind outside `HAZARD_KINDS`.
    """
    is_camera = intake == "hazards"
    for name, value in _leaves(fields, "", 0):
        if is_camera and _is_refused_name(name):
            return _refusal(name, "hazard events carry no such field", "send kind, place, time and device only")
        if isinstance(value, bytes | bytearray) or (isinstance(value, str) and holds_media(value)):
            return _refusal(name, "a picture, video or sound", "send no media, not even encoded")
    if is_camera:
        kind = next((fields[name] for name in KIND_FIELDS if name in fields), None)
        if kind not in HAZARD_KINDS:
            return _refusal(
                KIND_FIELDS[0], "not a hazard event", f"only {', '.join(sorted(HAZARD_KINDS))} are taken in"
            )
    return None


def holds_media(text: str) -> bool:
    """Whether a text is, or carries, encoded media: a data link, a media type, or base64 that begins like a picture."""
    if len(text) < SHORT_TEXT:
        return _MEDIA_TYPE.fullmatch(text) is not None
    if _DATA_LINK.search(text):
        return True
    head = text.lstrip()[:256]
    return len(text) >= 256 and head.startswith(_MEDIA_START) and _BASE64.fullmatch(text) is not None


def _leaves(value: object, name: str, depth: int) -> Iterator[tuple[str, object]]:
    """Every field with its dotted name, containers included, so that an empty `faces: []` is seen."""
    if depth and not isinstance(value, list):
        yield name, value
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        yield name, None
        for inner in value:
            yield from _leaves(inner, name, depth + 1)


def _is_refused_name(name: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    tokens = {token.lower() for token in _TOKENS.findall(last)}
    return not tokens.isdisjoint(_REFUSED_WORDS) or last.lower() in _REFUSED_WORDS or bool(_REFUSED_PARTS.search(last))


def _refusal(name: str, detail: str, remedy: str) -> Refused:
    return Refused(Reason.REFUSED_PURPOSE, name, detail, remedy)
