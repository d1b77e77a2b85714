"""The one place that puts the parts together; tests call the same functions with the same parts."""

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.level import LevelRule, LevelRules
from alerts.warning import Warnings, is_said
from config.calendar import work_calendar
from config.settings import Settings
from connectors.cues import ELEMENTS, EMERGENCY, Cue
from models.champion import Champion
from pipeline.assessment import Action, Level
from pipeline.calendar import DAY_US, HOUR_US, MINUTE_US
from pipeline.effects import Effects
from pipeline.ids import code64
from pipeline.rules import DutyRule, FoldRules, Target
from pipeline.topology import Topology

WHOLE = 10_000
"""Probabilities, consequences and cut-offs are kept in 1/10,000."""


class CountyWarnings(Warnings):
    """Warnings as the folds hold them: configured by the rules of the log.

    `partitions` among which the budget of every office is shared; the site's own warnings have one of their own.
    """

    def __init__(self, rules: FoldRules, partitions: int = 1) -> None:
        self._partitions = partitions
        super().__init__(level_rules(rules, partitions), {"config": rules.version, "model": 0})

    def configure(self, rules: FoldRules, now: int, effects: Effects) -> None:
        """Take the levels of new rules; open warnings are graded by them."""
        versions = {**self.versions, "config": rules.version}
        self.reconfigure(
            level_rules(rules, self._partitions), versions, now, effects, lambda said: is_said(said, rules.duty)
        )


def topology(rules: FoldRules, models: Mapping[str, Champion]) -> Topology:
    """The signals fold of one county partition."""
    return Topology(rules, CountyWarnings(rules, rules.partitions), models)


def fold_rules(settings: Settings, *, version: int = 1, scores: str = "landmarks") -> FoldRules:
    """What the folds read of a configuration; names become codes."""
    clock_index = {clock.id: index for index, clock in enumerate(settings.clocks)}
    clocks_of = {
        code64(category.id): tuple(clock_index[name] for name in category.clocks)
        for category in settings.categories
        if category.clocks
    }
    if settings.default_clocks:
        clocks_of[0] = tuple(clock_index[name] for name in settings.default_clocks)
    return FoldRules(
        calendar=work_calendar(settings),
        version=version,
        targets=tuple(
            Target(
                name=target.name,
                rule=target.rule,
                at_least=target.at_least,
                window=round(target.window_days * DAY_US),
                hold=round(target.held_days() * DAY_US),
                consequence=round(target.consequence * WHOLE),
                prior=round(target.prior * WHOLE),
            )
            for target in settings.targets
        ),
        codes=settings.attributes.codes,
        values=settings.attributes.values,
        pairs=settings.attributes.pairs,
        clocks=tuple(clock.rule() for clock in settings.clocks),
        clocks_of=clocks_of,
        channels_of={
            clock_index[clock.id]: tuple(code64(channel) for channel in clock.channels)
            for clock in settings.clocks
            if clock.channels
        },
        parents={code64(place.id): code64(place.parent) for place in settings.places},
        leads={
            (code64(cell.place), code64(cell.category)): code64(cell.office)
            for cell in settings.matrix
            if cell.office and cell.role == "lead"
        },
        offices={
            code64(category.id): code64(category.default_office)
            for category in settings.categories
            if category.default_office
        },
        hazards=frozenset(code64(category.id) for category in settings.categories if category.hazard),
        duty=tuple(
            DutyRule(
                id=duty.id,
                kind=duty.kind,
                at_least=duty.at_least,
                level=Level[duty.level.upper()],
                past_budget=duty.past_budget,
                action=Action(duty.notify),
            )
            for duty in settings.duty
        ),
        lateness={
            code64(source.name): source.lateness_seconds * 1_000_000
            for source in settings.sources
            if source.lateness_seconds
        },
        intervals={
            code64(source.name): source.interval_seconds * 1_000_000
            for source in settings.sources
            if source.interval_seconds
        },
        rescore_hour=settings.rescore_hour,
        watched=settings.retention.reopening_days * DAY_US,
        duplicates_days=settings.retention.duplicates_days,
        scores=scores,
        root=code64("root"),
        emergency_cues=int(EMERGENCY),
        reply_cues=int(ELEMENTS),
        risk_cues=int(Cue.RISK),
        # Left out for one partition: the rules of a log that was begun before there were several stay the same.
        surge={"partitions": settings.partition_count} if settings.partition_count > 1 else {},
        levels=_levels(settings),
    )


def _levels(settings: Settings) -> dict[str, Any]:
    return {
        "levels": [
            {
                "raise_at": round(level.raise_at * WHOLE),
                "clear_at": round(level.clear_at * WHOLE),
                "raise_recurrence_days": level.raise_recurrence_days,
                "clear_recurrence_days": level.clear_recurrence_days,
                "dwell_up_us": level.dwell_up_minutes * MINUTE_US,
                "dwell_down_us": level.dwell_down_minutes * MINUTE_US,
                "hold_us": level.hold_hours * HOUR_US,
                "daily_budget": float(level.budget_per_office_day),
            }
            for _, level in settings.levels.ascending()
        ],
        "categories": sorted(
            [code64(category.id), round(category.consequence * WHOLE)]
            for category in settings.categories
            if category.consequence != 1.0
        ),
    }


def level_rules(rules: FoldRules, partitions: int = 1) -> LevelRules:
    """What grading reads of the rules of the log, in a fold that is one of so many to share a budget."""
    levels: Sequence[LevelRule] = [LevelRule(**level) for level in rules.levels["levels"]]
    blue, yellow, orange, red = levels
    return LevelRules(
        levels=(blue, yellow, orange, red),
        consequence=tuple(target.consequence for target in rules.targets),
        category_consequence=dict(rules.levels["categories"]),
        day_of=rules.calendar.day_of,
        share=WHOLE // partitions,
    )
