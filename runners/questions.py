"""What people ask of a data directory, read-only: warnings, digests, dead letters, what other cut-offs give."""

import platform
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from alerts.store import Store
from console.reports.tune import patch, tune
from pipeline.assessment import Level
from pipeline.county import FOLD_VERSION
from runners.explain.first_reasons import first_reason, transitions_behind
from runners.exports import Names, level_name, rfc3339
from runners.log_sqlite import Logs

_OVER = frozenset({"ended", "closed", "withdrawn"})


def list_warnings(data: Path, *, every: bool, limit: int) -> list[dict[str, Any]]:
    """Warnings with names, worst and newest first."""
    store, logs = Store(data / "store.db", readonly=True), Logs(data / "log.db", readonly=True)
    names = Names(logs)
    first = {each["warning"]: first_reason(each) for _, each in transitions_behind(data, 0, first=True)}
    rows = []
    for row in store.queue(limit=1 << 31 if not every else limit):
        if not every and row["state"] in _OVER:
            continue
        rows.append(
            {
                "id": row["id"],
                "level": level_name(row["proposed"]),
                "visible": level_name(row["level"]),
                "confirmed": level_name(row["confirmed"]),
                "state": row["state"],
                "kind": row["kind"],
                "subject": names.subject(bytes.fromhex(row["subject"])),
                "office": names.of(row["office"]),
                "place": names.of(row["place"]),
                "category": names.of(row["category"]),
                "number": row["number"],
                "reason": first.get(row["id"], ""),
                "since": rfc3339(row["since"]),
                "at": rfc3339(row["at"]),
            }
        )
        if len(rows) >= limit:
            break
    store.close()
    logs.close()
    rank = {level.name.lower(): -int(level) for level in Level}
    return sorted(rows, key=lambda row: rank.get(row["level"], 0))


def digests(data: Path) -> dict[str, Any]:
    """The stored digests of every log and partition, and what they were computed on."""
    store, logs = Store(data / "store.db", readonly=True), Logs(data / "log.db", readonly=True)
    found: dict[str, dict[str, str]] = {}
    for log, partition in logs.partitions():
        applied = store.applied(log, partition)
        if applied is not None:
            found[f"{log}-{partition}"] = {"offset": str(applied.offset), **applied.digests}
    store.close()
    logs.close()
    return {"digests": found, "fingerprint": fingerprint()}


def fingerprint() -> dict[str, Any]:
    """What equal digests presuppose: fold version, numpy, and the processor features its code may use."""
    features = import_module("numpy._core._multiarray_umath").__cpu_features__
    return {
        "fold_version": FOLD_VERSION,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu": sorted(name for name, has in features.items() if has),
    }


def list_deadletters(data: Path, reason: str | None) -> list[dict[str, Any]]:
    """Dead letters with their redacted bodies as text."""
    logs = Logs(data / "log.db", readonly=True)
    letters = logs.deadletters(reason)
    logs.close()
    for letter in letters:
        letter["body"] = (letter["body"] or b"").decode("utf-8", "replace")
    return letters


def tuned(
    data: Path, target: str, cutoffs: Sequence[float], budget: float | None, precision: float | None, level: str
) -> tuple[list[dict[str, Any]], str]:
    """Rows of `tune`, and the patch that sets the level's cut-off to the last row's."""
    rows = tune(data, target=target, cutoffs=cutoffs, daily_budget=budget, precision=precision)
    chosen = float(rows[-1]["cutoff"]) if rows else 0.0
    return rows, patch({level: chosen})
