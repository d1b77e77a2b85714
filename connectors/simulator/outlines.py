"""Outlines of the invented places for a map: simple polygons that tile their parents, on a raster bent by the seed.

Every corner of the raster is moved a little; all places share the corners, so no gap and no overlap can arise.
Coordinates are kilometres east and north of the city's south-west corner; nothing real lies there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.simulator.dice import Coins
from connectors.simulator.territory import Place, Territory

CELL_KM = 1.6
BEND = 0.28
"""How far a corner may be moved, as a share of a cell."""

Corner = tuple[int, int]
Cell = tuple[int, int]
Ring = list[list[float]]


def outlines(territory: Territory, seed: int) -> dict[str, Ring]:
    """The closed ring (first corner repeated at the end, counter-clockwise) of every place by its key."""
    cells = _cells(territory)
    return {key: [_moved(corner, seed) for corner in _ring(own)] for key, own in cells.items()}


def geojson(territory: Territory, seed: int) -> dict[str, Any]:
    """The outlines as a GeoJSON feature collection with id, names, level and parent of each place."""
    rings = outlines(territory, seed)
    return {
        "type": "FeatureCollection",
        "synthetic": True,
        "note": "合成数据 invented outlines, kilometres east and north; no real place",
        "features": [
            {
                "type": "Feature",
                "id": place.key,
                "properties": {"name_zh": place.zh, "level": place.kind, "parent": place.parent or None},
                "geometry": {"type": "Polygon", "coordinates": [rings[place.key]]},
            }
            for place in territory.places.values()
            if place.key in rings
        ],
    }


def _cells(territory: Territory) -> dict[str, set[Cell]]:
    """The raster cells of every place; cells that no grid has go to the last grid of their township."""
    found: dict[str, set[Cell]] = {cell.key: {(cell.x, cell.y)} for cell in territory.grids}
    by_township: dict[str, list[Place]] = {}
    for cell in territory.grids:
        by_township.setdefault(cell.parent, []).append(cell)
    wide = max(max(c.x for c in own) - min(c.x for c in own) for own in by_township.values()) + 1
    deep = max(max(c.y for c in own) - min(c.y for c in own) for own in by_township.values()) + 1
    for own in by_township.values():
        left, low = min(cell.x for cell in own), min(cell.y for cell in own)
        block = {(left + dx, low + dy) for dx in range(wide) for dy in range(deep)}
        last = max(own, key=lambda cell: (cell.y, cell.x))
        found[last.key] |= block - {(cell.x, cell.y) for cell in own}
    for cell in territory.grids:
        for parent in _above(cell, territory.places):
            found.setdefault(parent, set()).update(found[cell.key])
    return found


def _above(place: Place, places: Mapping[str, Place]) -> Iterable[str]:
    while place.parent:
        yield place.parent
        place = places[place.parent]


def _ring(cells: set[Cell]) -> list[Corner]:
    """The outer boundary of connected cells, counter-clockwise."""
    edges: dict[Corner, Corner] = {}
    for x, y in cells:
        for outside, begin, end in (
            ((x, y - 1), (x, y), (x + 1, y)),
            ((x + 1, y), (x + 1, y), (x + 1, y + 1)),
            ((x, y + 1), (x + 1, y + 1), (x, y + 1)),
            ((x - 1, y), (x, y + 1), (x, y)),
        ):
            if outside not in cells:
                edges[begin] = end
    start = min(edges)
    ring = [start]
    while (corner := edges[ring[-1]]) != start:
        ring.append(corner)
    return [*ring, start]


def _moved(corner: Corner, seed: int) -> list[float]:
    coins = Coins().lay((seed << 40) ^ (corner[0] << 20) ^ corner[1])
    shift = [(2.0 * coins.unit() - 1.0) * BEND for _ in range(2)]
    return [round(CELL_KM * (at + by), 4) for at, by in zip(corner, shift, strict=True)]
