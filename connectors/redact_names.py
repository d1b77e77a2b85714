"""Chinese personal names, found by what stands around them: a title, a role, "my name is", a phone, a verb of speech.

No dictionary can tell 高度 from 高渡, so the context decides how much proof the characters must give: behind 姓名：
nearly any, behind 业主 a common surname with a common given name and a word that may follow a name.
"""

import re
from collections.abc import Iterator

from connectors.one_of import one_of
from connectors.redact_ids import Span
from connectors.surnames import BOLD, BREAKS, COMMON, COMPOUND, GIVEN, NEVER_GIVEN, NOT_NAMES, SHY, SURNAMES, TAILS

PHONE_MARK = "\ue001"
"""What earlier finders leave in place of a phone number, character by character."""

_HAN = "\u4e00-\u9fff"
_TITLES = (
    "先生|女士|小姐|太太|夫人|师傅|大爷|大妈|大娘|大姐|大哥|大叔|大婶|大嫂|大伯|阿姨|奶奶|爷爷|叔叔|伯伯|婶婶|"
    "老伯|老太|老汉|同志|老师|医生|大夫|护士|"
    "律师|老板|经理|主任|局长|科长|所长|队长|书记|院长|校长|站长|镇长|乡长|村长|处长|部长|厂长|教授|警官|法官|"
    "会计|工程师|网格员|姓"
)
_TITLE = re.compile(one_of(_TITLES.split("|")))
_INTRODUCTIONS = (
    "我叫|我的名字叫|我是|名叫|名为|叫做|叫作|姓名|名字|本人|联系人|联络人|收件人|收货人|申请人|反映人|投诉人|"
    "来电人|来访人|诉求人|求助人|举报人|信访人|"
    "报修人|报警人|报案人|当事人|经办人|代理人|负责人|法定代表人|法人代表|法人|监护人|委托人|受托人|承租人|"
    "出租人|产权人|持卡人|户主|房主|患者|死者|伤者|受害人|伤员|签名|署名|落款|"
    "被告|原告|嫌疑人|证人"
)
_INTRODUCED = re.compile(rf"(?:{one_of(_INTRODUCTIONS.split('|'))})(?:姓名|名字)?([是为叫系：:\s（(\"“]{{0,3}})")
_ROLES = (
    "业主|居民|村民|市民|群众|租户|住户|租客|邻居|房东|老板|店主|摊主|车主|司机|工人|职工|员工|网友|乘客|顾客|"
    "消费者|家长|学生|同学|孩子|儿子|女儿|丈夫|妻子|"
    "父亲|母亲|老公|老婆|爱人|哥哥|弟弟|姐姐|妹妹|爷爷|奶奶|外公|外婆|老人|病人|工友|包工头|老乡|朋友|亲属|"
    "家属|保安|保洁|网格员|楼长|组长|书记|主任|经理|客户|用户|"
    "村医|教师|老师|医生|人员|干部|民警|队长|院长|校长|找到|联系|名为|告知|通知|转告|起诉|状告|叫"
)
_ROLE = re.compile(one_of(_ROLES.split("|")))
_FOLLOW = (
    r"\Z|[^\u4e00-\u9fff]|反映|来电|来信|来访|投诉|举报|咨询|求助|诉|称|说|表示|报修|报案|报警|住|家|的|在|和|"
    r"与|及|向|于|因|被|将|已|现|要求|要|希望|身份|等|电话|手机|"
    r"联系|本人|先生|女士|同志|是|从|到|自|购|欠|拖|提|把|给|对|为|多次|一直|今年|去年|认为|申请|未|没|不|也|"
    r"都|有|名下|夫妇|两|一家|一户|巡查|上门|拖欠|去|来|今|昨|给|做|不"
)
_FOLLOWS = re.compile(_FOLLOW)
_SPEAKS = re.compile(
    r"\Z|[^\u4e00-\u9fff]|反映|来电|来信|来访|投诉|举报|咨询|求助|诉|称|说|表示|报修|报案|报警|的|在|电话|"
    r"手机|先生|女士|拖欠|欠|要求|巡查|上门|不接|今年|今日|昨|家|住|名下|没|被"
)
_VERBS = (
    r"反映|来电|来信|来访|投诉|举报|咨询|求助|诉称|诉求|称|表示|报修|报案|报警|上访|信访|申请|要求|告知|本人|"
    r"[，,（(]\s?(?:男|女|身份|电话|手机|联系|住|家住)"
)
_SURNAME_SET = "".join(sorted(SURNAMES - SHY | BOLD))
_GIVEN_SET = "".join(sorted(GIVEN))
_COMPOUNDS = "|".join(sorted(COMPOUND))
_CLAUSE = re.compile(
    rf"[{_SURNAME_SET}](?:(?<![{_HAN}].)(?:[{_GIVEN_SET}]{{1,2}}|[{_HAN}]{{2}})(?=(?:{_VERBS}))|"
    rf"(?<=[。！!；;\n\s：:].)[{_GIVEN_SET}]{{2}}(?=\s*\Z)"
    r"|某[某甲乙]?(?![日天时处些个种地月年次段类程小])|[*＊×○]{1,2}(?![*＊×○])|[xXＸ]{1,2}(?![A-Za-z0-9]))"
)
_CLAUSE_LONG = re.compile(rf"(?:{_COMPOUNDS})(?:某某?|[{_GIVEN_SET}]{{1,2}}(?={_VERBS}|先生|女士|在|说|家))")
_DOTTED = re.compile(rf"[{_HAN}]{{1,8}}(?:[·•・][{_HAN}]{{1,8}}){{1,3}}")
_NEAR_PHONE = re.compile(
    rf"(?:的?(?:联系)?(?:电话|手机号?码?|手机|号码|方式))?[是为：:，,、\s（(]{{0,3}}{PHONE_MARK}+[）)]?"
)
_AFTER_PHONE = re.compile(rf"{PHONE_MARK}[，,、\s（(]{{0,2}}(?:联系人|姓名)?[：:]?")
_AFTER_NAME = re.compile(r"\Z|[^\u4e00-\u9fff]|反映|收|先生|女士|家")


