"""Redaction: identifiers never survive, harmless text is left alone."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.redact import PLACEHOLDERS, Redactor

R = Redactor()


def id_number(rng: random.Random) -> str:
    """A valid GB 11643 number that belongs to nobody we know: region, date and sequence drawn at random."""
    born = f"{rng.randrange(1940, 2012)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    body = f"{rng.choice(('110105', '330106', '440305', '610113', '510104'))}{born}{rng.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


def card_number(rng: random.Random) -> str:
    prefix, size = rng.choice(
        (("622202", 19), ("621700", 19), ("6228", 18), ("4367", 16), ("5187", 16), ("955880", 19))
    )
    body = prefix + "".join(str(rng.randrange(10)) for _ in range(size - len(prefix) - 1))
    odd = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-1][::2])
    return body + str(-(odd + sum(map(int, body[::-1][1::2]))) % 10)


def mobile(rng: random.Random) -> str:
    return f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09d}"


def plate(rng: random.Random) -> str:
    tail = "".join(rng.choice("ABCDEFGHJK0123456789") for _ in range(4)) + str(rng.randrange(10))
    green = rng.choice(("", rng.choice("DF")))
    return rng.choice("京沪浙苏粤川鲁") + rng.choice("ABCDEFGH") + green + tail


def email(rng: random.Random) -> str:
    return (
        f"{rng.choice(('li.wei', 'zhao_88', 'a1'))}{rng.randrange(1000)}@{rng.choice(('qq.com', 'mail.example.org'))}"
    )


MAKERS = {"id": id_number, "card": card_number, "phone": mobile, "plate": plate, "email": email}
FRAMES = (
    "{}",
    "身份信息{}，请核实。",
    "反映暖气不热（{}）",
    "昨晚十点以后，{}。一直没有人来",
    "please reach me: {} thanks",
    "记录如下：{}；3号楼漏水",
)


@pytest.mark.parametrize("kind", MAKERS)
def test_999_of_1000_structured_identifiers_are_found(kind: str) -> None:
    rng = random.Random(11)
    numbers = [MAKERS[kind](rng) for _ in range(3000)]
    missed = [number for number in numbers if number in R.redact(rng.choice(FRAMES).format(number))]
    assert len(missed) <= 3, missed


def spaced(number: str, rng: random.Random) -> str:
    mark = rng.choice((" ", "-"))
    cuts = {11: (3, 7), 18: (6, 14), 19: (4, 8, 12, 16), 16: (4, 8, 12)}[len(number)]
    return mark.join(number[start:end] for start, end in zip((0, *cuts), (*cuts, None), strict=True))


@pytest.mark.parametrize("kind", ["id", "card", "phone"])
def test_spaces_and_full_width_digits_hide_nothing(kind: str) -> None:
    rng = random.Random(12)
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for _ in range(300):
        number = MAKERS[kind](rng)
        for shape in (spaced(number, rng), number.translate(wide), " ".join(number)):
            assert PLACEHOLDERS[kind] in R.redact(f"号码是{shape}，谢谢"), shape


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("电话+86 138-0013-8000打不通", "电话[电话]打不通"),
        ("请打0571-88886666转801", "请打[电话]"),
        ("座机88886666没人接", "座机[电话]没人接"),
        ("(0571)88886666", "[电话]"),
        ("一三八零零一三八零零零是我的", "[电话]是我的"),
        ("call me at 617-555-0123 or (617) 555-0124", "call me at [电话] or [电话]"),
        ("my number is +44 20 7946 0958", "my number is [电话]"),
        ("SSN 078-05-1120", "SSN [证件]"),
        ("护照号E12345678", "护照号[证件]"),
        ("微信号：wang_88，QQ：12345678", "微信号：[账号]，QQ：[账号]"),
        ("见https://example.org/a?token=abc123", "见https://example.org/a[参数]"),
        ("住在3号楼2单元501室", "住在[户]"),
        ("栎园小区12栋1203室漏水", "栎园小区[户]漏水"),
        ("三号楼二单元五零一室", "[户]"),
        ("I live at 12 Main Street, Apt 4B", "I live at 12 Main Street, [户]"),
        ("沪AD12345占道", "[车牌]占道"),
        ("京A·12345占道", "[车牌]占道"),
    ],
)
def test_identifiers_in_the_forms_that_people_write(text: str, clean: str) -> None:
    assert R.redact(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("我叫王芳，楼道没灯", "我叫[姓名]，楼道没灯"),
        ("业主李明反映电梯坏了", "业主[姓名]反映电梯坏了"),
        ("张先生、欧阳女士来电", "[姓名]先生、[姓名]女士来电"),
        ("联系人：赵铁柱，白天在家", "联系人：[姓名]，白天在家"),
        ("陈建军投诉工地夜间施工", "[姓名]投诉工地夜间施工"),
        ("请回电刘丽13912345678", "请回电[姓名][电话]"),
        ("13912345678（周杰）", "[电话]（[姓名]）"),
        ("王某某在楼道堆物", "[姓名]在楼道堆物"),
        ("免贵姓孙", "免贵姓[姓名]"),
        ("孙秀英，女，62岁，反映停水", "[姓名]，女，62岁，反映停水"),
        ("My name is John Smith, the light is out", "My name is [姓名], the light is out"),
        ("Contact: Mary O'Brien", "Contact: [姓名]"),
        ("Mrs. de la Cruz called", "Mrs. [姓名] called"),
        ("Mr. Jean-Luc Picard called", "Mr. [姓名] called"),
        ("I'm Wei Zhang, living upstairs", "I'm [姓名], living upstairs"),
        ("联系人 Peter Brown", "联系人 [姓名]"),
    ],
)
def test_names_are_found_by_what_stands_around_them(text: str, clean: str) -> None:
    assert R.redact(text) == clean


SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    *"伟芳敏静丽强磊军洋勇明",
    *re.findall("..", "建国秀英桂兰志强海燕晓东文博雨涵子轩玉梅国庆淑华俊杰佳怡浩然欣怡红梅"),
)
NAME_FRAMES = (
    "您好，我叫{}，想问供暖的事",
    "来电人{}称小区停水",
    "{}女士反映路灯不亮",
    "居民{}投诉楼下烧烤",
    "户主：{}，桥西安置区",
    "包工头{}拖欠工钱",
    "已联系{}，其表示满意",
    "{}先生要求回访",
    "我母亲{}的医保没报销",
    "请找{}，13812345678",
)


def test_95_of_100_names_are_found_in_ordinary_sentences() -> None:
    rng = random.Random(13)
    total = missed = 0
    for frame in NAME_FRAMES:
        for _ in range(100):
            name = rng.choice(SURNAMES) + rng.choice(GIVEN)
            total += 1
            missed += name in R.redact(frame.format(name))
    assert missed <= 0.05 * total


HARMLESS = (
    "工单号：202401150000123456，请尽快办理",
    "案件编号 330106202401150123 已由城管局在办",
    "Ticket INC0012345678 was reopened, case number 101000295613",
    "2024-01-15 10:30至2024-01-16 18:00停水",
    "热线12345，客服400-800-1234，报警110",
    "业主高度重视，居民常年受扰，施工单位拒不整改",
    "向老师反映没有结果，位于河东的路灯不亮",
    "项目经理不在场，居委会主任已到现场",
    "任何单位不得占用消防通道，安全出口上了锁",
    "对方女士很客气，各位同志辛苦",
    "3号楼东侧井盖破损，2单元楼道没灯",
    "水费253.6元，滞纳金12元，共计265.6元",
    "经核查，查明雨污管道堵塞约4米，已疏通检查井2座",
    "于11月26日17:30前反馈，由排水管理所牵头负责",
    "We need a new light at Main Street and Park Road",
    "The resident on Elm Street reports a Pothole",
    "Thanks, please fix this soon",
    "长度为 12 米，宽 3.5 米，面积 1200 平方米",
    "门牌12号到18号之间的路段积水",
    "设备编号 SN202311280001 无读数",
    "我是望汀街道栎园小区的住户",
    "孩子成绩下降，老人高血压",
    "金额共 13800 元",
    "15 30 2024 115",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert R.redact(text) == text


def test_eleven_digits_inside_a_longer_number_are_no_phone() -> None:
    rng = random.Random(14)
    numbers = [f"2024{rng.randrange(10**14):014d}" for _ in range(2000)]
    altered = [number for number in numbers if R.redact(f"关于{number}的来文") != f"关于{number}的来文"]
    assert len(altered) <= 20


def test_known_number_patterns_of_a_site_come_first() -> None:
    number = "330106199001011234"
    valid = next(number[:17] + last for last in "0123456789X" if "[身份证]" in R.redact(number[:17] + last))
    site = Redactor([r"(?<![0-9])330106[0-9]{11}[0-9X](?![0-9])"])
    assert site.redact(f"与{valid}重复") == f"与{valid}重复"
    assert R.redact(f"与{valid}重复") == "与[身份证]重复"


def test_an_order_number_that_is_a_phone_is_still_a_phone() -> None:
    assert R.redact("订单号13800138000") == "订单号[电话]"


def test_finds_are_counted_by_kind() -> None:
    text, counts = R.redact_counted("我叫王芳，13800138000，13900139000")
    assert text == "我叫[姓名]，[电话]，[电话]"
    assert counts == {"name": 1, "phone": 2}


NEAR = st.text(st.sampled_from("我住在楼 ,，。:：()-王李张先生abcAB@./\n有漏水#号"), max_size=12)


@given(NEAR, st.sampled_from(sorted(MAKERS)), st.integers(0, 10**6), NEAR)
def test_an_identifier_never_survives_whatever_stands_around_it(before: str, kind: str, seed: int, after: str) -> None:
    number = MAKERS[kind](random.Random(seed))
    # a letter that touches a plate or an e-mail makes it another word
    assert number not in R.redact(f"{before} {number} {after}")


@given(st.lists(st.one_of(NEAR, st.sampled_from(HARMLESS + NAME_FRAMES), st.integers(0, 10**18).map(str)), max_size=5))
def test_redacting_again_changes_nothing(parts: list[str]) -> None:
    once = R.redact("".join(parts))
    assert R.redact(once) == once


@given(st.text(max_size=300))
def test_any_text_at_all_can_be_redacted(text: str) -> None:
    assert isinstance(R.redact(text), str)
