"""What the tests of the runners share: one back-test of the first part of the real incidents file."""

import fcntl
import gzip
import os
from itertools import islice
from pathlib import Path

import pytest

from runners.backtest import Task, backtest

LINES = 25_000
"""Lines of the file that are taken: enough for every cause of a fold's own transitions, in about 15 s."""
EXAMPLE = Path(__file__).parents[2] / "examples" / "uci_incidents" / "mapping.yaml"


@pytest.fixture(scope="session")
def uci_part(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --out folder of a back-test of the first lines of uci_incidents; made once, to be read only."""
    base = tmp_path_factory.getbasetemp()
    # Workers of one run share the folder above theirs; the first makes the back-test, the others wait for it.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    part = base / "uci_part"
    with (base / "uci_part.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (part / "report.json").is_file():
            head = base / "incidents.csv.gz"
            source = real_data / "uci_incidents" / "incident_event_log_noperson.csv.gz"
            with gzip.open(source, "rb") as whole, gzip.open(head, "wb", compresslevel=1) as first:
                first.writelines(islice(whole, LINES))
            backtest(Task(EXAMPLE, (head,), part))
    return part
