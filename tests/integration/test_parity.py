"""The same logs give the same warnings wherever they are folded: embedded, and by one, two or three workers."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml

from alerts.database import Database
from alerts.register import PgRegister
from alerts.store import Store
from config.load import load_settings
from pipeline.columns import unpack
from pipeline.frame import Frame, Kind
from runners.cluster.log_kafka import KafkaLog
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import fold_logs
from runners.log_sqlite import Logs
from runners.model_files import ModelFiles
from runners.trial.kafka import TrialKafka
from tests.integration.recorded import PARTITIONS, facts, kinds, record_set, town

ROOT = Path(__file__).parents[2]
LIMIT_S = 120.0
SAMPLED = 20
COUNTED = ("applied", "duplicate", "late", "entries")

Address = tuple[str, int, int]
"""`<log>-<partition>`, offset and index of an entry."""


@dataclass
class Outcome:
    """What came of a set of logs: digests by log and partition, transitions, and how many entries went where."""

    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded set, as a data directory."""
    return record_set(tmp_path_factory.mktemp("recorded"))


def of_store(store: Store) -> Outcome:
    """What a runner left in its store."""
    places = [("site", 0), *((log, n) for log in ("signals", "readings") for n in range(PARTITIONS))]
    found = Outcome(transitions=_ordered(store.transitions()))
    for log, number in places:
        applied = store.applied(log, number)
        assert applied is not None
        found.digests[f"{log}-{number}"] = applied.digests
    for log, tallies in store.tallies().items():
        found.counts |= {f"{log} {name}": tallies[name] for name in COUNTED if name in tallies}
    return found


def of_fold(data: Path, only: str = "", left_out: Address | None = None) -> Outcome:
    """What a plain fold makes of the set, or of one of its partitions, with or without one entry."""
    logs = _Part(data / "log.db", only, left_out)
    folded = fold_logs(logs, ModelFiles(data / "models"))
    logs.close()
    counts: Counter[str] = Counter()
    for name, own in folded.counts.items():
        log = name.partition("-")[0]
        counts.update({f"{log} {each}": own[each] for each in COUNTED if own[each]})
    return Outcome(folded.digests, _ordered(folded.transitions), dict(counts))


