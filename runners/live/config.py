"""A configuration after another: whether it may follow in the same log, and what a log was begun with."""

from hashlib import sha256
from pathlib import Path

import orjson

from config.load import canonical
from pipeline.rules import FoldRules
from runners.fold_logs import genesis
from runners.live.sources import Plan
from runners.log_sqlite import Logs

CONFIG_MARK, CONFIG_PATH = "config_sha256", "config_path"
"""Under these names a log remembers its configuration's hash and file."""


def incompatible(old: FoldRules, new: FoldRules) -> list[str]:
    """Why a configuration cannot follow another in the same log: what stands at a position there must stay there."""
    problems = []
    if old.partitions != new.partitions:
        problems.append(
            f"partition_count: the log was begun with {old.partitions}, which is fixed; keep it, or move the house to"
            " a new data directory"
        )
    for what, before, after in (
        ("targets", [target.name for target in old.targets], [target.name for target in new.targets]),
        ("attributes.codes", list(old.codes), list(new.codes)),
        ("attributes.values", list(old.values), list(new.values)),
    ):
        if after[: len(before)] != before:
            problems.append(
                f"{what}: {', '.join(before)} are positions in the log's rows; keep them first and in this order,"
                " or begin a new data directory"
            )
    return problems


def first_rules(data: Path, rules: FoldRules) -> FoldRules:
    """Rules that the log of a directory was begun with; these for a new one."""
    if not (data / "log.db").is_file():
        return rules
    with Logs(data / "log.db", readonly=True) as logs:
        try:
            return FoldRules.from_json(genesis(logs)["rules"])
        except FileNotFoundError:
            return rules


def mark(made: Plan) -> str:
    """A hash of a configuration, whatever its version."""
    rules = {**made.rules.to_json(), "version": 0}
    return sha256(orjson.dumps([canonical(made.settings), rules])).hexdigest()
