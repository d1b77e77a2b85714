"""What the fold was told to do: the plain form of a configuration, as a config entry of the log carries it."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from models.rows import Schema
from pipeline.assessment import Action, Level
from pipeline.calendar import DAY_US, HOUR_US, WorkCalendar
from pipeline.clocks import ClockRule, Unit
from pipeline.matter import INTAKE, Mark
from pipeline.signal import Step

CODES = ("category", "place", "office", "channel")
VALUES = (
    "hour",
    "weekday",
    "allowed_h",
    "share",
    "age_h",
    "idle_h",
    "handovers",
    "returns",
    "reopens",
    "steps",
    "reports",
    "cues",
    *INTAKE,
)
LANDMARK_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Shares of a clock at which a matter is scored (mechanics: Learning)."""
LANDMARK_DAYS = (0, 1, 3, 7, 14, 30)
"""Days after registration at which a matter without a clock is scored."""


@dataclass(frozen=True, slots=True)
class Target:
    """An outcome to learn; see config.learning.Target for the rules. `consequence`, `prior` in 1/10,000."""

    name: str
    rule: str
    at_least: int = 1
    window: int = 30 * DAY_US
    hold: int = 30 * DAY_US
    consequence: int = 10_000
    prior: int = 1_000


@dataclass(frozen=True, slots=True)
class DutyRule:
    """A rule of duty; `at_least` in the unit of its kind (hours, days, share, count)."""

    id: str
    kind: str
    at_least: float
    level: Level
    past_budget: bool = False
    action: Action = Action.REMIND


class Duties:
    """Rules of duty as the fold asks them at each signal: (bit, least) by kind, spans in µs."""

    __slots__ = ("due_soon", "handed_over", "idle", "listed_overdue", "marked", "overdue", "returned")

    def __init__(self, rules: tuple[DutyRule, ...]) -> None:
        bits = {kind: [(1 << n, rule.at_least) for n, rule in enumerate(rules) if rule.kind == kind] for kind in KINDS}
        self.idle = [(bit, int(least * DAY_US)) for bit, least in bits["idle"]]
        self.overdue = [(bit, int(least * HOUR_US)) for bit, least in bits["overdue"]]
        self.listed_overdue = [(bit, int(least * HOUR_US)) for bit, least in bits["listed_overdue"]]
        self.due_soon, self.returned, self.handed_over = bits["due_soon"], bits["returned"], bits["handed_over"]
        self.marked = [
            (mark, sum(bit for bit, _ in bits[kind]))
            for kind, mark in (("vague_reply", Mark.VAGUE), ("hazard", Mark.HAZARD), ("emergency", Mark.EMERGENCY))
        ]


KINDS = (
    "idle", "overdue", "listed_overdue", "due_soon", "returned", "handed_over", "vague_reply", "hazard", "emergency",
)  # fmt: skip
"""Kinds of duty of a matter."""


