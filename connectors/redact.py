"""Redaction: personal identifiers leave a text before it is stored or turned into features.

Numbers that are known to be something else (work orders, cases) are set aside first, because 9 % of those built from
region, date and sequence pass the check of an ID number. Then what is surest goes first: ID numbers, cards, phones,
papers, e-mail, plates, accounts, doors, and names last, since a phone beside them is evidence. A find is blotted out
in place, so positions stay those of the original. Clean text costs a few searches for single characters.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from string import ascii_letters, digits
from unicodedata import decimal

from connectors.redact_doors import doors, flats
from connectors.redact_english import english_names, may_name_english
from connectors.redact_ids import (
    Finder,
    Span,
    accounts,
    cards,
    emails,
    id_numbers,
    papers,
    phones,
    plates,
    spoken_phones,
)
from connectors.redact_names import PHONE_MARK, chinese_names

KNOWN_NUMBERS = (
    r"(?<!证件)(?<!身份证)(?:工单|案件|受理|投诉|信访|信访件|交办|登记|事件|任务|派单|督办|报修|诉求|服务|"
    r"订单|流水|业务|批次|设备|运单|快递|合同|发票|回执|"
    r"查询|单|案|文|编|(?<!证)件)(?:编号|单号|号码|编码|号)[为是：:\s#＃]{0,4}(?P<number>[A-Za-z]{0,6}[\-0-9]{6,40}[A-Za-z]?)",
    r"(?i:\b(?:case|ticket|incident|work order|reference|ref|order|service request|sr|tracking|complaint|"
    r"request|permit|invoice|serial)"
    r"(?:\s(?:id|number|no\.?|num))?\s?[#:：]{0,2}\s?)(?P<number>#?[A-Z]{0,6}-?[0-9][\-0-9]{5,30})",
)
"""Numbers that stay: those a word calls a work order, a case or their like. A group `number` bounds what is kept."""

PLACEHOLDERS = {
    "id": "[身份证]",
    "card": "[银行卡]",
    "phone": "[电话]",
    "paper": "[证件]",
    "email": "[邮箱]",
    "plate": "[车牌]",
    "account": "[账号]",
    "query": "[参数]",
    "door": "[户]",
    "name": "[姓名]",
}
"""What stands in the text instead, by kind."""

_MARKS = {kind: chr(0xE010 + position) for position, kind in enumerate(PLACEHOLDERS)} | {"phone": PHONE_MARK}
_KEPT = "\ue000"
_PASSES = 6
_PHONE_SHAPE = re.compile(
    r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|[0-9]{3}-[0-9]{3}-[0-9]{4}|[0-9]{3}-[0-9]{4}-[0-9]{4}"
)

_WIDE = re.compile(r"[\dＡ-Ｚａ-ｚ＠．＿＋](?<![0-9])")
_PLAIN_FORMS = {0xFEE0 + ord(char): char for char in ascii_letters + digits + "@._+"}
_SEPARATORS = r" \-–—.·_()（）\u00a0\u2009\u200b-\u200d\u3000\ufeff"

# Each stage begins with a search for one character out of a set, which is what the engine does fastest; most texts pass
# all of them untouched.
_NUMBERS = re.compile(rf"[0-9](?:[{_SEPARATORS}]{{0,3}}[0-9]){{5}}")
_SPOKEN = re.compile("[一幺][三四五六七八九][零〇一二两三四五六七八九幺]{9}")
_PLATES = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼车牌号WPpTt]"
    "(?:[ ·•・.\\-]?[A-Za-z][ ·•・.\\-]?[0-9A-Za-z]{5}|(?<=车)牌|(?<=牌)照|(?<=号)牌|(?<=W)J|(?<=[Pp])late|"
    "(?<=[Tt])ag )"
)
_ACCOUNTS = re.compile(
    "[QqWwVv薇威微Hh](?:(?<=[Qq])[Qq]|(?<=[Ww])(?:[Ee] ?[Cc]|[Xx])|(?<=[Vv])[Xx信]|(?<=[薇威微])信|(?<=[Hh])ttps?:)"
)
_DOORS = re.compile(
    r"[0-9一二三四五六七八九十A-Z组社队区园苑寓舍村院家住址在](?:(?<=[组社队区园苑寓舍村院家住址在])[\s：:在]?[0-9]{1,4}|\s?"
    r"(?:号楼|号院|栋|幢|座|#楼?|楼|弄|号|单元|门洞|号?门)[\s,，\-]{0,2}[0-9一二三四五六七八九零〇幺东西中左右])"
)
_HAN = re.compile("[\u4e00-\u9fff]")
_FLATS = re.compile(r"[AaFfUu#](?:(?<=[Aa])(?:pt|PT|partment)|(?<=[Ff])lat|(?<=[Uu])nit|(?<=#) ?[0-9])")


def _has_email(text: str) -> bool:
    return "@" in text


_STAGES: tuple[tuple[Callable[[str], object], tuple[Finder, ...]], ...] = (
    (_NUMBERS.search, (id_numbers, cards, phones, papers)),
    (_SPOKEN.search, (spoken_phones,)),
    (_has_email, (emails,)),
    (_PLATES.search, (plates,)),
    (_ACCOUNTS.search, (accounts,)),
    (_DOORS.search, (doors,)),
    (_FLATS.search, (flats,)),
    (_HAN.search, (chinese_names,)),
    (may_name_english, (english_names,)),
)


class Redactor:
    """Takes personal identifiers out of texts. `known_number_patterns`: regular expressions of more numbers to keep."""

    def __init__(self, known_number_patterns: Sequence[str] = ()) -> None:
        self._known = [re.compile(pattern) for pattern in (*known_number_patterns, *KNOWN_NUMBERS)]
        self._trusted = len(known_number_patterns)

    def redact(self, text: str) -> str:
        """`text` with a placeholder for every identifier; redacting again changes nothing."""
        return self.redact_counted(text)[0]

    def redact_counted(self, text: str) -> tuple[str, Counter[str]]:
        """`text` with placeholders, and how many identifiers of each kind were taken out."""
        counts: Counter[str] = Counter()
        # what a placeholder leaves behind can complete the context of another name, hence more than one pass
        for _ in range(_PASSES):
            spans = self._spans(text)
            if not spans:
                break
            text = _replaced(text, spans, counts)
        return text, counts

    def _spans(self, text: str) -> list[Span]:
        work = text.translate(_plain_forms(text)) if _WIDE.search(text) else text
        spans: list[Span] = []
        for suspects, finders in _STAGES:
            if not suspects(work):
                continue
            if finders[0] is id_numbers:
                work = self._set_aside(work)
            for find in finders:
                if found := list(find(work)):
                    work = _blotted(work, [(start, end, _MARKS[kind]) for start, end, kind in found])
                    spans += found
        return spans

    def _set_aside(self, work: str) -> str:
        for position, pattern in enumerate(self._known):
            group: str | int = "number" if "number" in pattern.groupindex else 0
            spans = [match.span(group) for match in pattern.finditer(work)]
            if position >= self._trusted:
                # the general words must not shelter what is plainly a phone; a site's own pattern is trusted
                spans = [span for span in spans if not _PHONE_SHAPE.fullmatch(work, *span)]
            if spans:
                work = _blotted(work, [(start, end, _KEPT) for start, end in spans])
        return work


def _blotted(work: str, spans: list[tuple[int, int, str]]) -> str:
    """`work` with each span filled by its mark, in one pass, so that a long text with many finds stays linear."""
    pieces: list[str] = []
    position = 0
    for start, end, mark in sorted(spans):
        start = max(start, position)
        if start < end:
            pieces += (work[position:start], mark * (end - start))
            position = end
    pieces.append(work[position:])
    return "".join(pieces)


def _plain_forms(text: str) -> dict[int, str]:
    """Plain forms of full-width characters, and of any other decimal digit that occurs in `text`."""
    others = {ord(char): str(decimal(char)) for char in set(text) if not char.isascii() and char.isdecimal()}
    return _PLAIN_FORMS | others


def _replaced(text: str, spans: list[Span], counts: Counter[str]) -> str:
    """`text` with one placeholder for each run of overlapping spans; the kind is that of the first."""
    pieces: list[str] = []
    position = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= position:
            pieces += (text[position:start], PLACEHOLDERS[kind])
            counts[kind] += 1
        position = max(position, end)
    pieces.append(text[position:])
    return "".join(pieces)
