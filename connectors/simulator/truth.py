"""What is true of the simulated city, as records for truth.jsonl. No pipeline reads them; checks of quality do."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from connectors.simulator.arrivals import Surge
from connectors.simulator.life import Matter
from connectors.simulator.vocabulary import Category
from connectors.simulator.wording import Identifier
from connectors.simulator.working_time import civil

CHINA = timezone(timedelta(hours=8))


def rfc3339(at: int) -> str:
    """Epoch seconds as the files write them: with the offset +08:00.

    >>> rfc3339(0)
    '1970-01-01T08:00:00+08:00'
    """
    return datetime.fromtimestamp(at, UTC).astimezone(CHINA).isoformat()


def matter_truth(matter: Matter, identifiers: tuple[Identifier, ...]) -> dict[str, Any]:
    """Oracle probabilities (at registration; of the breach also once returns are known), outcomes, causes of a matter.

    `breach`: the office's claim came after the due time; `repeated`: reported again as a new matter within 30 days;
    the outcomes are what happens in the end, whether or not the run is long enough to show it.
    """
    chances = matter.chances
    return {
        "synthetic": True,
        "kind": "matter",
        "matter": matter.id,
        "category": matter.category.key,
        "place": matter.place,
        "point": matter.point,
        "office": matter.office,
        "channel": matter.channel,
        "registered_at": rfc3339(matter.at),
        "done_at": rfc3339(matter.done),
        "oracle": {
            "breach": round(chances.breach, 6),
            "bounced": round(chances.bounced, 6),
            "reopened": round(chances.reopened, 6),
            "repeated": round(chances.repeated, 6),
            "unsatisfied": round(chances.unsatisfied, 6),
        },
        "breach_once_routed": round(matter.breach_once_routed, 6),
        "outcomes": {
            "breach": matter.breach,
            "bounced": matter.refused >= 2,
            "reopened": matter.reopened,
            "repeated": matter.repeated,
            "unsatisfied": matter.unsatisfied,
        },
        "difficulty": round(matter.burden.difficulty, 4),
        "strain": round(matter.burden.strain, 4),
        "temper": round(matter.burden.temper, 4),
        "returns": matter.returns,
        "vague_reply": matter.vague,
        "fake_remedy": matter.fake,
        "urgent": matter.urgent,
        "surge": matter.surge,
        "repeats": matter.repeats,
        "same_as": matter.same_as,
        "identifiers": [[one.kind, one.start, one.end] for one in identifiers],
    }


def surge_truth(surge: Surge, categories: tuple[Category, ...]) -> dict[str, Any]:
    """A planted surge: where, what, when, and how many more matters a day it means to bring."""
    return {
        "synthetic": True,
        "kind": "surge",
        "surge": surge.id,
        "category": categories[surge.category].key,
        "places": list(surge.grids),
        "first_day": civil(surge.first_day).isoformat(),
        "days": surge.days,
        "a_day": round(surge.a_day, 3),
    }
