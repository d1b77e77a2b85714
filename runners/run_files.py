"""`forewarn run` on file sources: durable, and when it was stopped or killed it goes on where it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.load import load_settings
from config.mapped import settings_with
from connectors.mapping import Mapping
from pipeline.errors import ConfigError
from pipeline.rules import FoldRules
from runners.embedded import Site
from runners.exports import write_scores, write_warnings
from runners.recorded import RecordedDriver, SignalSource, Summary, edge_key, read_commands
from runners.replay import genesis
from runners.wiring import fold_rules


def run_files(
    config: Path, data: Path, commands: Path | None = None, tell: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Read every source of a configuration into the log and fold it; returns counts and digests.

    Writes `warnings.jsonl` and `scores.csv` at the end, as a back-test does. Raises ConfigError, LogBusy.
    """
    settings = load_settings(config)
    if not settings.sources:
        raise ConfigError([f"{config}:1: sources: there is none; name at least one with a mapping and files"])
    sources = []
    for source in settings.sources:
        mapping = Mapping.load(config.parent / source.mapping)
        settings = settings_with(settings, mapping.model, path=source.mapping, files=source.files)
        sources.append((mapping, [config.parent / file for file in source.files]))
    rules = fold_rules(settings)
    site = Site(data, rules)
    try:
        if not site.is_new:
            # A log keeps the rules it was begun with until a new configuration is published.
            rules = FoldRules.from_json(genesis(site.logs)["rules"])
        total = Summary()
        for mapping, files in sources:
            feed = SignalSource(mapping, files, rules, settings, edge_key(data, fixed=False))
            driver = RecordedDriver(site, feed, settings, rules, commands=read_commands(commands))
            summary = driver.run(
                progress=None if tell is None else lambda n: tell("reading", n),
                folded=None if tell is None else lambda n: tell("folding", n),
            )
            total.read += summary.read
            total.reasons += summary.reasons
        write_warnings(data / "warnings.jsonl", site.store, site.logs, rules)
        write_scores(data / "scores.csv", site.store, site.logs, rules)
        folds = site.store.tallies().get("signals", {})
        digests = {"signals-0": site.partitions[0].fold.digest()}
    finally:
        site.close()
    return {"counts": {**folds, "read": total.read, "reasons": dict(total.reasons)}, "digests": digests}
