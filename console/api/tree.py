"""The tree of places as the console sees it: subtrees as codes, points within grids included."""

from collections.abc import Iterable, Mapping

from config.settings import Settings
from config.territory import ROOT
from console.api.ports import Directory
from pipeline.ids import code64


class Tree:
    """Places of one configuration.

    Sensors may stand at a point ("grid/point"), which no configuration lists; they are looked up in the directory.
    """

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._directory = directory
        self._children: dict[str, list[str]] = {}
        self.parents: Mapping[str, str] = {place.id: place.parent for place in settings.places}
        for place in settings.places:
            self._children.setdefault(place.parent, []).append(place.id)
        self._subtrees: dict[str, frozenset[int]] = {}
        self._points = -1

    def subtree(self, area: str) -> frozenset[int] | None:
        """Codes of a place and all below it; None for the whole site; empty for a place that is not there."""
        if area == ROOT:
            return None
        self._look_for_points()
        found = self._subtrees.get(area)
        if found is None:
            ids = set(self.below(area))
            codes = {code64(id) for id in ids}
            codes |= {code for code, name in self._directory.points() if name.partition("/")[0] in ids}
            found = self._subtrees[area] = frozenset(codes)
        return found

    def below(self, area: str) -> Iterable[str]:
        """Ids of a place and all below it."""
        waiting = [area] if area == ROOT or area in self.parents else []
        while waiting:
            here = waiting.pop()
            yield here
            waiting += self._children.get(here, ())

    def within(self, area: str, place: str) -> bool:
        """Whether a place is the area or below it."""
        seen = place.partition("/")[0]
        for _ in range(len(self.parents) + 1):
            if seen == area or area == ROOT:
                return True
            if seen not in self.parents:
                return False
            seen = self.parents[seen]
        return False

    def _look_for_points(self) -> None:
        """Forget subtrees when the log learned new names: a new point may lie in any of them."""
        known = self._directory.points_mark()
        if known != self._points:
            self._points = known
            self._subtrees.clear()
