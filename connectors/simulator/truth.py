"""What is true of the simulated city, as records for truth.jsonl. No pipeline reads them; checks of quality do."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from connectors.simulator.batch import Batch, Ints, Story
from connectors.simulator.intake import CHANNELS
from connectors.simulator.surges import Surge
from connectors.simulator.telling import Telling
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category
from connectors.simulator.working_time import civil, rfc3339
from pipeline.signal import Step

OUTCOMES = ("breach", "bounced", "reopened", "repeated", "unsatisfied")


def matter_truths(
    batch: Batch, telling: Telling, territory: Territory, categories: tuple[Category, ...], names: dict[int, str]
) -> Iterator[dict[str, Any]]:
    """Oracle probabilities (at registration; of the breach also once returns are known), outcomes, causes of matters.

    `breach`: the office's claim came after the due time, which is `due_at` (`first_due_at` before any extension);
    `repeated`: reported again as a new matter within 30 days; the outcomes are what happens in the end, whether or not
    the run is long enough to show it. `failed_at` tells when, of those outcomes that fail and have a moment of their
    own. `names`: id by serial, for the matters that others repeat.
    """
    born, story = batch.registered, batch.story
    chances, burden = born.chances, born.burden
    oracle = {name: getattr(chances, name).round(6).tolist() for name in OUTCOMES}
    outcomes = {name: (story.refused >= 2 if name == "bounced" else getattr(story, name)).tolist() for name in OUTCOMES}
    offices = list(territory.offices)
    failed = _failures(story, len(born))
    called = np.maximum(_moments(story, Step.SOLVED, 1, len(born)), _moments(story, Step.UNSOLVED, 1, len(born)))
    closed = _moments(story, Step.CLOSED, 1, len(born))
    for row, matter in enumerate(telling.names(batch)):
        parent = names.get(int(born.parent[row]), "")
        is_repeat = bool(born.is_repeat[row])
        identifiers = telling.complaint(batch, row)[1] if born.contact[row] else ()
        yield {
            "synthetic": True,
            "kind": "matter",
            "matter": matter,
            "category": categories[int(born.category[row])].key,
            "place": territory.grids[int(born.grid[row])].key,
            "point": f"{born.point[row]:03d}",
            "office": offices[int(born.office[row])],
            "channel": CHANNELS[int(born.channel[row])],
            "registered_at": rfc3339(int(born.at[row])),
            "first_due_at": rfc3339(int(born.due[row])),
            "due_at": rfc3339(int(story.final_due[row])),
            "done_at": rfc3339(int(story.done[row])),
            "called_back_at": rfc3339(int(called[row])),
            "closed_at": rfc3339(int(closed[row])),
            "oracle": {name: oracle[name][row] for name in OUTCOMES},
            "breach_once_routed": round(float(story.breach_once_routed[row]), 6),
            "outcomes": {name: outcomes[name][row] for name in OUTCOMES},
            "failed_at": {name: rfc3339(int(at[row])) for name, at in failed.items() if at[row]},
            "difficulty": round(float(burden.difficulty[row]), 4),
            "strain": round(float(burden.strain[row]), 4),
            "temper": round(float(burden.temper[row]), 4),
            "returns": int(story.returns[row]),
            "vague_reply": bool(story.vague[row]),
            "fake_remedy": bool(story.fake[row]),
            "urgent": bool(born.urgent[row]),
            "surge": born.surge[row],
            "repeats": parent if is_repeat else "",
            "same_as": "" if is_repeat else parent,
            "identifiers": [[one.kind, one.start, one.end] for one in identifiers],
        }


def _failures(story: Story, n: int) -> dict[str, Ints]:
    """When each matter failed by each outcome; 0 where it did not."""
    return {
        "breach": np.where(story.breach, story.final_due, 0),
        "bounced": _moments(story, Step.NOT_UPHELD, 2, n),
        "reopened": _moments(story, Step.REOPENED, 1, n),
        "repeated": story.again_at,
        "unsatisfied": _moments(story, Step.UNSOLVED, 1, n),
    }


def _moments(story: Story, step: Step, nth: int, n: int) -> Ints:
    """When each matter took a step for the nth time; 0 where it did not."""
    chosen = np.flatnonzero(story.step == step)
    rows = story.row[chosen]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
    found = np.zeros(n, np.int64)
    found[rows[rank == nth]] = story.at[chosen[rank == nth]]
    return found


def surge_truth(surge: Surge, categories: tuple[Category, ...], territory: Territory) -> dict[str, Any]:
    """A planted surge: where, what, when, and how many more matters a day it means to bring."""
    return {
        "synthetic": True,
        "kind": "surge",
        "surge": surge.id,
        "category": categories[surge.category].key,
        "places": [territory.grids[grid].key for grid in surge.grids],
        "first_day": civil(surge.first_day).isoformat(),
        "days": surge.days,
        "begin": rfc3339(surge.begins),
        "end": rfc3339(surge.ends),
        "a_day": round(surge.a_day, 3),
    }
