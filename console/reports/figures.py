"""The plots of the page, each from what the report already holds."""

import numpy as np

from console.reports.alarms import Leads, daily
from console.reports.contents import Report
from console.reports.evaluation import Evaluation, Figure, monthly_auc
from console.reports.metrics import Floats, Labels, calibration_table, threshold_counts
from console.reports.suppress import EXPORT_K, is_small, pool
from console.reports.svg import Plot, plain, ticks
from console.reports.transitions import LEVELS

SIZE = (236, 204)
MARGIN = (32, 10, 26, 32)
HALVES = [(value, plain(value)) for value in (0.0, 0.5, 1.0)]
_CURVE_POINTS = 160


def calibration(evaluation: Evaluation) -> str:
    """Said against came, one dot per group; on the diagonal the probability is what it says."""
    rows = evaluation.rows
    if not len(rows) or np.isnan(rows.probability).any():
        return ""
    groups = pool([(n, said, came) for n, said, came in calibration_table(rows.probability, rows.label).tolist()])
    if not groups:
        return ""
    top = max(0.1, *(max(said, came) for _, said, came in groups)) * 1.05
    top = min(top, 1.0)
    plot = Plot(SIZE, (0, top), (0, top), MARGIN)
    marks = [(value, plain(value)) for value in ticks(0, top, 4)]
    plot.axes(marks, marks, x_title="probability 概率", y_title="share that came 实际比例")
    plot.span((0, 0), (top, top), "diagonal")
    for size, said, came in groups:
        half = 1.96 * float(np.sqrt(max(came * (1 - came), 0) / size))
        plot.span((said, max(came - half, 0)), (said, min(came + half, top)), "whisker")
    points = [(said, came) for _, said, came in groups]
    plot.line(points, "model thin")
    plot.dots(points, "model-dot")
    return plot.svg("Calibration: share that came against probability")


def roc(evaluation: Evaluation) -> str:
    """True against false share; the rule of thumb dashed."""
    plot = Plot(SIZE, (0, 1), (0, 1), MARGIN)
    plot.axes(HALVES, HALVES, x_title="false-alarm share 误提示比例", y_title="recall 查全率")
    plot.span((0, 0), (1, 1), "diagonal")
    label = evaluation.rows.label
    if "rate_list" in evaluation.rules:
        plot.line(_roc_points(evaluation.rules["rate_list"], label), "rule")
    plot.line(_roc_points(evaluation.rows.score, label), "model")
    return plot.svg("ROC: recall against the share of false alarms")


def precision_recall(evaluation: Evaluation) -> str:
    """Precision against recall; the base rate as a line."""
    rows = evaluation.rows
    plot = Plot(SIZE, (0, 1), (0, 1), MARGIN)
    plot.axes(HALVES, HALVES, x_title="recall 查全率", y_title="precision 查准率")
    base = float((rows.label == 1).mean()) if len(rows) else 0.0
    plot.span((0, base), (1, base), "diagonal")
    if "rate_list" in evaluation.rules:
        plot.line(_precision_points(evaluation.rules["rate_list"], rows.label), "rule")
    plot.line(_precision_points(rows.score, rows.label), "model")
    return plot.svg("Precision against recall")


