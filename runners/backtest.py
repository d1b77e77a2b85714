"""`forewarn backtest`: history through the same fold on a recorded clock, then the four files."""

import gc
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from alerts.store import Store
from config.load import load_settings
from config.mapped import settings_with
from config.settings import Settings
from connectors.mapping import Mapping
from console.reports.report import write_report
from pipeline.errors import ConfigError
from pipeline.frame import Frame
from pipeline.rules import FoldRules
from runners.checkpoints import give_back
from runners.embedded import Site
from runners.exports import rfc3339, write_scores
from runners.recorded import RecordedDriver, SignalSource, Summary, edge_key, read_commands
from runners.trainer import KeptModels
from runners.warnings_file import write_warnings
from runners.wiring import fold_rules

Tell = Callable[[str, int], None]
"""Called with the name of a stage of the work and how far it is."""
_OWN = ("log.db", "store.db", "lease", "models", "checkpoints", "run.json", "report.json", "report.html",
        "scores.csv", "warnings.jsonl", ".cache")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """What to back-test: a mapping, its input files, a configuration, where to write, which scores to keep."""

    mapping: Path
    inputs: tuple[Path, ...]
    out: Path
    config: Path | None = None
    commands: Path | None = None
    scores: str = "landmarks"
    truth: Path | None = None
    keep_models: Path | None = None


def backtest(task: Task, tell: Tell | None = None) -> dict[str, Any]:
    """Run a task and write `report.json`, `report.html`, `warnings.jsonl`, `scores.csv`; returns the run's note.

    Raises ConfigError when mapping, configuration or input cannot be used.
    """
    mapping = Mapping.load(task.mapping)
    settings = settings_with(load_settings(task.config), mapping.model, path=str(task.mapping))
    clear(task.out)
    rules = fold_rules(settings, scores=task.scores)
    if mapping.model.shape in ("readings", "counts"):
        from runners.series import backtest_series

        return backtest_series(task, mapping, settings, rules, tell)
    note = _fold(task, mapping, settings, rules, tell)
    # The report needs as much memory as the fold did: it gets the same.
    gc.collect()
    give_back()
    (task.out / "run.json").write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
    if task.scores == "none":
        return note  # a report is made of scores
    if tell is not None:
        tell("reporting", 0)
    write_report(task.out)
    return note


def _fold(task: Task, mapping: Mapping, settings: Settings, rules: FoldRules, tell: Tell | None) -> dict[str, Any]:
    site = Site(task.out, rules, durable=False, checkpointing=False)
    try:
        source = SignalSource(mapping, task.inputs, rules, settings, edge_key(task.out, fixed=True))
        driver = RecordedDriver(
            site, source, settings, rules, commands=read_commands(task.commands), keep=_kept(task, site)
        )
        summary = driver.run(
            progress=None if tell is None else lambda n: tell("reading", n),
            folded=None if tell is None else lambda n: tell("folding", n),
        )
        if tell is not None:
            tell("writing", 0)
        write_files(task.out, site, rules, task.scores)
        return run_note(task, settings, rules, site, summary)
    finally:
        site.close()


def _kept(task: Task, site: Site) -> KeptModels | None:
    if task.keep_models is None:
        return None
    earlier = Store(task.keep_models / "store.db", readonly=True)
    lessons = earlier.lessons()
    earlier.close()
    site.models.folder.mkdir(parents=True, exist_ok=True)
    for path in (task.keep_models / "models").glob("*.fwc"):
        shutil.copyfile(path, site.models.folder / path.name)
    return KeptModels(lessons)


def write_files(out: Path, site: Site, rules: FoldRules, scores: str) -> None:
    """warnings.jsonl and scores.csv of a site's store."""
    write_warnings(out / "warnings.jsonl", site.store, site.logs, rules)
    if scores != "none":
        write_scores(out / "scores.csv", site.store, site.logs, rules)


def run_note(task: Task, settings: Settings, rules: FoldRules, site: Site, summary: Summary) -> dict[str, Any]:
    """What a run says about itself: input, counts and reasons, levels, versions, digests."""
    fold = site.partitions[0].fold
    first = site.logs.frame("signals", 0, 0)
    reasons = dict(sorted(summary.reasons.items()))
    return {
        "input": [path.name for path in task.inputs],
        "mapping": task.mapping.name,
        "weekday_zone": settings.site.zone,
        "span": [rfc3339(_first_now(first)), rfc3339(site.now)] if first else [],
        "counts": {**summary.folds, "read": summary.read, "reasons": reasons},
        "targets": [
            {"name": target.name, "zh": target.name_zh, "en": target.name_en, "hold_days": target.held_days()}
            for target in settings.targets
        ],
        "levels": {
            "raise": {name: level.raise_at for name, level in settings.levels.ascending()},
            "clear": {name: level.clear_at for name, level in settings.levels.ascending()},
            "budgets": {name: level.budget_per_office_day for name, level in settings.levels.ascending()},
        },
        "versions": dict(fold.grader.versions),
        "digests": {**site.digests(), **_site_digests(site)},
    }


def _site_digests(site: Site) -> dict[str, dict[str, str]]:
    applied = site.store.applied("site", 0)
    return {"site-0": applied.digests} if applied else {}


def clear(out: Path) -> None:
    """Make room for a back-test. Raises ConfigError for a folder that holds anything a back-test did not write."""
    if out.is_dir():
        foreign = sorted(
            path.name for path in out.iterdir() if path.name.removesuffix("-wal").removesuffix("-shm") not in _OWN
        )
        if foreign:
            raise ConfigError(
                [f"{out}: --out holds {foreign[0]!r}, which no back-test wrote; name a folder of its own"]
            )
        for path in out.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    out.mkdir(parents=True, exist_ok=True)


def _first_now(frame: bytes) -> int:
    return int(Frame.from_bytes(frame, 0).now[0])
