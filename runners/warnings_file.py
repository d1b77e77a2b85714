"""warnings.jsonl: every transition in order, a JSON object a line. Words cost more than all else: two write them."""

import heapq
import shutil
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from alerts.names import Names
from alerts.store import Store
from pipeline.rules import FoldRules
from runners.exports import genesis_settings, readable
from runners.log_sqlite import LOGS, Logs

SHARED_FROM = 4_000
"""Transitions from which a second process writes the later half."""


def write_warnings(path: Path, store: Store, logs: Logs, rules: FoldRules) -> int:
    """Write every transition of the store; how many. Logs and store must lie in the folder of `path`."""
    middle = store.middle() if store.count() >= SHARED_FROM else None
    if middle is None:
        return _write(path, store, logs, rules, (0, 1 << 62))
    later = path.with_suffix(".later")
    second = subprocess.Popen(
        [sys.executable, "-m", "runners.warnings_file", str(later), str(middle)], stdin=subprocess.PIPE
    )
    try:
        assert second.stdin is not None
        second.stdin.write(orjson.dumps(rules.to_json()))
        second.stdin.close()
        _write(path, store, logs, rules, (0, middle))
    finally:
        failed = second.wait()
    if failed:
        raise OSError(f"{later} was not written: the process that writes it ended with status {failed}")
    with path.open("ab") as whole, later.open("rb") as rest:
        shutil.copyfileobj(rest, whole, 1 << 20)
    later.unlink()
    return store.count()


def _write(path: Path, store: Store, logs: Logs, rules: FoldRules, span: tuple[int, int]) -> int:
    """Write the transitions with `span[0] <= at < span[1]` (µs UTC)."""
    names = Names(logs, genesis_settings(logs))
    count = 0
    with path.open("wb") as file:
        # Each log's transitions are in order of time; together they are merged by it, signals before site.
        logs_apart = [store.transitions(log=log, span=span) for log in LOGS]
        for transition in heapq.merge(*logs_apart, key=_at):
            file.write(orjson.dumps(readable(transition, names, rules)) + b"\n")
            count += 1
    return count


_at: Any = itemgetter("at")


def main() -> None:
    """Write the later half for a process that writes the earlier one; the rules come by the pipe."""
    path, middle = Path(sys.argv[1]), int(sys.argv[2])
    rules = FoldRules.from_json(orjson.loads(sys.stdin.buffer.read()))
    store = Store(path.parent / "store.db", readonly=True)
    with Logs(path.parent / "log.db", readonly=True) as logs:
        _write(path, store, logs, rules, (middle, 1 << 62))
    store.close()


if __name__ == "__main__":
    main()
