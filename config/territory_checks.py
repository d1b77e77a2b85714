"""What can be wrong between places, offices and the matrix: cycles, double definitions, cells without an owner."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from config.problems import Problem, listed
from config.settings import Settings
from config.territory import ROOT


def places(settings: Settings) -> Iterator[Problem]:
    """The tree has no cycle, a place has one definition at a time, and partitions do not lie in one another."""
    spans: dict[str, list[tuple[date, date]]] = defaultdict(list)
    parents = {place.id: place.parent for place in settings.places}
    for n, place in enumerate(settings.places):
        begin, end = place.valid_from or date.min, place.valid_until or date.max
        if begin >= end:
            yield Problem(("places", n, "valid_until"), "is not after valid_from", "write a later date or leave it out")
        elif any(begin < other_end and other_begin < end for other_begin, other_end in spans[place.id]):
            what = f"{place.id!r} is defined twice for the same time"
            yield Problem(("places", n, "id"), what, "give valid_from and valid_until that do not overlap")
        spans[place.id].append((begin, end))
        if place.id == ROOT:
            yield Problem(("places", n, "id"), f"{ROOT!r} is built in", "leave it out, or rename it")
        elif place.id in _above(place.id, parents):
            what = f"{place.id!r} lies within itself: {' > '.join([*_above(place.id, parents), place.id])}"
            yield Problem(("places", n, "parent"), what, f"name a parent outside, or {ROOT!r}")
    levels = {place.id: place.level for place in settings.places}
    for n, name in enumerate(settings.partitions):
        if levels.get(name, "county") != "county":
            counties = [place for place, level in levels.items() if level == "county"]
            hint = f"use one of {listed(counties)}" if counties else "give a place the level county"
            yield Problem(("partitions", n), f"{name!r} is a {levels[name]}, not a county", hint)
        for above in _above(name, parents):
            if above in settings.partitions and above != name:
                yield Problem(("partitions", n), f"{name!r} lies in the partition {above!r}", "take one of them out")


def _above(name: str, parents: Mapping[str, str]) -> list[str]:
    """Places above one, nearest first; ends at the root or where a cycle closes."""
    chain: list[str] = []
    while (name := parents.get(name, ROOT)) != ROOT and name not in chain:
        chain.append(name)
    return chain


def owners(settings: Settings) -> Iterator[Problem]:
    """Every cell has an owner, and villagers' and residents' committees, being self-governing, never lead."""
    never = {office.id for office in settings.offices if office.kind == "self_governing"}
    able = [office.id for office in settings.offices if office.id not in never]
    instead = f"name an office that may: {listed(able)}" if able else "define an office that may lead"
    for n, cell in enumerate(settings.matrix):
        if cell.office is None:
            what = f"the cell {cell.place} x {cell.category} has no owner"
            yield Problem(("matrix", n, "office"), what, instead)
        elif cell.role == "lead" and cell.office in never:
            what = f"{cell.office!r} is a self-governing body and cannot lead"
            yield Problem(("matrix", n, "office"), what, f"give it the role help, or {instead}")
    for n, category in enumerate(settings.categories):
        if category.default_office in never:
            what = f"{category.default_office!r} is a self-governing body and cannot lead"
            yield Problem(("categories", n, "default_office"), what, instead)
    yield from _empty_cells(settings)


def _empty_cells(settings: Settings) -> Iterator[Problem]:
    """Cells that nobody wrote: a category no office leads in some territory, once there is a matrix at all."""
    if not settings.matrix:
        return
    below: dict[str, list[str]] = defaultdict(list)
    for place in settings.places:
        below[place.parent].append(place.id)
    led = {(cell.place, cell.category) for cell in settings.matrix if cell.role == "lead"}
    for n, category in enumerate(settings.categories):
        if category.default_office is None:
            for name in _uncovered(ROOT, category.id, below, led, frozenset()):
                what = f"no office leads {category.id} in {name}"
                yield Problem(("categories", n, "id"), what, f"add a lead cell for {name}, or a default_office")


def _uncovered(
    place: str, category: str, below: Mapping[str, list[str]], led: set[tuple[str, str]], seen: frozenset[str]
) -> list[str]:
    """The highest places in which nobody leads a category: none if the place is covered or all below it are."""
    if (place, category) in led or place in seen:
        return []
    parts = list(dict.fromkeys(below.get(place, [])))
    if not parts:
        return [place]
    found = [_uncovered(part, category, below, led, seen | {place}) for part in parts]
    return (
        [place]
        if all(part in one for part, one in zip(parts, found, strict=True))
        else [p for one in found for p in one]
    )
