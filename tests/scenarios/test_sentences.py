"""Thirty days of a simulated city in words: each sentence follows a template and says nothing that is forbidden."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from alerts.sentences_zh import ZH
from alerts.store import Store
from connectors.simulator import City
from pipeline.rules import FoldRules
from runners.demo.folder import DemoFolder
from runners.demo.past import fold_past
from runners.exports import Names, genesis_settings, readable
from runners.live.sources import plan
from runners.log_sqlite import Logs
from runners.replay import genesis

DAYS = 30
NEVER = (
    *("漏报", "迟报", "谎报", "瞒报", "聚集", "群体性", "串联", "重复信访", "越级", "推诿", "发布", "警报", "解除预警"),
    *("一级", "二级", "三级", "四级", "上访", "缠访", "闹访", "重点人员", "稳控", "黑名单"),
)
"""Words of the law that mean something else, offences of persons, and words for people instead of matters."""
UNITS = r"%LEL|%VOL|MPa|kPa|mg/m³|mA|mm|cm|m|km|ppm|dB"
IDENTIFIERS = r"\d{8}-\d{6}|c\dt\dg\d{3}(?:/\d+)?|S0\d[-\w]*|[MDT]\d\d(?:-\d)?"
MAY_BE_EMPTY = {"clock", "horizon", "because", "deadline", "awaiting", "ask"}


def pattern(template: str, **inner: str) -> str:
    """A template as a regular expression; what stands in a slot is something, and holds no slot itself."""
    parts = []
    for text, slot, _, _ in Formatter().parse(template):
        parts.append(re.escape(text))
        if slot is not None:
            free = "[^{}]*?" if slot in MAY_BE_EMPTY else "[^{}]+?"
            parts.append(inner.get(slot, free))
    return "".join(parts)


def either(templates: Iterator[str] | list[str]) -> str:
    return f"(?:{'|'.join(templates)})"


def sentences_as_one_expression() -> re.Pattern[str]:
    """Everything that the templates can say."""
    fact = either([pattern(template) for template in ZH.facts.values()])
    ask = either([pattern(template) for template in ZH.asks.values()])
    awaiting = either([re.escape(ZH.parts[name]) for name in ("orange", "red_two", "red_one")]) + "?"
    return re.compile(either([pattern(life, fact=fact, ask=ask, awaiting=awaiting) for life in ZH.lives.values()]))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every sentence in Chinese of thirty days of matters and eight hours of readings, with its first reason."""
    data = tmp_path_factory.mktemp("said") / "data"
    city = City(seed=11, grids=48, per_day=90, sensors=300)
    folder = DemoFolder(data, city)
    fold_past(plan(folder.config), data, city, days=DAYS, hours=8, tell=lambda share: None)
    store, logs = Store(data / "store.db", readonly=True), Logs(data / "log.db", readonly=True)
    rules = FoldRules.from_json(genesis(logs)["rules"])
    names = Names(logs, genesis_settings(logs))
    found = []
    for log in ("signals", "site"):
        for transition in store.transitions(log=log):
            told = readable(transition, names, rules)
            found.append((told["sentence"]["zh"], told["reasons"][0]["code"] if told["reasons"] else ""))
    store.close()
    logs.close()
    return found


def test_many_kinds_of_sentences_are_said(said: list[tuple[str, str]]) -> None:
    kinds = Counter(reason for _, reason in said)
    assert len(said) > 500
    assert len(kinds) >= 6, kinds


def test_every_sentence_follows_a_template_with_all_slots_filled(said: list[tuple[str, str]]) -> None:
    whole = sentences_as_one_expression()
    assert [sentence for sentence, _ in said if not whole.fullmatch(sentence)] == []
    assert [sentence for sentence, _ in said if re.search("“”|（）|None|nan|[{}]|  ", sentence)] == []


def test_no_latin_letters_stand_outside_units_and_identifiers(said: list[tuple[str, str]]) -> None:
    allowed = re.compile(rf"(?<![A-Za-z])(?:{UNITS}|{IDENTIFIERS})(?![A-Za-z])")
    assert [sentence for sentence, _ in said if re.search("[A-Za-z]", allowed.sub("", sentence))] == []


def test_punctuation_is_that_of_chinese(said: list[tuple[str, str]]) -> None:
    assert [sentence for sentence, _ in said if re.search(r"[\u4e00-\u9fff][,;:?!][\u4e00-\u9fff]", sentence)] == []


@pytest.mark.parametrize("word", NEVER)
def test_no_sentence_says_a_word_that_is_never_said(word: str, said: list[tuple[str, str]]) -> None:
    assert [sentence for sentence, _ in said if word in sentence] == []


def test_the_page_says_no_such_word_either() -> None:
    catalogue = Path(__file__).parents[2] / "console" / "web" / "src" / "words" / "zh-CN.json"
    words = catalogue.read_text("utf-8").replace("法定预警信息拟稿（未发布）", "").replace("非法定预警", "")
    assert [word for word in NEVER if word in words] == []
