"""What the simulated city talks about: categories, kinds of offices, words; from the YAML files beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of matter; `returned` and `again` are typical shares, `weight` is relative, months run 1 to 12."""

    key: str
    zh: str
    en: str
    limit: str
    lead: tuple[str, ...]
    rivals: tuple[str, ...]
    peak: tuple[int, ...]
    scene: str
    hours: str
    weight: float
    returned: float
    again: float
    town: str = ""
    town_share: float = 0.25
    rain: float = 1.0
    cold: float = 1.0
    rise: float = 1.7
    rest: float = 1.0
    hazard: bool = False

    def season(self, month: int) -> float:
        """How many times its usual load the category has in this month."""
        return self.rise if month in self.peak else self.rest


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything the grammar and the place tree are made of; plain values, shared by all cities."""

    categories: tuple[Category, ...]
    offices: Mapping[str, Mapping[str, Mapping[str, str]]]
    places: Mapping[str, Any]
    holidays: frozenset[str]
    worked_weekends: frozenset[str]
    festivals: tuple[date, ...]
    phrases: Mapping[str, Any] = field(repr=False)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The shipped vocabulary; reads three small files once."""
    categories = _read("categories.yaml")
    offices = _read("offices.yaml")
    return Vocabulary(
        categories=tuple(_category(key, row) for key, row in categories.items()),
        offices={"county": offices["county"], "township": offices["township"]},
        places=offices["places"],
        holidays=frozenset(day.isoformat() for day in offices["holidays"]),
        worked_weekends=frozenset(day.isoformat() for day in offices["worked_weekends"]),
        festivals=tuple(offices["spring_festivals"]),
        phrases=_read("phrases.yaml"),
    )


def _read(name: str) -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(files("connectors.simulator").joinpath(name).read_text("utf-8"))
    return table


def _category(key: str, row: Mapping[str, Any]) -> Category:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Category(key=key, **fields)
