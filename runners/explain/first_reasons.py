"""Transitions of an embedded store behind a row number, and why each warning was raised at first."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson


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


def transitions_behind(data: Path, after: int, *, first: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Transitions behind the row `after` with their row numbers, in order; of each warning the `first` alone."""
    query = f"SELECT id, body FROM transitions WHERE id > ? {'AND number = 1' if first else ''} ORDER BY id"
    with closing(sqlite3.connect(f"{(data / 'store.db').absolute().as_uri()}?mode=ro", uri=True)) as db:
        for number, body in db.execute(query, (after,)):
            yield number, orjson.loads(body)


def last_transition(data: Path) -> int:
    """Row number of the newest transition; 0 where there is none."""
    with closing(sqlite3.connect(f"{(data / 'store.db').absolute().as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM transitions").fetchone()[0])
