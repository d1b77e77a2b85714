"""Where and who: the site, its tree of places, offices, categories of matters and the matrix that gives each a duty."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from config.value import Name, TimeOfDay, Value

ROOT = "root"
"""Id of the built-in place above all others; a mapping without places puts every matter there."""

TableDate = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2199, 12, 31))]


class Site(Value):
    """One installation, usually a city; `zone` is an IANA name, languages in the order they are shown."""

    name: Name = "site"
    name_zh: str = ""
    name_en: str = ""
    zone: Name = "Asia/Shanghai"
    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(min_length=1)] = ("zh", "en")


class Holiday(Value):
    """One local date on which working differs from what the seed says; the configuration wins over the library."""

    date: TableDate
    working: bool
    note: str = ""


class Calendar(Value):
    """Working days. `seed` fills what `days` does not name, up to `known_until`; Monday to Friday beyond, provisional.

    `auto` takes the library of Chinese holidays for zones of China and plain weekdays elsewhere.
    `day_ends` is when the last day of a day clock ends: 24:00 (Civil Code Art. 203) or the end of office hours.
    """

    seed: Literal["auto", "chinese_calendar", "weekdays"] = "auto"
    known_until: TableDate | None = None
    days: tuple[Holiday, ...] = ()
    office_opens: TimeOfDay = "09:00"
    office_closes: TimeOfDay = "17:30"
    day_ends: Literal["midnight", "office_closes"] = "midnight"
    last_day_rolls_over: bool = True


class Place(Value):
    """A node of the place tree, valid from `valid_from` up to and without `valid_until` (grids are redrawn)."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    parent: Name = ROOT
    level: Literal["province", "city", "county", "township", "village", "grid", "area"] = "county"
    valid_from: date | None = None
    valid_until: date | None = None


class Office(Value):
    """A unit with a duty, never a person. Kinds: government, party, vertical, enterprise, institution, station,
    and self_governing (villagers' and residents' committees, which never lead)."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    kind: Literal["government", "party", "vertical", "enterprise", "institution", "station", "self_governing"] = (
        "government"
    )
    place: Name = ROOT
    on_duty_from: TimeOfDay = "00:00"
    on_duty_until: TimeOfDay = "24:00"


class Category(Value):
    """A kind of matter: its clocks, the office that leads unless the matrix says otherwise, whether it is a hazard."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    clocks: tuple[Name, ...] = ()
    default_office: Name | None = None
    hazard: bool = False
    consequence: Annotated[float, Field(ge=0.0, le=4.0)] = 1.0


class Cell(Value):
    """One cell of the responsibility matrix territory x sector. A cell without an owner is an error, shown."""

    place: Name
    category: Name
    office: Name | None = None
    role: Literal["lead", "co_operate", "assist", "not_passed_down", "help"] = "lead"


class Sensor(Value):
    """Limits of the sensors whose id begins with `prefix`; a limit holds for `held_seconds` before it counts.

    `normal_low`, `normal_high`: the possible range (outside is a fault); `alarm_*`: hazard limits of the device.
    """

    prefix: str = ""
    name_zh: str = ""
    name_en: str = ""
    unit: str = ""
    normal_low: float | None = None
    normal_high: float | None = None
    alarm_low: float | None = None
    alarm_high: float | None = None
    held_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    interval_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 60
