"""A city that does not exist: signals with known truth, for demonstrations, drills and tests."""

from connectors.simulator.city import START, City
from connectors.simulator.folder import write
from connectors.simulator.readings import ReadingBlock, Sensors

__all__ = ["START", "City", "ReadingBlock", "Sensors", "write"]