def chinese_names(text: str) -> Iterator[Span]:
    """Spans of names, title and role left outside; overlapping finds are possible."""
    for match in _TITLE.finditer(text):
        start = match.start()
        if match.group() == "姓":
            yield from _surname_told(text, start)
        elif size := _size_before(text, start):
            yield start - size, start, "name"
    for match in _INTRODUCED.finditer(text):
        size = _size_introduced(
            text, match.end(), has_mark=bool(match.group(1).strip()) and not match.group().startswith("我是")
        )
        if size:
            yield match.end(), match.end() + size, "name"
    for match in _ROLE.finditer(text):
        if size := _size_proved(text, match.end()):
            yield match.end(), match.end() + size, "name"
    for pattern in (_CLAUSE, _CLAUSE_LONG):
        for match in pattern.finditer(text):
            start, end = match.span()
            if text[start : start + 2] in NOT_NAMES or text[max(0, start - 1) : start + 1] in TAILS:
                continue
            # a clause may begin with a rare given name if the surname is common: 张戎梅来电
            if pattern is _CLAUSE_LONG or _is_clause_name(text, start, end):
                yield start, end, "name"
    if PHONE_MARK in text:
        yield from _beside_phones(text)


def _is_clause_name(text: str, start: int, end: int) -> bool:
    given = text[start + 1 : end]
    if given[0] in "某*＊×○xXＸ" or all(char in GIVEN for char in given):
        return True
    return text[start] in COMMON and _may_be_all_given(text, start + 1, end)


def _surname_told(text: str, at: int) -> Iterator[Span]:
    """我姓王, 免贵姓欧阳; not 老百姓, 姓名, 姓氏."""
    if text[at - 1 : at] == "百":
        return
    if text[at + 1 : at + 3] in COMPOUND:
        yield at + 1, at + 3, "name"
    elif text[at + 1 : at + 2] in SURNAMES and text[at + 1 : at + 3] not in NOT_NAMES:
        yield at + 1, at + 2, "name"


def _size_introduced(text: str, start: int, *, has_mark: bool) -> int:
    """Length of the name that an introduction promises at `start`, else 0."""
    dotted = _DOTTED.match(text, start)
    if dotted is not None:
        return dotted.end() - start
    if text[start : start + 1] in COMMON and text[start + 1 : start + 2] in ("氏", "某"):
        return 2
    if has_mark:
        return _size_loose(text, start)
    return _size_proved(text, start) or (_size_loose(text, start) if text[start : start + 1] in COMMON else 0)


def _family(text: str, start: int) -> int:
    """How many characters the surname at `start` has: 0 where there is none."""
    if text[start : start + 2] in COMPOUND:
        return 2
    return int(text[start : start + 1] in SURNAMES and text[start : start + 2] not in NOT_NAMES)


