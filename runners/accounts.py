"""What became of the signals of each source, from a frame and its effects; names are `<what>@<code of the source>`.

The counts travel with the effects into the store, so they are kept with the offset or not at all, and a restart that
folds forward counts on where it was.
"""

from collections import Counter
from collections.abc import Sequence

from pipeline.effects import Effects
from pipeline.errors import Reason
from pipeline.frame import Frame
from pipeline.topology import Topology

Held = Counter[int]
"""Signals that wait for earlier ones, by source."""


def held_by_source(fold: Topology) -> Held:
    """How many signals of each source a fold holds back; empty at once where no source is buffered."""
    return Counter(int(row["source"]) for *_, row in fold.county.held) if fold.county.held else Counter()


def by_source(frame: Frame, effects: Sequence[Effects], before: Held, after: Held) -> Counter[str]:
    """Counts of one frame whose signals are all of one source; what it released belongs to whoever had sent it."""
    counts: Counter[str] = Counter()
    for source in before.keys() | after.keys():
        counts[f"applied@{source}"] += before[source] - after[source]
    if len(frame.signals):
        source = int(frame.signals["source"][0])
        told: Counter[str] = Counter()
        for each in effects:
            told.update(each.counts)
        again = told[Reason.DUPLICATE] + told[Reason.CONFLICTING_DUPLICATE]
        refused = told[Reason.BAD_TIME] + told[Reason.INTERNAL]
        counts[f"duplicate@{source}"] += again
        counts[f"dead_lettered@{source}"] += refused
        counts[f"applied@{source}"] += len(frame.signals) - again - refused
    return Counter({name: count for name, count in counts.items() if count})
