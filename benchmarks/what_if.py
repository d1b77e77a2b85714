"""How long one threshold question takes over a million scored matters; preparing the outcome is told beside it."""

from time import perf_counter

import numpy as np

from benchmarks.figure import Figure, figure
from console.reports.scores import NEVER, Scores
from console.reports.tune import crossings, what_if
from pipeline.calendar import DAY_US, HOUR_US

OFFICES = 40
DAYS = 365
SCORES_A_MATTER = 3
UNKNOWN = 0.1
"""Share of matters whose end is not known yet."""


def scored_matters(matters: int, *, seed: int = 1) -> Scores:
    """Scores of `matters` matters at three moments each, in order of time; a third of the variance tells the end."""
    random = np.random.default_rng(seed)
    registered = np.sort(random.integers(0, DAYS * DAY_US, matters))
    logit = random.normal(-2.5, 1.0, matters)
    label = (random.random(matters) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    label[random.random(matters) < UNKNOWN] = -1
    closed = registered + random.integers(DAY_US, 30 * DAY_US, matters)
    subject = np.repeat(np.arange(matters, dtype=np.int32), SCORES_A_MATTER)
    at = registered[subject] + np.tile(np.arange(SCORES_A_MATTER) * 30 * HOUR_US, matters)
    raw = logit[subject] + random.normal(0, 1.0, len(subject))
    order = np.argsort(at, kind="stable")
    none = np.zeros(len(subject), np.int32)
    known_at = np.where(label >= 0, closed, NEVER)[subject]
    return Scores(
        subject=subject[order],
        kind=none,
        target=none,
        office=random.integers(0, OFFICES, matters).astype(np.int32)[subject][order],
        category=none,
        at=at[order],
        known_at=known_at[order],
        score=raw[order],
        probability=np.round(1 / (1 + np.exp(-raw[order])), 4),
        share=np.full(len(subject), np.nan),
        recurrence=np.full(len(subject), np.nan),
        label=label[subject][order],
        names={
            "subject": [],
            "kind": ["risk"],
            "target": ["breach"],
            "office": [f"office-{number}" for number in range(OFFICES)],
            "category": ["any"],
        },
    )


def what_if_1m(matters: int = 1_000_000) -> list[Figure]:
    """The slowest of nine cut-offs, each asked three times and the best of those taken; and the preparation."""
    scores = scored_matters(matters)
    begun = perf_counter()
    prepared = crossings(scores, "breach")
    preparing = perf_counter() - begun
    answers = []
    for tenths in range(1, 10):
        taken = []
        for _ in range(3):
            since = perf_counter()
            what_if(prepared, tenths / 10)
            taken.append(perf_counter() - since)
        answers.append(min(taken))
    return [
        figure("what_if_1m", 1e3 * max(answers), "ms", goal=100, higher_is_better=False),
        figure("what_if_1m_prepared_once", 1e3 * preparing, "ms", higher_is_better=False),
    ]
