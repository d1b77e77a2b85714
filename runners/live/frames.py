"""Parts of one source are cut by partition and become frames: at most 1,000 entries and 1 MiB each; where they are cut
changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.frame import MAX_BYTES, MAX_ENTRIES, Frame, frame_of_readings, frame_of_signals
from runners.live.sources import LiveSource, Part
from runners.routing import Routing, ragged, split


@dataclass(slots=True)
class SourceFrame:
    """A frame of signals of one source with what belongs to its entries: readable ids, and texts by index."""

    frame: Frame
    source: LiveSource
    matters: list[str]
    texts: list[tuple[int, str]]


def cut_signals(part: Part, routing: Routing) -> Iterator[tuple[int, Part]]:
    """The signals of a part by partition, each with its texts and ids; names and refusals stay with the whole."""
    if routing.count == 1:
        yield 0, part
        return
    routing.learn(part.names)
    keys, places = part.rows["matter"].tolist(), part.rows["place"].tolist()
    for number, index in split(routing.signals(part.source.name, keys, places, part.matters)):
        grams, ends = ragged(part.grams, part.gram_ends, index)
        own = index.tolist()
        yield (
            number,
            replace(
                part,
                rows=part.rows[index],
                grams=grams,
                gram_ends=ends,
                texts=[part.texts[place] for place in own],
                matters=[part.matters[place] for place in own],
            ),
        )


def cut_readings(
    part: Part, routing: Routing, names: Mapping[int, str], places: Mapping[int, int]
) -> Iterator[tuple[int, Part]]:
    """The readings of a part by partition; sensors, names and refusals stay with the whole.

    `names`, `places`: of all sensors that were heard of, by code.
    """
    if routing.count == 1:
        yield 0, part
        return
    routing.learn(part.names)
    where = routing.readings(part.source.name, part.readings["sensor"], names, places)
    for number, index in split(where):
        yield number, replace(part, readings=part.readings[index])


def signal_frames(parts: Sequence[Part], now: int) -> Iterator[SourceFrame]:
    """The signals of these parts (of one source), stamped, as frames."""
    parts = [part for part in parts if len(part.rows)]
    if not parts:
        return
    source = parts[0].source
    rows = parts[0].rows if len(parts) == 1 else np.concatenate([part.rows for part in parts])
    rows["now"] = now
    sizes = np.concatenate([np.diff(part.gram_ends, prepend=0) for part in parts])
    grams = np.concatenate([part.grams for part in parts])
    ends = np.cumsum(sizes)
    matters = [name for part in parts for name in part.matters]
    texts = [text for part in parts for text in part.texts]
    weight = np.cumsum(sizes * grams.itemsize + rows.itemsize)
    begin = 0
    while begin < len(rows):
        spent = int(weight[begin - 1]) if begin else 0
        end = min(begin + MAX_ENTRIES, int(np.searchsorted(weight, spent + MAX_BYTES, "right")))
        end = max(end, begin + 1)  # one entry that is larger by itself still has to travel
        skipped = int(ends[begin - 1]) if begin else 0
        frame = frame_of_signals(rows[begin:end], grams[skipped : int(ends[end - 1])], ends[begin:end] - skipped)
        told = [(index, text) for index, text in enumerate(texts[begin:end]) if text]
        yield SourceFrame(frame, source, matters[begin:end], told)
        begin = end


def reading_frames(part: Part, now: int) -> Iterator[Frame]:
    """The readings of a part, stamped, as frames that name their source."""
    for begin in range(0, len(part.readings), MAX_ENTRIES):
        frame = frame_of_readings(part.readings[begin : begin + MAX_ENTRIES], now)
        frame.others = [{"source": part.source.name}]
        yield frame
