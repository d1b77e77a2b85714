"""What would another cut-off have given? First crossings per subject, from `scores.csv` alone, in milliseconds.

Dwell, hold, budgets and hard rules are left out: a back-test with the changed configuration is the exact answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from console.reports.alarms import DAY_US
from console.reports.evaluation import WHOLE
from console.reports.metrics import Floats
from console.reports.scores import Scores, read_scores
from console.reports.suppress import EXPORT_K, Row, suppress
from pipeline.errors import ConfigError

CAVEAT_EN = "First crossings only: dwell, hold, budgets and hard rules are left out; `backtest` is the exact answer."
CAVEAT_ZH = "试算仅统计首次越过阈值，未计入驻留、保持、限额和硬性规则；准确结果以历史回测为准。"


@dataclass(frozen=True, slots=True)
class Crossings:
    """The rows of one outcome that can be a crossing: `floor` < cut-off <= `peak` says that they are.

    For matters `floor` is the highest probability the subject had before, so a subject crosses a cut-off at most
    once; for series without an end it is the row before. `label` is the subject's end, -1 while unknown.
    """

    peak: Floats
    floor: Floats
    at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    label: NDArray[np.int8]
    office: NDArray[np.int32]
    offices: list[str]
    days: float
    positives: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one cut-off gives; shares and the median (days) are NaN where there is nothing to take them of.

    `known` of the `warnings` have a known end, `hits` of them the outcome; the arrays are by office.
    """

    cutoff: float
    warnings: int
    warnings_a_day: float
    known: int
    hits: int
    precision: float
    recall: float
    lead_days: float
    office_warnings: NDArray[np.int64]
    office_known: NDArray[np.int64]
    office_hits: NDArray[np.int64]


def crossings(scores: Scores, target: str) -> Crossings:
    """Prepares one outcome for any number of questions. Cost: one sort of its rows. Raises ConfigError."""
    rows = scores.of(target=target)
    rows = rows.take(~np.isnan(rows.probability))
    if not len(rows):
        known = ", ".join(sorted({name for _, name in scores.tasks()})) or "none"
        raise ConfigError([f"no rows for target {target!r}; targets with rows: {known}"])
    order = np.lexsort((rows.at, rows.subject))
    rows = rows.take(order)
    fresh = np.r_[True, rows.subject[1:] != rows.subject[:-1]]
    group = np.cumsum(fresh) - 1
    if all(kind in WHOLE for kind, name in scores.tasks() if name == target):
        floor = np.r_[-np.inf, rows.probability[:-1]]
        end, known_at = rows.label, rows.known_at
        positives = int((end == 1).sum())
    else:
        floor = _highest_before(rows.probability, group)
        end, known_at = _ends(rows, group)
        positives = int((end[fresh] == 1).sum())
    floor[fresh] = -np.inf
    kept = np.flatnonzero(rows.probability > floor)
    span = float(rows.at.max() - rows.at.min()) / DAY_US
    return Crossings(
        peak=rows.probability[kept],
        floor=floor[kept],
        at=rows.at[kept],
        known_at=known_at[kept],
        label=end[kept],
        office=rows.office[kept],
        offices=scores.names["office"],
        days=max(span, 1.0),
        positives=positives,
    )


def what_if(prepared: Crossings, cutoff: float) -> WhatIf:
    """Warnings, precision, recall and lead time of one cut-off on calibrated probability."""
    rows = np.flatnonzero((prepared.peak >= cutoff) & (prepared.floor < cutoff))
    label, office = prepared.label[rows], prepared.office[rows]
    hit = label == 1
    known, hits = int((label >= 0).sum()), int(hit.sum())
    early = rows[hit]
    count = len(prepared.offices)
    return WhatIf(
        cutoff=cutoff,
        warnings=len(rows),
        warnings_a_day=len(rows) / prepared.days,
        known=known,
        hits=hits,
        precision=hits / known if known else float("nan"),
        recall=hits / prepared.positives if prepared.positives else float("nan"),
        lead_days=float(np.median(prepared.known_at[early] - prepared.at[early])) / DAY_US if hits else float("nan"),
        office_warnings=np.bincount(office, minlength=count),
        office_known=np.bincount(office[label >= 0], minlength=count),
        office_hits=np.bincount(office[hit], minlength=count),
    )


def cutoff_for_budget(prepared: Crossings, daily_budget: float) -> float:
    """The lowest cut-off from which on upwards there are never more than `daily_budget` warnings a day."""
    cutoffs, warnings = _curve(prepared, np.ones(len(prepared.peak), np.bool_))
    fits = np.maximum.accumulate(warnings[::-1])[::-1] <= daily_budget * prepared.days
    if not fits.any():
        raise ConfigError([f"no cut-off keeps to {daily_budget:g} warnings a day; the fewest are "
                           f"{warnings[-1] / prepared.days:.3g} a day"])  # fmt: skip
    return float(cutoffs[fits][0])


