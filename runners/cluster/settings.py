"""A command for a cluster asks first whether the configuration is of one, and whether its libraries are there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, ForewarnError

if TYPE_CHECKING:
    from config.settings import Settings

_LIBRARIES = frozenset({"kafka", "faust", "aiokafka", "psycopg"})


class ExtraMissing(ForewarnError):
    """The cluster's libraries are not installed."""


def settings_of_cluster(config: Path) -> "Settings":
    """The settings in this file. Raises ConfigError, also where they are of an embedded site."""
    from config.load import load_settings

    settings = load_settings(config)
    if settings.runner != "kafka":
        raise ConfigError([f"{config}: runner is {settings.runner}; this command is for a site with `runner: kafka`"])
    return settings


@contextmanager
def with_libraries() -> Iterator[None]:
    """Tells in words which library of a cluster is not installed. Raises ExtraMissing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        raise ExtraMissing(f"{error.name} is not installed: pip install 'forewarn[cluster]'") from error
