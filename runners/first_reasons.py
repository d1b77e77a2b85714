"""Why each warning was raised at first: the code of the reason that governed its first transition."""

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import select

from alerts.schema import transitions
from alerts.store import Store


def first_reason(transition: dict[str, Any]) -> str:
    """Code of the first ground of what governed a transition; `risk` where a model spoke, '' where nothing did."""
    every: list[dict[str, Any]] = transition["assessments"]
    if not every:
        return ""
    governing = every[transition["governing"]]
    if governing["kind"] == "risk":
        return "risk"
    grounds = governing["grounds"]
    return str(grounds[0]["why"]) if grounds else str(governing["kind"])


def first_transitions(store: Store, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """First transitions of all warnings with their row number, those behind `after`, in order."""
    query = select(transitions.c.id, transitions.c.body).where(transitions.c.number == 1, transitions.c.id > after)
    with store.engine.connect() as connection:
        for number, body in connection.execute(query.order_by(transitions.c.id)):
            yield number, orjson.loads(body)