class _Part(Logs):
    """Logs of which only one partition, and the site that tells how all began, are looked at; one entry may lack."""

    def __init__(self, path: Path, only: str, left_out: Address | None) -> None:
        super().__init__(path, readonly=True)
        self._only, self._left_out = only, left_out

    def partitions(self) -> list[tuple[str, int]]:
        """What is looked at."""
        return [
            each for each in super().partitions() if self._only in ("", f"{each[0]}-{each[1]}") or each[0] == "site"
        ]

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames; the one of the entry comes without it."""
        for offset, body in super().read(log, partition, after, until):
            if self._left_out is not None and (f"{log}-{partition}", offset) == self._left_out[:2]:
                body = without(Frame.from_bytes(body, offset), self._left_out[2]).to_bytes()
            yield offset, body


def without(frame: Frame, index: int) -> Frame:
    """A frame that lacks one entry."""
    kinds = frame.kinds
    before = kinds[:index]
    kept = np.arange(len(frame)) != index
    kind = Kind(int(kinds[index]))
    out = replace(frame, kinds=kinds[kept], now=frame.now[kept])
    if kind is Kind.SIGNAL:
        place = int(np.count_nonzero(before == Kind.SIGNAL))
        sizes = np.diff(frame.gram_ends, prepend=0)
        out.signals = np.delete(frame.signals, place)
        begin = int(frame.gram_ends[place] - sizes[place])
        out.grams = np.delete(frame.grams, slice(begin, int(frame.gram_ends[place])))
        out.gram_ends = np.cumsum(np.delete(sizes, place))
    elif kind is Kind.READING:
        out.readings = np.delete(frame.readings, int(np.count_nonzero(before == Kind.READING)))
    elif kind is not Kind.TICK:
        place = int(np.count_nonzero((before != Kind.SIGNAL) & (before != Kind.READING) & (before != Kind.TICK)))
        out.others = [each for n, each in enumerate(frame.others) if n != place]
    return out


def _ordered(transitions: Any) -> list[dict[str, Any]]:
    return sorted(transitions, key=lambda each: (each["warning"], each["number"]))


# a cluster that folds a copy -----------------------------------------------------------------------------------------


class Copy:
    """The set on Kafka, with what a register and a store of models must know of it."""

    def __init__(self, data: Path, folder: Path, kafka: TrialKafka, database: str, prefix: str) -> None:
        self.path = town(folder)
        values = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        values |= {
            "runner": "kafka",
            "kafka": {"bootstrap": list(kafka.bootstrap), "prefix": prefix, "replication": 1, "min_insync": 1},
            "postgres": {"url": database},
        }
        self.path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        self._data = data
        self._run("kafka", "init", "--config", str(self.path))
        self.store = Store(database)
        self.log = KafkaLog(load_settings(self.path).kafka)
        register = PgRegister(database)
        with sqlite3.connect(data / "log.db") as db:
            register.name({code: (kind, name) for code, kind, name in db.execute("SELECT * FROM names")})
        register.close()
        table = ModelTable(Database(database))
        for model in (data / "models").glob("*.fwc"):
            head, arrays = unpack(model.read_bytes())
            assert table.keep(head, arrays) == model.stem

    def close(self) -> None:
        """Let go of everything."""
        self.log.close()
        self.store.close()

    def copy(self, share: tuple[float, float]) -> dict[tuple[str, int], int]:
        """Append the part of every log between two shares of it; the offsets up to which all is there then."""
        ends = {}
        with Logs(self._data / "log.db", readonly=True) as logs:
            for log, number in logs.partitions():
                count = sum(1 for _ in logs.read(log, number))
                begin, end = int(share[0] * count), int(share[1] * count)
                bodies = [bytes(body) for offset, body in logs.read(log, number, begin - 1, end - 1)]
                if bodies:
                    self.log.append(log, number, bodies)
                ends[log, number] = end - 1
        return ends

    def reach(self, ends: dict[tuple[str, int], int], workers: list["subprocess.Popen[bytes]"]) -> None:
        """Wait until all is folded."""
        limit = time.monotonic() + LIMIT_S
        while any(self._offset(*place) < end for place, end in ends.items()):
            for worker in workers:
                assert worker.poll() is None, f"a worker ended with {worker.returncode}"
            assert time.monotonic() < limit, {place: (self._offset(*place), end) for place, end in ends.items()}
            time.sleep(0.05)

    def _offset(self, log: str, number: int) -> int:
        applied = self.store.applied(log, number)
        return -1 if applied is None else applied.offset

    @contextmanager
    def workers(self, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
        """So many workers, which only fold: nothing is added to the logs."""
        words = ["worker", "--config", str(self.path), "--fold-only", "--name"]
        running = [self._start(*words, f"w{n}") for n in range(count)]
        try:
            yield running
        finally:
            for worker in running:
                if worker.poll() is None:
                    worker.terminate()
            for worker in running:
                worker.wait(30)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "runners.cli", *words], cwd=ROOT)

    def _run(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "runners.cli", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def copy(recorded: Path, tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Iterator[Copy]:
    """The set on a cluster of its own."""
    made = Copy(recorded, tmp_path / "town", kafka, database, prefix)
    yield made
    made.close()


# what must hold ------------------------------------------------------------------------------------------------------


def test_the_recorded_set_holds_every_kind_of_entry_and_enough_warnings_for_parity(recorded: Path) -> None:
    assert set(kinds(recorded)) == {kind.name for kind in Kind}
    assert facts(recorded) >= {"shares", "receipt"}
    assert len(of_fold(recorded).transitions) >= 200


def test_parity_of_a_run_that_was_stopped_midway_with_a_plain_fold_of_its_logs(recorded: Path) -> None:
    store = Store(recorded / "store.db", readonly=True)
    assert of_store(store) == of_fold(recorded)
    store.close()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_parity_of_workers_that_end_midway_with_the_embedded_run(recorded: Path, copy: Copy, count: int) -> None:
    ends = copy.copy((0.0, 0.5))
    with copy.workers(count) as workers:
        copy.reach(ends, workers)
        if count > 1:
            # One without a last word; the others leave in order, with a checkpoint.
            os.kill(workers[0].pid, signal.SIGKILL)
    ends = copy.copy((0.5, 1.0))
    with copy.workers(count) as workers:
        copy.reach(ends, workers)
    embedded = Store(recorded / "store.db", readonly=True)
    assert of_store(copy.store) == of_store(embedded)
    embedded.close()


def test_parity_notices_any_entry_that_is_left_out(recorded: Path) -> None:
    entries = sampled(recorded)
    whole = {name: of_fold(recorded, name) for name in {name for name, _, _ in entries}}
    assert [entry for entry in entries if of_fold(recorded, entry[0], entry) == whole[entry[0]]] == []


def sampled(data: Path) -> list[Address]:
    """Entries drawn by chance, of every kind first."""
    by_kind: dict[Kind, list[Address]] = {}
    with Logs(data / "log.db", readonly=True) as logs:
        for log, number in logs.partitions():
            for offset, body in logs.read(log, number):
                for index, kind in enumerate(Frame.from_bytes(body, offset).kinds.tolist()):
                    if offset:
                        by_kind.setdefault(Kind(kind), []).append((f"{log}-{number}", offset, index))
    random = Random(7)
    drawn = [random.choice(by_kind[kind]) for kind in sorted(by_kind)]
    rest = sorted({entry for entries in by_kind.values() for entry in entries} - set(drawn))
    return drawn + random.sample(rest, SAMPLED - len(drawn))
