"""Where sensors are, as their sources said when each was heard of first: kept among the names of a cluster's register.

A sensor keeps its first place, as a matter does.
"""

from collections.abc import Mapping
from typing import Protocol

from pipeline.ids import code64

KIND = "sensor_place"


class Named(Protocol):
    """Names by code."""

    def named(self, code: int) -> str:
        """The name of one code, '' for none."""
        ...


def placed(places: Mapping[int, int], names: Mapping[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
    """What to remember of the places of sensors (by codes), whose names are among `names`."""
    return {_key(sensor): (KIND, names[place][1]) for sensor, place in places.items() if place in names}


def place_of(register: Named, sensor: int) -> int:
    """Code of the place of a sensor, 0 where its source named none."""
    return code64(register.named(_key(sensor)))


def _key(sensor: int) -> int:
    return code64(f"place of sensor {sensor}")
