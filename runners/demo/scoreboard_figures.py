"""The figures of the results board, each with its words, its denominator and its definition beside it."""

from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import Any

from runners.demo.scoreboard import LEAST, Tally, Truth, Warned, deadline_only, ours

POLICIES = [
    {"id": "forewarn", "zh": "本系统预警提示", "en": "forewarn"},
    {"id": "deadline_only", "zh": "仅按时限提醒（用时过75%）", "en": "Deadline rule only (75 % of the clock used)"},
]
DEFINITIONS = {
    "incident": {
        "zh": "情形：事项发生所学结果之一（如逾期）、植入的集中多发、植入的设备危险。",
        "en": "Incident: a matter failed an outcome that is learned (such as its deadline), a planted surge or hazard.",
    },
    "in_time": {
        "zh": "提前提示：该对象在情形发生之前已有预警提示。只计模型、临期、集中多发和读数类提示，"
        "陈述已发生事实的规则不计。",
        "en": "In time: a forewarning on the subject was raised before it. Warnings of models, of clocks that run out,"
        " of surges and of readings count; rules that state what has happened do not.",
    },
}
Z = 1.959964
"""Of the normal distribution, for intervals of 95 %."""

_COMPARED: dict[str, tuple[str, str, str, str, str]] = {
    "incidents": (
        "发生的情形", "Incidents so far", "count",
        "自统计起点以来已发生的情形数。", "Incidents whose moment has come since the window began.",
    ),
    "warned": (
        "提前提示的情形", "Warned of in time", "count",
        "发生之前已有预警提示的情形数。", "Incidents with a forewarning on the subject before their moment.",
    ),
    "recall": (
        "提前提示率", "Share of incidents warned of", "share",
        "提前提示的情形数除以发生的情形数；括号内为95%区间（威尔逊法）。",
        "Warned of in time over incidents; Wilson interval of 95 %.",
    ),
    "lead": (
        "提前量中位数", "Median lead time", "hours",
        "从首次预警提示到情形发生的时间，取中位数，只计提前提示的情形。",
        "From the first forewarning to the incident, median over incidents warned of in time.",
    ),
    "false": (
        "未发生的提示", "False warnings", "count",
        "已有结果而未发生情形的预警提示数。", "Forewarnings whose outcome is known and after which nothing happened.",
    ),
    "precision": (
        "属实率（仅计已有结果）", "Share proved true (outcome known)", "share",
        "其后发生情形的预警提示数除以已有结果的预警提示数；95%区间（威尔逊法）。",
        "Forewarnings after which the incident came over all whose outcome is known; Wilson interval of 95 %.",
    ),
    "pending": (
        "结果待定的提示", "Outcome pending", "count",
        "尚不知是否属实的预警提示数。", "Forewarnings of which it is not known yet whether they prove true.",
    ),
}  # fmt: skip
_ALONE: dict[str, tuple[str, str, str, str, str]] = {
    "claimed": (
        "报结率（单位申报口径）", "Reported-done rate (claimed)", "share",
        "承办单位已报结的事项数除以登记事项数。", "Matters that an office has reported done over matters registered.",
    ),
    "verified": (
        "核实解决率（回访口径）", "Verified resolution rate", "share",
        "回访时反映已解决的事项数除以已回访事项数。", "Matters found solved at the call-back over matters called back.",
    ),
}  # fmt: skip


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """Interval of 95 % of a share.

    >>> tuple(round(bound, 3) for bound in wilson(8, 10))
    (0.49, 0.943)
    """
    if not cases:
        return 0.0, 1.0
    share, spread = hits / cases, Z * Z / cases
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / cases + spread / (4 * cases)) / (1 + spread)
    return middle - half, middle + half


def scoreboard(truth: Truth, warnings: Sequence[Warned], now: float, since: float = 0.0) -> dict[str, Any]:
    """Figures of what happened from `since` to `now`; `value` is None where fewer than ten cases stand behind it.

    `interval` is there for shares.
    """
    figures: list[dict[str, Any]] = []
    for policy, tally in (
        ("forewarn", ours(truth, warnings, since, now)),
        ("deadline_only", deadline_only(truth, since, now)),
    ):
        figures += _compared(policy, tally)
    registered = [one for one in truth.matters.values() if since <= one.registered <= now]
    called = [solved for at, solved in truth.called_back if since <= at <= now]
    done = sum(one.done <= now for one in registered)
    figures.append(_figure("claimed", None, _ALONE["claimed"], done, len(registered)))
    figures.append(_figure("verified", None, _ALONE["verified"], sum(called), len(called)))
    return {"figures": figures, "policies": POLICIES, "definitions": DEFINITIONS}


def _compared(policy: str, tally: Tally) -> list[dict[str, Any]]:
    known = tally.true + tally.false
    values: dict[str, tuple[float, int | None]] = {
        "incidents": (tally.incidents, None),
        "warned": (len(tally.leads), tally.incidents),
        "recall": (len(tally.leads), tally.incidents),
        "lead": (round(median(tally.leads), 2) if tally.leads else 0.0, len(tally.leads)),
        "false": (tally.false, known),
        "precision": (tally.true, known),
        "pending": (tally.pending, None),
    }
    return [_figure(name, policy, words, *values[name]) for name, words in _COMPARED.items()]


def _figure(
    name: str, policy: str | None, words: tuple[str, str, str, str, str], value: float, cases: int | None
) -> dict[str, Any]:
    zh, en, unit, definition_zh, definition_en = words
    figure: dict[str, Any] = {
        "id": name,
        "zh": zh,
        "en": en,
        "unit": unit,
        "policy": policy,
        "window": "since_start",
        "denominator": cases,
        "definition": {"zh": definition_zh, "en": definition_en},
        "value": value,
    }
    if cases is not None and cases < LEAST:
        return figure | {"value": None, "fewer_than": LEAST}
    if unit == "share" and cases:
        low, high = wilson(int(value), cases)
        return figure | {"value": round(value / cases, 4), "interval": [round(low, 4), round(high, 4)]}
    return figure
