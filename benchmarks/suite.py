"""Every benchmark by name; `forewarn bench` runs them in this order."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from benchmarks.bytewax_job import readings_vs_bytewax
from benchmarks.figure import Figure
from benchmarks.intake import accepted_to_browser, intake_batch, intake_single
from benchmarks.memory import bytes_per_open_matter
from benchmarks.nab import nab_standard
from benchmarks.readings import bytes_per_sensor, readings_durable
from benchmarks.restart import ready_after_kill
from benchmarks.signals import signals_whole
from benchmarks.what_if import what_if_1m
from pipeline.errors import ConfigError

Benchmark = tuple[str, Callable[[], list[Figure]]]
SUITE: list[Benchmark] = [
    ("readings_durable", readings_durable),
    ("readings_vs_bytewax", readings_vs_bytewax),
    ("signals_whole", signals_whole),
    ("intake_batch", intake_batch),
    ("intake_single", intake_single),
    ("accepted_to_browser_p99", accepted_to_browser),
    ("ready_after_kill", ready_after_kill),
    ("what_if_1m", what_if_1m),
    ("bytes_per_sensor", bytes_per_sensor),
    ("bytes_per_open_matter", bytes_per_open_matter),
    ("nab_standard", nab_standard),
]
FIELDS = ("name", "measured", "unit", "goal", "peer", "ratio", "passed")


def measure(
    names: Sequence[str] = (), tell: Callable[[str], None] | None = None, *, suite: Sequence[Benchmark] = SUITE
) -> list[dict[str, Any]]:
    """Run the named benchmarks, or all, in the order of the suite; each figure as a plain dict of `FIELDS`.

    `tell` is called with each benchmark's name before it begins. Raises ConfigError for names that are not there.
    """
    known = [name for name, _ in suite]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError([_unknown(name, known) for name in unknown])
    figures: list[Figure] = []
    for name, run in suite:
        if not names or name in names:
            if tell is not None:
                tell(name)
            figures += run()
    return [{field: getattr(each, field) for field in FIELDS} for each in figures]


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"bench: {name}: there is no such figure; {hint}known: {', '.join(known)}"
