"""How fast signals go from JSON lines to committed warnings, decisions and labels, and where the time goes.

    python -m benchmarks.signals --layers

Decode under the contract -> redact, read for cues, hash -> frames of 1,000 -> log (`synchronous=FULL`, with directory
and texts, a transaction of its own) -> the whole fold with a trained champion for three outcomes -> effects and offset
in a second transaction (`NORMAL`) -> checkpoints. The stream and its mix: benchmarks.matter_lines.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.figure import Figure, figure
from benchmarks.matter_lines import CONTRACT, SOURCE, START, MatterStream, edge_fields, settings
from config.load import canonical
from connectors.edge import Edge
from connectors.native import SignalDecoder
from connectors.ngrams import Grams
from connectors.redact import Redactor
from pipeline.calendar import DAY_US
from pipeline.effects import Effects
from pipeline.frame import Kind, frame_of_signals
from runners.embedded import Site
from runners.wiring import fold_rules

FRAME = 1000
PARTS = 5
LEARNED_FROM = 10_000
"""Matters of the month before, from which the champion learns."""
LEARNED_DAYS = 25
_TEXTS_KEPT = 365 * DAY_US


class WayIn:
    """One source's way into a site's data directory, frame by frame."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.territory = settings()
        self.rules = fold_rules(self.settings)
        self.site = Site(folder, self.rules)
        self.site.configure(self.rules, canonical(self.settings), START)
        redactor = Redactor()
        self.decoder = SignalDecoder(CONTRACT, redactor, source=SOURCE)
        fields = edge_fields(self.settings)
        self.edge = Edge(
            source=SOURCE, contract=CONTRACT, redactor=redactor, grams=Grams(b"bench"), key=b"bench", **fields
        )
        self.position = 0
        self.counts: Counter[str] = Counter()

    def take(self, lines: Sequence[bytes]) -> list[Effects]:
        """Decode, admit, log, fold and keep one frame of lines."""
        decoded = self.decoder.decode(lines, self.position + 1)
        admitted = self.edge.admit(decoded.signals, positions=decoded.positions)
        partition, logs, rows = self.site.partitions[0], self.site.logs, admitted.rows
        now = max(partition.fold.county.now, int(rows["at"][0]))
        rows["now"] = np.maximum.accumulate(np.maximum(rows["at"], now))
        frame = frame_of_signals(rows, admitted.grams, admitted.gram_ends)
        self.position += len(lines)
        with logs.transaction():
            frame.offset = logs.append("signals", 0, [frame.to_bytes()])
            known = partition.fold.county.matters.slot_of
            keys = rows["matter"].tolist()
            logs.direct(
                (key, 0, f"{SOURCE}/{name}")
                for key, name in zip(keys, admitted.matters, strict=True)
                if key not in known
            )
            texts = [(index, text) for index, text in enumerate(admitted.texts) if text]
            logs.keep_texts(0, frame.offset, texts, int(rows["now"][-1]) + _TEXTS_KEPT)
            logs.name(admitted.names)
            logs.advance(SOURCE, self.position)
        effects = partition.step([frame])
        for each in effects:
            self.counts.update(each.counts)
        return effects

    def learn(self, lines: Sequence[bytes]) -> None:
        """Take these lines and put a champion learned from them in force. Raises RuntimeError when there is none."""
        from models.fitting.trainer import TargetSpec, Trainer

        specs = [TargetSpec(each.name, each.hold / DAY_US, each.prior / 10_000) for each in self.rules.targets]
        trainer = Trainer(self.rules.schema, specs, min_labels=200, seed=1)
        for first in range(0, len(lines), FRAME):
            for effects in self.take(lines[first : first + FRAME]):
                for block in effects.decisions:
                    learn = block.learn
                    trainer.decide(block.heads[learn], block.rows.take(learn.nonzero()[0]))
        store = self.site.store
        trainer.know(store.labels())
        now = self.site.partitions[0].fold.county.now
        published = trainer.learn_until(now)
        if published is None or not all(trainer.champion.trained):
            raise RuntimeError("the champion of the benchmark has not learned all three outcomes")
        sha256 = self.site.models.keep(published.head, published.arrays)
        self.site.append_others([(Kind.MODEL, now, {"sha256": sha256, "version": 1})])


def prepared(folder: Path, signals: int, *, is_burst: bool) -> tuple[WayIn, list[bytes]]:
    """A site with a learned champion, and the lines that come next: at the pace of before, or all at once."""
    way = WayIn(folder)
    first = 5 * LEARNED_FROM
    stream = MatterStream(
        LEARNED_FROM + signals // 5, LEARNED_FROM / LEARNED_DAYS, burst_from=first if is_burst else None
    )
    lines = stream.lines(way.territory)
    way.learn(lines[:first])
    return way, lines[first : first + signals]


def timed(way: WayIn, lines: Sequence[bytes]) -> tuple[float, float]:
    """Wall and CPU seconds for these lines."""
    begun, cpu = perf_counter(), process_time()
    for first in range(0, len(lines), FRAME):
        way.take(lines[first : first + FRAME])
    return perf_counter() - begun, process_time() - cpu


def signals_whole(signals: int = 100_000) -> list[Figure]:
    """JSON lines to the committed store on the stated mix; the best fifth of the run counts."""
    with tempfile.TemporaryDirectory() as folder:
        way, lines = prepared(Path(folder), signals, is_burst=True)
        part = len(lines) // PARTS
        runs = [timed(way, lines[first : first + part]) for first in range(0, PARTS * part, part)]
        way.site.close()
    return [
        figure("signals_whole", part / min(wall for wall, _ in runs), "signals/s", goal=20_000),
        figure("signals_whole_cpu", part / min(cpu for _, cpu in runs), "signals/s"),
    ]


def layers(signals: int = 60_000) -> dict[str, float]:
    """Microseconds of CPU time per signal by layer, and of wall clock, over one run."""
    spent: defaultdict[str, float] = defaultdict(float)

    def clocked(owner: Any, name: str, layer: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def measured(*args: Any, **kwargs: Any) -> Any:
            since = process_time()
            try:
                return inner(*args, **kwargs)
            finally:
                spent[layer] += process_time() - since

        setattr(owner, name, measured)

    with tempfile.TemporaryDirectory() as folder:
        way, lines = prepared(Path(folder), signals, is_burst=True)
        partition = way.site.partitions[0]
        clocked(way.decoder, "decode", "decode")
        clocked(way.edge, "admit", "edge")
        clocked(partition.fold, "step", "fold")
        clocked(way.site.store, "apply", "store")
        clocked(partition, "checkpoint", "checkpoints")
        wall, cpu = timed(way, lines)
        way.site.close()
    spent["log"] = cpu - sum(spent.values())
    spent["all of it"], spent["wall clock"] = cpu, wall
    return {layer: 1e6 * seconds / len(lines) for layer, seconds in spent.items()}


def main() -> None:
    """Print the figures, or with --layers the table of layers."""
    if "--layers" in sys.argv:
        for layer, spent in layers().items():
            print(f"{layer:12s} {spent:6.2f} µs")
        return
    for each in signals_whole():
        print(f"{each.name:20s} {each.measured:10.0f} {each.unit}")


if __name__ == "__main__":
    main()
