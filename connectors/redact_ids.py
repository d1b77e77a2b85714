"""Structured identifiers in a text: ID numbers, cards, phones, e-mail, plates, accounts, as spans.

Every finder takes a text in which full-width forms are already plain and earlier finds are blotted out, and yields
(start, end, kind). Digits are bounded: eleven digits inside a longer number are no phone. What a check digit can
prove is proved (GB 11643-1999, Luhn), what only its surroundings can tell needs a word in front (卡号, passport).
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

Span = tuple[int, int, str]
Finder = Callable[[str], Iterator[Span]]

_SEP = r"[ \-–—.·_\u00a0\u2009\u200b-\u200d\u3000\ufeff]"
_GAP = r"[是为：:=\s号码（(#]{0,5}"

_ID = re.compile(rf"[1-9](?<![0-9][1-9])(?:{_SEP}{{0,2}}[0-9]){{16}}{_SEP}{{0,2}}[0-9Xx](?![0-9])")
_ID_NAMED = re.compile(
    rf"(?:身份证|证件|公民身份|ID\s?card|identity (?:card|number)|id number|(?<![A-Za-z])ID)[^0-9，。；,;]{{0,8}}?"
    rf"((?:[0-9]{_SEP}?){{14}}(?:(?:{_SEP}?[0-9]){{2}}{_SEP}?[0-9Xx])?[0-9Xx])(?![0-9])",
    re.I,
)
_CARD = re.compile(rf"[2-9](?<![0-9][2-9])(?:{_SEP}{{0,2}}[0-9]){{14,18}}(?![0-9])")
_CARD_NAMED = re.compile(
    rf"(?:卡号|银行卡|储蓄卡|信用卡|工资卡|社保卡|账号|帐号|账户|帐户|card|account)(?:\s?(?:number|"
    rf"no\.?))?{_GAP}(?:is\s)?"
    rf"([0-9](?:{_SEP}?[0-9]){{7,20}})(?![0-9])",
    re.I,
)
_MOBILE = re.compile(
    rf"(?<![0-9])(?:[(（]?(?:\+|00)?86[)）]?{_SEP}{{0,3}}|0)?(1{_SEP}{{0,3}}[3-9](?:{_SEP}{{0,3}}[0-9]){{9}})(?![0-9])"
    r"(?:(?:\s?(?:转|转接|分机|ext\.?)\s?|-)[0-9]{1,6}(?![0-9]))?"
)
_SPOKEN = re.compile(
    r"[一幺](?<![零〇一二三四五六七八九幺][一幺])[三四五六七八九][零〇一二两三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺])"
)
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z])(?:[(（]?(?:\+|00)?86[)）]?{_SEP}{{0,3}})?[(（]?0(?:10|2[0-9]|"
    rf"[3-9][0-9]{{2}})[)）]?{_SEP}{{0,3}}"
    rf"[2-9][0-9]{{2,3}}{_SEP}?[0-9]{{4}}(?![0-9])(?:(?:\s?(?:转|转接|分机|ext\.?)\s?|-)[0-9]{{1,6}}(?![0-9]))?"
)
_ABROAD = re.compile(rf"\+[1-9](?:[()]?{_SEP}{{0,2}}[()]?[0-9]){{7,14}}(?![0-9])")
_AMERICAN = re.compile(
    r"(?<![0-9.])(?:\+?1[ .\-]{0,2})?(?:\((?!400|800)[2-9][0-9]{2}\)[ .\-]{0,2}|(?!400|800)[2-9][0-9]{2}[ .\-–])"
    r"[2-9][0-9]{2}[ .\-–][0-9]{4}(?![0-9])(?:\s?(?:x|ext\.?)\s?[0-9]{1,6})?"
)
_PHONE_NAMED = re.compile(
    rf"(?:电话|手机|联系方式|座机|固话|致电|传真|(?<![A-Za-z])(?:tel|phone|telephone|mobile|cell|"
    rf"call(?: me)?(?: at)?|fax|whatsapp))"
    rf"(?: number)?(?: is)?[.]?{_GAP}((?!400|800|95)[0-9](?:{_SEP}?[0-9]){{6,13}})(?![0-9])",
    re.I,
)
_SSN = re.compile(r"(?<![0-9\-])(?!000|666|9)[0-9]{3}([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9\-])")
_PAPER = re.compile(
    r"(?:护照|通行证|军官证|士兵证|回乡证|居住证|驾驶证|驾照|社保号|医保号|社会保障号|passport|"
    r"driver'?s? licen[sc]e|social security|(?<![A-Za-z])ssn)"
    rf"(?:\s?(?:number|no\.?))?{_GAP}(?:is\s)?([A-Za-z]{{0,3}}[0-9]{{6,18}}[A-Za-z]?)(?![0-9A-Za-z])",
    re.I,
)
_DOMAIN = re.compile(r"@[ ]?([A-Za-z0-9][A-Za-z0-9\-]{0,62}(?:\.[A-Za-z0-9\-]{1,63}){1,6})")
_LOCAL = re.compile(r"[A-Za-z0-9._%+\-]{1,64} ?$")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}][ ·•・.\-]?[A-Za-z][ "
    rf"·•・.\-]?(?=[A-Za-z]{{0,5}}[0-9])[A-Za-z0-9]{{4,5}}[A-Za-z0-9挂学警港澳领使试超](?![A-Za-z0-9])"
)
_PLATE_OTHER = re.compile(
    r"(?:车牌号?码?|牌照|号牌)[是为：:\s]{0,3}([A-Za-z0-9·\-]{5,9})(?![A-Za-z0-9])"
    r"|\b(?:licen[sc]e|number|reg(?:istration)?)?\s?(?:plates?|tag)(?:\s(?:number|no\.?|is|reads))*[\s:#]{1,3}"
    r"((?=[A-Z0-9 \-]*[0-9])[A-Z0-9]{1,4}[ \-]?[A-Z0-9]{2,4})\b"
    r"|(WJ[ ·]?[0-9京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]{1,2}[ ·]?[0-9]{4}[0-9A-Z])"
)
_WECHAT = re.compile(
    r"(?:微信|薇信|威信|(?<![A-Za-z])(?:we ?chat|vx|wx|v信))(?:\s?id|号码?|"
    r"同号)?([是为：:\s@+]{0,4})([A-Za-z][-_A-Za-z0-9]{4,19})(?![-_A-Za-z0-9])",
    re.I,
)
_QQ = re.compile(r"(?<![A-Za-z])QQ(?:号码?|群)?[是为：:\s]{0,4}([1-9][0-9]{4,11})(?![0-9])", re.I)
_QUERY = re.compile(
    r"https?://[^\s?#<>\"'，。；、）)\u4e00-\u9fff]{1,300}([?#][^\s<>\"'，。；、）)\u4e00-\u9fff]{1,2000})"
)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CARD_SIZES = (
    (re.compile("62|60|6[45]|5[0678]|68|69|81"), range(16, 20)),
    (re.compile("4|5[1-5]"), (16, 19)),
    (re.compile("35[2-8]"), (16,)),
    (re.compile("955|99"), (16, 19)),
)


def is_id_number(number: str) -> bool:
    """Whether 18 characters are an ID number by GB 11643: a real date of birth and the right check character."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not 1900 <= born.year <= 2099:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def is_card_number(number: str) -> bool:
    """Whether digits are a payment card: a known issuer, the length it uses, and the Luhn check."""
    if not any(issuer.match(number) and len(number) in sizes for issuer, sizes in _CARD_SIZES):
        return False
    return _luhn(number)


