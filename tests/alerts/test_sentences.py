"""Warnings in words: every slot filled, official Chinese, plain English, nobody blamed."""

import re
from collections.abc import Callable
from itertools import product
from string import Formatter
from typing import Any

import pytest

from alerts.lifecycle import Cause, Outcome
from alerts.sentences import CAPTION_EN, CAPTION_ZH, NOT_FOR_RANKING_ZH, reasons, sentence
from alerts.sentences_en import EN
from alerts.sentences_zh import ZH
from alerts.words import Words
from pipeline.assessment import Why
from pipeline.rules import CODES, VALUES

HOUR = 3_600_000_000
# Wednesday 25 November 2026, 09:00 in Shanghai.
NOW = 1_795_568_400_000_000
NAMES = {7: "区住建局", 8: "望汀街道", 9: "排水管堵塞"}
NEVER_SAID = re.findall(
    r"\w+", "漏报 迟报 谎报 瞒报 聚集 群体性 串联 重复信访 越级 推诿 发布 警报 解除预警 一级 二级 三级 四级"
)
TARGETS = ("deadline_missed", "handed_over_twice", "odd_one")


def transition(*assessments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    whole = {
        "at": NOW,
        "cause": "raised",
        "from": 0,
        "to": 2,
        "proposed": 2,
        "awaiting": 0,
        "office": 7,
        "place": 8,
        "category": 9,
        "due": NOW + 32 * HOUR + HOUR // 2,
        "registered": NOW - 48 * HOUR,
        "assessments": list(assessments),
        "governing": 0 if assessments else -1,
    }
    return whole | fields


def risk(*grounds: tuple[str, float, Any], probability: int = 6234, target: int = 0) -> dict[str, Any]:
    return {
        "kind": "risk",
        "target": target,
        "probability": probability,
        "horizon": 36 * HOUR,
        "grounds": [
            {"why": "base" if name == "base" else "feature", "feature": name, "weight": int(w * 65_536), "value": value}
            for name, w, value in grounds
        ],
    }


def rule(why: str, **facts: Any) -> dict[str, Any]:
    return {
        "kind": "duty",
        "target": -1,
        "probability": 0,
        "horizon": 0,
        "grounds": [{"why": why, "weight": 0, "feature": "", "facts": facts}],
    }


def said(transition: dict[str, Any], names: Callable[[int], str] = lambda code: NAMES.get(code, "")) -> tuple[str, str]:
    return sentence(transition, names, zone_offset=lambda us: 8 * HOUR, target_names=TARGETS)


def given(transition: dict[str, Any]) -> list[dict[str, Any]]:
    return reasons(transition, lambda code: NAMES.get(code, ""), zone_offset=lambda us: 8 * HOUR, target_names=TARGETS)


def test_a_risk_says_fact_why_by_when_and_whose_duty() -> None:
    zh, en = said(transition(risk(("base", -1.0, None), ("office_open", 0.9, 20.0), ("share", 0.4, 0.6))))
    assert zh == (
        "望汀街道“排水管堵塞”事项距办理时限（11月26日17:30）还有32小时，未来36小时内逾期概率为62%，"
        "主要提示理由为本单位在办量为20件、时限已用60%；请区住建局于11月26日09:00前反馈处置安排。"
    )
    assert en == (
        "排水管堵塞, 望汀街道: 32 h left to 26 Nov 17:30; probability that it will be late within 36 h is 62 %, "
        "mainly because of: 20 matters open at the office, 60 % of the time used. "
        "区住建局 to report its plan by 26 Nov 09:00."
    )


def test_an_overdue_matter_says_by_how_much() -> None:
    due = NOW - 50 * HOUR
    zh, en = said(transition(rule("overdue", due=due, late_h=50), due=due))
    assert zh.startswith("望汀街道“排水管堵塞”事项已于11月23日07:00到期，已逾期2天，尚未办结；请区住建局于")
    assert "was due 23 Nov 07:00, is 2 days overdue" in en


def test_an_idle_matter_says_since_when_and_when_its_limit_ends() -> None:
    zh, en = said(transition(rule("idle", days=13, since=NOW - 13 * 24 * HOUR), due=NOW + 47 * 24 * HOUR))
    assert "自11月12日09:00起已13天无办理记录，办理时限于2027年1月11日09:00届满" in zh
    assert "no action recorded for 13 days, since 12 Nov 09:00, the time allowed ends 11 Jan 2027 09:00" in en


def test_a_matter_passed_on_says_how_often_and_asks_who_holds_it() -> None:
    zh, _ = said(transition(rule("handed_over", handovers=3, returns=2)))
    assert "自11月23日09:00登记以来转办3次、退单2次；请区住建局于11月26日09:00前明确承办单位" in zh


def test_a_count_of_nought_is_not_said() -> None:
    assert "转办3次；" in said(transition(rule("handed_over", handovers=3, returns=0)))[0]
    assert "退单2次；" in said(transition(rule("returned", handovers=0, returns=2)))[0]


def test_where_a_site_has_no_places_none_is_said() -> None:
    zh, en = said(transition(rule("vague_reply"), place=12345))
    assert zh.startswith("“排水管堵塞”事项")
    assert en.startswith("排水管堵塞: ")


def test_a_surge_says_how_many_times_normal_and_that_the_cause_is_not_verified() -> None:
    zh, en = said(transition(rule("surge", count=17, expected=2.8, window_us=48 * HOUR)))
    assert zh.startswith("近2天，望汀街道“排水管堵塞”反映17件，约为同期常态的6.1倍，原因尚未核实；")
    assert "17 reports in 2 days, about 6.1 times normal; cause not verified" in en


def test_missing_readings_are_never_called_normal() -> None:
    zh, en = said(transition(rule("missing", silent_us=130 * 60_000_000, interval_us=5 * 60_000_000)))
    assert "已2小时10分钟无读数（正常每5分钟一次），现状未知，不作“无异常”处理" in zh
    assert 'no reading for 2 h 10 min (normally every 5 min); unknown, not "normal"' in en


def test_a_hazard_is_to_be_attended_at_once() -> None:
    zh, en = said(transition(rule("hazard"), proposed=3, awaiting=1))
    assert "请区住建局立即到场核实处置，30分钟内回报；" in zh
    assert zh.endswith("拟列橙色关注，待确认。")
    assert en.endswith("Orange is proposed, awaiting confirmation.")


def test_an_answer_is_never_asked_for_after_the_due_time() -> None:
    zh, _ = said(transition(risk(), due=NOW + 3 * HOUR))
    assert "请区住建局于11月25日12:00前" in zh


def test_a_cell_without_an_owner_is_said_and_the_dispatcher_asked() -> None:
    zh, en = said(transition(risk(), office=0, place=0, category=0))
    assert "未明确地点的“未明确类别”事项" in zh
    assert "目前未明确责任单位，请派单单位于11月26日09:00前指定承办单位。" in zh
    assert "No responsible office is set" in en


def test_without_a_clock_it_says_so() -> None:
    zh, _ = said(transition(risk(), due=0))
    assert "未设时限，登记已2天" in zh


@pytest.mark.parametrize(("probability", "zh"), [(40, "不足1%"), (150, "2%"), (9950, "99%以上"), (10_000, "99%以上")])
def test_probabilities_have_no_false_digits(probability: int, zh: str) -> None:
    assert f"概率为{zh}" in said(transition(risk(probability=probability)))[0]


def test_reasons_are_ranked_by_weight_with_their_share_and_direction() -> None:
    found = given(transition(risk(("base", -2.0, None), ("place", -0.5, 1), ("category", 1.5, 2), ("heat", 0.0, 21.5))))
    assert [(each["code"], each["weight"], each["share"]) for each in found] == [
        ("category", 1.5, 0.75),
        ("place", -0.5, -0.25),
        ("heat", 0.0, 0.0),
    ]
    assert found[0]["zh"] == "同类事项“排水管堵塞”的以往办理情况，使可能性上升（占75%）"
    assert found[1]["en"] == "how matters at “望汀街道” went before: makes it less likely (25 %)"
    assert found[2]["zh"].startswith("“heat”为21.5")


def test_each_reason_names_its_target() -> None:
    found = given(
        transition(risk(("hour", 1.0, 9.0)), risk(("steps", 1.0, 3.0), target=1), rule("returned", returns=2))
    )
    assert [each["target"] for each in found] == ["deadline_missed", "handed_over_twice", ""]


def test_the_governing_assessment_speaks_first() -> None:
    zh, _ = said(transition(risk(), rule("vague_reply"), governing=1))
    assert "答复要素不全" in zh


@pytest.mark.parametrize("name", [*CODES, *VALUES])
def test_every_feature_has_words_of_its_own(name: str) -> None:
    assert name in ZH.features
    assert name in EN.features
    for value in (None, 3.0):
        (found,) = given(transition(risk((name, 1.0, value))))
        assert "{" not in found["zh"] + found["en"]


@pytest.mark.parametrize("words", [ZH, EN])
def test_every_reason_cause_and_outcome_has_words(words: Words) -> None:
    assert {why.value for why in Why} <= set(words.rules)
    assert {cause.value for cause in Cause} == set(words.lives)
    assert {outcome.value for outcome in Outcome} | {""} == set(words.outcomes)


def test_both_languages_have_the_same_texts_with_the_same_slots() -> None:
    for part in ("facts", "rules", "asks", "lives", "outcomes", "targets", "features", "parts"):
        zh, en = getattr(ZH, part), getattr(EN, part)
        assert set(zh) == set(en), part
        if part in {"facts", "asks", "targets", "features", "parts"}:
            for key in zh:
                assert slots(zh[key]) == slots(en[key]), (part, key)


def slots(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def everything_said() -> list[tuple[str, str]]:
    """Every cause with every reason, known and unknown names, with facts and without."""
    facts = {
        "due": NOW - HOUR,
        "days": 9,
        "since": NOW - 9 * 24 * HOUR,
        "returns": 2,
        "handovers": 3,
        "count": 17,
        "expected": 2.5,
        "value": 58.1,
        "window_us": 48 * HOUR,
        "silent_us": 3 * HOUR,
        "interval_us": HOUR,
        "source": "热线",
    }
    found = []
    for cause, why, known in product(Cause, Why, (facts, {})):
        shut = cause in {Cause.CLOSED, Cause.ENDED}
        change = transition(rule(why.value, **known), cause=cause.value, to=0 if shut else 2, **{"from": 3})
        found += [said(change), said(change | {"office": 0, "place": 0, "category": 0, "awaiting": 2, "proposed": 4})]
    for cause, target in product(Cause, range(-1, 3)):
        found.append(said(transition(risk(("category", 1.0, 3)), cause=cause.value)))
        found.append(said(transition(risk(target=target), cause=cause.value, outcome="late_but_true")))
    return [*found, *(said(transition(cause=cause.value)) for cause in Cause)]


def test_every_slot_is_filled_whatever_is_known() -> None:
    for zh, en in everything_said():
        assert not re.search(r"[{}]|None", zh + en)
        assert not any(f"“{why.value}”" in zh for why in Why)


def test_what_must_not_be_said_is_never_said() -> None:
    texts = "".join(zh for zh, _ in everything_said())
    catalogue = "".join(text for part in (ZH.facts, ZH.asks, ZH.lives, ZH.features, ZH.parts) for text in part.values())
    assert not [word for word in NEVER_SAID if word in texts + catalogue]


def test_chinese_is_punctuated_in_full_width_and_ends_with_a_full_stop() -> None:
    for zh, en in everything_said():
        assert not re.search(r"[,;()!?\"']|:(?!\d)", zh), zh
        assert zh.endswith("。")
        assert en.endswith(".")
        assert not re.search(r"[，。；：、][，。；：、]", zh), zh


def test_the_captions_are_fixed() -> None:
    assert (CAPTION_ZH, CAPTION_EN) == ("内部关注级，非法定预警", "internal level, not a statutory warning")
    assert NOT_FOR_RANKING_ZH == "不作为考核、问责、排名依据"


def test_levels_are_colours_never_numbers() -> None:
    assert ZH.levels[1:] == ("蓝色关注", "黄色关注", "橙色关注", "红色关注")


def test_one_of_a_thing_is_no_plural() -> None:
    assert EN.finished("passed on 1 times, 1 recorded steps, 11 times, 1 linked reports, 2.1 times") == (
        "passed on once, 1 recorded step, 11 times, 1 linked report, 2.1 times"
    )
