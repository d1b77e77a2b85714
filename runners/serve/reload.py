"""Which configuration a server of a cluster follows: that of the register, and when its own file makes a new one."""

from dataclasses import replace
from pathlib import Path

import structlog

from pipeline.errors import ConfigError
from runners.live.config import incompatible
from runners.live.sources import Plan, plan
from runners.serve.versions import Version, Versions

log = structlog.get_logger("forewarn")
TRIES = 5


class Configured:
    """The configuration of one server among several. Everything raises StoreUnavailable."""

    def __init__(self, versions: Versions, made: Plan) -> None:
        self._versions = versions
        self._own = made.settings

    def at_start(self, made: Plan) -> Plan:
        """What to follow: a file that was in force before and is no longer does not come back by a restart."""
        newest = self._versions.newest()
        if newest is not None and self._versions.is_old(Version.of(made).mark):
            log.warning("the file is of an older configuration; the one in force is followed", version=newest.number)
            return self.plan_of(newest, made.path)
        return self.propose(made)

    def propose(self, made: Plan) -> Plan:
        """Bring a configuration into force, under the next number. Raises ConfigError where it cannot follow."""
        for _ in range(TRIES):
            newest = self._versions.newest()
            number = 1 if newest is None else newest.number + 1
            numbered = replace(made, rules=replace(made.rules, version=number))
            version = Version.of(numbered)
            if newest is not None:
                if newest.mark == version.mark:
                    return replace(made, rules=newest.rules)
                problems = incompatible(newest.rules, made.rules) + _counts(newest, made)
                if problems:
                    raise ConfigError(problems)
            if self._versions.propose(version):
                self._own = made.settings
                return numbered
        raise ConfigError(["another server changes the configuration again and again; try again later"])

    def newer(self, than: int, path: Path) -> Plan | None:
        """A configuration that another server brought into force since. Raises ConfigError where files are missing."""
        newest = self._versions.newest()
        return None if newest is None or newest.number <= than else self.plan_of(newest, path)

    def plan_of(self, version: Version, path: Path) -> Plan:
        """A version of the register with the mapping files that lie beside this server's own configuration."""
        made = plan(path, version=version.number, settings=version.settings(self._own))
        return replace(made, rules=version.rules)


def _counts(newest: Version, made: Plan) -> list[str]:
    before = int(newest.payload["settings"].get("partition_count", 1))
    if before == made.settings.partition_count:
        return []
    return [f"partition_count: the site was begun with {before}, which stays; move to a new one by `forewarn migrate`"]