def cutoff_for_precision(prepared: Crossings, precision: float) -> float:
    """The lowest cut-off whose warnings reach `precision`, judged on at least ten known ends. Raises ConfigError."""
    cutoffs, known = _curve(prepared, prepared.label >= 0)
    _, hits = _curve(prepared, prepared.label == 1)
    share = np.divide(hits, known, out=np.zeros(len(known)), where=known >= EXPORT_K)
    if not (share >= precision).any():
        raise ConfigError([f"no cut-off reaches precision {precision:g}; the best is {share.max():.3f}"])
    return float(cutoffs[share >= precision][0])


def tune(
    folder: Path,
    *,
    target: str,
    cutoffs: Sequence[float] = (),
    daily_budget: float | None = None,
    precision: float | None = None,
) -> list[Row]:
    """The answers as table rows, one per cut-off, small counts not shown; `offices` holds the rows by office.

    Without cut-off, budget or precision: .1 to .9. Raises ConfigError for a target without rows or a wish that no
    cut-off fulfils.
    """
    prepared = crossings(read_scores(folder), target)
    wanted = list(cutoffs)
    if daily_budget is not None:
        wanted.append(cutoff_for_budget(prepared, daily_budget))
    if precision is not None:
        wanted.append(cutoff_for_precision(prepared, precision))
    wanted = wanted or [tenths / 10 for tenths in range(1, 10)]
    return [_row(prepared, what_if(prepared, cutoff)) for cutoff in wanted]


def patch(cutoffs: Mapping[str, float], *, path: Sequence[str] = ("levels",)) -> str:
    """YAML that sets the raise cut-off of the given levels, to be laid over a configuration.

    >>> print(patch({"yellow": 0.41}), end="")
    levels:
      yellow:
        raise_at: 0.41
    """
    tree: object = {level: {"raise_at": round(float(cutoff), 6)} for level, cutoff in cutoffs.items()}
    for key in reversed(path):
        tree = {key: tree}
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _ends(rows: Scores, group: NDArray[np.intp]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Each row's subject's end: the highest label among its rows, and when that was known."""
    count = int(group[-1]) + 1
    label, known_at = np.full(count, -1, np.int8), np.zeros(count, np.int64)
    for value in (0, 1):
        having = np.flatnonzero(rows.label == value)
        label[group[having]] = value
        known_at[group[having]] = rows.known_at[having]
    return label[group], known_at[group]


def _highest_before(values: Floats, group: NDArray[np.intp]) -> Floats:
    """The highest value of the same group before each row; groups lie together."""
    distinct, rank = np.unique(values, return_inverse=True)
    # Ranks of a later group lie above all of an earlier one, so one running maximum serves all groups.
    lifted = np.maximum.accumulate(rank + group * len(distinct)) - group * len(distinct)
    before = np.r_[0, lifted[:-1]]
    return np.asarray(distinct[np.clip(before, 0, len(distinct) - 1)], np.float64)


def _curve(prepared: Crossings, keep: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """Every distinct cut-off, ascending, and how many of the rows to keep cross it."""
    cutoffs = np.unique(prepared.peak)
    peak, floor = np.sort(prepared.peak[keep]), np.sort(prepared.floor[keep])
    return cutoffs, np.searchsorted(floor, cutoffs) - np.searchsorted(peak, cutoffs)


def _row(prepared: Crossings, found: WhatIf) -> Row:
    offices = [
        _office_row(prepared, found, code)
        for code in np.argsort(prepared.offices).tolist()
        if found.office_warnings[code]
    ]
    whole: Row = {
        "cutoff": found.cutoff,
        "warnings": found.warnings,
        "warnings_a_day": found.warnings_a_day,
        "known": found.known,
        "hits": found.hits,
        "precision": None if np.isnan(found.precision) else found.precision,
        "recall": None if np.isnan(found.recall) else found.recall,
        "lead_days": None if np.isnan(found.lead_days) else found.lead_days,
    }
    counts = {"known": ("precision",), "hits": ("precision", "recall", "lead_days")}
    (whole,) = suppress([whole], counts, total_is_shown=False)
    by_office = {
        "warnings": ("warnings_a_day", "known", "hits", "precision"),
        "known": ("precision",),
        "hits": ("precision",),
    }
    whole["offices"] = suppress(offices, by_office)
    return whole


def _office_row(prepared: Crossings, found: WhatIf, code: int) -> Row:
    warnings, known, hits = (
        int(counts[code]) for counts in (found.office_warnings, found.office_known, found.office_hits)
    )
    return {
        "office": prepared.offices[code],
        "warnings": warnings,
        "warnings_a_day": warnings / prepared.days,
        "known": known,
        "hits": hits,
        "precision": hits / known if known else None,
    }
