"""Writes down the past of a demonstration in a process of its own: what the city tells, ready for the log.

Telling and the edge cost about as much as folding; beside it they cost no time. The order comes as one JSON line on
standard input, blocks go out on standard output: their length in four bytes, then columns (pipeline.columns).
"""

import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import IO

from connectors.edge import Admitted, Edge
from connectors.ngrams import Grams
from connectors.redact import Redactor
from connectors.simulator import City
from connectors.simulator.site_files import CODES
from connectors.simulator.telling import SOURCE
from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData
from pipeline.frame import MAX_ENTRIES
from pipeline.signal import Signal, Step
from runners.live.sources import plan

STRIDE_US = 600_000_000
"""The past is told in pieces of ten minutes; a block ends with one of them, and at midnight in any case."""
_DAY_US, _ZONE_US = 86_400_000_000, 28_800_000_000
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Order:
    """Which city, and what of it: signals of [begin, until) in µs UTC, whole strides alone from `fine_from` on."""

    config: str
    key: str
    seed: int
    grids: int
    start: str
    per_day: float
    sensors: int
    begin: int
    until: int
    fine_from: int


@dataclass(frozen=True, slots=True)
class Block:
    """Admitted signals, and the moment up to which everything has been told."""

    admitted: Admitted
    until: int


def blocks(order: Order) -> Iterator[Block]:
    """The past, written by a process that ends with the last block. Raises CorruptData when it dies."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.demo.scribe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_ONE_THREAD},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
    process.stdin.close()
    return _read(process, process.stdout)


def _read(process: "subprocess.Popen[bytes]", out: IO[bytes]) -> Iterator[Block]:
    try:
        while size := out.read(4):
            body = out.read(int.from_bytes(size, "little"))
            yield _unpacked(body)
        if process.wait():
            raise CorruptData(f"the process that tells the past ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()
        out.close()


def _packed(block: Block) -> bytes:
    admitted = block.admitted
    head = {
        "until": block.until,
        "texts": admitted.texts,
        "names": [[code, *told] for code, told in admitted.names.items()],
        "matters": admitted.matters,
    }
    return pack(head, {"rows": admitted.rows, "grams": admitted.grams, "ends": admitted.gram_ends})


def _unpacked(body: bytes) -> Block:
    head, arrays = unpack(body)
    names = {code: (kind, name) for code, kind, name in head["names"]}
    rows = arrays["rows"].copy()  # the log stamps them
    admitted = Admitted(rows, arrays["grams"], arrays["ends"], head["texts"], names, head["matters"], [], [])
    return Block(admitted, head["until"])


def _told(order: Order) -> Iterator[Block]:
    made = plan(Path(order.config))
    contract = made.mappings[SOURCE].model.contract
    edge = Edge(
        source=SOURCE,
        contract=contract,
        redactor=Redactor(),
        grams=Grams(bytes.fromhex(order.key)),
        targets=[target.name for target in made.rules.targets],
        codes=made.rules.codes,
        values=made.rules.values,
        known_categories={category.id for category in made.settings.categories} or None,
        known_places={place.id for place in made.settings.places} or None,
        key=content_key(bytes.fromhex(order.key)),
    )
    city = City(
        seed=order.seed,
        grids=order.grids,
        start=date.fromisoformat(order.start),
        per_day=order.per_day,
        sensors=order.sensors,
    )
    batch: list[Signal] = []
    for begin in range(order.begin, order.until, STRIDE_US):
        end = min(begin + STRIDE_US, order.until)
        batch += map(_mapped, city.signals(begin, end))
        city.truth()
        is_midnight = (end + _ZONE_US) % _DAY_US == 0
        if is_midnight or end >= order.fine_from or len(batch) >= MAX_ENTRIES // 2:
            for first in range(0, max(len(batch), 1), MAX_ENTRIES):
                yield Block(edge.admit(batch[first : first + MAX_ENTRIES]), end)
            batch = []


def content_key(key: bytes) -> bytes:
    """What the edge of a live source hashes contents with."""
    return hmac.digest(key, b"content", "sha256")


def _mapped(signal: Signal) -> Signal:
    """The signal with the attributes that the mapping declares."""
    if signal.step is not Step.REGISTERED:
        return signal
    codes = {name: word for name, word in signal.codes.items() if name in CODES}
    return Signal(
        signal.id, signal.matter, signal.at, signal.step, signal.source, signal.category, signal.place, signal.office,
        signal.channel, signal.asset, signal.due, codes, signal.values, signal.outcomes, signal.text,
    )  # fmt: skip


def main() -> None:
    """Read the order, write the blocks."""
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    for block in _told(order):
        body = _packed(block)
        sys.stdout.buffer.write(len(body).to_bytes(4, "little") + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