@dataclass(frozen=True, slots=True)
class FoldRules:
    """Everything the folds read from the configuration. Codes stand for names; times in µs.

    `parents`: place -> its parent, for every defined place; `leads`: (place, category) -> office; `offices`: category
    -> default office; `clocks_of`: category -> indexes of its clocks, 0 -> those of every other.
    """

    calendar: WorkCalendar
    version: int = 1
    targets: tuple[Target, ...] = ()
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()
    clocks: tuple[ClockRule, ...] = ()
    clocks_of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    channels_of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    leads: dict[tuple[int, int], int] = field(default_factory=dict)
    offices: dict[int, int] = field(default_factory=dict)
    hazards: frozenset[int] = frozenset()
    duty: tuple[DutyRule, ...] = ()
    lateness: dict[int, int] = field(default_factory=dict)
    intervals: dict[int, int] = field(default_factory=dict)
    rescore_hour: int = 6
    watched: int = 30 * DAY_US
    duplicates_days: int = 30
    scores: str = "landmarks"
    root: int = 0
    emergency_cues: int = 0
    reply_cues: int = 0
    risk_cues: int = 0
    surge: dict[str, Any] = field(default_factory=dict)
    levels: dict[str, Any] = field(default_factory=dict)
    duties: Duties = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the rules of duty by kind once."""
        object.__setattr__(self, "duties", Duties(self.duty))

    @property
    def partitions(self) -> int:
        """County partitions of the logs, fixed when they were begun."""
        return int(self.surge.get("partitions", 1))

    @property
    def schema(self) -> Schema:
        """Names of the feature columns."""
        return _schema(self.codes, self.values, self.pairs)

    def to_json(self) -> dict[str, Any]:
        """The payload of a config entry."""
        return {
            "version": self.version,
            "calendar": self.calendar.to_state(),
            "targets": [
                [t.name, t.rule, t.at_least, t.window, t.hold, t.consequence, t.prior] for t in self.targets
            ],
            "codes": list(self.codes),
            "values": list(self.values),
            "pairs": [list(pair) for pair in self.pairs],
            "clocks": [
                [c.id, c.source, int(c.start), [int(s) for s in c.stops], int(c.unit), c.length,
                 [int(p) for p in c.pauses], c.extension_limit, c.rolls_over]
                for c in self.clocks
            ],
            "clocks_of": [[code, list(indexes)] for code, indexes in sorted(self.clocks_of.items())],
            "channels_of": [[index, list(codes)] for index, codes in sorted(self.channels_of.items())],
            "parents": sorted([place, parent] for place, parent in self.parents.items()),
            "leads": sorted([place, category, office] for (place, category), office in self.leads.items()),
            "offices": sorted([category, office] for category, office in self.offices.items()),
            "hazards": sorted(self.hazards),
            "duty": [[d.id, d.kind, d.at_least, int(d.level), d.past_budget, d.action.value] for d in self.duty],
            "lateness": sorted([source, late] for source, late in self.lateness.items()),
            "intervals": sorted([source, interval] for source, interval in self.intervals.items()),
            "rescore_hour": self.rescore_hour,
            "watched": self.watched,
            "duplicates_days": self.duplicates_days,
            "scores": self.scores,
            "root": self.root,
            "emergency_cues": self.emergency_cues,
            "reply_cues": self.reply_cues,
            "risk_cues": self.risk_cues,
            "surge": self.surge,
            "levels": self.levels,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FoldRules":
        """The rules of a config entry."""
        return cls(
            calendar=WorkCalendar.from_state(data["calendar"]),
            version=data["version"],
            targets=tuple(Target(*row) for row in data["targets"]),
            codes=tuple(data["codes"]),
            values=tuple(data["values"]),
            pairs=tuple(tuple(pair) for pair in data["pairs"]),
            clocks=tuple(
                ClockRule(i, s, Step(a), tuple(map(Step, o)), Unit(u), n, tuple(map(Step, p)), e, r)
                for i, s, a, o, u, n, p, e, r in data["clocks"]
            ),
            clocks_of={code: tuple(indexes) for code, indexes in data["clocks_of"]},
            channels_of={index: tuple(codes) for index, codes in data["channels_of"]},
            parents={place: parent for place, parent in data["parents"]},
            leads={(place, category): office for place, category, office in data["leads"]},
            offices={category: office for category, office in data["offices"]},
            hazards=frozenset(data["hazards"]),
            duty=tuple(DutyRule(i, k, n, Level(v), b, Action(a)) for i, k, n, v, b, a in data["duty"]),
            lateness={source: late for source, late in data["lateness"]},
            intervals={source: interval for source, interval in data["intervals"]},
            **{name: data[name] for name in _PLAIN},
        )


@lru_cache(maxsize=64)
def _schema(codes: tuple[str, ...], values: tuple[str, ...], pairs: tuple[tuple[str, ...], ...]) -> Schema:
    pairs = pairs or (("category", "office"), ("category", "place"))
    return Schema((*CODES, *codes), (*VALUES, *values), pairs)


_PLAIN = (
    "rescore_hour",
    "watched",
    "duplicates_days",
    "scores",
    "root",
    "emergency_cues",
    "reply_cues",
    "risk_cues",
    "surge",
    "levels",
)
