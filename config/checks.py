"""What a schema cannot say: names that are used but not defined or given twice, cut-offs that cross, cells without an
owner. Every check is a function of the settings; the list at the end is all of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from config.problems import Keys, Problem, listed, near
from config.settings import Settings
from config.territory import ROOT
from config.territory_checks import owners, places
from config.value import minutes_of

BUILT_IN_CODES = ("category", "place", "office", "channel", "source", "asset")
"""Columns every matter has without being declared."""

Defined = Mapping[str, Mapping[str, None]]
"""Names defined per list in their order, those of items that are wrong in themselves included."""


def problems_of(settings: Settings, data: Mapping[str, Any]) -> list[Problem]:
    """All problems between the parts of the settings; `data` is what the files said."""
    defined = {part: _named(settings, data, part) for part in ("places", "offices", "categories", "clocks")}
    return [*_references(settings, defined), *(problem for check in CHECKS for problem in check(settings))]


def _named(settings: Settings, data: Mapping[str, Any], part: str) -> dict[str, None]:
    items = data.get(part)
    written = [item.get("id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    built_in = [ROOT] if part == "places" else []
    names = (*built_in, *(item.id for item in getattr(settings, part)), *written)
    return dict.fromkeys(name for name in names if isinstance(name, str))


def _references(settings: Settings, defined: Defined) -> Iterator[Problem]:
    """Every name that one part uses of another must be defined there."""
    for part, keys, name in _uses(settings):
        known = defined[part]
        if name is not None and name not in known:
            otherwise = f"define it under {part}" + (f", or use one of {listed(list(known))}" if known else "")
            yield Problem(keys, f"{name!r} is not defined under {part}", near(name, known, otherwise))


def _uses(settings: Settings) -> Iterator[tuple[str, Keys, str | None]]:
    for n, name in enumerate(settings.partitions):
        yield "places", ("partitions", n), name
    for n, place in enumerate(settings.places):
        yield "places", ("places", n, "parent"), place.parent
    for n, office in enumerate(settings.offices):
        yield "places", ("offices", n, "place"), office.place
    for n, category in enumerate(settings.categories):
        yield "offices", ("categories", n, "default_office"), category.default_office
        for m, clock in enumerate(category.clocks):
            yield "clocks", ("categories", n, "clocks", m), clock
    for n, cell in enumerate(settings.matrix):
        yield "places", ("matrix", n, "place"), cell.place
        yield "categories", ("matrix", n, "category"), cell.category
        yield "offices", ("matrix", n, "office"), cell.office
    for n, name in enumerate(settings.default_clocks):
        yield "clocks", ("default_clocks", n), name
    for n, source in enumerate(settings.sources):
        yield "places", ("sources", n, "default_place"), source.default_place


def _duplicates(settings: Settings) -> Iterator[Problem]:
    """A name stands for one thing (a place may be defined again for another time), and a cell has one lead."""
    leads = [(n, cell) for n, cell in enumerate(settings.matrix) if cell.role == "lead"]
    named: list[list[tuple[Keys, object]]] = [
        [(("offices", n, "id"), item.id) for n, item in enumerate(settings.offices)],
        [(("categories", n, "id"), item.id) for n, item in enumerate(settings.categories)],
        [(("clocks", n, "id"), item.id) for n, item in enumerate(settings.clocks)],
        [(("duty", n, "id"), item.id) for n, item in enumerate(settings.duty)],
        [(("targets", n, "name"), item.name) for n, item in enumerate(settings.targets)],
        [(("sources", n, "name"), item.name) for n, item in enumerate(settings.sources)],
        [(("sensors", n, "prefix"), item.prefix) for n, item in enumerate(settings.sensors)],
        [(("matrix", n, "office"), f"{cell.place} x {cell.category}, lead") for n, cell in leads],
        [(("partitions", n), name) for n, name in enumerate(settings.partitions)],
        [(("default_clocks", n), name) for n, name in enumerate(settings.default_clocks)],
        [(("calendar", "days", n, "date"), str(day.date)) for n, day in enumerate(settings.calendar.days)],
        [(("attributes", "codes", n), name) for n, name in enumerate(settings.attributes.codes)],
        [(("attributes", "values", n), name) for n, name in enumerate(settings.attributes.values)],
    ]
    for items in named:
        first: dict[object, Keys] = {}
        for keys, name in items:
            if name in first:
                earlier = ".".join(str(key) for key in first[name])
                yield Problem(keys, f"{name!r} is given twice", f"rename it or take it out; the first is {earlier}")
            first.setdefault(name, keys)


def _levels(settings: Settings) -> Iterator[Problem]:
    """A level clears below where it is raised, and each is raised above the one before it."""
    before = None
    for name, level in settings.levels.ascending():
        for rise, fall in (("raise_at", "clear_at"), ("raise_recurrence_days", "clear_recurrence_days")):
            high, low = getattr(level, rise), getattr(level, fall)
            if low > high:
                what = f"{low:g} is above {rise} {high:g}: it would clear what it does not raise"
                yield Problem(("levels", name, fall), what, f"write at most {high:g}")
            if before and high <= getattr(before[1], rise):
                what = f"{high:g} is not above that of {before[0]}, {getattr(before[1], rise):g}"
                yield Problem(("levels", name, rise), what, f"write more than {getattr(before[1], rise):g}")
        before = (name, level)


def _clocks(settings: Settings) -> Iterator[Problem]:
    """A clock is not stopped or paused by what starts it; a share of a clock is at most 1."""
    for n, clock in enumerate(settings.clocks):
        for key, steps in (("stops", clock.stops), ("pauses", clock.pauses)):
            if clock.start in steps:
                what = f"{clock.start.name.lower()} is also what starts the clock"
                yield Problem(("clocks", n, key), what, f"take it out of {key} or name another start")
    for n, duty in enumerate(settings.duty):
        if duty.kind == "due_soon" and duty.at_least > 1:
            yield Problem(("duty", n, "at_least"), f"{duty.at_least:g} is no share of a clock", "write 0 to 1")


def _calendar(settings: Settings) -> Iterator[Problem]:
    """The zone exists and office hours end after they begin."""
    try:
        ZoneInfo(settings.site.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name such as ../x or one of a folder gives the others
        hint = near(settings.site.zone, sorted(available_timezones()), "write an IANA name such as Asia/Shanghai")
        yield Problem(("site", "zone"), f"{settings.site.zone!r} is not a time zone", hint)
    calendar = settings.calendar
    if minutes_of(calendar.office_opens) >= minutes_of(calendar.office_closes):
        what = f"{calendar.office_closes} is not after office_opens {calendar.office_opens}"
        yield Problem(("calendar", "office_closes"), what, "write a later time")


def _ways_in(settings: Settings) -> Iterator[Problem]:
    """Records of a source come one way; who pulls needs no signature."""
    for n, source in enumerate(settings.sources):
        ways = [name for name in ("files", "folder") if getattr(source, name)]
        if source.kafka is not None and (ways or source.secret_file):
            other = (ways or ["secret_file"])[0]
            what = f"the source has {other} as well: its records come one way"
            yield Problem(("sources", n, "kafka"), what, f"take out kafka or {other}")


def _columns(settings: Settings) -> Iterator[Problem]:
    """Pairs name columns that are there; limits of sensors do not cross."""
    known = [*BUILT_IN_CODES, *settings.attributes.codes]
    for n, pair in enumerate(settings.attributes.pairs):
        for m, name in enumerate(pair):
            if name not in known:
                hint = near(name, known, f"use some of {listed(known)}")
                yield Problem(("attributes", "pairs", n, m), f"{name!r} is not a code column", hint)
    for n, sensor in enumerate(settings.sensors):
        for low, high in (("normal_low", "normal_high"), ("alarm_low", "alarm_high")):
            bottom, top = getattr(sensor, low), getattr(sensor, high)
            if bottom is not None and top is not None and bottom >= top:
                yield Problem(
                    ("sensors", n, high), f"{top:g} is not above {low} {bottom:g}", f"write more than {bottom:g}"
                )


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _duplicates,
    places,
    owners,
    _levels,
    _clocks,
    _calendar,
    _ways_in,
    _columns,
)
