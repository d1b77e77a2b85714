"""How soon a killed worker makes progress again, with 400,000 open matters in its checkpoint."""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from alerts.database import Database
from alerts.store import Store
from benchmarks.cluster_parts import Process, cluster, until
from benchmarks.figure import Figure, figure
from benchmarks.matter_lines import settings as city_settings
from benchmarks.memory import FRAME, lives
from benchmarks.restart import LIVED
from pipeline.county import FOLD_VERSION
from runners.checkpoints import Checkpoints
from runners.cluster.pg_checkpoints import PgCheckpoints
from runners.log_sqlite import Logs
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres

MATTERS = 400_000
TIMES = 3
_ROOT = Path(__file__).parents[1]


def restart(parts: tuple[Path, TrialKafka, TrialPostgres]) -> list[Figure]:
    """Seconds from the start of a process, Python's own included, to the first frame that its store holds."""
    built = parts[0] / "built"
    command = [sys.executable, "-m", "benchmarks.restart", "build", str(built), str(MATTERS)]
    subprocess.run(command, check=True, cwd=_ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    with cluster(parts, "restart", city_settings()[0]) as site:
        with Logs(built / "log.db", readonly=True) as logs:
            site.log.append("signals", 0, [bytes(body) for _, body in logs.read("signals", 0)])
        embedded = Store(built / "store.db", readonly=True)
        applied = embedded.applied("signals", 0)
        embedded.close()
        assert applied is not None
        site.store.apply("signals", 0, applied.offset, applied.now, applied.digests, [], after=-1)
        offset, [(_, head, arrays)] = next(Checkpoints(built / "checkpoints", "signals", 0, FOLD_VERSION).read())
        database = Database(site.url)
        PgCheckpoints(database, "signals", 0, FOLD_VERSION).write(offset, lambda delta: (head, arrays))
        database.close()
        seconds = []
        first = LIVED + offset * FRAME
        for turn in range(TIMES + 1):
            frames = [frame.to_bytes() for frame in lives(first + turn * FRAME, FRAME)]
            end = site.log.append("signals", 0, frames[:1])
            begun = perf_counter()
            worker = Process("worker", "--config", str(site.path), "--name", "w1")
            try:
                seconds.append(until(lambda end=end: site.offset("signals", 0) >= end, [worker], 120) - begun)  # type: ignore[misc]
            finally:
                worker.kill()
    # The first one joins an empty group; the others come back into theirs.
    return [figure("cluster_restart", min(seconds[1:]), "s", goal=5, higher_is_better=False)]
