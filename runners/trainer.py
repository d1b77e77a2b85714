"""The trainer's process: it reads decisions and labels from the store, learns, and answers in JSON lines.

    > {"lesson": 3, "until": 1459468800000000, "decisions": 812, "labels": 640}
    < {"lesson": 3, "sha256": "9f..."}        or   {"lesson": 3, "sha256": ""}   when nothing new was worth publishing

It owns scikit-learn and river; nothing else imports them. It runs at low priority with one thread.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alerts.store import Lesson, Store
from models.rows import LABEL, Schema
from pipeline.errors import ForewarnError
from pipeline.rules import FoldRules
from runners.checkpoints import give_back
from runners.model_files import ModelFiles

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class TrainerStoppedError(ForewarnError):
    """The trainer's process ended by itself."""


class TrainerProcess:
    """The driver's end of the pipe.

    `place`: a data directory, or the URL of a database with decisions, labels and models. `lessons` of an earlier
    process are repeated first, so that a restart learns the same things in the same order.
    """

    def __init__(
        self, place: Path | str, rules: FoldRules, *, seed: int, min_labels: int, lessons: Sequence[Lesson] = ()
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runners.trainer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
        )
        self._send(
            {
                "data": str(place) if isinstance(place, Path) else "",
                # Over the pipe: an address may hold a password, which is nothing for a list of processes.
                "url": "" if isinstance(place, Path) else place,
                "schema": [list(rules.schema.codes), list(rules.schema.values), [list(p) for p in rules.schema.pairs]],
                "targets": [[t.name, t.hold / 86_400_000_000, t.prior / 10_000] for t in rules.targets],
                "seed": seed,
                "min_labels": min_labels,
            }
        )
        for lesson in lessons:
            self.ask(lesson)
            if lesson.result is not None and self.answer() != lesson.result:
                raise TrainerStoppedError(
                    f"lesson {lesson.id} gave another model than before; the store or this machine's numpy has changed"
                )

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def ask(self, lesson: Lesson) -> None:
        """Send a lesson; the answer is awaited later."""
        self._send({"lesson": lesson.id, "until": lesson.until, "decisions": lesson.decisions, "labels": lesson.labels})

    def answer(self) -> str:
        """sha256 of the model of the oldest unanswered lesson, '' for none. Raises TrainerStoppedError."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise TrainerStoppedError(
                f"the trainer ended with status {self._process.wait()}; its last words stand above"
            )
        return str(json.loads(line)["sha256"])

    def close(self, *, kill: bool = False) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if kill:
            self._process.kill()
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            self._process.kill()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> "TrainerProcess":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close(kill=kind is not None)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise TrainerStoppedError(f"the trainer ended with status {self._process.wait()}") from error


class KeptModels:
    """Answers lessons with the models of an earlier run: for runs that differ in thresholds alone."""

    def __init__(self, earlier: Sequence[Lesson]) -> None:
        self._results = {lesson.id: lesson.result or "" for lesson in earlier}
        self._asked: list[int] = []

    def ask(self, lesson: Lesson) -> None:
        """Note a lesson."""
        self._asked.append(lesson.id)

    def answer(self) -> str:
        """What the earlier run learned in the oldest unanswered lesson."""
        return self._results.get(self._asked.pop(0), "")

    def close(self, *, kill: bool = False) -> None:
        """Nothing runs."""


class Models(Protocol):
    """Where published models are kept."""

    def keep(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Store a model durably; its sha256."""
        ...


class Held:
    """Labels that are known later than a lesson ends: a partition that is ahead of the others has some."""

    def __init__(self) -> None:
        self._labels = np.zeros(0, LABEL)

    def until(self, moment: int, fresh: NDArray[Any]) -> NDArray[Any]:
        """Those known by a moment (µs UTC), in the order (known_at, subject, target); the rest waits."""
        labels = np.concatenate([self._labels, fresh])
        is_known = labels["known_at"] <= moment
        self._labels = labels[~is_known]
        known = labels[is_known]
        halves = np.ascontiguousarray(known["subject"]).view(">u8").reshape(-1, 2)
        return known[np.lexsort((known["target"], halves[:, 1], halves[:, 0], known["known_at"]))]


def _opened(data: str, url: str) -> tuple[Store, Models]:
    if url:
        from alerts.database import Database
        from runners.cluster.pg_models import ModelTable

        return Store(url, readonly=True), ModelTable(Database(url))
    return Store(Path(data) / "store.db", readonly=True), ModelFiles(Path(data) / "models")


def main() -> None:
    """Serve one driver until its pipe closes."""
    from models.fitting.trainer import TargetSpec, Trainer

    os.nice(5)
    # Ctrl-C reaches the whole group: the driver decides, and closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(sys.stdin.buffer.readline())
    codes, values, pairs = start["schema"]
    trainer = Trainer(
        Schema(tuple(codes), tuple(values), tuple(tuple(pair) for pair in pairs)),
        [TargetSpec(name, hold, prior) for name, hold, prior in start["targets"]],
        min_labels=start["min_labels"],
        seed=start["seed"],
    )
    store, models = _opened(start["data"], start["url"])
    held = Held()
    seen_decisions = seen_labels = 0
    for line in sys.stdin.buffer:
        lesson = json.loads(line)
        for _, block in store.decisions(seen_decisions, lesson["decisions"]):
            learn = block.learn
            if learn.any():
                trainer.decide(block.heads[learn], block.rows.take(learn.nonzero()[0]))
        trainer.know(held.until(lesson["until"], store.labels(seen_labels, lesson["labels"])))
        seen_decisions, seen_labels = lesson["decisions"], lesson["labels"]
        published = trainer.learn_until(lesson["until"])
        sha256 = models.keep(published.head, published.arrays) if published else ""
        if published:
            give_back()
        try:
            os.write(sys.stdout.fileno(), json.dumps({"lesson": lesson["lesson"], "sha256": sha256}).encode() + b"\n")
        except BrokenPipeError:
            break  # the driver was killed: nobody waits for this answer


if __name__ == "__main__":
    main()
