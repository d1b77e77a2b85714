"""Everything a report is made of, read from a back-test folder and computed once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from console.reports.alarms import Kept, Leads, Period, budgets_kept, leads, local_day
from console.reports.evaluation import Evaluation, evaluate, lead_figures
from console.reports.offices import office_table
from console.reports.run_note import RunNote, read_run_note
from console.reports.scores import Scores, read_scores
from console.reports.suppress import Row
from console.reports.transitions import Transitions, read_transitions


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report is made of; the page and the JSON are two ways to write it down."""

    note: RunNote
    scores: Scores
    told: Transitions
    evaluations: list[Evaluation]
    leads: dict[tuple[str, str], Leads]
    period: Period
    kept: list[Kept]
    offices: list[Row]


def assemble(folder: Path) -> Report:
    """Reads a back-test folder and computes every figure."""
    scores, told, note = read_scores(folder), read_transitions(folder), read_run_note(folder)
    evaluations, found = [], {}
    for kind, target in scores.tasks():
        evaluation = evaluate(scores, kind, target)
        if evaluation.main == "headline":
            found[kind, target] = leads(told, evaluation.rows, target)
            evaluation.figures.extend(lead_figures(found[kind, target]))
        evaluations.append(evaluation)
    zone = note.zone_info()
    starts = [int(e.rows.at[0]) for e in evaluations if len(e.rows)] or [int(scores.at.min())] if len(scores) else [0]
    end = int(scores.at.max()) if len(scores) else 0
    period = Period(local_day(min(starts), zone), local_day(end, zone))
    offices = sorted({scores.names["office"][code] for code in np.unique(scores.office).tolist()})
    kept = budgets_kept(told, note.budgets, offices, period, zone)
    return Report(note, scores, told, evaluations, found, period, kept, office_table(scores, told, period, zone))
