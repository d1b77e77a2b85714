"""`forewarn run` on file sources: durable, and when it was stopped or killed it goes on where it was."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.load import load_settings
from config.mapped import settings_with
from connectors.mapping import Mapping
from pipeline.errors import ConfigError
from runners.embedded import Site
from runners.exports import write_scores
from runners.live.config import first_rules
from runners.recorded import RecordedDriver, SignalSource, by_reason, edge_key, read_commands
from runners.warnings_file import write_warnings
from runners.wiring import fold_rules


def run_files(
    config: Path, data: Path, commands: Path | None = None, tell: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Read every source of a configuration into the log and fold it; returns counts and digests.

    Writes `warnings.jsonl` and `scores.csv` at the end, as a back-test does. Raises ConfigError, LogBusy.
    """
    settings = load_settings(config)
    if not settings.sources:
        raise ConfigError([f"{config}:1: sources: there is none; name at least one with a mapping"])
    sources = []
    for source in settings.sources:
        mapping = Mapping.load(config.parent / source.mapping)
        settings = settings_with(settings, mapping.model, path=source.mapping, files=source.files)
        sources.append((mapping, [config.parent / file for file in source.files]))
    rules = fold_rules(settings)
    # A log keeps the rules it was begun with until a new configuration is published.
    begun = first_rules(data, rules)
    if begun.partitions != rules.partitions:
        raise ConfigError([f"{config}: partition_count: {data} was begun with {begun.partitions}, which is fixed"])
    rules = begun
    site = Site(data, rules)
    try:
        if site.logs.is_wall:
            raise ConfigError([f"{data}: is of a live site; files are read into a folder of their own"])
        read = 0
        for mapping, files in sources:
            feed = SignalSource(mapping, files, rules, settings, edge_key(data, fixed=False))
            driver = RecordedDriver(site, feed, settings, rules, commands=read_commands(commands))
            summary = driver.run(
                progress=None if tell is None else lambda n: tell("reading", n),
                folded=None if tell is None else lambda n: tell("folding", n),
            )
            read += summary.read
        write_warnings(data / "warnings.jsonl", site.store, site.logs, rules)
        write_scores(data / "scores.csv", site.store, site.logs, rules)
        # What was kept, not what this process saw: an earlier one may have read and refused the first part.
        folds, reasons = by_reason(site.store.tallies().get("signals", {}))
        reasons = dict(Counter(reasons) + Counter(by_reason(site.logs.tallies())[1]))
        digests = site.digests()
    finally:
        site.close()
    return {"counts": {**folds, "read": read, "reasons": dict(sorted(reasons.items()))}, "digests": digests}