def _size_loose(text: str, start: int) -> int:
    """Surname and one or two characters that are not plainly something else."""
    family = _family(text, start)
    if not family or (text[start] in SHY and text[start + 1 : start + 2] not in GIVEN):
        return 0
    first = start + family
    if not _may_be_given(text, first):
        return 0
    return family + 1 + _may_be_given(text, first + 1)


def _size_proved(text: str, start: int) -> int:
    """Surname and given characters that fit it, with a word behind that may follow a name."""
    family = _family(text, start)
    if not family or (text[start] in SHY and text[start + 1 : start + 2] in COMMON):
        return 0
    for given in (2, 1):
        first, end = start + family, start + family + given
        if end <= len(text) and _is_given(text, first, end) and _FOLLOWS.match(text, end):
            # 业主安全的: two plain characters prove less than three; a shy surname needs both
            return 0 if given == 1 and text[start] in SHY else family + given
    # a rare given name passes beside a common surname where a verb of speech or an end follows
    for given in (2, 1):
        first, end = start + family, start + family + given
        if (
            text[start] in COMMON
            and end <= len(text)
            and _SPEAKS.match(text, end)
            and _may_be_all_given(text, first, end)
        ):
            return family + given
    return 0


def _may_be_all_given(text: str, first: int, end: int) -> bool:
    known = sum(char in GIVEN for char in text[first:end])
    return known >= end - first - 1 and all(_may_be_given(text, at) for at in range(first, end))


def _is_given(text: str, start: int, end: int) -> bool:
    return all(char in GIVEN for char in text[start:end]) and text[start : start + 2] not in BREAKS


def _may_be_given(text: str, at: int) -> bool:
    char = text[at : at + 1]
    if char not in GIVEN and (char in NEVER_GIVEN or not "\u4e00" <= char <= "\u9fff"):
        return False
    return text[at : at + 2] not in BREAKS


def _size_before(text: str, end: int) -> int:
    """Length of the name that ends where a title begins, else 0; the longest that holds, then the bare surname."""
    for size in (4, 3, 2):
        start = end - size
        if start < 0:
            continue
        family = _family(text, start)
        if not family or size - family not in (1, 2) or text[max(0, start - 1) : start + 1] in TAILS:
            continue
        if not all(char in GIVEN for char in text[start + family : end]) or text[end - 2 : end] in TAILS:
            continue
        if family == 1 and text[start] in SHY and text[start + 1] in COMMON:
            continue
        return size
    if text[max(0, end - 2) : end] in COMPOUND:
        return 2
    last = text[end - 1 : end] if end else ""
    if last in SURNAMES and text[max(0, end - 2) : end] not in TAILS and not _ends_word(text, end):
        # 方先生 yes, 向老师反映 no: a surname that is a preposition needs one of the polite titles
        return int(last not in SHY or last in BOLD or text[end : end + 2] in _POLITE)
    return _size_rare(text, end)


def _size_rare(text: str, end: int) -> int:
    """A rarer given name counts where a clause begins right before the surname, or 先生 and 女士 follow."""
    is_polite = text[end : end + 2] in _POLITE
    for size in (3, 2):
        start = end - size
        if start < 0 or text[start] not in COMMON:
            continue
        if is_polite or start == 0 or not "\u4e00" <= text[start - 1] <= "\u9fff":
            given = text[start + 1 : end]
            if text[start : start + 2] not in NOT_NAMES and all(
                "\u4e00" <= char <= "\u9fff" and char not in NEVER_GIVEN for char in given
            ):
                return size
    return 0


_POLITE = ("先生", "女士", "小姐")


def _ends_word(text: str, end: int) -> bool:
    return text[max(0, end - 2) : end] in NOT_NAMES


def _beside_phones(text: str) -> Iterator[Span]:
    """A name right before or behind a phone number."""
    for match in _NEAR_PHONE.finditer(text):
        end = match.start()
        size = _size_before(text, end)
        if size > 1:
            yield end - size, end, "name"
    for match in _AFTER_PHONE.finditer(text):
        start = match.end()
        family = _family(text, start)
        for given in (2, 1):
            end = start + family + given
            if family and end <= len(text) and _is_given(text, start + family, end) and _AFTER_NAME.match(text, end):
                yield start, end, "name"
                break
