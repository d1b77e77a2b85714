"""`report.json` and `report.html` of a back-test folder, from `scores.csv`, `warnings.jsonl` and `run.json` alone.

The same files give the same bytes: no clock is read, no folder is named, every resample has a fixed seed.
"""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from console.reports import definitions
from console.reports.contents import Report, assemble
from console.reports.evaluation import Evaluation, monthly_auc
from console.reports.metrics import calibration_table
from console.reports.page import page
from console.reports.suppress import pool, suppress
from console.reports.transitions import LEVELS


def write_report(folder: Path) -> None:
    """Writes `report.json` and `report.html` into a back-test folder. Raises CorruptData."""
    report = assemble(folder)
    (folder / "report.json").write_bytes(as_json(report))
    (folder / "report.html").write_text(page(report), encoding="utf-8", newline="\n")


def as_json(report: Report) -> bytes:
    """The bytes of `report.json`: keys sorted, six decimals, what cannot be said is null."""
    told = {
        "caption": {"zh": definitions.CAPTION_ZH, "en": definitions.CAPTION_EN},
        "limit": {"zh": definitions.LIMIT_ZH, "en": definitions.LIMIT_EN},
        "definitions": {
            "rows": definitions.ROWS,
            "metrics": {name: text for name, (_, _, text) in definitions.FIGURES.items()},
            "rules": definitions.RULES,
            "interval": definitions.INTERVAL,
            "alarms": definitions.ALARMS,
            "suppression": definitions.SUPPRESSION,
            "recipe": definitions.RECIPE,
        },
        "run": {
            "input": report.note.inputs,
            "mapping": report.note.mapping,
            "counts": report.note.counts,
            "versions": report.note.versions,
            "digests": report.note.digests,
        },
        "tasks": [_task(report, evaluation) for evaluation in report.evaluations],
        "alarms": _alarms(report),
        "offices": report.offices,
    }
    return orjson.dumps(_plain(told), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _task(report: Report, evaluation: Evaluation) -> dict[str, Any]:
    rows = evaluation.rows
    en, zh = report.note.title(evaluation.target)
    calibrated = len(rows) > 0 and not np.isnan(rows.probability).any()
    table = pool(calibration_table(rows.probability, rows.label).tolist()) if calibrated else []
    months = [dict(zip(("month", "auc", "n", "positives"), row, strict=True)) for row in monthly_auc(rows)]
    return {
        "kind": evaluation.kind,
        "target": evaluation.target,
        "title": {"en": en, "zh": zh},
        "rows": evaluation.main,
        "n": len(rows),
        "positives": int(rows.label.sum()),
        "censored_rows": evaluation.censored,
        "metrics": [
            {**asdict(figure), "definition": definitions.FIGURES[figure.name][2]} for figure in evaluation.figures
        ],
        "calibration": [{"n": n, "probability": said, "share": came} for n, said, came in table],
        "auc_by_month": suppress(months, {"n": ("auc", "positives"), "positives": ("auc",)}),
    }


def _alarms(report: Report) -> dict[str, Any]:
    told = report.told
    return {
        "days": report.period.days,
        "first_day": report.period.first.isoformat(),
        "last_day": report.period.last.isoformat(),
        "zone": report.note.zone,
        "transitions": len(told),
        "transitions_by_level": {
            level: int((told.level == height).sum()) for height, level in enumerate(("none", *LEVELS))
        },
        "raises_by_level": {
            level: int((told.raises() & (told.level == height)).sum()) for height, level in enumerate(LEVELS, 1)
        },
        "levels": suppress(
            [
                {
                    "level": kept.level,
                    "alarms": kept.alarms,
                    "per_office_and_day": kept.mean,
                    "busy_day": kept.busy,
                    "asked": kept.asked,
                    "mean_by_asked": kept.mean / kept.asked if kept.asked else None,
                    "busy_by_asked": kept.busy / kept.asked if kept.asked else None,
                }
                for kept in report.kept
            ],
            {"alarms": ("per_office_and_day", "mean_by_asked")},
            total_is_shown=False,
        ),
    }


def _plain(value: Any) -> Any:
    """JSON-able values with six decimals; NaN becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
