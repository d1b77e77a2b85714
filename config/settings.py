"""Everything a site can set, composed. `Settings()` alone back-tests any mapping: one root place, no legal clocks."""

from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import Field

from config.clock_rule import Clock
from config.cluster import MAX_PARTITIONS, Kafka, Postgres, Runner, Worker
from config.grading import DUTY, Duty, Levels
from config.learning import Attributes, Learning, Retention, Source, Target
from config.territory import Calendar, Category, Cell, Office, Place, Sensor, Site
from config.topics import Sinks
from config.value import Name, Value
from pipeline.errors import ConfigError
from pipeline.signal import MAX_CODES, MAX_TARGETS, MAX_VALUES


class Settings(Value):
    """One site's configuration. References between its parts are checked by `config.load`, all at once."""

    site: Site = Site()
    calendar: Calendar = Calendar()
    partitions: tuple[Name, ...] = ()
    places: tuple[Place, ...] = ()
    offices: tuple[Office, ...] = ()
    categories: tuple[Category, ...] = ()
    matrix: tuple[Cell, ...] = ()
    clocks: tuple[Clock, ...] = ()
    default_clocks: tuple[Name, ...] = ()
    attributes: Attributes = Attributes()
    targets: Annotated[tuple[Target, ...], Field(max_length=MAX_TARGETS)] = ()
    levels: Levels = Levels()
    duty: tuple[Duty, ...] = DUTY
    sensors: tuple[Sensor, ...] = ()
    sources: tuple[Source, ...] = ()
    learning: Learning = Learning()
    retention: Retention = Retention()
    rescore_hour: Annotated[int, Field(ge=0, le=23)] = 6
    partition_count: Annotated[int, Field(ge=1, le=MAX_PARTITIONS)] = 1
    runner: Runner = "embedded"
    kafka: Kafka = Kafka()
    postgres: Postgres = Postgres()
    worker: Worker = Worker()
    sinks: Sinks = Sinks()

    def with_mapping(
        self,
        *,
        targets: Iterable[Target] = (),
        codes: Iterable[str] = (),
        values: Iterable[str] = (),
        pairs: Iterable[tuple[str, ...]] = (),
        sources: Iterable[Source] = (),
    ) -> "Settings":
        """These settings filled up with what a mapping declares; what the configuration names itself wins.

        The order (a target's bit in a signal) is the configuration's own items first, then the mapping's.
        Raises ConfigError when there are more targets, codes or values than a signal can carry.
        """
        declared = Attributes.model_construct(
            codes=_joined(self.attributes.codes, codes),
            values=_joined(self.attributes.values, values),
            pairs=self.attributes.pairs or tuple(pairs),
            names=self.attributes.names,
        )
        declared_targets = {target.name: target for target in targets}
        mine = tuple(_filled(target, declared_targets.pop(target.name, None)) for target in self.targets)
        all_targets = (*mine, *declared_targets.values())
        all_sources = (*self.sources, *(s for s in sources if s.name not in {own.name for own in self.sources}))
        problems = [
            f"{what}: {count} declared by configuration and mapping together, at most {limit}; leave some out"
            for what, count, limit in (
                ("targets", len(all_targets), MAX_TARGETS),
                ("attributes.codes", len(declared.codes), MAX_CODES),
                ("attributes.values", len(declared.values), MAX_VALUES),
            )
            if count > limit
        ]
        if problems:
            raise ConfigError(problems)
        return self.model_copy(update={"targets": all_targets, "attributes": declared, "sources": all_sources})


def _filled(own: Target, declared: Target | None) -> Target:
    """A target of the configuration; how long its labels are held, where it does not say, as the mapping says."""
    if declared is None or own.hold_days is not None or declared.hold_days is None:
        return own
    return own.model_copy(update={"hold_days": declared.hold_days})


_T = TypeVar("_T")


def _joined(own: tuple[_T, ...], more: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*own, *more)))
