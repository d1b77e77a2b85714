"""Sources as people read them."""

from collections.abc import Sequence
from typing import Any

from alerts.names import rfc3339
from console.api.ports import SourceStatus
from console.api.room import View


def source_infos(sources: Sequence[SourceStatus], view: View) -> list[dict[str, Any]]:
    """Sources as they are sent; one the configuration does not name is called by its id."""
    return [
        {
            **source,
            "zh": view.names.zh_of(source["name"]),
            "en": view.names.en_of(source["name"]),
            "last_at": None if source["last_at"] is None else rfc3339(source["last_at"]),
        }
        for source in sources
    ]
