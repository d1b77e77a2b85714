"""What a mapping declares, as settings: its outcomes, attributes and source, where the configuration is silent."""

from collections.abc import Iterable, Mapping

from config.learning import Source, Target
from config.settings import Settings
from connectors.mapping_model import MappingModel, Outcome

PRIORS: Mapping[str, float] = {
    "breach": 0.15,
    "handed_over": 0.15,
    "bounced": 0.05,
    "reopened": 0.03,
    "repeated": 0.1,
    "unsatisfied": 0.15,
    "called_out": 0.02,
    "column": 0.15,
}
"""Share of matters an outcome befalls, by its rule, where neither mapping nor configuration says: orders of magnitude
of municipal services, which hold until there are labels."""


def settings_with(settings: Settings, mapping: MappingModel, *, path: str, files: Iterable[str] = ()) -> Settings:
    """These settings filled up from a mapping; `path` and `files` name it and its input for a source of its own.

    Raises ConfigError when both together declare more than a signal can carry.
    """
    return settings.with_mapping(
        targets=[target_of(outcome) for outcome in mapping.outcomes],
        codes=mapping.codes,
        values=mapping.values,
        pairs=mapping.pairs,
        sources=[Source(name=mapping.source, mapping=path, files=tuple(files))],
    )


def target_of(outcome: Outcome) -> Target:
    """The target an outcome of a mapping stands for; a window it does not name is the usual one."""
    return Target(
        name=outcome.name,
        rule=outcome.rule,
        at_least=outcome.count,
        window_days=Target.model_fields["window_days"].default if outcome.window_days is None else outcome.window_days,
        hold_days=outcome.hold_days,
        consequence=outcome.consequence,
        prior=PRIORS[outcome.rule] if outcome.prior is None else outcome.prior,
    )
