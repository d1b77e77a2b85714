"""`report.html`: one file that needs no script and no other file, light or dark as the reader's system is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.reports import definitions, figures
from console.reports.contents import Report
from console.reports.evaluation import Evaluation, Figure
from console.reports.suppress import HIDDEN_EN, HIDDEN_ZH, Row, is_small, suppress
from console.reports.svg import level_mark
from console.reports.transitions import LEVELS

LEVEL_WORDS = {
    "blue": ("blue", "蓝色关注"),
    "yellow": ("yellow", "黄色关注"),
    "orange": ("orange", "橙色关注"),
    "red": ("red", "红色关注"),
}
COUNTS = (
    ("accepted", "accepted", "已接收"),
    ("applied", "applied", "已处理"),
    ("duplicate", "duplicates", "重复"),
    ("late", "late", "迟到"),
    ("dead_lettered", "dead letters", "待处理异常数据"),
    ("pending", "pending", "待处理"),
)
RANKED = ("auc", "average_precision", "precision_at_10_percent")
SHOWN = {
    "headline": (*RANKED, "calibration_error", "lead_time_days", "warned_share", "proved_share"),
    "all": (*RANKED, "detection_at_1_percent", "calibration_error"),
}
_PERCENT = ("precision_at_10_percent", "detection_at_1_percent", "warned_share", "proved_share")


def page(report: Report) -> str:
    """The whole page as text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(share=_share, count=_count, rate=_rate)
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        style=style,
        note=report.note,
        words=definitions,
        hidden=f"{HIDDEN_EN} {HIDDEN_ZH}",
        span=_span(report),
        strip=_strip(report),
        tasks=[_task(report, evaluation) for evaluation in report.evaluations],
        levels=_levels(report),
        period=report.period,
        offices=report.offices,
        level_words=[(level_mark(level), *LEVEL_WORDS[level], level) for level in LEVELS],
        versions=[*_flat("", report.note.versions), *_flat("", report.note.digests)],
    )


def _task(report: Report, evaluation: Evaluation) -> dict[str, Any]:
    en, zh = report.note.title(evaluation.target)
    found = report.leads.get((evaluation.kind, evaluation.target))
    plots = [
        ("Calibration", "校准图", figures.calibration(evaluation)),
        ("Ranking", "排序能力（ROC）", figures.roc(evaluation)),
        ("Precision and recall", "查准率与查全率", figures.precision_recall(evaluation)),
        ("By month", "按月", figures.by_month(evaluation)),
        ("Lead time", "提前量", figures.lead_times(found) if found else ""),
    ]
    positives = int((evaluation.rows.label == 1).sum())
    return {
        "en": en,
        "zh": zh,
        "kind": evaluation.kind,
        "target": evaluation.target,
        "rows": definitions.ROWS[evaluation.main],
        "n": len(evaluation.rows),
        "positives": None if is_small(positives) else positives,
        "base": None if is_small(positives) or not len(evaluation.rows) else positives / len(evaluation.rows),
        "censored": evaluation.censored,
        "figures": [_shown(evaluation, name) for name in SHOWN[evaluation.main]],
        "plots": [(name, other, plot) for name, other, plot in plots],
        "table": _table(evaluation),
    }


