"""Cues: what a text says that rules must know at once, decided at the edge as bits; the text itself goes no further.

Three kinds: words of an emergency, a sentence of growing risk, and the six elements of a concrete reply (when on
site, what was found, what was done, what came of it, by when the rest, who follows up). Words are found literally; a
word right behind a negation ("no gas smell", 未发现漏气) does not count, nor does a promise count as a deed (将更换).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntFlag

from connectors.lexicon import EMERGENCIES, REPLIES, RISKS
from connectors.one_of import one_of

LEXICON_VERSION = 1
"""Version of the lexicon; the top four bits of every non-empty text's cues carry it (modulo 16, never 0)."""
VERSION_SHIFT = 28


class Cue(IntFlag):
    """Bits of `cues`. Numbers are stored: never reuse one."""

    GAS = 1 << 0
    FIRE = 1 << 1
    TRAPPED = 1 << 2
    COLLAPSE = 1 << 3
    WATER_RISING = 1 << 4
    ELECTRIC = 1 << 5
    POISON = 1 << 6
    MANHOLE = 1 << 7
    DROWNING = 1 << 8
    RISK = 1 << 9
    ON_SITE = 1 << 16
    FOUND = 1 << 17
    MEASURE = 1 << 18
    RESULT = 1 << 19
    BY_WHEN = 1 << 20
    FOLLOW_UP = 1 << 21


EMERGENCY = 0x1FF
"""Mask of the emergency words: any of these bits sends a signal past every batch and budget."""
ELEMENTS = 0x3F_0000
"""Mask of the six elements of a reply."""

_DEEDS = int(Cue.ON_SITE | Cue.FOUND | Cue.MEASURE | Cue.RESULT)
_NO_CUE = LEXICON_VERSION << VERSION_SHIFT


def cues(text: str) -> int:
    """Bit mask of what `text` says (uint32); 0 for an empty text, else the lexicon's version and the `Cue` bits."""
    if not text:
        return 0
    lower = text.lower()
    found = 0
    for start, bits in _occurrences(lower):
        if found & bits != bits and not _is_denied(lower, start, bits):
            found |= bits
    if found & Cue.ON_SITE and not _MOMENT.search(lower):
        found &= ~Cue.ON_SITE
    if not found & Cue.BY_WHEN and _has_term(lower):
        found |= Cue.BY_WHEN
    return _NO_CUE | found


def elements_of_reply(mask: int) -> int:
    """How many of the six elements of a concrete reply a mask holds, 0 to 6."""
    return (mask & ELEMENTS).bit_count()


def _occurrences(text: str) -> Iterator[tuple[int, int]]:
    """Where a word of the lexicon begins, and its bits."""
    # nearly all positions are dismissed by two characters; the longest word of a pair is tried first
    for match in _HEAD.finditer(text):
        start = match.start()
        for word, bits in _CHINESE.get(text[start : start + 2], ()):
            if text.startswith(word, start):
                yield start, bits
                break
    if _LATIN.search(text):
        for match in _ENGLISH.finditer(text):
            yield match.start(), _BITS[match.group()]


def _is_denied(text: str, start: int, bits: int) -> bool:
    before = text[max(0, start - 24) : start]
    return _DENIED.search(before) is not None or (bool(bits & _DEEDS) and _PROMISED.search(before) is not None)


def _has_term(text: str) -> bool:
    # plain substring tests first: most texts name no term at all
    if ("前" in text or "内" in text) and _TERM.search(text):
        return True
    return ("by " in text or "before " in text or "within " in text or "later " in text) and bool(_TERM_EN.search(text))


def _by_head(words: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    heads: dict[str, list[tuple[str, int]]] = {}
    for word in sorted(words, key=len, reverse=True):
        heads.setdefault(word[:2], []).append((word, _BITS[word]))
    return heads


def _bits() -> Mapping[str, int]:
    words: dict[str, int] = {}
    for group in (EMERGENCIES, RISKS, REPLIES):
        for name, members in group.items():
            for word in members.split("|"):
                words[word] = words.get(word, 0) | Cue[name]
    return words


_BITS = _bits()
_CHINESE = _by_head(word for word in _BITS if not word.isascii())
_HEAD = re.compile(
    f"[{''.join(sorted({pair[0] for pair in _CHINESE}))}](?=[{''.join(sorted({pair[1] for pair in _CHINESE}))}])"
)
_ENGLISH = re.compile(one_of((word for word in _BITS if word.isascii()), bounded=True))
_LATIN = re.compile("[a-z][a-z]")
# only fillers may stand between the negation and the word: 没人管井盖缺失 is no denial, 无人员被困 is one
_DENIED = re.compile(
    r"(?:无|没有?|未|不是|并非|排除|杜绝|防止|避免|谨防|不存在)(?:任何|明显|可燃|继续|再次?|出现|发生|发现|"
    r"检测到|闻到|见|造成|人员?|有人|居民|燃气|了|的){0,3}$"
    r"|\b(?:no|not|without|never|nor|any|isn't|wasn't|aren't|didn't)(?:\s+(?:sign|signs|evidence|of|any|"
    r"active|visible|further|one|longer|a|the|find|detect|smell|been))*\s+$"
)
_PROMISED = re.compile(
    r"(?:将|拟|准备|计划|打算|尽快|争取|尚未|待|需|请|要求|希望|力争)(?:尽快|及时|立即|立刻|进行|安排|派人|"
    r"人员|组织|予以|再|对其|对此){0,3}$"
    r"|\b(?:will|would|shall|to|please|should|must|be|plan|going)(?:\s+(?:be|to|soon|shortly|then|have|get))*\s+$"
)
_MOMENT = re.compile(
    r"[0-9](?:[0-9]?[:：][0-9]{2}|\s?[月日号时点]|[0-9]{3}[-/.][0-9]|/[0-9])|[昨今当][日天晚]|[上下]午|凌晨|"
    r"上周|周[一二三四五六日]"
    r"|\b(?:today|yesterday|this morning|this afternoon|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[. ][0-9]?)\b"
)
_TERM = re.compile(
    r"[0-9月周年本一二三四五六七八九十两个](?:\s?[日号时点月]|[:：]?[0-9]{2}|\s?月底|[月周]|底)?(?:"
    r"(?<=[日号时点月底0-9])(?:之|以)?前|(?<=本[月周])内|\s?(?:工作日|日|天|小时|周|个月|月)(?:之|以)?内|"
    r"(?<=[日天周月])(?:之|以)?内)"
)
_TERM_EN = re.compile(
    r"\b(?:by|before|no later than)\s+(?:[0-9]|next|the end|end|tomorrow|monday|tuesday|wednesday|thursday|friday"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|\bwithin\s+[0-9a-z]+\s+(?:business |working )?(?:day|hour|week|month)"
)
