"""The invented city: place tree of root, counties, townships and grids, and the offices that answer for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isqrt

from connectors.simulator.vocabulary import Vocabulary

ROOT = "city"


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the tree; `kind` is city, county, township or grid; `x`, `y` is the grid's cell on a unit raster."""

    key: str
    zh: str
    kind: str
    parent: str
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """A unit with a duty in one territory; `kind` is its code in the vocabulary, such as D05."""

    key: str
    zh: str
    en: str
    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Territory:
    """Places and offices by key, and the grids in the order of the raster."""

    places: Mapping[str, Place]
    offices: Mapping[str, Office]
    grids: tuple[Place, ...]

    def township(self, grid: str) -> str:
        """The township a grid belongs to."""
        return self.places[grid].parent

    def county(self, grid: str) -> str:
        """The county a grid belongs to."""
        return self.places[self.places[grid].parent].parent

    def office(self, kind: str, grid: str) -> str:
        """Key of the office of this kind that answers for a grid."""
        return f"{self.township(grid) if kind.startswith('T') else self.county(grid)}-{kind}"


def build_territory(words: Vocabulary, grids: int) -> Territory:
    """The city with this many grids, spread evenly over the townships of two counties."""
    if grids < 1:
        raise ValueError(f"a city needs at least one grid, not {grids}")
    city = words.places["city"]
    places = {ROOT: Place(ROOT, city["zh"], "city", "")}
    townships: list[str] = []
    for number, county in enumerate(words.places["counties"], 1):
        places[f"c{number}"] = Place(f"c{number}", county["zh"], "county", ROOT)
        for index, name in enumerate(county["townships"], 1):
            townships.append(f"c{number}t{index}")
            places[townships[-1]] = Place(townships[-1], name, "township", f"c{number}")
    # Filling the counties by turns keeps both inhabited however few grids there are.
    townships.sort(key=lambda key: (key[3:], key[1]))
    wide = raster_width(grids, len(townships))
    cells = []
    for number in range(grids):
        township = townships[number % len(townships)]
        index = number // len(townships)
        # Townships stand in two rows, the counties side by side.
        column, row = _seat(township, len(townships))
        x, y = wide * column + index % wide, _depth(grids, len(townships), wide) * row + index // wide
        cells.append(
            Place(f"{township}g{index + 1:03d}", f"{places[township].zh}第{index + 1}网格", "grid", township, x, y)
        )
    cells.sort(key=lambda cell: cell.key)
    places |= {cell.key: cell for cell in cells}
    return Territory(places, _offices(words, places), tuple(cells))


def _offices(words: Vocabulary, places: Mapping[str, Place]) -> dict[str, Office]:
    offices = {}
    for place in places.values():
        for kind, name in words.offices.get(place.kind, {}).items():
            key = f"{place.key}-{kind}"
            offices[key] = Office(key, f"{place.zh}{name['zh']}", name["en"], kind, place.key)
    return offices


def raster_width(grids: int, townships: int) -> int:
    """Columns of the raster of one township."""
    return max(isqrt(ceil(grids / townships)), 1)


def _depth(grids: int, townships: int, wide: int) -> int:
    return ceil(ceil(grids / townships) / wide)


def _seat(township: str, townships: int) -> tuple[int, int]:
    """Column and row of a township among townships."""
    county, index = int(township[1]) - 1, int(township[3:]) - 1
    columns = ceil(townships / 4)
    return county * columns + index % columns, index // columns
