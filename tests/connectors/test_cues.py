"""Cues: emergencies, risk and the elements of a reply, found in texts and not in their denials."""

import pytest

from connectors.cues import ELEMENTS, EMERGENCY, LEXICON_VERSION, VERSION_SHIFT, Cue, cues, elements_of_reply


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("楼道里有很重的燃气异味", Cue.GAS),
        ("厨房漏气了", Cue.GAS),
        ("配电箱冒烟", Cue.FIRE),
        ("仓库着火", Cue.FIRE),
        ("后厨爆炸", Cue.FIRE),
        ("老人被困电梯", Cue.TRAPPED),
        ("围墙坍塌", Cue.COLLAPSE),
        ("路面塌陷", Cue.COLLAPSE),
        ("墙体裂缝扩大", Cue.COLLAPSE),
        ("河里水位上涨很快", Cue.WATER_RISING),
        ("路灯杆漏电", Cue.ELECTRIC),
        ("有人触电", Cue.ELECTRIC),
        ("聚餐后多人中毒", Cue.POISON),
        ("危化品泄漏", Cue.POISON),
        ("路口井盖缺失", Cue.MANHOLE),
        ("孩子溺水", Cue.DROWNING),
        ("Strong GAS SMELL in the hallway", Cue.GAS),
        ("the house is on fire", Cue.FIRE),
        ("two people are trapped in the lift", Cue.TRAPPED),
        ("downed wires across the road", Cue.ELECTRIC),
        ("manhole cover missing", Cue.MANHOLE),
    ],
)
def test_emergency_words_set_their_bit(text: str, cue: Cue) -> None:
    assert cues(text) & EMERGENCY == cue


@pytest.mark.parametrize(
    "text",
    [
        "经检测无漏气",
        "未发现燃气泄漏",
        "现场没有冒烟",
        "无人员被困",
        "排除漏电",
        "防止触电",
        "no gas leak",
        "no sign of smoke from the roof",
    ],
)
def test_a_denied_emergency_is_none(text: str) -> None:
    assert not cues(text) & EMERGENCY


def test_a_negation_elsewhere_denies_nothing() -> None:
    assert cues("没人管，井盖缺失好几天") & Cue.MANHOLE
    assert cues("没有人来，厨房漏气") & Cue.GAS
    assert cues("nobody came and the gas smell is no better") & Cue.GAS


@pytest.mark.parametrize("text", ["路灯不亮", "垃圾没人清运", "the fire station is closed"])
def test_everyday_texts_are_no_emergency(text: str) -> None:
    assert not cues(text) & EMERGENCY


def test_a_sentence_of_growing_risk() -> None:
    assert cues("现在味道越来越大，里面有人出不来") & Cue.RISK
    assert not cues("味道不大") & Cue.RISK


FULL = (
    "11月26日17:30，排水管理所到汀南街核查，查明管道堵塞；已疏通，现场复看已不积水；"
    "后续由排水管理所负责，11月30日前完成检测。"
)


def test_a_concrete_reply_has_all_six_elements() -> None:
    assert cues(FULL) & ELEMENTS == ELEMENTS
    assert elements_of_reply(cues(FULL)) == 6


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("已联系反映人并做好解释工作。", Cue(0)),
        ("该问题正在协调中，请耐心等待。", Cue(0)),
        ("已转相关部门处理。", Cue(0)),
        ("下一步将加大巡查力度，杜绝类似问题。", Cue.FOLLOW_UP),
        ("11月2日已到现场查看，情况属实，将尽快解决。", Cue.ON_SITE | Cue.FOUND),
        ("已更换阀门。", Cue.MEASURE),
        ("3个工作日内完成", Cue.BY_WHEN),
    ],
)
def test_an_empty_reply_lacks_what_it_does_not_say(text: str, present: Cue) -> None:
    assert cues(text) & ELEMENTS == present


def test_a_promise_is_no_deed() -> None:
    assert not cues("将更换阀门") & Cue.MEASURE
    assert not cues("the pipe will be repaired") & Cue.MEASURE
    assert cues("the pipe was repaired") & Cue.MEASURE


def test_an_english_reply_is_read_alike() -> None:
    done = "Crew arrived 12 May at 10:30, found a broken pipe, replaced it, street is back to normal"
    assert elements_of_reply(cues(f"{done}; we will follow up by 20 May")) == 6


def test_a_text_that_says_nothing_differs_from_no_text() -> None:
    assert cues("") == 0
    assert cues("你好") >> VERSION_SHIFT == LEXICON_VERSION
    assert cues(FULL) < 1 << 32
