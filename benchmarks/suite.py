"""Every benchmark by name; `forewarn bench` runs them in this order."""

from collections.abc import Callable

from benchmarks.bytewax_job import readings_vs_bytewax
from benchmarks.figure import Figure
from benchmarks.nab import nab_standard
from benchmarks.readings import bytes_per_sensor, readings_durable

SUITE: list[tuple[str, Callable[[], list[Figure]]]] = [
    ("readings_durable", readings_durable),
    ("readings_vs_bytewax", readings_vs_bytewax),
    ("bytes_per_sensor", bytes_per_sensor),
    ("nab_standard", nab_standard),
]