def id_numbers(text: str) -> Iterator[Span]:
    """ID numbers proved by date and check character, and any of 15 or 18 digits that a word calls one."""
    yield from _proved(_ID, text, "id", lambda found: is_id_number(_bare(found)))
    yield from _grouped(_ID_NAMED, text, "id")


def cards(text: str) -> Iterator[Span]:
    """Payment cards proved by issuer, length and Luhn, and any number that a word calls a card or an account."""
    yield from _proved(_CARD, text, "card", _is_card)
    yield from _grouped(_CARD_NAMED, text, "card")


def phones(text: str) -> Iterator[Span]:
    """Mobile and landline numbers of China, American ones, international ones, and what a word calls a phone."""
    yield from _proved(_MOBILE, text, "phone", _is_mobile)
    for pattern in (_LANDLINE, _ABROAD, _AMERICAN):
        yield from _whole(pattern, text, "phone")
    yield from _grouped(_PHONE_NAMED, text, "phone")


def spoken_phones(text: str) -> Iterator[Span]:
    """Mobile numbers written in Chinese numerals."""
    yield from _whole(_SPOKEN, text, "phone")


def papers(text: str) -> Iterator[Span]:
    """Social-security numbers by shape; passports, permits and licences by the word in front."""
    yield from _whole(_SSN, text, "paper")
    yield from _grouped(_PAPER, text, "paper")


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses; found by the @ and then to the left, so that a long word costs nothing."""
    for match in _DOMAIN.finditer(text):
        local = _LOCAL.search(text, max(0, match.start() - 65), match.start())
        if local is not None:
            yield local.start(), match.end(), "email"


def plates(text: str) -> Iterator[Span]:
    """Vehicle plates, those of new-energy vehicles too; others only after a word that says so."""
    yield from _whole(_PLATE, text, "plate")
    for match in _PLATE_OTHER.finditer(text):
        group = match.lastindex or 0
        if any(char.isdigit() for char in match.group(group)):
            yield *match.span(group), "plate"


def accounts(text: str) -> Iterator[Span]:
    """WeChat and QQ accounts, and what follows the ? or # of a link (tokens travel there)."""
    for match in _WECHAT.finditer(text):
        # 微信小程序Alipay is no account: letters alone need a colon or its like in front
        if match.group(1).strip() or not match.group(2).isalpha():
            yield *match.span(2), "account"
    yield from _grouped(_QQ, text, "account")
    yield from _grouped(_QUERY, text, "query")


