"""Doors: what points at one household (3号楼2单元501室, Apt 4B). Building and street stay where they stand alone."""

import re
from collections.abc import Iterator

from connectors.redact_ids import Span

_N = r"(?:[0-9]{1,4}|[一二三四五六七八九十百]{1,3}|[A-Za-z][0-9]?)"
_BLOCK = rf"{_N}\s?(?:号楼|号院|栋|幢|座|#楼|＃楼|#|楼|弄|号)"
_UNIT = rf"{_N}\s?(?:单元|门洞|号门|门(?=[0-9]))"
_ROOM = r"(?:[0-9]{3,4}|[一二三四五六七八九十零〇幺]{3,4})"
_SUFFIX = r"(?:室|号房|房间|房|户)"
_FLOOR = r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\s?[层楼]"
_HOME = "小区|花园|苑|园|里|坊|庭|府|寓|宿舍|新村|村|家属院|大院|湾|居|城|区"

_DOOR = re.compile(
    rf"(?:{_BLOCK}[\s,，\-]?)?{_UNIT}[\s,，\-]?(?:{_FLOOR}[\s\-]?)?(?:{_ROOM}{_SUFFIX}?|[0-9]{{1,2}}{_SUFFIX}|"
    rf"[东西中左右][边侧]?户)(?![0-9])"
    rf"|{_BLOCK}[\s,，\-]?(?:{_FLOOR}[\s\-]?)?{_ROOM}\s?{_SUFFIX}"
    rf"|(?:[0-9]{{1,3}}|[A-Za-z][0-9]?)(?:号楼|栋|幢|座|#楼?)[\s\-]?[1-9][0-9]{{2,3}}(?![0-9年元米个块万度吨户%])"
    rf"|(?<=[组社队])[0-9]{{1,4}}号(?![楼院线路])"
)
_TRIPLE = re.compile(
    rf"(?:{_HOME}|住|家|址)[在：:\s]?((?<![0-9\-])[0-9]{{1,3}}-[0-9]{{1,2}}-[1-9][0-9]{{2,3}})(?![0-9\-])"
)
_BARE = re.compile(
    r"(?:小区|花园|苑|公寓|宿舍|新村|家属院|我家(?:住|在|住在)?|家住|住在?)\s?([0-9]{3,4}\s?(?:室|房(?!间数)|"
    r"户)?)(?![0-9年元米个块万度吨路天多])"
)
_FLAT = re.compile(
    r"\b(?:apt|apartment|flat)\b\.?\s{0,2}(?:no\.?|number|#)?\s{0,2}[A-Za-z]?-?[0-9]{1,5}[A-Za-z]?\b"
    r"|\b(?:Apt|Apartment|APT)\.?\s[A-Z]\b"
    r"|(?<=[a-z.,])\s(?:unit|#)\s?[A-Za-z]?-?[0-9]{1,5}[A-Za-z]?\b",
    re.I,
)
_STREET = re.compile(
    r"\b(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|ct|court|pl|place|way|ter|terrace|pkwy|sq|"
    r"square)\.?,?\s{0,2}$",
    re.I,
)


def doors(text: str) -> Iterator[Span]:
    """Household doors in Chinese addresses."""
    for match in _DOOR.finditer(text):
        yield match.start(), match.end(), "door"
    for pattern in (_TRIPLE, _BARE):
        for match in pattern.finditer(text):
            yield match.start(1), match.end(1), "door"


def flats(text: str) -> Iterator[Span]:
    """Apartments and flats in English addresses; "unit 5" and "#5" only behind a street."""
    for match in _FLAT.finditer(text):
        if match.group().lstrip()[:1].lower() in "u#" and not _STREET.search(
            text, max(0, match.start() - 12), match.start()
        ):
            continue
        yield match.start(), match.end(), "door"
