"""Words of an explanation that no sentence of a warning has: headings, causes, steps of a matter, features."""

from alerts.life_words import CAUSES, STATES, STEPS
from alerts.sentences_en import EN
from alerts.sentences_zh import ZH
from alerts.words import Words
from runners.explain.explanation import Language, Pair, Weight

_HOUR_US = 3_600_000_000
_HOURS = frozenset({"allowed_h", "age_h", "idle_h", "spot_idle_h"})

LEVELS: tuple[Pair, ...] = tuple(zip(ZH.levels, EN.levels, strict=True))

HEADINGS: dict[str, Pair] = {
    "title": ("预警提示说明", "Explanation of a warning"),
    "matter": ("事项", "Matter"),
    "subject": ("对象", "Subject"),
    "category": ("类别", "Category"),
    "place": ("地点（辖区）", "Place"),
    "whole_site": ("全域", "whole site"),
    "office": ("承办单位", "Office"),
    "no_office": ("未明确责任单位", "no responsible office set"),
    "level": ("关注级", "Level now"),
    "state": ("状态", "State"),
    "registered": ("登记时间", "Registered"),
    "due": ("到期", "Due"),
    "no_due": ("未设时限", "no deadline set"),
    "timeline": ("办理过程", "Timeline"),
    "known": ("当时已知", "Known then"),
    "horizon": ("预测期", "horizon"),
    "score": ("校准前对数几率", "logit before calibration"),
    "base": ("起点（平均情况）", "starting point (average)"),
    "others": ("其余{n}项合计", "others together ({n})"),
    "sum": ("合计，即对数几率", "sum, the logit"),
    "rule": ("规则", "Rule"),
    "demands": ("要求{level}", "demands {level}"),
    "past_budget": ("不受限额约束", "past every budget"),
    "cutoff": ("最近阈值", "Nearest cut-off"),
    "raise": ("{level}上调阈值{value}", "raise to {level} at {value}"),
    "clear": ("{level}下调阈值{value}", "fall from {level} below {value}"),
    "distance": ("当前{score}，相差{distance}", "score {score}, {distance} away"),
    "versions": ("版本", "Versions"),
    "config": ("配置{n}", "configuration {n}"),
    "model": ("模型{n}", "model {n}"),
    "untrained": ("尚未学习，用先验", "prior, nothing learned yet"),
    "model_gone": ("模型文件已不在", "its file is no longer there"),
    "by": ("操作人", "Done by"),
    "evidence": ("依据", "Rests on"),
    "entries": ("上列{n}条记录", "{n} of the entries above"),
    "entries_new": ("上列{n}条记录，其中{new}条为此前未有", "{n} of the entries above, {new} of them new"),
    "happened": ("发生于{at}", "happened {at}"),
    "pruned": ("所在日志段已清理", "pruned with its log segment"),
    "damaged": ("无法读取（校验不符）", "cannot be read (checksum)"),
    "not_read": ("未读取（超过{n}帧）", "not read (more than {n} frames)"),
    "proposed": ("拟列", "proposed"),
    "confirmed": ("已确认", "confirmed"),
    "awaiting": ("待{n}人确认", "{n} person(s) to confirm"),
    "reason": ("理由", "reason"),
    "remark": ("记录", "note"),
    "outcome": ("结果", "outcome"),
    "next_update_by": ("下次更新时间", "next update by"),
    "same_score": (
        "与第{n}次变化的得分相同，各项权重见该处",
        "the score of change {n}; its weights stand there",
    ),
    "later_score": (
        "第{n}次变化之后重新评估过；本次由计时触发，未保留该得分的各项权重",
        "scored again after change {n}; this one came by time alone, the weights of its score were not kept",
    ),
    "window_over": ("观察期已满", "its window is over"),
    "too_low": ("不足以单独上调，未保留权重", "too low to raise anything by itself, no weights kept"),
    "no_weights": ("未保留该得分的各项权重", "the weights of this score were not kept"),
}


class Speech:
    """Says pairs in one language or in both, with the punctuation of it."""

    def __init__(self, language: Language) -> None:
        self.language = language
        is_zh = language == "zh"
        self.colon, self.comma, self.semicolon = ("：", "，", "；") if is_zh else (": ", ", ", "; ")
        self._open, self._shut = ("（", "）") if is_zh else (" (", ")")

    def say(self, pair: Pair) -> str:
        """The pair on one line."""
        zh, en = pair
        if self.language == "both" and zh.replace(" ", "") != en.replace(" ", ""):
            return " / ".join(part for part in pair if part)
        return zh if self.language == "zh" else en

    def each(self, pair: Pair) -> list[str]:
        """The pair as one text a language."""
        zh, en = pair
        return [text for text in {"zh": (zh,), "en": (en,), "both": (zh, en)}[self.language] if text]

    def heading(self, key: str, level: int = 0, **slots: object) -> str:
        """Words of `HEADINGS` with their slots filled; a slot `level` is said as its colour."""
        (zh, en), (zh_level, en_level) = HEADINGS[key], LEVELS[level]
        return self.say((zh.format(level=zh_level, **slots), en.format(level=en_level, **slots)))

    def level(self, level: int) -> str:
        """A level by its colour."""
        return self.say(LEVELS[level])

    def aside(self, text: str) -> str:
        """A text in brackets; nothing for none."""
        return f"{self._open}{text}{self._shut}" if text else ""

    def feature(self, weight: Weight) -> str:
        """What a feature says."""
        return self.say((feature_words(ZH, weight), feature_words(EN, weight)))


def feature_words(words: Words, weight: Weight) -> str:
    """What a feature says, with its value in words."""
    texts, value = words.features, weight.value
    if weight.feature not in texts:
        key = "missing" if value is None else "attribute"
        return texts[key].format(attribute=weight.feature, value=_value(words, weight))
    text = texts[weight.feature]
    if "{value}" not in text:
        return text if value is None else f"{text}: {_value(words, weight)}"
    if value is None:
        return words.absent.get(weight.feature) or texts["missing"].format(attribute=weight.feature)
    return text.format(value=_value(words, weight))


def _value(words: Words, weight: Weight) -> str:
    value = weight.value
    if not isinstance(value, float):
        return str(value)
    if weight.feature in _HOURS:
        return words.span(int(value * _HOUR_US))
    if weight.feature == "share":
        return words.percent(round(value * 10_000))
    if weight.feature == "weekday":
        return words.weekdays[int(value) % 7]
    return str(round(value)) if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


__all__ = ["CAUSES", "HEADINGS", "LEVELS", "STATES", "STEPS", "Speech", "feature_words"]
