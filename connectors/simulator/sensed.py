"""What people report because of what sensors measure: gas smelt after the alarm, water seen before it."""

import numpy as np

from connectors.simulator.dice import stream
from connectors.simulator.episodes import MINUTE, device_of
from connectors.simulator.readings import Sensors
from connectors.simulator.surges import Reports
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Category

AFTER = {"S01": ("M09", 10, 60), "S07": ("M11", -40, -20)}
"""Kind of sensor: category reported in its grid, and from when to when around the passing of the limit (minutes)."""


class Sensed:
    """Draws the reports of a day that follow from the hazards of that day."""

    def __init__(self, seed: int, categories: tuple[Category, ...], territory: Territory, sensors: Sensors) -> None:
        self._seed = seed
        self._sensors = sensors
        self._category = {one.key: index for index, one in enumerate(categories)}
        self._grid = {cell.key: index for index, cell in enumerate(territory.grids)}

    def reports(self, day: int) -> Reports:
        """Moments, categories and grids; the name is that of the sensor's hazard."""
        at, category, grid, names = [], [], [], []
        hazards = [one for one in self._sensors.episodes.begun(day) if one.what == "hazard"]
        chance = stream(self._seed, 34, day)
        for hazard in hazards:
            following = AFTER.get(device_of(hazard.sensor).kind)
            if following is None:
                continue
            key, first, last = following
            more = 2 + int(chance.poisson(2.0))
            at.append(hazard.passes_at + MINUTE * chance.integers(first, last, more))
            category.append(np.full(more, self._category[key]))
            grid.append(np.full(more, self._grid[self._sensors.places[hazard.sensor]]))
            names += [f"hazard-{self._sensors.names[hazard.sensor]}-{hazard.passes_at}"] * more
        if not at:
            empty = np.empty(0, np.int64)
            return empty, empty, empty, []
        return np.concatenate(at), np.concatenate(category), np.concatenate(grid), names