def _proved(pattern: re.Pattern[str], text: str, kind: str, holds: Callable[[str], bool]) -> Iterator[Span]:
    """Matches that hold; after one that does not, the search goes on one character later, not behind it."""
    position = 0
    while match := pattern.search(text, position):
        group = 1 if pattern.groups else 0
        if holds(match.group(group)):
            yield match.start(), match.end(), kind
            position = match.end()
        else:
            position = match.start() + 1


def _whole(pattern: re.Pattern[str], text: str, kind: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        yield match.start(), match.end(), kind


def _grouped(pattern: re.Pattern[str], text: str, kind: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        yield match.start(1), match.end(1), kind


def _bare(found: str) -> str:
    return "".join(char for char in found if char.isascii() and char.isalnum())


def _is_card(found: str) -> bool:
    number = _bare(found)
    grouped = re.fullmatch(r"[0-9]{4}([^0-9]+)[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{4}([^0-9]+)[0-9]{6}\2[0-9]{5}", found)
    return is_card_number(number) or (grouped is not None and _luhn(number))


def _is_mobile(found: str) -> bool:
    """Eleven digits in a grouping that people use; 15 30 2024 115 is a time and a date."""
    sizes = [len(group) for group in re.findall("[0-9]+", found)]
    if len(sizes) == 1 or sizes == [1] * 11:
        return True
    marks = {"".join(mark.split()) for mark in re.findall("[^0-9]+", found)}
    return sizes[0] >= 3 and len(sizes) <= 5 and (len(marks) == 1 or sizes == [3, 4, 4])


def _luhn(number: str) -> bool:
    total = sum(map(int, number[-1::-2]))
    for digit in map(int, number[-2::-2]):
        total += 2 * digit - 9 * (digit > 4)
    return total % 10 == 0
