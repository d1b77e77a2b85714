"""By what the queue puts warnings in order, derived from their newest transition. Pure."""

from collections.abc import Mapping
from typing import Any

from pipeline.state import NEVER

_SHUT = frozenset({"closed", "ended"})


def order_of(transition: Mapping[str, Any]) -> dict[str, int]:
    """Each smallest first. `shut`: 0 or 1. `calm`: 0 red to 4 none. `late`: the deadline; of shut ones newest first."""
    if transition["state"] in _SHUT:
        return {"shut": 1, "calm": 4, "late": NEVER - transition["at"]}
    return {"shut": 0, "calm": 4 - transition["proposed"], "late": transition.get("due") or NEVER}