def by_month(evaluation: Evaluation) -> str:
    """AUC of each month's rows; months with too few are gaps."""
    months = monthly_auc(evaluation.rows)
    known = [value for _, value, _, _ in months if not np.isnan(value)]
    if not known:
        return ""
    low = min(0.5, float(np.floor(min(known) * 10) / 10))
    plot = Plot(SIZE, (-0.5, len(months) - 0.5), (low, 1), MARGIN)
    step = max(1, -(-len(months) // 4))
    names = [(float(i), months[i][0]) for i in range(0, len(months), step)]
    if len(months) > 14:
        names = [(place, name[:4]) for place, name in names]
    plot.axes(names, [(value, plain(value)) for value in ticks(low, 1, 4)], x_title="month 月份", y_title="AUC")
    whole = evaluation.figure("auc")
    if whole and not np.isnan(whole.value):
        plot.span((-0.5, whole.value), (len(months) - 0.5, whole.value), "diagonal")
    points = [(float(i), value) for i, (_, value, _, _) in enumerate(months)]
    plot.line(points, "model thin")
    plot.dots(points, "model-dot", 2.5 if len(months) < 40 else 1.5)
    return plot.svg("AUC by month")


def lead_times(found: Leads) -> str:
    """How many days before the end was known the warning stood; hollow bars are fewer than ten."""
    if found.warned < EXPORT_K:
        return ""
    top = max(float(np.percentile(found.days, 98)), 1 / 24)
    edges = ticks(0, top * 1.2, 12)
    counts = np.histogram(np.minimum(found.days, edges[-1] - 1e-9), edges)[0].tolist()
    plot = Plot(SIZE, (0, edges[-1]), (0, max(counts)), MARGIN)
    marks = [(value, plain(value)) for value in ticks(0, edges[-1], 4)]
    plot.axes(marks, [(v, plain(v)) for v in ticks(0, max(counts), 3)], x_title="days 天", y_title="matters 事项")
    bars = list(zip(edges[:-1], edges[1:], counts, strict=True))
    plot.bars([bar for bar in bars if not is_small(bar[2])], "bar")
    plot.bars([(start, stop, EXPORT_K) for start, stop, count in bars if is_small(count)], "hollow")
    return plot.svg("Lead time in days")


def alarms(report: Report, level: str, *, last: bool) -> str:
    """First raises to one level a day, as means of weeks, over the whole period."""
    told, zone = report.told, report.note.zone_info()
    height = LEVELS.index(level) + 1
    counts = daily(told, told.first_raises(height, exact=True), report.period, zone)
    starts = np.arange(0, len(counts), 7)
    means = np.add.reduceat(counts, starts) / np.minimum(7, len(counts) - starts)
    top = max(float(means.max()), 0.1)
    size = (820, 92 if last else 76)
    plot = Plot(size, (0, float(len(counts))), (0, top), (34, 4, 10, 22 if last else 6))
    first = np.datetime64(report.period.first, "D")
    plot.axes(_dates(first, len(counts)) if last else [], [(v, plain(v)) for v in (0.0, _half(top))])
    weeks = zip(starts.tolist(), (starts + 7).tolist(), means.tolist(), strict=True)
    plot.bars([(s, min(e, len(counts)), m) for s, e, m in weeks], f"bar-{level}", 0.6 if len(starts) < 200 else 0)
    return plot.svg(f"Alarms a day, {level}")


def whiskers(model: Figure, rule: Figure | None, low: float, high: float) -> str:
    """One metric as a dot with its interval, the rule of thumb as a hollow one on the same line."""
    plot = Plot((132, 26), (low, high), (0, 2), (4, 4, 2, 2))
    plot.span((low, 1), (high, 1), "grid")
    if rule is not None and not np.isnan(rule.value):
        plot.span((rule.low, 0.6), (rule.high, 0.6), "rule-whisker")
        plot.dots([(rule.value, 0.6)], "rule-dot", 3)
    plot.span((model.low, 1.4), (model.high, 1.4), "model")
    plot.dots([(model.value, 1.4)], "model-dot", 3.2)
    return plot.svg(f"{model.value:.3f}, from {model.low:.3f} to {model.high:.3f}")


def _roc_points(score: Floats, label: Labels) -> list[tuple[float, float]]:
    hits, rows = threshold_counts(score, label)
    if not len(hits) or hits[-1] == 0 or rows[-1] == hits[-1]:
        return []
    false = np.r_[0.0, (rows - hits) / (rows[-1] - hits[-1])]
    return _thinned(false, np.r_[0.0, hits / hits[-1]])


def _precision_points(score: Floats, label: Labels) -> list[tuple[float, float]]:
    hits, rows = threshold_counts(score, label)
    if not len(hits) or hits[-1] == 0:
        return []
    # The first few rows say nothing yet about precision, and would tell of single matters.
    start = int(np.searchsorted(rows, min(2 * EXPORT_K, rows[-1])))
    return _thinned((hits / hits[-1])[start:], (hits / rows)[start:])


def _thinned(x: Floats, y: Floats) -> list[tuple[float, float]]:
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), _CURVE_POINTS)).astype(np.int64))
    return list(zip(x[chosen].tolist(), y[chosen].tolist(), strict=True))


def _half(top: float) -> float:
    found = [value for value in ticks(0, top, 2) if value > 0]
    return found[-1] if found else top


def _dates(first: np.datetime64, days: int) -> list[tuple[float, str]]:
    months = np.arange(first.astype("datetime64[M]") + 1, (first + days).astype("datetime64[M]") + 1)
    step = max(1, -(-len(months) // 9))
    if step > 6:
        step = 12 * -(-step // 12)
        months = months[(-int(months[0].astype(np.int64))) % 12 :] if len(months) > 12 else months
    places = [(float((month.astype("datetime64[D]") - first).astype(np.int64)), str(month)) for month in months[::step]]
    return [(place, name) for place, name in places if place < days - days * 0.02]
