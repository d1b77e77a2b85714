"""The table by office: facts about what each was shown, in order of name, never a ranking; small counts not shown."""

from zoneinfo import ZoneInfo

import numpy as np

from console.reports.alarms import YELLOW, Period, by_office
from console.reports.evaluation import WHOLE
from console.reports.rules import one_per_subject
from console.reports.scores import Scores
from console.reports.suppress import Row, suppress
from console.reports.transitions import LEVELS, Transitions

COUNTS = {
    "matters": (),
    "alarms": ("alarms_a_day", "ended", "proved", "proved_share", *LEVELS),
    "ended": ("proved_share",),
    "proved": ("proved_share",),
    **dict.fromkeys(LEVELS, ()),
}


def office_table(scores: Scores, told: Transitions, period: Period, zone: ZoneInfo) -> list[Row]:
    """One row per office: matters scored, alarms (first raises to yellow or above) and how many of them proved true.

    `ended` counts the alarms for an outcome whose end is known by now, `proved` those among them where it came.
    """
    matters = _matters(scores)
    ends = _ends(scores)
    alarms = by_office(told, told.first_raises(YELLOW))
    levels = {level: by_office(told, told.first_raises(height, exact=True)) for height, level in enumerate(LEVELS, 1)}
    rows: list[Row] = []
    for office in sorted(set(matters) | set(alarms)):
        found = alarms.get(office, np.empty(0, np.intp)).tolist()
        known = [ends[key] for row in found if (key := (told.subject[row], told.target[row])) in ends]
        rows.append(
            {
                "office": office,
                "matters": matters.get(office, 0),
                "alarms": len(found),
                "alarms_a_day": len(found) / period.days,
                "ended": len(known),
                "proved": sum(known),
                "proved_share": sum(known) / len(known) if known else None,
                **{level: len(apart.get(office, ())) for level, apart in levels.items()},
            }
        )
    return suppress(rows, COUNTS)


def _matters(scores: Scores) -> dict[str, int]:
    """Subjects by the office of their first row."""
    _, first = np.unique(scores.subject, return_index=True)
    size = np.bincount(scores.office[first], minlength=len(scores.names["office"]))
    return {name: int(count) for name, count in zip(scores.names["office"], size, strict=True) if count}


def _ends(scores: Scores) -> dict[tuple[str, str], int]:
    """The known end of each (subject, target)."""
    ends: dict[tuple[str, str], int] = {}
    subjects = scores.names["subject"]
    for kind, target in scores.tasks():
        if kind not in WHOLE:
            known = one_per_subject(scores.of(kind=kind, target=target))
            pairs = zip(known.subject.tolist(), known.label.tolist(), strict=True)
            ends.update({(subjects[code], target): label for code, label in pairs})
    return ends