def _shown(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """One headline figure as the page shows it."""
    en, zh, meaning = definitions.FIGURES[name]
    on = "warned" if name in ("lead_time_days", "warned_share", "proved_share") else ""
    figure, rule = evaluation.figure(name, on=on), evaluation.figure(name, by="rate_list", on=on)
    shown = figure is not None and not np.isnan(figure.value)
    plot = ""
    if figure is not None and shown and rule is not None and not np.isnan(figure.low):
        ends = [figure.low, figure.high, rule.low, rule.high]
        room = (max(ends) - min(ends)) * 0.1
        plot = figures.whiskers(figure, rule, min(ends) - room, max(ends) + room)
    return {
        "en": en,
        "zh": zh,
        "meaning": meaning,
        "value": _value(name, figure.value) if figure and shown else None,
        "interval": _interval(figure) if figure and shown else "",
        "plot": plot,
    }


def _table(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The model and every rule on every set of rows: one line each, and one for their difference."""
    lines = []
    keys = dict.fromkeys((figure.on, figure.by, figure.minus) for figure in evaluation.figures if figure.name in RANKED)
    for on, by, minus in keys:
        found = [evaluation.figure(name, by=by, on=on, minus=minus) for name in RANKED]
        if all(figure is None or np.isnan(figure.value) for figure in found):
            continue
        own, other = definitions.BY[by], definitions.BY.get(minus, ("", ""))
        lines.append(
            {
                "on": on,
                "meaning": definitions.RULES.get(minus or by, "The score of the model then in use."),
                "en": f"{own[0]} − {other[0]}" if minus else own[0],
                "zh": f"{own[1]} − {other[1]}" if minus else own[1],
                "n": next((figure.n for figure in found if figure), 0),
                "difference": bool(minus),
                "cells": [
                    (_signed(figure.value) if minus else _number(figure.value), _interval(figure, plain=True))
                    for figure in found
                    if figure
                ],
            }
        )
    return lines


def _levels(report: Report) -> list[dict[str, Any]]:
    rows: list[Row] = [
        {
            "alarms": kept.alarms,
            "mean": kept.mean,
            "busy": kept.busy,
            "asked": kept.asked,
            "ratio": kept.mean / kept.asked if kept.asked else None,
            "busy_ratio": kept.busy / kept.asked if kept.asked else None,
        }
        for kept in report.kept
    ]
    rows = suppress(rows, {"alarms": ("mean", "ratio")}, total_is_shown=False)
    for row, kept in zip(rows, report.kept, strict=True):
        plot = figures.alarms(report, kept.level, last=kept.level == LEVELS[-1])
        en, zh = LEVEL_WORDS[kept.level]
        mark = level_mark(kept.level)
        row.update(en=en, zh=zh, name=kept.level, mark=mark, plot=plot)
    return rows


def _strip(report: Report) -> list[tuple[str, str, str]]:
    counts = report.note.counts
    told = [(en, zh, _count(counts[name])) for name, en, zh in COUNTS if isinstance(counts.get(name), int)]
    told.append(("rows scored", "评估记录", _count(len(report.scores))))
    told.append(("transitions", "关注级变动", _count(len(report.told))))
    return told


def _span(report: Report) -> str:
    if not len(report.scores):
        return ""
    ends = (int(report.scores.at.min()), int(report.scores.at.max()))
    days = [datetime.fromtimestamp(end // 1_000_000, UTC).astimezone(report.note.zone_info()).date() for end in ends]
    return f"{days[0].isoformat()} – {days[1].isoformat()}"


def _flat(prefix: str, tree: Any) -> list[tuple[str, str]]:
    """Nested names as dotted ones, in order."""
    if isinstance(tree, dict):
        return [
            line
            for key in sorted(tree, key=str)
            for line in _flat(f"{prefix}.{key}" if prefix else str(key), tree[key])
        ]
    return [(prefix, str(tree))] if prefix else []


def _value(name: str, value: float) -> str:
    if name in _PERCENT:
        return f"{100 * value:.1f} %"
    return f"{value:.1f}" if name == "lead_time_days" else _number(value)


def _interval(figure: Figure, *, plain: bool = False) -> str:
    if np.isnan(figure.low):
        return ""
    if plain:
        form = _signed if figure.minus else _number
        return f"{form(figure.low)} – {form(figure.high)}"
    low, high = _value(figure.name, figure.low), _value(figure.name, figure.high)
    return f"{low.removesuffix(' %')} – {high}"


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _signed(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.3f}".replace("-", "−")


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}".replace(",", "\u2009")


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
