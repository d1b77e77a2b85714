"""`forewarn doctor`: is this machine, installation and data directory fit to run?"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from alerts.schema import REVISION
from pipeline.errors import ForewarnError
from runners.log_sqlite import Lease, Logs
from runners.verify import Finding

_LEAST_FREE = 1 << 30


def examine(data: Path | None) -> list[Finding]:
    """Every check with its outcome and, where it fails, what to do."""
    findings = [*_installation(), *_machine()]
    if data is not None:
        findings += _directory(data)
    return findings


def _installation() -> Iterator[Finding]:
    major, minor = sys.version_info[:2]
    yield Finding("python", (major, minor) >= (3, 11), f"{major}.{minor}; 3.11 or later is needed")
    wrong = []
    for line in requires("forewarn") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, not {requirement.specifier}")
    yield Finding("packages", not wrong, "; ".join(wrong) or "all within their ranges; `make setup` installs the lock")
    yield Finding("store schema", True, f"revision {REVISION}")


def _machine() -> Iterator[Finding]:
    library = sqlite3.sqlite_version_info
    # Before 3.51.3 two writers on one WAL can corrupt it; forewarn has one writer, so this is for information.
    yield Finding("sqlite", library >= (3, 35), f"{sqlite3.sqlite_version}; 3.35 or later is needed")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with (Path(folder) / "probe").open("wb") as file:
            for _ in range(20):
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
        each = (time.perf_counter() - begun) / 20
    yield Finding("fsync", each < 0.05, f"{each * 1000:.2f} ms each; above 50 ms intake will be slow")
    yield Finding(
        "cores", (os.cpu_count() or 1) >= 2, f"{os.cpu_count()}; two are needed for the trainer beside the fold"
    )


def _directory(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        yield Finding("data directory", False, f"{data} is not there; `forewarn run` makes it")
        return
    free = shutil.disk_usage(data).free
    yield Finding("disk", free > _LEAST_FREE, f"{free >> 20} MiB free; keep at least {_LEAST_FREE >> 20}")
    try:
        Lease(data).release()
        yield Finding("lease", True, "no other process holds it")
    except ForewarnError as error:
        yield Finding("lease", False, str(error))
    path = data / "log.db"
    if not path.is_file():
        yield Finding("log", False, f"{path} is not there: nothing has run here yet")
        return
    try:
        logs = Logs(path, readonly=True)
        frames = sum(1 for log, partition in logs.partitions() for _ in logs.read(log, partition))
        logs.close()
        yield Finding("log", True, f"{frames} frames, every checksum matches, no gap")
    except ForewarnError as error:
        yield Finding("log", False, str(error))
